"""Scans to predict: a table that needs no labels and no patients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medvision.cohort.assemble import Rows, assemble
from medvision.cohort.cases import Case
from medvision.cohort.tables import SourceTable, as_text, read_table
from medvision.errors import CohortError


def read_images(
    path: str | Path,
    *,
    case: str = "case_id",
    image: str = "image",
    mask: str | None = "mask",
    region: str | None = None,
    patient: str = "patient_id",
) -> tuple[Case, ...]:
    """Read a table of scans to predict.

    Args:
        path: CSV, Parquet or Excel; paths in it are relative to its folder.
        case: Column with a unique name for each scan; if it is not there, files give the names.
        image: Column with the image file or folder.
        mask: Column with masks, used if it is there; None reads no masks.
        region: Column with masks of a region for the preprocessing, which must be there; None reads none.
        patient: Column with the patient; if it is not there, each image is a patient of its own.

    Returns:
        The scans in the order of the rows, without labels.

    Raises:
        CohortError: Missing columns or files, or a scan that stands there twice.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> _ = (folder / "a.nii").write_bytes(b"")
        >>> _ = (folder / "scans.csv").write_text('''case_id,image
        ... 007,a.nii
        ... ''')
        >>> [scan.case_id for scan in read_images(folder / "scans.csv")]
        ['007']
    """
    table = read_table(path)
    wanted = {image: "the image"} | ({} if region is None else {region: "the region"})
    problems = table.missing_columns(wanted)
    if problems:
        raise CohortError(f"{table.path.name} has not the columns that are asked for", problems=problems)
    images = [table.file_at(value) for value in table.columns[image]]
    if case in table.columns:
        cases = [as_text(value) for value in table.columns[case]]
    else:
        cases = [scan_name(file) if file else "" for file in images]
    masks = table.columns.get(mask) if mask is not None else None
    rows = Rows(
        places=table.places,
        patients=_patients(table, patient, cases, images),
        cases=cases,
        images=images,
        masks=None if masks is None else [table.file_at(value) for value in masks],
        regions=None if region is None else [table.file_at(value) for value in table.columns[region]],
    )
    return tuple(assemble(table.path, rows))


def scan_name(path: str | Path) -> str:
    """Name a scan after its file or folder.

    Example:
        >>> scan_name("scans/patient_7.nii.gz")
        'patient_7'
    """
    name = Path(path).resolve().name
    for ending in (".nii.gz", ".nii", ".dcm"):
        name = name.removesuffix(ending)
    return name


def _patients(
    table: SourceTable, column: str, cases: Sequence[str], images: Sequence[str | None]
) -> list[str]:
    if column in table.columns:
        return [as_text(value) for value in table.columns[column]]
    first: dict[str | None, str] = {}
    return [first.setdefault(image, case) for image, case in zip(images, cases, strict=True)]
