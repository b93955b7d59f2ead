"""Which cases learn and are tested in nested cross-validation. No torch here."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pandas as pd

from medvision.cohort import Part, Splits, with_inner_folds
from medvision.config import KFold, Study


def pair_splits(study: Study, splits: Splits, table: pd.DataFrame) -> Splits:
    """The parts of nested cross-validation: for each pair of folds all others learn, and the pair is tested.

    Args:
        study: With `split.kind: kfold`.
        splits: Its folds.
        table: The cohort's table, for inner folds where the study divides training parts in the split.

    Returns:
        The pairs of each repeat; the fold of a part is the number of its pair, its name says which two.
    """
    parts = []
    for repeat in range(splits.repeats):
        own = [part for part in splits.parts if part.repeat == repeat]
        for number, (one, two) in enumerate(combinations(own, 2)):
            train = tuple(sorted({*one.train} & {*two.train}))
            test = tuple(sorted({*one.test, *two.test}))
            parts.append(Part(repeat, number, train, test, f"folds {one.fold} and {two.fold}"))
    pairs = replace(splits, parts=tuple(parts), folds=len(parts) // splits.repeats)
    split = study.split
    if not isinstance(split, KFold) or split.inner_folds is None:
        return pairs
    left = table[~table["case_id"].isin(splits.locked)].reset_index(drop=True)
    return with_inner_folds(
        pairs, left, folds=split.inner_folds, seed=study.seed, stratify_by=split.stratify_by
    )
