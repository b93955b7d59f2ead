"""What the header of one DICOM file says about its slices; no pixel is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.dataset import CUT_SHORT, read_dataset
from medvision.imaging.decoding import in_short, undecodable, unreadable
from medvision.imaging.geometry import FloatArray
from medvision.imaging.mosaic import CSA_TAGS, tiles

if TYPE_CHECKING:
    from pydicom import Dataset

VOLUME_KEYS = (
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "TriggerTime",
    "NominalPercentageOfCardiacPhase",
    "AcquisitionNumber",
    "ImageType",
    "ConvolutionKernel",
    "AcquisitionTime",
    "ContentTime",
)
"""What may tell apart volumes that share their positions, in order of preference."""

_DCM2NIIX = "convert it with dcm2niix and give the NIfTI"

_TAGS = (
    *VOLUME_KEYS,
    *CSA_TAGS,
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesDescription", "Modality", "PatientID",
    "FrameOfReferenceUID", "InstanceNumber", "NumberOfTemporalPositions", "GantryDetectorTilt",
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "ModalityLUTSequence",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "RescaleType", "Units",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SliceHeader:
    """One slice: a single-frame grey-scale DICOM image or a tile of a mosaic; its place and coding.

    Attributes:
        path: The file.
        patient_id: PatientID.
        series_uid: SeriesInstanceUID.
        description: SeriesDescription.
        modality: Modality.
        instance_uid: SOPInstanceUID.
        instance_number: InstanceNumber, None where absent.
        shape: Columns (i) and rows (j).
        position: ImagePositionPatient, LPS mm, shape (3,); None where absent.
        orientation: ImageOrientationPatient, shape (6,); None where absent.
        pixel_spacing: PixelSpacing in mm, between rows and between columns; None where absent.
        depth_mm: SpacingBetweenSlices, else SliceThickness; used for a lone slice only.
        spacing_between_mm: SpacingBetweenSlices; None where absent.
        slope: RescaleSlope, 1 where absent.
        intercept: RescaleIntercept, 0 where absent.
        stored_range: Smallest and largest value that BitsStored and the sign allow.
        same: What must agree in all slices of a series, by the name that an error uses.
        keys: What may tell apart volumes at the same positions (see ``VOLUME_KEYS``).
        refusal: Why this image cannot be a slice, and what to do; "" where it can. The attributes
            from ``shape`` on are then not to be relied on.
        tile: First row and column of the slice in the file's image; None where it is the whole image.
    """

    path: Path
    patient_id: str
    series_uid: str
    description: str
    modality: str
    instance_uid: str
    instance_number: int | None
    shape: tuple[int, int]
    position: FloatArray | None
    orientation: FloatArray | None
    pixel_spacing: FloatArray | None
    depth_mm: float | None
    spacing_between_mm: float | None
    slope: float
    intercept: float
    stored_range: tuple[int, int]
    same: Mapping[str, str]
    keys: Mapping[str, tuple[float | str, ...]]
    refusal: str = ""
    tile: tuple[int, int] | None = None


def read_slices(path: Path) -> tuple[SliceHeader, ...]:
    """Read the header of one DICOM file and check that its pixels are all there.

    Returns:
        One header; those of all slices of a Siemens mosaic; one with a ``refusal`` where the image
        cannot be a slice (cut short, colour, multi-frame); none for a DICOM object that is no image
        (a report, a presentation state, a structure set, a DICOMDIR).

    Raises:
        SeriesError: Not DICOM, or a header that is damaged or cut short.
    """
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        read = read_dataset(path, _TAGS)
        if read is None:
            return ()
        dataset, complete = read
        try:
            refusal = _other_kind(dataset) or ("" if complete else CUT_SHORT) or undecodable(dataset)
            return _slices(dataset, _header(dataset, path, refusal))
        except unreadable() as error:
            raise SeriesError(
                f"{path}: its DICOM header cannot be understood ({in_short(error)}); export the file again"
            ) from error


def _slices(dataset: Dataset, whole: SliceHeader) -> tuple[SliceHeader, ...]:
    if whole.refusal or "MOSAIC" not in _strings(dataset.get("ImageType")):
        return (whole,)
    try:
        return tiles(dataset, whole)
    except ValueError as error:
        return (replace(whole, refusal=f"{error}; export the series again with its private elements"),)


def _other_kind(dataset: Dataset) -> str:
    """Why an image is not one grey-scale slice, and what to do; "" where it is one."""
    uid = str(dataset.get("SOPClassUID") or "")
    kind: str = getattr(dataset.get("SOPClassUID"), "name", "unknown kind")
    frames = int(dataset.get("NumberOfFrames") or 1)
    colour = str(dataset.get("PhotometricInterpretation") or "")
    if uid.startswith("1.2.840.10008.5.1.4.1.1.66."):
        return "a DICOM segmentation, not a scan; give it as the mask"
    if frames > 1 or "Enhanced" in kind:
        return f"a multi-frame object ({kind}, {frames} frames), not read yet; {_DCM2NIIX}"
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or "PALETTE" in colour:
        return f"a colour image ({colour}), not a scan; leave screenshots and colour maps out"
    if "ModalityLUTSequence" in dataset:
        return "its values are stored through a Modality LUT, not read; export it with RescaleSlope"
    return ""


def _header(dataset: Dataset, path: Path, refusal: str) -> SliceHeader:
    between = _number(dataset, "SpacingBetweenSlices")
    thickness = _number(dataset, "SliceThickness")
    instance, slope = _number(dataset, "InstanceNumber"), _number(dataset, "RescaleSlope")
    if slope == 0:
        raise ValueError("RescaleSlope is 0")
    return SliceHeader(
        path=path,
        patient_id=str(dataset.get("PatientID") or ""),
        series_uid=str(dataset.get("SeriesInstanceUID") or ""),
        description=str(dataset.get("SeriesDescription") or ""),
        modality=str(dataset.get("Modality") or ""),
        instance_uid=str(dataset.get("SOPInstanceUID") or ""),
        instance_number=None if instance is None else int(instance),
        shape=(int(dataset.Columns), int(dataset.Rows)),
        position=_vector(dataset, "ImagePositionPatient", 3),
        orientation=_vector(dataset, "ImageOrientationPatient", 6),
        pixel_spacing=_vector(dataset, "PixelSpacing", 2),
        depth_mm=next((mm for mm in (between, thickness) if mm and mm > 0), None),
        spacing_between_mm=between,
        slope=1.0 if slope is None else slope,
        intercept=_number(dataset, "RescaleIntercept") or 0.0,
        stored_range=_stored_range(dataset),
        same=MappingProxyType(_must_agree(dataset)),
        keys=MappingProxyType(_volume_keys(dataset)),
        refusal=refusal,
    )


def _must_agree(dataset: Dataset) -> dict[str, str]:
    return {
        "patient": str(dataset.get("PatientID") or ""),
        "modality": str(dataset.get("Modality") or ""),
        "frame of reference": str(dataset.get("FrameOfReferenceUID") or ""),
        "matrix": f"{dataset.Columns}×{dataset.Rows}",
        "photometric interpretation": str(dataset.get("PhotometricInterpretation") or ""),
        "rescale type": str(dataset.get("RescaleType") or ""),
        "units": str(dataset.get("Units") or ""),
    }


def _volume_keys(dataset: Dataset) -> dict[str, tuple[float | str, ...]]:
    keys: dict[str, tuple[float | str, ...]] = {}
    for name in VOLUME_KEYS:
        value = dataset.get(name)
        if value is not None and value != "":
            keys[name] = tuple(_plain(v) for v in (value if _is_many(value) else [value]))
    positions = _number(dataset, "NumberOfTemporalPositions")
    if positions is not None:
        keys["NumberOfTemporalPositions"] = (positions,)
    return keys


def _plain(value: Any) -> float | str:  # noqa: ANN401 (any DICOM value)
    return float(value) if isinstance(value, int | float) else str(value)


def _is_many(value: Any) -> bool:  # noqa: ANN401 (any DICOM value)
    from pydicom.multival import MultiValue

    return isinstance(value, MultiValue | list)


def _strings(value: Any) -> list[str]:  # noqa: ANN401 (any DICOM value)
    return [str(v) for v in value] if _is_many(value) else [str(value)]


def _number(dataset: Dataset, name: str) -> float | None:
    value = dataset.get(name)
    if value is None or value == "":
        return None
    if _is_many(value) or not np.isfinite(float(value)):
        raise ValueError(f"{name} is {value}")
    return float(value)


def _vector(dataset: Dataset, name: str, length: int) -> FloatArray | None:
    value = dataset.get(name)
    if not _is_many(value) or len(value) == 0:
        return None
    vector = np.array([float(v) for v in value], dtype=np.float64)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise ValueError(f"{name} is {list(value)}")
    return vector


def _stored_range(dataset: Dataset) -> tuple[int, int]:
    bits = int(dataset.get("BitsStored") or dataset.BitsAllocated)
    if int(dataset.get("PixelRepresentation") or 0):
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1
