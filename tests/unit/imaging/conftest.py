"""Small synthetic DICOM series, written with pydicom, with any fault a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

SeriesWriter = Callable[..., list[Path]]


def write_series(
    folder: Path,
    stored: np.ndarray | None = None,
    *,
    count: int = 5,
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0),
    origin: Sequence[float] = (-10.0, -20.0, 30.0),
    spacing: Sequence[float] = (0.8, 0.6),
    step: Sequence[float] | None = None,
    syntax: str = ExplicitVRLittleEndian,
    edit: Callable[[Dataset, int], Any] | None = None,
    series_uid: str | None = None,
    shuffle: bool = True,
    **elements: Any,
) -> list[Path]:
    """Write slices (k, rows, columns); ``step`` defaults to 2.5 mm along the normal.

    File names and InstanceNumbers run against the positions, so that sorting by either is wrong.
    """
    if stored is None:
        stored = np.arange(count * 4 * 6, dtype=np.uint16).reshape(count, 4, 6)
    row, column = np.array(orientation, float).reshape(2, 3)
    along = np.cross(row, column) * 2.5 if step is None else np.asarray(step, float)
    uid = series_uid or generate_uid()
    folder.mkdir(parents=True, exist_ok=True)
    frame = generate_uid()
    files = []
    for k, plane in enumerate(stored):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = syntax
        number = len(stored) - k if shuffle else k + 1
        path = folder / f"IM{number:04d}.dcm"
        big, implicit = syntax == ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
        ds = FileDataset(
            str(path),
            {},
            file_meta=meta,
            preamble=b"\0" * 128,
            is_implicit_VR=implicit,
            is_little_endian=not big,
        )
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        ds.Modality, ds.PatientID, ds.PatientName = "CT", "P1", "Name^Secret"
        ds.SeriesInstanceUID, ds.SeriesDescription, ds.FrameOfReferenceUID = uid, "thorax", frame
        ds.InstanceNumber = number
        ds.ImageOrientationPatient = [float(x) for x in orientation]
        ds.ImagePositionPatient = [float(f"{x:.9g}") for x in np.asarray(origin) + k * along]
        ds.PixelSpacing = list(spacing)
        ds.SliceThickness = 2.5
        ds.RescaleSlope, ds.RescaleIntercept = 1, 0
        ds.Rows, ds.Columns = plane.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated = plane.dtype.itemsize * 8
        ds.BitsStored, ds.HighBit = ds.BitsAllocated, ds.BitsAllocated - 1
        ds.PixelRepresentation = int(plane.dtype.kind == "i")
        ds.PixelData = plane.astype(plane.dtype.newbyteorder(">" if big else "<")).tobytes()
        ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
        for name, value in elements.items():
            setattr(ds, name, value)
        if edit is not None and edit(ds, k) == "skip":
            continue
        ds.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


@pytest.fixture
def series(tmp_path: Path) -> SeriesWriter:
    """Write a series into a fresh folder (or ``folder=``) and return its files in slice order."""

    def write(stored: np.ndarray | None = None, folder: Path | None = None, **options: Any) -> list[Path]:
        return write_series(folder or tmp_path / "series", stored, **options)

    return write
