"""Scans to predict: a table that needs no labels and no patients."""

from __future__ import annotations

from pathlib import Path

from medvision.cohort.assemble import Rows, assemble
from medvision.cohort.cases import Case
from medvision.cohort.tables import as_text, read_table
from medvision.errors import CohortError


def read_images(
    path: str | Path,
    *,
    case: str = "case_id",
    image: str = "image",
    mask: str = "mask",
    patient: str = "patient_id",
) -> tuple[Case, ...]:
    """Read a table of scans to predict.

    Args:
        path: CSV, Parquet or Excel; paths in it are relative to its folder.
        case: Column with a unique name for each scan.
        image: Column with the image file or folder.
        mask: Column with masks; used if it is there.
        patient: Column with the patient; used if it is there, else each scan is a patient of its own.

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
    problems = table.missing_columns({case: "the case", image: "the image"})
    if problems:
        raise CohortError(f"{table.path.name} has not the columns that are asked for", problems=problems)
    cases = [as_text(value) for value in table.columns[case]]
    has_patients = patient in table.columns
    rows = Rows(
        places=table.places,
        patients=[as_text(value) for value in table.columns[patient]] if has_patients else cases,
        cases=cases,
        images=[table.file_at(value) for value in table.columns[image]],
        masks=[table.file_at(value) for value in table.columns[mask]] if mask in table.columns else None,
    )
    return tuple(assemble(table.path, rows))
