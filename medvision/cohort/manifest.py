"""A cohort from a table with one row a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medvision.cohort.assemble import Rows, assemble
from medvision.cohort.cases import REGION_COLUMN, STANDARD_COLUMNS, Cohort
from medvision.cohort.covariates import covariate_column
from medvision.cohort.labels import Value, binary_labels, too_few_patients
from medvision.cohort.spelling import patient_name, written_alike
from medvision.cohort.tables import SourceTable, as_text, read_table
from medvision.errors import CohortError
from medvision.wording import did_you_mean


@dataclass(frozen=True)
class _Columns:
    """Which column of a manifest is what."""

    patient: str
    case: str | None
    image: str
    mask: str | None
    region: str | None
    label: str | None
    extra: tuple[str, ...]
    forbidden: tuple[str, ...]

    def roles(self) -> dict[str, str]:
        roles = ("patient", "case", "image", "mask", "region", "label")
        return {role: name for role in roles if (name := getattr(self, role)) is not None}

    def problems(self, table: SourceTable) -> Iterator[str]:
        uses = {name: "a covariate" for name in self.extra}
        uses |= {name: f"the {role}" for role, name in self.roles().items()}
        yield from table.missing_columns(uses)
        for name in self.forbidden:
            if name not in table.columns:
                # A guard with a spelling mistake guards nothing.
                meant = did_you_mean(name, table.columns)
                yield f"{table.path.name}: no column {name!r}, which is forbidden{meant}"
            elif name in uses and name != self.label:
                yield f"{table.path.name}: the column {name!r} is forbidden and is asked for as {uses[name]}"
        for name in self.extra:
            if name == self.label:
                yield f"{table.path.name}: the label {name!r} cannot be a covariate too"
            elif name == REGION_COLUMN or (
                name in STANDARD_COLUMNS and self.roles().get(name.removesuffix("_id")) != name
            ):
                yield f"{table.path.name}: a covariate cannot be called {name!r}; rename the column"


def read_manifest(
    path: str | Path,
    *,
    patient: str = "patient_id",
    case: str | None = None,
    image: str = "image",
    mask: str | None = None,
    region: str | None = None,
    label: str | None = None,
    positive: Value = 1,
    negative: Value | None = None,
    covariates: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    stratify_by: Sequence[str] = (),
    folds: int | None = None,
) -> Cohort:
    """Read a table of cases, or refuse it with everything that is wrong.

    Identifiers stay text ("007" is not 7). Paths are relative to the table's folder. Forbidden columns
    are not in the result.

    Args:
        path: CSV, Parquet or Excel; see :func:`~medvision.cohort.tables.read_table`.
        patient: Column with the patient.
        case: Column with a unique name for each case; by default the patient, with a running number
            (`<patient>_1`, `<patient>_2`, … in the order of the rows) where any patient has several cases.
        image: Column with the image file or folder.
        mask: Column with the mask file, where masks are needed.
        region: Column with the mask of a region, where the preprocessing needs one.
        label: Column with the label, for a classification.
        positive: Its value for diseased.
        negative: Its value for not diseased; by default its only other value.
        covariates: Further columns to keep.
        forbidden: Columns that must not be an input.
        stratify_by: Further columns to keep, for the splits.
        folds: Also refuse labels that so many patient-grouped folds cannot all have.

    Returns:
        The cases in the order of the rows.

    Raises:
        CohortError: Missing columns, files, patients or labels; labels with one value or more than two;
            cases or scans that stand twice; patients that differ only in how they are written; forbidden
            columns that are asked for. Names rows and patients.
        LeakageError: Among them is one image under two patients.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> for name in ("a.nii", "b.nii"):
        ...     _ = (folder / name).write_bytes(b"")
        >>> _ = (folder / "cohort.csv").write_text('''patient_id,image,cancer
        ... 007,a.nii,yes
        ... 008,b.nii,no
        ... ''')
        >>> cohort = read_manifest(folder / "cohort.csv", label="cancer", positive="yes")
        >>> [(case.case_id, case.label) for case in cohort]
        [('007', 1), ('008', 0)]
    """
    table = read_table(path)
    extra = tuple(dict.fromkeys((*covariates, *stratify_by)))
    columns = _Columns(patient, case, image, mask, region, label, extra, tuple(forbidden))
    problems = list(columns.problems(table))
    if problems:
        raise CohortError(f"{table.path.name} has not the columns that are asked for", problems=problems)
    patients = [patient_name(as_text(value)) for value in table.columns[patient]]
    alike = written_alike(patients, table.places)
    rows = Rows(
        places=table.places,
        patients=patients,
        cases=[as_text(value) for value in table.columns[case]] if case is not None else None,
        images=[table.file_at(value) for value in table.columns[image]],
        masks=[table.file_at(value) for value in table.columns[mask]] if mask is not None else None,
        regions=[table.file_at(value) for value in table.columns[region]] if region is not None else None,
        covariates={
            name: covariate_column(table.columns[name]) for name in extra if name not in STANDARD_COLUMNS
        },
    )
    if label is None:
        return assemble(table.path, rows, alike)
    labels, problems = binary_labels(
        table.columns[label], column=label, positive=positive, negative=negative, names=rows.names()
    )
    problems += too_few_patients(patients, labels, folds) if folds is not None else []
    return assemble(table.path, replace(rows, labels=labels), [*problems, *alike])
