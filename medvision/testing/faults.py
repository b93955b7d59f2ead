"""Break a written scan in one chosen way, as exports, archives and people break them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import FileDataset

from medvision.errors import MedvisionError
from medvision.testing.dicom import uid_of
from medvision.testing.nifti import save_nifti

DicomFault = Literal[
    "missing_slice",
    "duplicated_position",
    "uneven_positions",
    "mixed_series",
    "mixed_spacing",
    "mixed_orientation",
    "mixed_shape",
    "gantry_tilt",
    "missing_position",
    "wrong_patient",
    "truncated_file",
    "not_dicom",
    "stray_file",
    "burned_in_label",
    "constant_image",
    "missing_file",
]
NiftiFault = Literal[
    "nan",
    "constant_image",
    "mask_shape",
    "mask_affine",
    "mask_values",
    "empty_mask",
    "truncated_file",
    "missing_file",
]
Fault = DicomFault | NiftiFault

_Series = list[FileDataset]
_FONT = {  # three by five dots: each octal digit is a row
    "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "G": "34553",
    "H": "55755", "I": "72227", "J": "11152", "K": "55655", "L": "44447", "M": "57755", "N": "65555",
    "O": "25552", "P": "65644", "Q": "25563", "R": "65655", "S": "34216", "T": "72222", "U": "55557",
    "V": "55552", "W": "55775", "X": "55255", "Y": "55222", "Z": "71247",
}  # fmt: skip


def apply_fault(
    path: str | Path, fault: Fault, *, seed: int = 0, text: str = "MALIGNANT"
) -> tuple[Path, ...]:
    """Break a DICOM series (a folder) or a NIfTI file in place.

    For a folder:

    - ``missing_slice``: one inner slice is deleted.
    - ``duplicated_position``: one inner slice is there twice, under two SOPInstanceUIDs.
    - ``uneven_positions``: one inner slice is moved by 0.4 of the slice distance.
    - ``mixed_series``: every other slice once more, as a second series of the same study.
    - ``mixed_spacing``: the last third has pixels 1.25 times as large.
    - ``mixed_orientation``: the last third is turned by 90°.
    - ``mixed_shape``: one inner slice has half the rows.
    - ``gantry_tilt``: slices tilted by 15° while the table moved straight on.
    - ``missing_position``: one inner slice has no ImagePositionPatient.
    - ``wrong_patient``: one inner slice names another patient.
    - ``truncated_file``: one file stops after 60 % of its bytes.
    - ``not_dicom``: one file is a web page that says that the log-in has expired.
    - ``stray_file``: a thumbnail database lies beside the slices; harmless.
    - ``burned_in_label``: ``text`` is written into the pixels of every slice.
    - ``constant_image``: all pixels have one value.
    - ``missing_file``: the folder is deleted.

    For a NIfTI file: ``nan`` (a block of not-a-numbers), ``constant_image``, ``mask_shape`` (the last slice
    is cut off), ``mask_affine`` (shifted by 5 mm), ``mask_values`` (half of the mask becomes 7),
    ``empty_mask``, ``truncated_file``, ``missing_file``.

    Args:
        path: The series' folder, or the NIfTI file.
        fault: Which one.
        seed: Chooses the slice.
        text: What ``burned_in_label`` writes; letters A to Z.

    Returns:
        The files that were changed, added or deleted.

    Raises:
        MedvisionError: A path that does not exist, a fault of the other kind of file, or too few slices.

    Example:
        >>> import tempfile
        >>> from medvision.testing import apply_fault, thorax_phantom, write_dicom_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), folder)
        ...     (deleted,) = apply_fault(folder, "missing_slice")
        ...     deleted.exists()
        False
    """
    path = Path(path)
    known = get_args(DicomFault if path.is_dir() else NiftiFault)
    if not path.exists():
        raise MedvisionError(f"{path} does not exist: write the series before breaking it")
    if fault not in known:
        kind = "a DICOM series" if path.is_dir() else "a NIfTI file"
        raise MedvisionError(f"{fault!r} is no fault of {kind}; choose one of {', '.join(known)}")
    if fault == "missing_file":
        return _delete(path)
    if path.is_file():
        return _break_nifti(path, fault)
    if fault == "burned_in_label":
        return _change_pixels(path, lambda pixels, high: _burn(pixels, text, high))
    if fault == "constant_image":
        return _change_pixels(path, lambda pixels, high: np.zeros_like(pixels))
    return _SERIES_FAULTS[fault](_read_series(path), np.random.default_rng(seed))


def _delete(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return (path,)


def _read_series(folder: Path) -> _Series:
    """The slices in the order of their positions."""
    slices = [pydicom.dcmread(file) for file in sorted(folder.iterdir()) if pydicom.misc.is_dicom(file)]
    if len(slices) < 6:
        raise MedvisionError(f"{folder} has {len(slices)} slices; a fault needs a series of at least 6")
    normal = np.cross(slices[0].ImageOrientationPatient[:3], slices[0].ImageOrientationPatient[3:])
    return sorted(slices, key=lambda ds: float(np.dot(normal, ds.ImagePositionPatient)))


def _path(ds: FileDataset) -> Path:
    return Path(str(ds.filename))


def _inner(series: _Series, random: np.random.Generator) -> int:
    return int(random.integers(2, len(series) - 2))


def _save(slices: _Series) -> tuple[Path, ...]:
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


def _missing_slice(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    return _delete(_path(series[_inner(series, random)]))


def _duplicated_position(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    twin = _copy(series[_inner(series, random)], "IM9001")
    twin.InstanceNumber = len(series) + 1
    return _save([twin])


def _uneven_positions(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    k = _inner(series, random)
    here, following = (np.array(ds.ImagePositionPatient, dtype=float) for ds in series[k : k + 2])
    series[k].ImagePositionPatient = _decimals(here + 0.4 * (following - here))
    return _save([series[k]])


def _mixed_series(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    twins = [_copy(ds, f"IM9{k:03d}") for k, ds in enumerate(series)][::2]
    for twin in twins:
        twin.SeriesInstanceUID = uid_of(twin.SeriesInstanceUID, "mixed")
        twin.SeriesNumber = int(twin.SeriesNumber) + 1
        twin.SeriesDescription = "Other"
    return _save(twins)


def _mixed_spacing(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    part = series[-(len(series) // 3) :]
    for ds in part:
        ds.PixelSpacing = _decimals(np.array(ds.PixelSpacing, dtype=float) * 1.25)
    return _save(part)


def _mixed_orientation(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    part = series[-(len(series) // 3) :]
    for ds in part:
        row, column = np.array(ds.ImageOrientationPatient, dtype=float).reshape(2, 3)
        ds.ImageOrientationPatient = _decimals(np.concatenate([row, -np.cross(row, column)]))
    return _save(part)


def _mixed_shape(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    ds = series[_inner(series, random)]
    pixels = _pixels(ds)
    ds.Rows = pixels.shape[0] // 2
    ds.PixelData = pixels[: ds.Rows].tobytes()
    return _save([ds])


def _gantry_tilt(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    angle = np.deg2rad(15)
    for ds in series:
        row, column = np.array(ds.ImageOrientationPatient, dtype=float).reshape(2, 3)
        tilted = np.cos(angle) * column - np.sin(angle) * np.cross(row, column)
        ds.ImageOrientationPatient = _decimals(np.concatenate([row, tilted]))
        ds.GantryDetectorTilt = "15"
    return _save(series)


def _missing_position(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    ds = series[_inner(series, random)]
    del ds.ImagePositionPatient
    return _save([ds])


def _wrong_patient(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    ds = series[_inner(series, random)]
    ds.PatientID = f"{ds.PatientID}-OTHER"
    ds.PatientName = f"Phantom^{ds.PatientID}"
    return _save([ds])


def _truncated_file(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    return _truncate(_path(series[_inner(series, random)]))


def _not_dicom(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    path = _path(series[_inner(series, random)])
    path.write_text("<html><body>Your session has expired. Please log in.</body></html>\n", encoding="utf-8")
    return (path,)


def _stray_file(series: _Series, random: np.random.Generator) -> tuple[Path, ...]:
    path = _path(series[0]).with_name("Thumbs.db")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    return (path,)


_SERIES_FAULTS: dict[str, Callable[[_Series, np.random.Generator], tuple[Path, ...]]] = {
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


def _decimals(values: npt.NDArray[np.float64]) -> list[str]:
    return [pydicom.valuerep.format_number_as_ds(float(v) + 0.0) for v in values]


def _truncate(path: Path) -> tuple[Path, ...]:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.6)])
    return (path,)


_Pixels = npt.NDArray[np.integer[Any]]


def _pixels(ds: FileDataset) -> _Pixels:
    """The stored values (rows, columns), which may be changed; the data set is left uncompressed."""
    if ds.file_meta.TransferSyntaxUID.is_compressed:
        ds.decompress(generate_instance_uid=False)
    kind = np.int16 if ds.PixelRepresentation else np.uint16
    return np.frombuffer(ds.PixelData, kind).reshape(ds.Rows, ds.Columns).copy()


def _change_pixels(folder: Path, change: Callable[[_Pixels, int], _Pixels]) -> tuple[Path, ...]:
    series = _read_series(folder)
    images = [_pixels(ds) for ds in series]
    high = max(int(image.max()) for image in images)
    for ds, image in zip(series, images, strict=True):
        ds.PixelData = change(image, high).tobytes()
    return _save(series)


def _burn(pixels: _Pixels, text: str, value: int) -> _Pixels:
    """Write text into the upper left corner, about half the width of the image."""
    unknown = sorted(set(text) - set(_FONT))
    if unknown or not text:
        raise MedvisionError(f"text {text!r} must be letters A to Z")
    dots = np.zeros((5, 4 * len(text)), bool)
    for place, letter in enumerate(text):
        for row, digit in enumerate(_FONT[letter]):
            dots[row, 4 * place : 4 * place + 3] = [c == "1" for c in f"{int(digit, 8):03b}"]
    size = max(1, pixels.shape[1] // (2 * dots.shape[1]))
    block = np.kron(dots, np.ones((size, size), bool))[: pixels.shape[0] - 2, : pixels.shape[1] - 2]
    pixels[2 : 2 + block.shape[0], 2 : 2 + block.shape[1]][block] = value
    return pixels


def _break_nifti(path: Path, fault: str) -> tuple[Path, ...]:
    if fault == "truncated_file":
        return _truncate(path)
    image: Any = nib.load(path)
    array, affine = np.asarray(image.dataobj).copy(), image.affine.copy()
    if fault == "nan":
        array = array.astype(np.float32)
        array[tuple(slice(n // 3, n // 2 + 1) for n in array.shape)] = np.nan
    elif fault == "constant_image":
        array[:] = 0
    elif fault == "mask_shape":
        array = array[..., :-1]
    elif fault == "mask_affine":
        affine[:3, 3] += 5.0
    elif fault == "empty_mask":
        array[:] = 0
    elif fault == "mask_values":
        inside = np.argwhere(array)
        array[tuple(inside[: max(1, len(inside) // 2)].T)] = 7
    return (save_nifti(array, affine, path),)
