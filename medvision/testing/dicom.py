"""Write a phantom as a DICOM series that a PACS would accept, one file a slice."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from medvision.errors import MedvisionError
from medvision.testing.dicom_header import Patient, Storage, common_header, place_slice, rescale_of
from medvision.testing.phantom import Phantom

SliceOrder = Literal["ascending", "descending"]
_SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
}


def write_dicom_series(
    phantom: Phantom,
    folder: str | Path,
    *,
    patient: Patient | None = None,
    storage: Storage | None = None,
    scanner: str = "Phantom A",
    instance_order: SliceOrder = "ascending",
    shuffle_names: bool = True,
    extension: str = ".dcm",
    series_number: int = 1,
) -> tuple[Path, ...]:
    """Write one file a slice; the same arguments give the same bytes.

    Args:
        phantom: The scan. Its mask is not written; see `write_nifti`.
        folder: Where to; made if absent.
        patient: Whom the header names.
        storage: Bits, sign, rescaling and encoding of the pixels.
        scanner: Name of the scanner in the header.
        instance_order: Whether InstanceNumber rises or falls along the slice normal.
        shuffle_names: File names in an order that says nothing about the slices', as a PACS export has them.
        extension: End of the file names, may be empty.
        series_number: DICOM's SeriesNumber; another number is another series of the same study.

    Returns:
        The paths, in the order of the slices along k.

    Raises:
        MedvisionError: Intensities that do not fit into the bits asked for.

    Example:
        >>> import tempfile
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), folder)
        >>> len(files), files[0].suffix
        (16, '.dcm')
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    patient, storage = patient or Patient(), storage or Storage()
    stored = _stored_pixels(phantom, storage)
    header = common_header(phantom, patient, storage, scanner, series_number)
    count = phantom.array.shape[2]
    names = np.random.default_rng(phantom.seed).permutation(count) if shuffle_names else np.arange(count)
    paths = []
    for k in range(count):
        path = folder / f"IM{names[k] + 1:04d}{extension}"
        number = k + 1 if instance_order == "ascending" else count - k
        place_slice(header, phantom, k, number)
        header.PixelData = np.ascontiguousarray(stored[:, :, k].T).tobytes()
        _save(header, path, storage)
        paths.append(path)
    return tuple(paths)


def _stored_pixels(phantom: Phantom, storage: Storage) -> npt.NDArray[np.integer[Any]]:
    """Stored values; the rescale that the header states brings them back to the phantom's."""
    slope, intercept = rescale_of(phantom, storage)
    values = np.rint((phantom.array.astype(np.float64) - intercept) / slope)
    low = -(2 ** (storage.bits_stored - 1)) if storage.signed else 0
    high = low + 2**storage.bits_stored - 1
    if values.min() < low or values.max() > high:
        raise MedvisionError(
            f"stored values {values.min():g} to {values.max():g} do not fit into {storage.bits_stored} "
            f"{'signed' if storage.signed else 'unsigned'} bits: change bits_stored, slope or intercept"
        )
    return values.astype(np.int16 if storage.signed else np.uint16)


def _save(ds: Dataset, path: Path, storage: Storage) -> None:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    syntax = _SYNTAXES[storage.transfer_syntax]
    if not syntax.is_compressed:
        ds.file_meta.TransferSyntaxUID = syntax
        ds.save_as(path, enforce_file_format=True, implicit_vr=syntax.is_implicit_VR, little_endian=True)
        return
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_only = Dataset(ds)  # compress() changes the data set; the header goes on to the next slice
    slice_only.file_meta = ds.file_meta
    slice_only.compress(syntax, generate_instance_uid=False)
    slice_only.save_as(path, enforce_file_format=True)
