"""Small phantoms and series that several tests look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medvision.testing import Phantom, thorax_phantom, write_dicom_series, write_nifti


@pytest.fixture(scope="session")
def small_ct() -> Phantom:
    return thorax_phantom(3, shape=(64, 56, 20), spacing_mm=(1.3, 1.1, 2.0), lesions=1, diameters_mm=(8, 10))


@pytest.fixture(scope="session")
def read_series() -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    """An independent reader: array (i, j, k) and affine to RAS, written from PS3.3 C.7.6.2.1.1 alone."""

    def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
        slices = [pydicom.dcmread(path) for path in Path(folder).iterdir()]
        row = np.array(slices[0].ImageOrientationPatient[:3], float)
        column = np.array(slices[0].ImageOrientationPatient[3:], float)
        normal = np.array(
            [
                row[1] * column[2] - row[2] * column[1],
                row[2] * column[0] - row[0] * column[2],
                row[0] * column[1] - row[1] * column[0],
            ]
        )
        slices.sort(key=lambda ds: float(normal @ np.array(ds.ImagePositionPatient, float)))
        first, last = (np.array(ds.ImagePositionPatient, float) for ds in (slices[0], slices[-1]))
        between_rows, between_columns = (float(v) for v in slices[0].PixelSpacing)
        lps = np.eye(4)
        lps[:3, 0] = row * between_columns  # i counts columns
        lps[:3, 1] = column * between_rows  # j counts rows
        lps[:3, 2] = (last - first) / (len(slices) - 1)
        lps[:3, 3] = first
        pixels = [
            ds.pixel_array.T * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
            for ds in slices
        ]
        return np.stack(pixels, axis=-1), np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps

    return read


@pytest.fixture
def series(tmp_path, small_ct):
    """A folder with 20 slices, and their paths in the order of their positions."""
    return tmp_path / "series", write_dicom_series(small_ct, tmp_path / "series")


@pytest.fixture
def mask(tmp_path, small_ct):
    return write_nifti(small_ct, tmp_path / "mask.nii.gz", what="mask")
