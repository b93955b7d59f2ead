"""Read what an inventory needs of one DICOM file: its series, its slices, and whether it is whole."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from medvision.errors import SeriesError
from medvision.imaging.blocks import ElementsError, NotDicomError
from medvision.imaging.dataset import CUT_SHORT
from medvision.imaging.elements import Elements, read_elements
from medvision.imaging.header import HEADER_TAGS, SliceHeader, slices_of
from medvision.imaging.kinds import VOLUME_KINDS, kind_of
from medvision.imaging.values import number

TAGS = (
    *HEADER_TAGS,
    "StudyInstanceUID", "PatientName", "IssuerOfPatientID", "StudyDate", "ManufacturerModelName",
    "BodyPartExamined", "ContrastBolusAgent", "ScanningSequence", "SequenceVariant", "SequenceName",
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
    try:
        return slices_of(path, elements)
    except SeriesError as error:
        raise ElementsError(str(error).removeprefix(f"{path}: ")) from error


def _facts(elements: Elements) -> SeriesFacts:
    patient, name = _text(elements, "PatientID"), _text(elements, "PatientName")
    sequence = "/".join(_texts(elements, "ScanningSequence") + _texts(elements, "SequenceVariant"))
    try:
        thickness = number(elements, "SliceThickness")
    except ValueError:
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


__all__ = ["NotDicomError", "SeriesFacts", "Surveyed", "survey_file", "without_names"]
