"""What holds for every way of dividing patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.cohort import Splits, check_disjoint, group_folds, holdout, make_splits
from medvision.cohort.covariates import covariate_column
from medvision.errors import CohortError

units = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 1)), min_size=4, max_size=80)
seeds = st.integers(0, 2**32 - 1)


def _arrays(rows):
    patients = np.array([f"p{patient}" for patient, _ in rows])
    return patients, np.array([label for _, label in rows])


def _patients(patients, labels, label):
    return len(set(patients[labels == label]))


def _spread(fold, chosen, folds):
    counts = np.bincount(fold[chosen], minlength=folds)
    return counts.max() - counts.min()


@given(units, st.integers(2, 6), seeds)
def test_folds_exist_exactly_where_every_class_has_enough_patients(rows, folds, seed):
    patients, labels = _arrays(rows)
    possible = all(_patients(patients, labels, label) >= folds for label in set(labels))
    if not possible:
        with pytest.raises(CohortError):
            group_folds(patients, labels, folds=folds, seed=seed)
        return
    fold = group_folds(patients, labels, folds=folds, seed=seed)
    assert set(fold) == set(range(folds))
    for patient in set(patients):
        assert len(set(fold[patients == patient])) == 1
    for label in set(labels):
        assert set(fold[labels == label]) == set(range(folds))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=12, max_size=80),
    st.integers(2, 6),
    seeds,
)
def test_with_one_unit_a_patient_counts_differ_by_one_at_most(rows, folds, seed):
    labels, strata = np.array(rows).T
    patients = [f"p{n}" for n in range(len(rows))]
    enough = all((labels == label).sum() >= folds for label in set(labels))
    if not enough:
        return
    fold = group_folds(patients, labels, folds=folds, seed=seed)
    assert _spread(fold, labels >= 0, folds) <= 1
    with_strata = group_folds(patients, labels, folds=folds, seed=seed, strata=strata.tolist())
    for label in set(labels):
        assert _spread(fold, labels == label, folds) <= 1
        assert _spread(with_strata, labels == label, folds) <= 1
        for stratum in set(strata):
            assert _spread(with_strata, (labels == label) & (strata == stratum), folds) <= 1


@given(units, seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_units_does_not_matter(rows, seed, random):
    patients, labels = _arrays([*rows, (100, 0), (101, 0), (102, 1), (103, 1)])
    order = list(range(len(labels)))
    random.shuffle(order)
    fold = group_folds(patients, labels, folds=2, seed=seed)
    np.testing.assert_array_equal(
        group_folds(patients[order], labels[order], folds=2, seed=seed), fold[order]
    )
    held = holdout(patients, labels, fraction=0.3, seed=seed)
    np.testing.assert_array_equal(
        holdout(patients[order], labels[order], fraction=0.3, seed=seed), held[order]
    )


@given(units, st.floats(0.05, 0.95), seeds)
def test_a_share_exists_exactly_where_every_class_has_two_patients(rows, fraction, seed):
    patients, labels = _arrays(rows)
    if any(_patients(patients, labels, label) < 2 for label in set(labels)):
        with pytest.raises(CohortError):
            holdout(patients, labels, fraction=fraction, seed=seed)
        return
    held = holdout(patients, labels, fraction=fraction, seed=seed)
    assert not set(patients[held]) & set(patients[~held])
    for label in set(labels):
        assert {True, False} == set(held[labels == label])
    # The nearest number of patients, but for what the classes need.
    assert abs(len(set(patients[held])) - fraction * len(set(patients))) <= 2.5


@given(units, st.integers(1, 3), seeds)
def test_drawn_splits_pass_their_own_check_and_come_back_from_their_file(rows, repeats, seed):
    patients, labels = _arrays([*rows, (100, 0), (101, 0), (102, 1), (103, 1)])
    table = pd.DataFrame(
        {"case_id": [f"c{n}" for n in range(len(labels))], "patient_id": patients, "label": labels}
    )
    splits = make_splits(table, folds=2, repeats=repeats, seed=seed)
    check_disjoint(splits, table)
    shuffled = table.sample(frac=1, random_state=seed % 1000)
    assert make_splits(shuffled, folds=2, repeats=repeats, seed=seed) == splits
    again = Splits.from_json(splits.to_json())
    assert again == splits
    assert again.sha256 == splits.sha256


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_survive_being_written_as_text(values):
    texts = [None if value is None else repr(value) for value in values]
    if all(value is None for value in values):
        return
    column = covariate_column(texts)
    assert column.dtype == "float64"
    np.testing.assert_array_equal(column, [np.nan if value is None else value for value in values])
