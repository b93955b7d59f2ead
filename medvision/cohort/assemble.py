"""From lists of identifiers, files and labels to a checked cohort."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from medvision.cohort.cases import REGION_COLUMN, STANDARD_COLUMNS, Cohort
from medvision.errors import CohortError, LeakageError
from medvision.wording import first_of

# A missing identifier that some program wrote as a word.
_NO_NAME = {"", "none", "nan", "na", "n/a", "null", "<na>", "nat"}
_NO_FILE_NAME = re.compile(r".*[/\\\x00-\x1f\x7f].*|\.{0,2}", re.DOTALL)


@dataclass(frozen=True)
class Rows:
    """What is known of each case, as lists of equal length.

    Attributes:
        places: Where each stands in its source.
        patients: Patients; empty where missing.
        cases: Names; None makes them from the patients.
        images: Absolute paths; None where a cell is empty.
        masks: Absolute paths; None without masks.
        labels: 0 or 1; None for a segmentation.
        covariates: Columns to keep.
        regions: Absolute paths of masks for the preprocessing; None without them.
    """

    places: Sequence[str]
    patients: Sequence[str]
    cases: Sequence[str] | None
    images: Sequence[str | None]
    masks: Sequence[str | None] | None
    labels: Sequence[int] | None = None
    covariates: dict[str, pd.Series] = field(default_factory=dict)
    regions: Sequence[str | None] | None = None

    def names(self) -> list[str]:
        """Place and patient of each row, for messages."""
        return [
            f"{place} (patient {who or '?'})" for place, who in zip(self.places, self.patients, strict=True)
        ]


def assemble(source: Path, rows: Rows, problems: Sequence[str] = ()) -> Cohort:
    """Check rows against each other and make a cohort of them.

    Args:
        source: The file they come from, absolute.
        rows: The cases.
        problems: What is already known to be wrong.

    Returns:
        The cases in their order.

    Raises:
        CohortError: Files or patients are missing, or a case stands there twice.
        LeakageError: One image stands under two patients.
    """
    names = rows.names()
    cases = list(rows.cases) if rows.cases is not None else case_names(rows.patients)
    found = [*problems, *_files(rows.images, "image", names)]
    if rows.masks is not None:
        found += _files(rows.masks, "mask", names)
    if rows.regions is not None:
        found += _files(rows.regions, "region", names)
    found += first_of(
        [
            f"{name}: no patient"
            for name, who in zip(names, rows.patients, strict=True)
            if who.lower() in _NO_NAME
        ]
    )
    if rows.cases is not None or all(rows.patients):
        found += _case_problems(cases, names)
    leaks, duplicates = _shared_images(rows, names)
    found += leaks + duplicates
    if found:
        error = LeakageError if leaks else CohortError
        raise error(f"{len(found)} problem{'s' * (len(found) > 1)} in {source.name}", problems=found)
    masks = rows.masks if rows.masks is not None else [None] * len(cases)
    standard = zip(STANDARD_COLUMNS[:4], (cases, rows.patients, rows.images, masks), strict=True)
    labels = (
        pd.Series(rows.labels, dtype="int64")
        if rows.labels is not None
        else pd.Series([None] * len(cases), dtype=object)
    )
    table = pd.DataFrame(
        {
            **{name: pd.Series(list(values), dtype=object) for name, values in standard},
            "label": labels,
            **({} if rows.regions is None else {REGION_COLUMN: pd.Series(list(rows.regions), dtype=object)}),
            **rows.covariates,
        }
    )
    return Cohort(table, source, tuple(rows.covariates), tuple(rows.places))


def case_names(patients: Sequence[str]) -> list[str]:
    """Name cases after their patients.

    Args:
        patients: The patient of each case.

    Returns:
        The patients themselves where each has one case; else patient and running number.

    Example:
        >>> case_names(["007", "008", "007"])
        ['007_1', '008_1', '007_2']
    """
    if len(set(patients)) == len(patients):
        return list(patients)
    count: dict[str, int] = {}
    names = []
    for patient in patients:
        count[patient] = count.get(patient, 0) + 1
        names.append(f"{patient}_{count[patient]}")
    return names


def _files(paths: Sequence[str | None], what: str, names: Sequence[str]) -> list[str]:
    empty = [f"{name}: no {what}" for name, path in zip(names, paths, strict=True) if path is None]
    absent = [
        f"{name}: there is no {what} {path}"
        for name, path in zip(names, paths, strict=True)
        if path is not None and not os.path.exists(path)  # noqa: PTH110 (pathlib raises on long names)
    ]
    return [*first_of(empty), *first_of(absent)]


def _case_problems(cases: Sequence[str], names: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    twice, unfit = [], []
    for case, name in zip(cases, names, strict=True):
        if _NO_FILE_NAME.fullmatch(case):
            unfit.append(
                f"{name}: the case {case!r} cannot name a file; name the cases in a column of their own"
            )
        elif case in first:
            twice.append(f"{name}: the case {case!r} stands here twice; the first is {first[case]}")
        first.setdefault(case, name)
    return [*first_of(unfit), *first_of(twice)]


def _shared_images(rows: Rows, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """One image under two patients is a leak; twice with one mask it is a duplicate."""
    owner: dict[str, int] = {}
    pairs: dict[tuple[str, str | None], int] = {}
    leaks, duplicates = [], []
    masks = rows.masks if rows.masks is not None else [None] * len(names)
    for row, (image, mask) in enumerate(zip(rows.images, masks, strict=True)):
        if image is None:
            continue
        first = owner.setdefault(image, row)
        twin = pairs.setdefault((image, mask), row)
        if rows.patients[first] != rows.patients[row]:
            leaks.append(f"{names[row]}: the image {image} is also that of {names[first]}")
        elif twin != row:
            same = "the same image and mask" if mask is not None else "the same image"
            duplicates.append(f"{names[row]}: {same} as {names[twin]}: {image}")
    return first_of(leaks), first_of(duplicates)
