"""NIfTI in every storage, with NiBabel and SimpleITK as the other readers."""

from __future__ import annotations

import gzip
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (as everybody calls it)
from hypothesis import given
from hypothesis import strategies as st

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume
from medvision.testing.strategies import geometries

DTYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


@dataclass
class Stored:
    """A NIfTI file as bytes, and the stored values in it."""

    content: bytes
    values: np.ndarray
    affine: np.ndarray
    slope: float
    intercept: float


@st.composite
def stored(
    draw: st.DrawFn, volumes: int = 1, *, slopes: bool = True, versions: tuple[int, ...] = (1, 2)
) -> Stored:
    """Any version, byte order, type, scaling and place; the header is written as it is, voxels behind it."""
    geometry = draw(geometries(low=1, high=6, right_handed=False))
    version, order, dtype = (
        draw(st.sampled_from(versions)),
        draw(st.sampled_from("<>")),
        draw(st.sampled_from(DTYPES)),
    )
    shape = (*geometry.shape, volumes) if volumes > 1 else geometry.shape
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = random.integers(0, 100, shape).astype(dtype)
    header = (nib.Nifti1Header, nib.Nifti2Header)[version - 1](endianness=order)
    header.set_data_dtype(np.dtype(dtype))
    header.set_data_shape(shape)
    header.set_zooms([*np.linalg.norm(geometry.affine[:3, :3], axis=0), 1.0][: len(shape)])
    header.set_sform(geometry.affine, code=draw(st.integers(1, 4)))
    if draw(st.booleans()):
        header.set_qform(geometry.affine, code=1)
    scaling = st.sampled_from([(0.0, 0.0), (1.0, 0.0), (1.0, -1024.0), (2.0, 5.0), (0.1, -3.25), (-1.0, 0.0)])
    slope, intercept = draw(scaling) if slopes else (1.0, 0.0)
    gap = draw(st.sampled_from([0, 16, 64]))
    header["scl_slope"], header["scl_inter"] = slope, intercept
    header["vox_offset"] = header.single_vox_offset + gap
    header["magic"] = header.single_magic
    head = header.binaryblock.ljust(header.single_vox_offset + gap, b"\0")
    voxels = values.astype(np.dtype(dtype).newbyteorder(order)).tobytes(order="F")
    return Stored(head + voxels, values, header.get_sform(), slope or 1.0, intercept if slope else 0.0)


def written(folder: str, one: Stored, suffix: str) -> Path:
    path = Path(folder) / f"a{suffix}"
    path.write_bytes(gzip.compress(one.content, 1) if suffix.endswith(".gz") else one.content)
    return path


@given(stored(), st.sampled_from([".nii", ".nii.gz"]))
def test_values_and_place_are_those_that_nibabel_reads(one: Stored, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, one, suffix)
        volume, header, image = load_volume(path), inspect(path), nib.load(path)
        theirs = np.asarray(image.dataobj)
    assert np.allclose(volume.array, theirs, rtol=1e-6, atol=1e-6)
    assert np.array_equal(volume.affine, np.asarray(image.affine, float))
    assert volume.array.dtype == header.dtype
    if one.slope == 1:  # whole numbers stay exact
        assert np.array_equal(volume.array.astype("f8"), one.values.astype("f8") + one.intercept)
        assert (volume.array.dtype.kind == "f") == (
            one.values.dtype.kind == "f" or (one.values.dtype == "u8" and one.intercept != 0)
        )


@given(stored(versions=(1,)), st.sampled_from([".nii", ".nii.gz"]))  # SimpleITK 2.5 reads no NIfTI-2
def test_values_and_place_are_those_that_simpleitk_reads(one: Stored, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        path = written(folder, one, suffix)
        volume, image = load_volume(path), sitk.ReadImage(str(path))
    assert np.allclose(volume.array, sitk.GetArrayFromImage(image).T, rtol=1e-5, atol=1e-5)
    last = [n - 1 for n in volume.shape]
    for index in ([0, 0, 0], last, [last[0], 0, last[2]]):
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        assert np.allclose(volume.geometry.index_to_mm(index), lps * [-1, -1, 1], atol=1e-3)


@given(stored(volumes=3), st.sampled_from([".nii", ".nii.gz"]), st.integers(0, 2))
def test_one_of_several_volumes_is_nibabels(one: Stored, suffix: str, index: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, one, suffix)
        volume, theirs = load_volume(path, volume_index=index), np.asarray(nib.load(path).dataobj)[..., index]
    assert np.allclose(volume.array, theirs, rtol=1e-6, atol=1e-6)


@given(stored(slopes=False), st.data())
def test_a_byte_less_is_refused_and_a_byte_more_is_not(one: Stored, data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from([".nii", ".nii.gz"]))
    with tempfile.TemporaryDirectory() as folder:
        more = Stored(one.content + b"\0", one.values, one.affine, 1, 0)
        assert np.array_equal(load_volume(written(folder, more, suffix)).array, one.values)
        less = Stored(one.content[:-1], one.values, one.affine, 1, 0)
        path = written(folder, less, suffix)
        for read in (inspect, load_volume):
            with pytest.raises(SeriesError, match="cut short"):
                read(path)


@given(st.sampled_from(["<", ">"]), st.integers(0, 5))
def test_a_pair_of_header_and_voxels_is_refused(order: str, number: int) -> None:
    kind = (nib.Nifti1Pair, nib.Nifti2Pair)[number % 2]
    header = kind.header_class(endianness=order)
    with tempfile.TemporaryDirectory() as folder:
        nib.save(kind(np.zeros((3, 4, 5), "i2"), np.eye(4), header), Path(folder) / "a.img")
        head = Path(folder) / "a.hdr"
        for path, told in (
            (head, "this format is not read"),
            (Path(folder) / "b.nii", "the header of a .hdr/.img pair"),
        ):
            path.write_bytes(head.read_bytes())
            with pytest.raises(SeriesError, match=told):
                inspect(path)
