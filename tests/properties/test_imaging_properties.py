"""What must hold for every scan: order, place, round trips, and refusals instead of crashes."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from pathlib import Path

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from medvision.errors import MedvisionError
from medvision.imaging import (
    Geometry,
    Volume,
    content_hash,
    inspect,
    load_volume,
    reorient,
    resample,
    resample_to,
    save_nifti,
)

CODES = [a + b + c for a in "RL" for b in "PA" for c in "IS"]
ORIENTATIONS = [*CODES, *(c[1] + c[2] + c[0] for c in CODES), *(c[2] + c[1] + c[0] for c in CODES)]

shapes = st.tuples(*[st.integers(1, 6)] * 3)
spacings = st.tuples(*[st.floats(0.3, 6)] * 3)
origins = st.tuples(*[st.floats(-500, 500)] * 3)


@st.composite
def rotations(draw: st.DrawFn) -> np.ndarray:
    """A proper rotation from a random unit quaternion."""
    w, x, y, z = q = draw(st.tuples(*[st.floats(-1, 1)] * 4))
    norm = np.linalg.norm(q)
    assume(norm > 0.1)
    w, x, y, z = np.array([w, x, y, z]) / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    affine = np.eye(4)
    flips = np.diag(draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3)))
    affine[:3, :3] = draw(rotations()) @ flips @ np.diag(draw(spacings))
    affine[:3, 3] = draw(origins)
    return Geometry(draw(shapes), affine)


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    geometry = draw(geometries())
    dtype = draw(st.sampled_from(["u1", "i2", "u2", "i4", "f4", "f8"]))
    values = st.integers(0, 200) if np.dtype(dtype).kind != "f" else st.floats(-1e3, 1e3, width=32)
    return Volume(draw(arrays(dtype, geometry.shape, elements=values)), geometry)


@given(geometries(), st.sampled_from(ORIENTATIONS))
def test_reorientation_moves_no_corner(geometry: Geometry, codes: str) -> None:
    turned = geometry.reoriented(codes)
    assert turned.axcodes == codes
    assert sorted(turned.shape) == sorted(geometry.shape)
    ours = np.array(sorted(np.round(geometry.corners_mm, 5).tolist()))
    theirs = np.array(sorted(np.round(turned.corners_mm, 5).tolist()))
    assert np.allclose(ours, theirs, atol=1e-4) or np.allclose(
        [np.linalg.norm(theirs - corner, axis=1).min() for corner in ours], 0, atol=1e-4
    )


@given(volumes(), st.sampled_from(ORIENTATIONS))
def test_reorientation_is_undone_by_the_way_back(volume: Volume, codes: str) -> None:
    back = reorient(reorient(volume, codes), volume.geometry.axcodes)
    assert np.array_equal(back.array, volume.array)
    assert back.geometry.is_close(volume.geometry, 1e-6)
    assert content_hash(reorient(volume, codes)) == content_hash(volume)


@given(geometries(), geometries())
def test_distance_is_symmetric_and_zero_for_itself(one: Geometry, other: Geometry) -> None:
    assert one.distance_mm(one) == 0
    same_shape = Geometry(one.shape, other.affine)
    assert np.isclose(one.distance_mm(same_shape), same_shape.distance_mm(one))
    assert one.is_close(same_shape) == same_shape.is_close(one)


@given(geometries(), spacings)
def test_resampling_keeps_the_first_corner_and_the_extent(
    geometry: Geometry, spacing: tuple[float, ...]
) -> None:
    volume = Volume(np.zeros(geometry.shape, "u1"), geometry)
    found = resample(volume, spacing, "nearest").geometry
    assert np.allclose(found.spacing_mm, spacing)
    assert np.allclose(found.corners_mm[0], geometry.corners_mm[0], atol=1e-6)
    for mm, new, step in zip(geometry.extent_mm, found.extent_mm, spacing, strict=True):
        assert abs(new - mm) <= step / 2 + 1e-6 or np.isclose(new, step)  # one voxel at least


@given(volumes(), spacings)
def test_resampled_values_lie_between_the_old_ones(volume: Volume, spacing: tuple[float, ...]) -> None:
    found = resample(volume, spacing).array
    span = float(volume.array.max()) - float(volume.array.min())
    assert found.min() >= volume.array.min() - 1e-5 * (1 + span)
    assert found.max() <= volume.array.max() + 1e-5 * (1 + span)
    nearest = resample(volume, spacing, "nearest").array
    assert set(np.unique(nearest)) <= set(np.unique(volume.array))


@given(volumes(), st.sampled_from(ORIENTATIONS))
def test_a_mask_comes_back_into_the_scan_exactly(volume: Volume, codes: str) -> None:
    turned = reorient(volume, codes)
    assert np.array_equal(resample_to(turned, volume.geometry, "nearest").array, volume.array)


@given(volumes(), st.sampled_from([".nii", ".nii.gz"]))
def test_nifti_round_trip(volume: Volume, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save_nifti(Path(folder) / f"a{suffix}", volume.array, volume.geometry)
        again = load_volume(path)
    assert np.array_equal(again.array, volume.array)
    assert again.array.dtype == volume.array.dtype
    assert again.geometry.is_close(volume.geometry, 1e-3)


def write_slice(
    path: Path, plane: np.ndarray, rotation: np.ndarray, spacing: np.ndarray, position: np.ndarray
) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = MRImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{path.stem if path.stem.isdigit() else 0}"
    ds = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.PatientID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "MR", "P1", "1.2.3", "1.2.4"
    ds.ImageOrientationPatient = [f"{v:.10f}" for v in rotation[:, :2].T.ravel()]
    ds.ImagePositionPatient = [f"{v:.10f}" for v in position]
    ds.PixelSpacing = [f"{spacing[1]:.10f}", f"{spacing[0]:.10f}"]
    ds.SliceThickness = f"{spacing[2]:.10f}"
    ds.Rows, ds.Columns = plane.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelData = plane.astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    ds.save_as(path, enforce_file_format=True)


@given(st.data())
def test_a_series_in_any_order_of_files_is_the_volume_it_was_cut_from(data: st.DataObject) -> None:
    rotation, spacing = data.draw(rotations()), np.array(data.draw(spacings))
    shape, origin = data.draw(shapes), np.array(data.draw(origins))
    voxels = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    names = data.draw(st.permutations(range(shape[2])))
    with tempfile.TemporaryDirectory() as folder:
        for k, name in enumerate(names):
            position = origin + rotation[:, 2] * spacing[2] * k
            write_slice(Path(folder) / f"{name}.dcm", voxels[:, :, k].T, rotation, spacing, position)
        volume = load_volume(folder)
    assert np.array_equal(volume.array, voxels)
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = rotation * spacing, origin
    assert volume.geometry.is_close(Geometry(shape, np.diag([-1, -1, 1, 1]) @ lps), 1e-3)


@given(st.data())
def test_damaged_bytes_are_refused_or_read_but_never_crash(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if data.draw(st.booleans()):
            path = Path(folder) / "a.dcm"
            write_slice(path, np.eye(8), np.eye(3), np.ones(3), np.zeros(3))
            start = 128
        else:
            path = save_nifti(Path(folder) / "a.nii", np.eye(8)[..., None], np.eye(4))
            start = 0
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(start, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        for read in (inspect, load_volume):
            with contextlib.suppress(MedvisionError), warnings.catch_warnings(action="ignore"):
                volume = read(path)
                assert min(volume.geometry.shape) >= 1
