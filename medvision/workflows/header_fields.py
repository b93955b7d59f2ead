"""What a table and the headers say of each case besides the image: fields that may tell the label."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medvision.cohort import Case
from medvision.cohort.covariates import covariate_column
from medvision.cohort.tables import SourceTable, read_table
from medvision.config import ClassificationTask, ManifestCohort
from medvision.workflows.opened import OpenedStudy
from medvision.workflows.quality_case import ExaminedCase
from medvision.workflows.shortcuts import Field

# No name or number of a patient: what a scanner, a protocol or a day says.
DICOM_FIELDS = (
    "Manufacturer", "ManufacturerModelName", "StationName", "SoftwareVersions", "InstitutionName",
    "StudyDate", "AcquisitionDate", "AcquisitionTime", "ProtocolName", "SeriesDescription",
    "BodyPartExamined", "PatientPosition", "ConvolutionKernel", "ScanningSequence", "MagneticFieldStrength",
    "KVP", "XRayTubeCurrent", "Exposure", "ExposureTime", "SliceThickness", "SpacingBetweenSlices",
    "ReconstructionDiameter", "RepetitionTime", "EchoTime", "FlipAngle", "PixelBandwidth",
    "ContrastBolusAgent", "BitsStored", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth",
    "InstanceNumber", "SeriesNumber", "AccessionNumber",
)  # fmt: skip


def case_fields(
    opened: OpenedStudy, cases: Sequence[Case], examined: Mapping[str, ExaminedCase]
) -> list[Field]:
    """Every field of the cases: all columns of the table, forbidden ones included, and the headers.

    Args:
        opened: The study.
        cases: Those that could be read.
        examined: What was measured, by case id.
    """
    rows = [_file_fields(case) | _header_fields(examined[case.case_id]) for case in cases]
    fields = list(_columns(opened, cases))
    for name in dict.fromkeys(name for row in rows for name in row):
        source, _, label = name.partition(":")
        fields.append(Field(label, source, [row.get(name) for row in rows]))
    return fields


def _columns(opened: OpenedStudy, cases: Sequence[Case]) -> Iterator[Field]:
    cohort, task = opened.study.cohort, opened.study.task
    if not isinstance(cohort, ManifestCohort) or not isinstance(task, ClassificationTask):
        return
    table: SourceTable = read_table(opened.cohort.source)
    roles = {cohort.patient, cohort.case, cohort.image, cohort.mask, task.label}
    place_of = {place: row for row, place in enumerate(table.places)}
    row_of = dict(zip(opened.cohort.table["case_id"], opened.cohort.places, strict=True))
    rows = [place_of[row_of[case.case_id]] for case in cases]
    for name, values in table.columns.items():
        if name not in roles:
            source = "forbidden column" if name in cohort.forbidden else "column"
            column = covariate_column(values).tolist()
            yield Field(name, source, [_known(column[row]) for row in rows])


def _known(value: object) -> object:
    return None if value is None or value != value else value


def _header_fields(found: ExaminedCase) -> dict[str, object]:
    image = found.image
    fields: dict[str, object] = {}
    for axis, voxels, mm in zip("ijk", image.shape, image.spacing_mm, strict=True):
        fields[f"header:matrix_{axis}"] = voxels
        fields[f"header:spacing_{axis}_mm"] = mm
        fields[f"header:extent_{axis}_mm"] = voxels * mm
    return fields | {
        "header:orientation": image.orientation,
        "header:dtype": image.dtype,
        "header:modality": image.modality or None,
    }


def _file_fields(case: Case) -> dict[str, object]:
    files = sorted(case.image.iterdir()) if case.image.is_dir() else [case.image]
    files = [file for file in files if file.is_file() and not file.name.startswith(".")]
    fields: dict[str, object] = {
        "file:files": len(files),
        "file:bytes": sum(file.stat().st_size for file in files),
    }
    if files and not case.image.name.endswith((".nii", ".nii.gz")):
        fields |= {f"header:{name}": value for name, value in _dicom_fields(files[0]).items()}
    return fields


def _dicom_fields(path: Path) -> dict[str, object]:
    """Of one file of the series, as numbers where they are (dates too), else as text."""
    from pydicom import dcmread
    from pydicom.config import disable_value_validation
    from pydicom.errors import InvalidDicomError

    fields: dict[str, object] = {}
    # A file that load_volume passed over, such as a note beside the slices, has no fields.
    with contextlib.suppress(InvalidDicomError, OSError), disable_value_validation():
        dataset = dcmread(path, stop_before_pixels=True, specific_tags=list(DICOM_FIELDS))
        for name in DICOM_FIELDS:
            value = dataset.get(name)
            text = "" if value is None else str(value).strip()
            if text:
                fields[name] = float(text) if _is_number(text) else text
    return fields


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
