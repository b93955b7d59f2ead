"""What the headers of a phantom's DICOM series say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from medvision.testing.phantom import Phantom

TransferSyntax = Literal["explicit", "implicit", "rle", "jpeg-ls", "jpeg-2000"]
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


def uid_of(*parts: object) -> str:
    """A DICOM UID that is the same for the same parts."""
    return generate_uid(entropy_srcs=["medvision.testing", *(str(part) for part in parts)])


def decimals(values: Iterable[float]) -> list[str]:
    """Numbers as DICOM decimal strings."""
    return [_decimal(value) for value in values]


def rescale_of(phantom: Phantom, storage: Storage) -> tuple[float, float]:
    """RescaleSlope and RescaleIntercept; MR has none, which is 1 and 0."""
    if phantom.modality == "MR":
        return 1.0, 0.0
    default = 0.0 if storage.signed else -1024.0
    return storage.slope, default if storage.intercept is None else storage.intercept


def common_header(
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
    ds.PixelSpacing = decimals([spacing[1], spacing[0]])
    ds.ImageOrientationPatient = decimals([*axes[:, 0], *axes[:, 1]])
    ds.SliceThickness = _decimal(spacing[2])


def _add_ct(ds: Dataset, phantom: Phantom, storage: Storage) -> None:
    ds.SOPClassUID = CTImageStorage
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    slope, intercept = rescale_of(phantom, storage)
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = _decimal(slope), _decimal(intercept), "HU"
    ds.WindowCenter, ds.WindowWidth = "-550", "1600"
    ds.KVP = "120"
    ds.ConvolutionKernel = "STANDARD"


def _add_mr(ds: Dataset, phantom: Phantom) -> None:
    ds.SOPClassUID = MRImageStorage
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions = "GR", "SP", ""
    ds.MRAcquisitionType, ds.MagneticFieldStrength = "3D", "3"
    ds.SpacingBetweenSlices = ds.SliceThickness
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle, ds.EchoTrainLength = "8", "3", "12", 1
    low, high = (float(v) for v in np.percentile(phantom.array, (1, 99)))
    ds.WindowCenter, ds.WindowWidth = _decimal(round((low + high) / 2)), _decimal(max(round(high - low), 1))


def place_slice(ds: Dataset, phantom: Phantom, k: int, number: int) -> None:
    """What differs from slice to slice: identity and position."""
    position = (_LPS_FROM_RAS @ phantom.affine @ (0, 0, k, 1))[:3]
    normal = (_LPS_FROM_RAS @ phantom.affine)[:3, 2] / phantom.spacing_mm[2]
    ds.SOPInstanceUID = uid_of(ds.SeriesInstanceUID, k)
    ds.InstanceNumber = number
    ds.ImagePositionPatient = decimals(position)
    ds.SliceLocation = _decimal(float(position @ normal))


def _decimal(value: float) -> str:
    """A number as a DICOM decimal string, at most 16 characters."""
    return format_number_as_ds(float(value) + 0.0)
