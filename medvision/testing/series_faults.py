"""Break a DICOM series slice by slice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset

from medvision.errors import MedvisionError
from medvision.testing.burning import Pixels
from medvision.testing.dicom_header import decimals, uid_of
from medvision.testing.removal import delete, truncate

Series = list[FileDataset]


def read_series(folder: Path) -> Series:
    """The slices in the order of their positions."""
    slices = [pydicom.dcmread(file) for file in sorted(folder.iterdir()) if pydicom.misc.is_dicom(file)]
    if len(slices) < 6:
        raise MedvisionError(f"{folder} has {len(slices)} slices; a fault needs a series of at least 6")
    normal = np.cross(slices[0].ImageOrientationPatient[:3], slices[0].ImageOrientationPatient[3:])
    return sorted(slices, key=lambda ds: float(np.dot(normal, ds.ImagePositionPatient)))


def _path(ds: FileDataset) -> Path:
    return Path(str(ds.filename))


def _inner(series: Series, random: np.random.Generator) -> int:
    return int(random.integers(2, len(series) - 2))


def _save(slices: Series) -> tuple[Path, ...]:
    for ds in slices:
        ds.save_as(_path(ds))
    return tuple(_path(ds) for ds in slices)


def _copy(ds: FileDataset, name: str) -> FileDataset:
    """The same slice as another object under another file name."""
    twin = pydicom.dcmread(_path(ds))
    twin.filename = str(_path(ds).with_name(name + _path(ds).suffix))
    twin.SOPInstanceUID = uid_of(ds.SOPInstanceUID, name)
    twin.file_meta.MediaStorageSOPInstanceUID = twin.SOPInstanceUID
    return twin


def _missing_slice(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    return delete(_path(series[_inner(series, random)]))


def _duplicated_position(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    twin = _copy(series[_inner(series, random)], "IM9001")
    twin.InstanceNumber = len(series) + 1
    return _save([twin])


def _uneven_positions(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    k = _inner(series, random)
    here, following = (np.array(ds.ImagePositionPatient, dtype=float) for ds in series[k : k + 2])
    series[k].ImagePositionPatient = decimals(here + 0.4 * (following - here))
    return _save([series[k]])


def _mixed_series(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    twins = [_copy(ds, f"IM9{k:03d}") for k, ds in enumerate(series)][::2]
    for twin in twins:
        twin.SeriesInstanceUID = uid_of(twin.SeriesInstanceUID, "mixed")
        twin.SeriesNumber = int(twin.SeriesNumber) + 1
        twin.SeriesDescription = "Other"
    return _save(twins)


def _mixed_spacing(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    part = series[-(len(series) // 3) :]
    for ds in part:
        ds.PixelSpacing = decimals(np.array(ds.PixelSpacing, dtype=float) * 1.25)
    return _save(part)


def _mixed_orientation(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    part = series[-(len(series) // 3) :]
    for ds in part:
        row, column = np.array(ds.ImageOrientationPatient, dtype=float).reshape(2, 3)
        ds.ImageOrientationPatient = decimals(np.concatenate([row, -np.cross(row, column)]))
    return _save(part)


def _mixed_shape(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    ds = series[_inner(series, random)]
    pixels = _pixels(ds)
    ds.Rows = pixels.shape[0] // 2
    ds.PixelData = pixels[: ds.Rows].tobytes()
    return _save([ds])


def _gantry_tilt(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    angle = np.deg2rad(15)
    for ds in series:
        row, column = np.array(ds.ImageOrientationPatient, dtype=float).reshape(2, 3)
        tilted = np.cos(angle) * column - np.sin(angle) * np.cross(row, column)
        ds.ImageOrientationPatient = decimals(np.concatenate([row, tilted]))
        ds.GantryDetectorTilt = "15"
    return _save(series)


def _missing_position(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    ds = series[_inner(series, random)]
    del ds.ImagePositionPatient
    return _save([ds])


def _wrong_patient(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    ds = series[_inner(series, random)]
    ds.PatientID = f"{ds.PatientID}-OTHER"
    ds.PatientName = f"Phantom^{ds.PatientID}"
    return _save([ds])


def _truncated_file(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    return truncate(_path(series[_inner(series, random)]))


def _not_dicom(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    path = _path(series[_inner(series, random)])
    path.write_text("<html><body>Your session has expired. Please log in.</body></html>\n", encoding="utf-8")
    return (path,)


def _stray_file(series: Series, random: np.random.Generator) -> tuple[Path, ...]:
    path = _path(series[0]).with_name("Thumbs.db")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    return (path,)


SERIES_FAULTS: dict[str, Callable[[Series, np.random.Generator], tuple[Path, ...]]] = {
    "missing_slice": _missing_slice,
    "duplicated_position": _duplicated_position,
    "uneven_positions": _uneven_positions,
    "mixed_series": _mixed_series,
    "mixed_spacing": _mixed_spacing,
    "mixed_orientation": _mixed_orientation,
    "mixed_shape": _mixed_shape,
    "gantry_tilt": _gantry_tilt,
    "missing_position": _missing_position,
    "wrong_patient": _wrong_patient,
    "truncated_file": _truncated_file,
    "not_dicom": _not_dicom,
    "stray_file": _stray_file,
}


def _pixels(ds: FileDataset) -> Pixels:
    """The stored values (rows, columns), which may be changed; the data set is left uncompressed."""
    if ds.file_meta.TransferSyntaxUID.is_compressed:
        ds.decompress(generate_instance_uid=False)
    kind = np.int16 if ds.PixelRepresentation else np.uint16
    return np.frombuffer(ds.PixelData, kind).reshape(ds.Rows, ds.Columns).copy()


def change_pixels(folder: Path, change: Callable[[Pixels, int], Pixels]) -> tuple[Path, ...]:
    """Change the stored pixels of every slice, given each (rows, columns) and the highest value of all."""
    series = read_series(folder)
    images = [_pixels(ds) for ds in series]
    high = max(int(image.max()) for image in images)
    for ds, image in zip(series, images, strict=True):
        ds.PixelData = change(image, high).tobytes()
    return _save(series)
