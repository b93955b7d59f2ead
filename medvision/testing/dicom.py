"""Write a phantom as a DICOM series that a PACS would accept, one file a slice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    MRImageStorage,
    RLELossless,
    generate_uid,
)
from pydicom.valuerep import format_number_as_ds

from medvision.errors import MedvisionError
from medvision.testing.phantom import Phantom

TransferSyntax = Literal["explicit", "implicit", "rle", "jpeg-ls", "jpeg-2000"]
SliceOrder = Literal["ascending", "descending"]
_SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
}
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Patient:
    """Whom a series is said to show; invented, as is everything else in the header.

    Attributes:
        patient_id: DICOM's PatientID, at most 64 characters.
        age: In years.
        sex: ``F``, ``M`` or ``O``.
    """

    patient_id: str = "PHANTOM"
    age: int = 60
    sex: Literal["F", "M", "O"] = "O"


@dataclass(frozen=True)
class Storage:
    """How the pixels are stored.

    Attributes:
        bits_stored: 12 to 16; two bytes are allocated for each pixel.
        signed: Two's complement (PixelRepresentation 1) or unsigned.
        slope: RescaleSlope, CT only.
        intercept: RescaleIntercept, CT only; by default −1024 for unsigned pixels and 0 for signed ones.
        transfer_syntax: Encoding of the file.
    """

    bits_stored: int = 16
    signed: bool = True
    slope: float = 1.0
    intercept: float | None = None
    transfer_syntax: TransferSyntax = "explicit"


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
    header = _header(phantom, patient, storage, scanner, series_number)
    count = phantom.array.shape[2]
    names = np.random.default_rng(phantom.seed).permutation(count) if shuffle_names else np.arange(count)
    paths = []
    for k in range(count):
        path = folder / f"IM{names[k] + 1:04d}{extension}"
        number = k + 1 if instance_order == "ascending" else count - k
        _place_slice(header, phantom, k, number)
        header.PixelData = np.ascontiguousarray(stored[:, :, k].T).tobytes()
        _save(header, path, storage)
        paths.append(path)
    return tuple(paths)


def uid_of(*parts: object) -> str:
    """A DICOM UID that is the same for the same parts."""
    return generate_uid(entropy_srcs=["medvision.testing", *(str(part) for part in parts)])


def _stored_pixels(phantom: Phantom, storage: Storage) -> npt.NDArray[np.integer[Any]]:
    """Stored values; the rescale that the header states brings them back to the phantom's."""
    slope, intercept = _rescale(phantom, storage)
    values = np.rint((phantom.array.astype(np.float64) - intercept) / slope)
    low = -(2 ** (storage.bits_stored - 1)) if storage.signed else 0
    high = low + 2**storage.bits_stored - 1
    if values.min() < low or values.max() > high:
        raise MedvisionError(
            f"stored values {values.min():g} to {values.max():g} do not fit into {storage.bits_stored} "
            f"{'signed' if storage.signed else 'unsigned'} bits: change bits_stored, slope or intercept"
        )
    return values.astype(np.int16 if storage.signed else np.uint16)


def _rescale(phantom: Phantom, storage: Storage) -> tuple[float, float]:
    if phantom.modality == "MR":
        return 1.0, 0.0
    default = 0.0 if storage.signed else -1024.0
    return storage.slope, default if storage.intercept is None else storage.intercept


def _header(
    phantom: Phantom, patient: Patient, storage: Storage, scanner: str, series_number: int
) -> Dataset:
    """All that the slices of a series share (PS3.3 tables A.3-1 for CT and A.4-1 for MR)."""
    ds = Dataset()
    _add_patient_and_study(ds, phantom, patient)
    _add_series(ds, phantom, patient, scanner, series_number)
    _add_pixels(ds, phantom, storage)
    if phantom.modality == "CT":
        _add_ct(ds, phantom, storage)
    else:
        _add_mr(ds, phantom)
    return ds


def _add_patient_and_study(ds: Dataset, phantom: Phantom, patient: Patient) -> None:
    ds.PatientName = f"Phantom^{patient.patient_id}"
    ds.PatientID = patient.patient_id
    ds.PatientBirthDate = ""
    ds.PatientSex = patient.sex
    ds.PatientAge = f"{patient.age:03d}Y"
    ds.PatientIdentityRemoved = "YES"
    ds.DeidentificationMethod = "Synthetic image; no person was scanned"
    ds.StudyInstanceUID = uid_of(patient.patient_id, phantom.seed, phantom.modality, "study")
    # A day and time that follow from the patient, so that the same series is always the same bytes.
    day = int(hashlib.sha256(patient.patient_id.encode()).hexdigest(), 16)
    ds.StudyDate = f"20{15 + day % 10:02d}{1 + day % 12:02d}{1 + day % 28:02d}"
    ds.StudyTime = f"{8 + day % 10:02d}{day % 60:02d}00"
    ds.ReferringPhysicianName = ""
    ds.StudyID = "1"
    ds.AccessionNumber = ""
    ds.StudyDescription = "Phantom"


def _add_series(ds: Dataset, phantom: Phantom, patient: Patient, scanner: str, series_number: int) -> None:
    ds.Modality = phantom.modality
    content = hashlib.sha256(phantom.array.tobytes() + phantom.affine.tobytes()).hexdigest()
    ds.SeriesInstanceUID = uid_of(patient.patient_id, content, "series", series_number)
    ds.SeriesNumber = series_number
    ds.SeriesDescription = "Thorax" if phantom.modality == "CT" else "T1"
    ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = ds.StudyDate
    ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = ds.StudyTime
    ds.BodyPartExamined = "CHEST" if phantom.modality == "CT" else "BRAIN"
    ds.PatientPosition = phantom.patient_position
    ds.FrameOfReferenceUID = uid_of(patient.patient_id, phantom.seed, phantom.modality, "frame")
    ds.PositionReferenceIndicator = ""
    ds.Manufacturer = "medvision.testing"
    ds.ManufacturerModelName = scanner
    ds.DeviceSerialNumber = "0"
    ds.SoftwareVersions = "1"
    ds.AcquisitionNumber = 1


def _add_pixels(ds: Dataset, phantom: Phantom, storage: Storage) -> None:
    columns, rows, _ = phantom.array.shape
    spacing = phantom.spacing_mm
    axes = (_LPS_FROM_RAS @ phantom.affine)[:3, :3] / np.linalg.norm(phantom.affine[:3, :3], axis=0)
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated = 16
    ds.BitsStored = storage.bits_stored
    ds.HighBit = storage.bits_stored - 1
    ds.PixelRepresentation = int(storage.signed)
    # PixelSpacing states the distance between rows (down, along j) first, then between columns (along i).
    ds.PixelSpacing = [_ds(spacing[1]), _ds(spacing[0])]
    ds.ImageOrientationPatient = [_ds(v) for v in (*axes[:, 0], *axes[:, 1])]
    ds.SliceThickness = _ds(spacing[2])
    ds.SpacingBetweenSlices = _ds(spacing[2])


def _add_ct(ds: Dataset, phantom: Phantom, storage: Storage) -> None:
    ds.SOPClassUID = CTImageStorage
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    slope, intercept = _rescale(phantom, storage)
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = _ds(slope), _ds(intercept), "HU"
    ds.WindowCenter, ds.WindowWidth = "-550", "1600"
    ds.KVP = "120"
    ds.ConvolutionKernel = "STANDARD"
    del ds.SpacingBetweenSlices  # not an attribute of the CT Image module


def _add_mr(ds: Dataset, phantom: Phantom) -> None:
    ds.SOPClassUID = MRImageStorage
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", "SP", ""
    ds.MRAcquisitionType, ds.MagneticFieldStrength = "3D", "3"
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle, ds.EchoTrainLength = "8", "3", "12", 1
    low, high = (float(v) for v in np.percentile(phantom.array, (1, 99)))
    ds.WindowCenter, ds.WindowWidth = _ds(round((low + high) / 2)), _ds(max(round(high - low), 1))


def _place_slice(ds: Dataset, phantom: Phantom, k: int, number: int) -> None:
    """What differs from slice to slice: identity and position."""
    position = (_LPS_FROM_RAS @ phantom.affine @ (0, 0, k, 1))[:3]
    normal = (_LPS_FROM_RAS @ phantom.affine)[:3, 2] / phantom.spacing_mm[2]
    ds.SOPInstanceUID = uid_of(ds.SeriesInstanceUID, k)
    ds.InstanceNumber = number
    ds.ImagePositionPatient = [_ds(v) for v in position]
    ds.SliceLocation = _ds(float(position @ normal))


def _ds(value: float) -> str:
    """A number as a DICOM decimal string, at most 16 characters."""
    return format_number_as_ds(float(value) + 0.0)


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
