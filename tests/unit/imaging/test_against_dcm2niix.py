"""Series of any orientation, spacing and direction against what dcm2niix makes of the same files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
import pytest
from pydicom import Dataset

from medvision.imaging import Geometry, load_volume, load_volumes
from medvision.imaging.gradients import b_values, b_vectors, fsl_vectors

Series = Callable[..., list[Path]]


def converted(folder: Path) -> list[Path]:
    """The NIfTI files that dcm2niix makes of a folder, by name."""
    words = [dcm2niix.bin, "-f", "made", "-o", str(folder.parent), str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    return sorted(folder.parent.glob("made*.nii"))


@pytest.mark.parametrize("seed", range(12))
def test_any_series(series: Series, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    if seed % 3 == 0:  # axial, coronal or sagittal, any way round
        axes = np.eye(3)[:, rng.permutation(3)] * rng.choice([-1.0, 1.0], 3)
    orientation = [round(float(x), 6) for x in (*axes[:, 0], *axes[:, 1])]
    shape = (int(rng.integers(2, 9)), int(rng.integers(5, 20)), int(rng.integers(5, 20)))
    normal = np.cross(orientation[:3], orientation[3:])
    files = series(
        rng.integers(0, 4000, shape, np.int16 if seed % 2 else np.uint16),
        orientation=orientation,
        step=normal * rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 6),
        spacing=[round(float(mm), 4) for mm in rng.uniform(0.3, 3, 2)],
        origin=rng.uniform(-200, 200, 3),
        Modality="MR" if seed % 4 else "CT",
        RescaleSlope=2.5 if seed % 5 == 0 else 1,
        RescaleIntercept=-1024 if seed % 2 else 0,
    )
    found = load_volume(files)
    (made,) = converted(files[0].parent)
    theirs = nib.as_closest_canonical(nib.load(made))
    array = np.array(found.array)
    ours = nib.as_closest_canonical(nib.Nifti1Image(array, np.array(found.affine), dtype=array.dtype))
    assert np.allclose(np.asarray(ours.dataobj), np.asarray(theirs.dataobj), rtol=1e-6, atol=0)
    assert Geometry(ours.shape, ours.affine).distance_mm(Geometry(theirs.shape, theirs.affine)) < 1e-3


def test_a_gantry_tilt_resampled_away(series: Series) -> None:
    """Its voxels, not its affine: dcm2niix keeps the origin of the leaning stack, 5 mm off here."""
    angle = np.deg2rad(12)
    lean = 3 * np.array([0, -np.sin(angle), np.cos(angle)])
    k, row, column = np.mgrid[0:9, 0:64, 0:48]
    x, y, z = 0.8 * column, 0.8 * row + k * lean[1], k * lean[2]
    stored = (1000 + 300 * np.sin(x / 6) * np.cos(y / 8) + 5 * z).astype(np.int16)
    files = series(
        stored, step=lean, spacing=(0.8, 0.8), GantryDetectorTilt=12, Manufacturer="SIEMENS", Modality="CT"
    )
    found = load_volume(files, on_tilt="shear")
    theirs = np.asarray(nib.load(converted(files[0].parent)[1]).dataobj)
    ours = found.array[:, ::-1]  # dcm2niix stores rows from posterior to anterior
    assert theirs.shape == ours.shape == (48, 71, 9)
    inside = (theirs != theirs.min()) & (ours != ours.min())
    assert inside.mean() > 0.85
    assert np.abs(theirs - ours)[inside].max() <= 0.5  # theirs are whole numbers


@pytest.mark.parametrize(
    "orientation", [(1, 0, 0, 0, 1, 0), (0.96, 0.28, 0, -0.28, 0.96, 0), (0, 1, 0, 0, 0, -1)]
)
def test_b_values_and_directions(series: Series, tmp_path: Path, orientation: tuple[float, ...]) -> None:
    """Siemens files, one for each slice of each direction, against dcm2niix's .bval and .bvec."""
    directions = np.array([[0, 0, 0], [1, 0, 0], [0.6, 0.0, 0.8], [-0.48, 0.6, 0.64]])
    for number, direction in enumerate(directions):

        def siemens(ds: Dataset, k: int, number: int = number, direction: np.ndarray = direction) -> None:
            block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
            block.add_new(0x0C, "IS", "1000" if number else "0")
            if number:
                block.add_new(0x0E, "FD", direction.tolist())
            ds.InstanceNumber = 10 * number + k + 1
            ds.AcquisitionTime = f"10{number:02d}00"
            ds.AcquisitionNumber = number + 1

        series(
            np.random.default_rng(number).integers(0, 900, (6, 12, 10), np.uint16),
            folder=tmp_path / "in" / str(number),
            series_uid="1.2.3",
            FrameOfReferenceUID="1.9",
            orientation=orientation,
            Modality="MR",
            Manufacturer="SIEMENS",
            MRAcquisitionType="2D",
            ScanningSequence="EP",
            edit=siemens,
        )
    every = load_volumes(tmp_path / "in", split_by="AcquisitionNumber")
    (made,) = converted(tmp_path / "in")
    assert b_values(every) == pytest.approx(np.loadtxt(made.with_suffix(".bval")))
    vectors = b_vectors(every)
    assert vectors is not None
    assert vectors[1:] == pytest.approx(directions[1:] * [-1, -1, 1])
    theirs = np.loadtxt(made.with_suffix(".bvec")).T
    assert fsl_vectors(vectors, nib.load(made).affine) == pytest.approx(theirs, abs=1e-5)
