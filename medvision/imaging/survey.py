"""Read what an inventory needs of one DICOM file: its series, its slices, and whether it is whole."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from pathlib import Path
from types import MappingProxyType

import numpy as np

from medvision.errors import SeriesError
from medvision.imaging.blocks import ElementsError, NotDicomError
from medvision.imaging.dataset import CUT_SHORT
from medvision.imaging.decoding import undecodable
from medvision.imaging.elements import Elements, read_elements
from medvision.imaging.header import VOLUME_KEYS, SliceHeader, read_slices
from medvision.imaging.kinds import VOLUME_KINDS, kind_of
from medvision.imaging.mosaic import CSA_TAGS, tiles
from medvision.imaging.pixel_lengths import pixels_complete

TAGS = (
    *VOLUME_KEYS,
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "PatientName",
    "IssuerOfPatientID", "StudyDate", "Modality", "SeriesDescription", "Manufacturer",
    "ManufacturerModelName", "BodyPartExamined", "ContrastBolusAgent", "ScanningSequence",
    "SequenceVariant", "SequenceName", "FrameOfReferenceUID", "InstanceNumber",
    "NumberOfTemporalPositions", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
    "NumberOfFrames", "BitsAllocated", "BitsStored", "PixelRepresentation", "ModalityLUTSequence",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "RescaleType", "Units",
)  # fmt: skip


@dataclass(frozen=True)
class SeriesFacts:
    """What the header of one file says of its series.

    Attributes:
        study_uid: StudyInstanceUID.
        patient_name: PatientName.
        study_date: StudyDate as YYYYMMDD.
        modality: Modality.
        description: SeriesDescription; a note in its place where it holds the patient's name or number.
        body_part: BodyPartExamined.
        kernel: ConvolutionKernel, for CT.
        sequence: ScanningSequence, its variant and name, for MR.
        manufacturer: Manufacturer.
        model: ManufacturerModelName.
        contrast: ContrastBolusAgent; "" where none is stated.
        thickness_mm: SliceThickness; None where absent.
        transfer_syntax: The name of the file's transfer syntax.
    """

    study_uid: str
    patient_name: str
    study_date: str
    modality: str
    description: str
    body_part: str
    kernel: str
    sequence: str
    manufacturer: str
    model: str
    contrast: str
    thickness_mm: float | None
    transfer_syntax: str


@dataclass(frozen=True, eq=False)
class Surveyed:
    """One DICOM file.

    Attributes:
        series_uid: SeriesInstanceUID.
        instance_uid: SOPInstanceUID.
        issuer: IssuerOfPatientID.
        patient_id: PatientID; with its issuer, who the patient is.
        kind: See :func:`medvision.imaging.kinds.kind_of`.
        slices: As :func:`medvision.imaging.header.read_slices` gives them, for kinds that may be volumes.
        facts: What it says of its series; None where they were not asked for.
    """

    series_uid: str
    instance_uid: str
    issuer: str
    patient_id: str
    kind: str
    slices: tuple[SliceHeader, ...]
    facts: SeriesFacts | None


def survey_file(path: Path, *, known: Container[str] = ()) -> Surveyed:
    """Read one DICOM file up to its pixels, as fast as it goes.

    Args:
        path: The file.
        known: Series whose facts are not wanted again.

    Raises:
        NotDicomError: It does not begin as DICOM does.
        ElementsError: Damaged or cut short within its header, or a header that cannot be understood.
        OSError: It cannot be opened.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> with TemporaryDirectory() as folder:
        ...     files = write_dicom_series(thorax_phantom(1, shape=(48, 40, 16), lesions=1), folder)
        ...     found = survey_file(files[0])
        >>> found.kind, found.slices[0].shape, found.facts.kernel
        ('image', (48, 40), 'STANDARD')
    """
    elements = read_elements(path, TAGS)
    has_pixels = "Rows" in elements and "Columns" in elements
    kind = kind_of(_text(elements, "SOPClassUID"), _texts(elements, "ImageType"), has_pixels=has_pixels)
    slices: tuple[SliceHeader, ...] = ()
    if kind in (*VOLUME_KINDS, "localiser"):
        slices = _slices(path, elements)
    elif kind == "other object" and not _text(elements, "SOPClassUID"):
        raise ElementsError(CUT_SHORT)
    series = _text(elements, "SeriesInstanceUID")
    facts = None if series in known else _facts(elements)
    return Surveyed(
        series,
        _text(elements, "SOPInstanceUID"),
        _text(elements, "IssuerOfPatientID"),
        _text(elements, "PatientID"),
        kind,
        slices,
        facts,
    )


def _slices(path: Path, elements: Elements) -> tuple[SliceHeader, ...]:
    """A plain slice from the elements at hand; anything else through the reader of volumes."""
    if _is_plain(elements):
        whole = _plain_slice(path, elements)
        mosaic = not whole.refusal and "MOSAIC" in _texts(elements, "ImageType")
        return _tiles(path, whole) if mosaic else (whole,)
    if elements.deflated_from is not None:
        # Reading it would inflate it whole, whatever its size.
        raise ElementsError("a deflated object that is no plain image, not read; save it uncompressed")
    try:
        return read_slices(path)
    except SeriesError as error:
        raise ElementsError(str(error).removeprefix(f"{path}: ")) from error


def _tiles(path: Path, whole: SliceHeader) -> tuple[SliceHeader, ...]:
    """The slices of a mosaic, as :func:`medvision.imaging.header.read_slices` takes it apart."""
    from pydicom import Dataset

    found = read_elements(path, CSA_TAGS)
    private = Dataset()
    for tag in CSA_TAGS:
        value = found.get(tag)
        if value is not None:
            private.add_new(tag, "LO" if isinstance(value, str) else "OB", value)
    try:
        return tiles(private, whole)
    except ValueError as error:
        return (replace(whole, refusal=f"{error}; export the series again with its private elements"),)


def _is_plain(elements: Elements) -> bool:
    """One grey-scale image a file; no enhanced object, no table between pixels and values."""
    sop_class = _text(elements, "SOPClassUID")
    return (
        sop_class in _SINGLE_FRAME
        and (elements.get("NumberOfFrames") or 1) == 1
        and (elements.get("SamplesPerPixel") or 1) == 1
        and "PALETTE" not in _text(elements, "PhotometricInterpretation")
        and "ModalityLUTSequence" not in elements
    )


_SINGLE_FRAME = frozenset(f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("2", "4", "128"))


def _plain_slice(path: Path, elements: Elements) -> SliceHeader:
    columns, rows = _whole(elements, "Columns"), _whole(elements, "Rows")
    between, thickness = _number(elements, "SpacingBetweenSlices"), _number(elements, "SliceThickness")
    instance, slope = _number(elements, "InstanceNumber"), _number(elements, "RescaleSlope")
    if slope == 0:
        raise ElementsError("RescaleSlope is 0")
    allocated = _whole(elements, "BitsAllocated")
    bits = int(_number(elements, "BitsStored") or allocated)
    signed = bool(_number(elements, "PixelRepresentation"))
    whole = pixels_complete(path, elements, rows * columns * allocated // 8)
    return SliceHeader(
        path=path,
        patient_id=_text(elements, "PatientID"),
        series_uid=_text(elements, "SeriesInstanceUID"),
        description=_text(elements, "SeriesDescription"),
        modality=_text(elements, "Modality"),
        instance_uid=_text(elements, "SOPInstanceUID"),
        instance_number=None if instance is None else int(instance),
        shape=(columns, rows),
        position=_vector(elements, "ImagePositionPatient", 3),
        orientation=_vector(elements, "ImageOrientationPatient", 6),
        pixel_spacing=_vector(elements, "PixelSpacing", 2),
        depth_mm=next((mm for mm in (between, thickness) if mm and mm > 0), None),
        spacing_between_mm=between,
        slope=1.0 if slope is None else slope,
        intercept=_number(elements, "RescaleIntercept") or 0.0,
        stored_range=(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1),
        same=MappingProxyType(_must_agree(elements, f"{columns}×{rows}")),
        keys=MappingProxyType(_volume_keys(elements)),
        refusal=_undecodable(elements.syntax, elements.implicit, elements.little_endian, bits)
        if whole
        else CUT_SHORT,
    )


def _must_agree(elements: Elements, matrix: str) -> dict[str, str]:
    return {
        "patient": _text(elements, "PatientID"),
        "modality": _text(elements, "Modality"),
        "frame of reference": _text(elements, "FrameOfReferenceUID"),
        "matrix": matrix,
        "photometric interpretation": _text(elements, "PhotometricInterpretation"),
        "rescale type": _text(elements, "RescaleType"),
        "units": _text(elements, "Units"),
    }


def _volume_keys(elements: Elements) -> dict[str, tuple[float | str, ...]]:
    keys: dict[str, tuple[float | str, ...]] = {}
    for name in VOLUME_KEYS:
        value = elements.get(name)
        if value is not None:
            values = value if isinstance(value, list) else [value]
            keys[name] = tuple(float(v) if isinstance(v, int | float) else str(v or "") for v in values)
    positions = _number(elements, "NumberOfTemporalPositions")
    if positions is not None:
        keys["NumberOfTemporalPositions"] = (positions,)
    return keys


@lru_cache(maxsize=256)
def _undecodable(syntax: str, implicit: bool, little_endian: bool, bits: int) -> str:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    dataset = FileDataset("", {}, is_implicit_VR=implicit, is_little_endian=little_endian)
    dataset.file_meta = FileMetaDataset()
    if syntax:
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.set_original_encoding(implicit, little_endian)
    dataset.BitsStored = bits
    return undecodable(dataset)


def _facts(elements: Elements) -> SeriesFacts:
    patient, name = _text(elements, "PatientID"), _text(elements, "PatientName")
    sequence = "/".join(_texts(elements, "ScanningSequence") + _texts(elements, "SequenceVariant"))
    try:
        thickness = _number(elements, "SliceThickness")
    except ElementsError:
        thickness = None
    return SeriesFacts(
        study_uid=_text(elements, "StudyInstanceUID"),
        patient_name=name,
        study_date=_text(elements, "StudyDate"),
        modality=_text(elements, "Modality"),
        description=without_names(_text(elements, "SeriesDescription"), patient, name),
        body_part=_text(elements, "BodyPartExamined"),
        kernel="/".join(_texts(elements, "ConvolutionKernel")),
        sequence=" ".join(part for part in (sequence, _text(elements, "SequenceName")) if part),
        manufacturer=_text(elements, "Manufacturer"),
        model=_text(elements, "ManufacturerModelName"),
        contrast=without_names(_text(elements, "ContrastBolusAgent"), patient, name),
        thickness_mm=thickness,
        transfer_syntax=_syntax_name(elements.syntax),
    )


def without_names(text: str, *identifiers: str) -> str:
    """A free text, or a note in its place where it holds part of a name or number of the patient.

    Example:
        >>> without_names("Thorax DOE follow-up", "4711", "Doe^Jane")
        '(names the patient)'
    """
    words = {
        word for each in identifiers for word in re.split(r"[\s^=,\\]+", each.casefold()) if len(word) > 2
    }
    found = text.casefold()
    return "(names the patient)" if any(word in found for word in words) else text


@lru_cache(maxsize=64)
def _syntax_name(syntax: str) -> str:
    from pydicom.uid import UID

    return UID(syntax).name if syntax else "not stated"


def _text(elements: Elements, name: str) -> str:
    value = elements.get(name)
    if isinstance(value, list):
        return "\\".join(str(part or "") for part in value)
    return "" if value is None else str(value)


def _texts(elements: Elements, name: str) -> list[str]:
    value = elements.get(name)
    parts: Sequence[object] = value if isinstance(value, list) else [] if value is None else [value]
    return [str(part or "") for part in parts]


def _number(elements: Elements, name: str) -> float | None:
    value = elements.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or not isfinite(value):
        raise ElementsError(f"{name} is no number")
    return float(value)


def _whole(elements: Elements, name: str) -> int:
    value = _number(elements, name)
    if value is None:
        raise ElementsError(f"{name} is absent")
    return int(value)


def _vector(
    elements: Elements, name: str, length: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    value = elements.get(name)
    if not isinstance(value, list):
        return None
    numbers = [v for v in value if isinstance(v, int | float) and isfinite(v)]
    if len(numbers) != length or len(value) != length:
        raise ElementsError(f"{name} is not {length} numbers")
    return np.array(numbers, dtype=np.float64)


__all__ = ["NotDicomError", "SeriesFacts", "Surveyed", "survey_file", "without_names"]
