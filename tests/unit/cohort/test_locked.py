"""Who is locked away, and inner folds."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.cohort import (
    check_disjoint,
    check_inner,
    check_locked,
    hash_splits,
    locked_by_chance,
    make_splits,
    site_splits,
    with_inner_folds,
)
from medvision.errors import CohortError


@pytest.fixture
def table(table_of):
    """Sixty patients with two cases each; a third is ill, half are women."""
    number = [n // 2 for n in range(120)]
    patients = [f"p{n:02d}" for n in number]
    return table_of(patients, [int(n % 3 == 0) for n in number], sex=["fm"[n % 2] for n in number])


def test_the_locked_set_is_grouped_and_balanced(table):
    locked = locked_by_chance(table, fraction=0.2, seed=1, stratify_by=["sex"])
    away = table[locked]
    assert away["patient_id"].nunique() == 12
    assert not set(away["patient_id"]) & set(table[~locked]["patient_id"])
    assert away["label"].mean() == pytest.approx(1 / 3)
    assert (away["sex"] == "f").mean() == pytest.approx(0.5)


def test_the_locked_set_has_a_stream_of_its_own(table):
    # The folds of the same seed are drawn independently: the locked set is none of them.
    locked = set(table["case_id"][locked_by_chance(table, fraction=0.2, seed=1)])
    assert all(set(part.test) != locked for part in make_splits(table, folds=5, seed=1).parts)
    other = set(table["case_id"][locked_by_chance(table, fraction=0.2, seed=2)])
    assert locked != other


def test_a_locked_set_without_a_class_is_refused_with_the_counts(table):
    ill = (table["label"] == 1).to_numpy()
    with pytest.raises(CohortError) as caught:
        check_locked(table, ill)
    assert caught.value.problems == (
        "class 0: 0 of 40 patients are locked away",
        "class 1: 20 of 20 patients are locked away",
    )
    with pytest.raises(CohortError, match="one side empty: 60 locked away, 0 to develop with"):
        check_locked(table, np.ones(len(table), dtype=bool))
    check_locked(table.assign(label=None), ill)


@pytest.mark.parametrize("kind", ["kfold", "hash", "site"])
def test_inner_folds_divide_each_training_part_by_patient(table, kind):
    outer = {
        "kfold": lambda: make_splits(table, folds=3, repeats=2, seed=1),
        "hash": lambda: hash_splits(table, folds=3, seed=1),
        "site": lambda: site_splits(table, column="sex"),
    }[kind]()
    nested = with_inner_folds(outer, table, folds=3, seed=1, stratify_by=["sex"] if kind == "kfold" else [])
    check_disjoint(nested, table)
    assert nested == with_inner_folds(outer, table.sample(frac=1, random_state=0), folds=3, seed=1,
                                      stratify_by=["sex"] if kind == "kfold" else [])  # fmt: skip
    for part in nested.parts:
        assert sorted(case for inner in part.inner for case in inner.validation) == list(part.train)
        for inner in part.inner:
            assert sorted((*inner.train, *inner.validation)) == list(part.train)
    assert nested.sha256 != outer.sha256


def test_inner_folds_that_cannot_be_are_refused_with_the_part(table):
    few = table[table["label"] == 0].head(20)
    few = table.loc[few.index.union(table[table["label"] == 1].index[:8])]
    with pytest.raises(CohortError) as caught:
        with_inner_folds(make_splits(few, folds=2, seed=1), few, folds=3, seed=1)
    assert "fold 0: the training part cannot be divided into 3 inner folds" in str(caught.value)
    assert "class 1 has 2 patients, and 3 folds need at least 3" in str(caught.value)


def test_an_inner_division_that_the_split_brings_needs_no_other(table):
    nested = with_inner_folds(make_splits(table, folds=2, seed=1), table, folds=2, seed=1)
    check_inner(nested, table, folds=1000, what="training.inner")
    with pytest.raises(CohortError) as caught:
        check_inner(make_splits(table, folds=2, repeats=2, seed=1), table, folds=15, what="training.inner")
    assert "repeat 0, fold 0: 10 patients of class 1" in caught.value.problems
