"""Patient-grouped, stratified cross-validation of a cohort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort.cases import Cohort
from medvision.cohort.grouping import group_folds
from medvision.cohort.parts import Part, Splits
from medvision.errors import CohortError
from medvision.wording import did_you_mean

_MANY_VALUES = 20


def make_splits(
    cases: Cohort | pd.DataFrame,
    *,
    folds: int,
    repeats: int = 1,
    seed: int,
    stratify_by: Sequence[str] = (),
) -> Splits:
    """Draw a patient-grouped, stratified cross-validation; the order of the cases does not matter.

    Args:
        cases: A cohort, or a table with `case_id`, `patient_id` and, for a classification, `label`.
        folds: Folds of each repeat.
        repeats: Repeats, each with another split.
        seed: Where the randomness starts.
        stratify_by: Further columns that are balanced, of few values each; missing is a value.

    Returns:
        The parts.

    Raises:
        CohortError: Columns or labels that are missing, cases that stand there twice, or a class with
            fewer patients than folds.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcd"), "patient_id": list("wwyz"), "label": [0, 1, 0, 1]})
        >>> [part.test for part in make_splits(table, folds=2, seed=1).parts]
        [('a', 'b'), ('c', 'd')]
    """
    table = cases.table if isinstance(cases, Cohort) else cases
    check_table(table, folds, stratify_by, repeats=repeats)
    names = np.asarray(table["case_id"].tolist(), dtype=object)
    strata = strata_of(table, stratify_by)
    parts = []
    for repeat in range(repeats):
        # A stream of its own for each repeat; the plain seed stays free for other uses.
        stream = np.random.SeedSequence(seed, spawn_key=(repeat,))
        patients = table["patient_id"].tolist()
        fold_of = group_folds(patients, labels_of(table), folds=folds, seed=stream, strata=strata)
        for fold in range(folds):
            train, test = names[fold_of != fold], names[fold_of == fold]
            parts.append(Part(repeat, fold, tuple(sorted(train)), tuple(sorted(test))))
    return Splits(tuple(parts), folds, repeats, seed)


def labels_of(table: pd.DataFrame) -> NDArray[np.object_] | None:
    """Return the class of each case; None for a segmentation, which has none.

    Args:
        table: A table of cases.
    """
    if "label" not in table.columns or table["label"].isna().all():
        return None
    return np.asarray(table["label"].tolist(), dtype=object)


def strata_of(table: pd.DataFrame, names: Sequence[str]) -> list[tuple[object, ...]] | None:
    """Return what else is balanced of each case; None for nothing.

    Args:
        table: A table of cases.
        names: Its columns.
    """
    return list(zip(*(table[name].tolist() for name in names), strict=True)) if names else None


def check_table(table: pd.DataFrame, folds: int, columns: Sequence[str], *, repeats: int = 1) -> None:
    """Refuse a table that lacks columns, holds a case twice, or has strata of a few patients each.

    Args:
        table: A table of cases.
        folds: Parts that it will be divided into.
        columns: Columns that are balanced.
        repeats: How often.

    Raises:
        CohortError: All of it at once.
    """
    problems = [
        f"no column {name!r}{did_you_mean(name, table.columns)}"
        for name in ("case_id", "patient_id", *columns)
        if name not in table.columns
    ]
    if repeats < 1:
        problems.append(f"{repeats} repeats; 1 is the least")
    if not problems:
        twice = table["case_id"][table["case_id"].duplicated()].tolist()
        problems += [f"the case {case!r} stands there twice" for case in dict.fromkeys(twice)]
        patients = table["patient_id"].nunique()
        for name in columns:
            values = table[name].nunique()
            if values > _MANY_VALUES and values * folds > patients:
                problems.append(
                    f"{name!r} has {values} values in {patients} patients; sort it into a few groups"
                )
    if problems:
        raise CohortError("these cases cannot be split", problems=problems)
