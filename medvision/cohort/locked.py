"""Who is locked away before anything is divided, and the inner divisions of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort.feasible import check_parts
from medvision.cohort.grouping import group_folds, holdout
from medvision.cohort.hashing import hash_shares
from medvision.cohort.parts import InnerPart, Part, Splits
from medvision.cohort.splits import check_table, labels_of, strata_of
from medvision.errors import CohortError

# Streams of their own: repeats of the outer folds use one-word keys.
_LOCKED, _INNER = 0x7E57, 0x1AAE


def locked_by_chance(
    table: pd.DataFrame, *, fraction: float, seed: int, stratify_by: Sequence[str] = ()
) -> NDArray[np.bool_]:
    """Draw a test set, patient-grouped and stratified, with a stream of chance of its own.

    Args:
        table: A table of cases.
        fraction: Share of the patients.
        seed: The seed of the study.
        stratify_by: Columns that are balanced beside the label.

    Returns:
        True for each case that is locked away.

    Raises:
        CohortError: A class has fewer than two patients, or columns are missing.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcd"), "patient_id": list("wxyz"), "label": [0, 1, 0, 1]})
        >>> int(locked_by_chance(table, fraction=0.5, seed=1).sum())
        2
    """
    check_table(table, 2, stratify_by)
    stream = np.random.SeedSequence(seed, spawn_key=(0, _LOCKED))
    return holdout(
        table["patient_id"].tolist(),
        labels_of(table),
        fraction=fraction,
        seed=stream,
        strata=strata_of(table, stratify_by),
    )


def locked_by_hash(table: pd.DataFrame, *, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Choose a test set by a hash of patient and seed: who joins later moves nobody.

    Args:
        table: A table of cases.
        fraction: Share of the patients in expectation.
        seed: The seed of the study.

    Returns:
        True for each case that is locked away.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcd"), "patient_id": list("wwyz")})
        >>> locked_by_hash(table, fraction=0.5, seed=1).tolist()
        [False, False, True, False]
    """
    chosen: NDArray[np.bool_] = hash_shares(table, seed=seed, purpose="locked test") < fraction
    return chosen


def check_locked(table: pd.DataFrame, locked: NDArray[np.bool_]) -> None:
    """Refuse a locked test set that is empty, is everybody, or lacks a class on either side.

    Args:
        table: A table of cases.
        locked: True for each case that is locked away.

    Raises:
        CohortError: With the patients by class.

    Example:
        >>> table = pd.DataFrame({"case_id": ["a"], "patient_id": ["x"]})
        >>> check_locked(table, np.array([False]))
        Traceback (most recent call last):
        medvision.errors.CohortError: split.test leaves one side empty: 0 locked away, 1 to develop with
    """
    owners = table["patient_id"]
    away, left = owners[locked].nunique(), owners[~locked].nunique()
    if not away or not left:
        raise CohortError(f"split.test leaves one side empty: {away} locked away, {left} to develop with")
    labels = labels_of(table)
    if labels is None:
        return
    problems = [
        f"class {label}: {owners[locked & (labels == label)].nunique()} of "
        f"{owners[labels == label].nunique()} patients are locked away"
        for label in sorted(set(labels.tolist()))
        if not (locked & (labels == label)).any() or not (~locked & (labels == label)).any()
    ]
    if problems:
        raise CohortError("split.test must leave patients of every class on both sides", problems=problems)


def with_inner_folds(
    splits: Splits, table: pd.DataFrame, *, folds: int, seed: int, stratify_by: Sequence[str] = ()
) -> Splits:
    """Divide every training part again: nested cross-validation.

    Inner folds are patient-grouped and stratified; where the outer folds are by a hash, the inner ones are
    too, so that who joins later moves nobody.

    Args:
        splits: The outer split.
        table: A table of its cases.
        folds: Inner folds.
        seed: The seed of the study.
        stratify_by: Columns that are balanced beside the label.

    Returns:
        The same parts, each with its inner divisions.

    Raises:
        CohortError: A training part has a class with too few patients.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abc"), "patient_id": list("xyz")})
        >>> outer = Splits((Part(0, 0, ("a", "b"), ("c",)),), 1, 1)
        >>> [inner.validation for inner in with_inner_folds(outer, table, folds=2, seed=1).parts[0].inner]
        [('b',), ('a',)]
    """
    rows = table.set_index("case_id", drop=False)
    parts = []
    for part in splits.parts:
        own = rows.loc[list(part.train)]
        if splits.kind == "hash":
            fold_of = (hash_shares(own, seed=seed, purpose=f"inner of fold {part.fold}") * folds).astype(
                np.int64
            )
        else:
            fold_of = _drawn(own, part, folds, seed, stratify_by)
        names = np.asarray(part.train, dtype=object)
        inner = tuple(
            InnerPart(tuple(names[fold_of != fold].tolist()), tuple(names[fold_of == fold].tolist()))
            for fold in range(folds)
        )
        parts.append(replace(part, inner=inner))
    nested = replace(splits, parts=tuple(parts))
    check_parts(nested, table)
    return nested


def _drawn(
    own: pd.DataFrame, part: Part, folds: int, seed: int, stratify_by: Sequence[str]
) -> NDArray[np.int64]:
    stream = np.random.SeedSequence(seed, spawn_key=(part.repeat, part.fold, _INNER))
    strata = strata_of(own, stratify_by)
    try:
        return group_folds(
            own["patient_id"].tolist(), labels_of(own), folds=folds, seed=stream, strata=strata
        )
    except CohortError as error:
        raise CohortError(
            f"{part.title}: the training part cannot be divided into {folds} inner folds: {error.message}",
            problems=error.problems,
        ) from None
