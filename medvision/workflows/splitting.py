"""From the `split:` of a study to who is in which part. No torch here."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort import (
    Cohort,
    Splits,
    check_disjoint,
    check_inner,
    check_locked,
    column_is,
    column_splits,
    hash_splits,
    locked_by_chance,
    locked_by_hash,
    make_splits,
    site_splits,
    time_is_from,
    time_splits,
    with_inner_folds,
)
from medvision.config import (
    AnySplit,
    ColumnSplit,
    ColumnTest,
    CrossFit,
    FractionTest,
    HashFold,
    HashTest,
    KFold,
    SiteSplit,
    Study,
    Test,
    TimeSplit,
    TimeTest,
)
from medvision.errors import CohortError
from medvision.workflows.pair_splits import pair_splits


def study_splits(study: Study, cohort: Cohort) -> Splits:
    """Lock the test set away, then divide who is left as the study says.

    Args:
        study: The study.
        cohort: All its cases, in any order: it does not matter.

    Returns:
        The parts, the inner divisions where the study asks for them, and who is locked away.

    Raises:
        CohortError: What the study asks for cannot be done with these patients; with the arithmetic.
    """
    table = cohort.table
    locked = _locked(study.split.test, table, study.seed)
    left = table[~locked].reset_index(drop=True)
    try:
        splits = _outer(study.split, left, study.seed)
        splits = _with_inner(study, splits, left)
    except CohortError as error:
        if not locked.any():
            raise
        away, all_ = table["patient_id"][locked].nunique(), table["patient_id"].nunique()
        note = f"{away} of {all_} patients were locked away before (split.test)"
        raise CohortError(error.message, problems=[*error.problems, note]) from None
    splits = replace(splits, locked=tuple(sorted(table["case_id"][locked].tolist())))
    check_disjoint(splits, cohort)
    return splits


def _locked(test: Test | None, table: pd.DataFrame, seed: int) -> NDArray[np.bool_]:
    match test:
        case None:
            return np.zeros(len(table), dtype=np.bool_)
        case FractionTest():
            locked = locked_by_chance(table, fraction=test.fraction, seed=seed, stratify_by=test.stratify_by)
        case HashTest():
            locked = locked_by_hash(table, fraction=test.fraction, seed=seed)
        case ColumnTest():
            locked = column_is(table, test.column, test.values)
        case TimeTest():
            first = test.on_crossing == "first_scan"
            locked = time_is_from(table, test.column, test.test_from, by_first_scan=first)
        case _:
            assert_never(test)
    check_locked(table, locked)
    return locked


def _outer(split: AnySplit, table: pd.DataFrame, seed: int) -> Splits:
    match split:
        case KFold():
            return make_splits(
                table, folds=split.folds, repeats=split.repeats, seed=seed, stratify_by=split.stratify_by
            )
        case HashFold():
            return hash_splits(table, folds=split.folds, seed=seed)
        case SiteSplit():
            return site_splits(table, column=split.column)
        case TimeSplit():
            return time_splits(
                table,
                column=split.column,
                test_from=split.test_from,
                last_fraction=split.last_fraction,
                windows=split.windows,
                by_first_scan=split.on_crossing == "first_scan",
            )
        case ColumnSplit():
            return column_splits(
                table,
                column=split.column,
                train=split.train_values,
                test=split.test_values,
                validation=split.validation_values,
            )
        case _:
            assert_never(split)


def _with_inner(study: Study, splits: Splits, table: pd.DataFrame) -> Splits:
    split = study.split
    if not isinstance(split, ColumnSplit) and split.inner_folds is not None:
        balanced = split.stratify_by if isinstance(split, KFold) else ()
        if study.evaluation.nested_interval:
            pair_splits(study, splits, table)  # refuses what its inner folds cannot be made of
        return with_inner_folds(splits, table, folds=split.inner_folds, seed=study.seed, stratify_by=balanced)
    inner = study.training.inner
    needed = inner.folds if isinstance(inner, CrossFit) else 2
    check_inner(splits, table, folds=needed, what=f"training.inner ({inner.kind})")
    if study.evaluation.nested_interval:
        pairs = pair_splits(study, splits, table)
        what = "evaluation.nested_interval leaves two folds out at once; training.inner"
        check_inner(pairs, table, folds=needed, what=f"{what} ({inner.kind})")
    return splits
