"""What holds for every way of dividing patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare
from sklearn.model_selection import StratifiedGroupKFold

from medvision.cohort import (
    Splits,
    check_disjoint,
    column_is,
    column_splits,
    group_folds,
    hash_splits,
    holdout,
    locked_by_chance,
    locked_by_hash,
    make_splits,
    site_splits,
    time_splits,
    with_inner_folds,
)
from medvision.cohort.covariates import covariate_column
from medvision.cohort.hashing import hash_shares
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


def _table(rows):
    patients, labels = _arrays(rows)
    names = [f"c{n:03d}" for n in range(len(rows))]
    return pd.DataFrame({"case_id": names, "patient_id": patients, "label": labels})


def _place(splits):
    return {case: part.fold for part in splits.parts for case in part.test}


@given(units, st.lists(st.tuples(st.integers(26, 60), st.integers(0, 1)), max_size=40), seeds)
def test_by_hash_patients_who_join_move_nobody(rows, more, seed):
    before, after = _table(rows), _table([*rows, *more])
    locked = [set(t["case_id"][locked_by_hash(t, fraction=0.3, seed=seed)]) for t in (before, after)]
    assert locked[0] == locked[1] & set(before["case_id"])
    shares = [
        dict(zip(t["case_id"], hash_shares(t, seed=seed, purpose="fold"), strict=True))
        for t in (before, after)
    ]
    assert shares[0].items() <= shares[1].items()
    try:
        splits = [hash_splits(t.drop(columns="label"), folds=3, seed=seed) for t in (before, after)]
    except CohortError:
        return
    assert _place(splits[0]).items() <= _place(splits[1]).items()
    try:
        nested = [
            with_inner_folds(each, t.drop(columns="label"), folds=2, seed=seed)
            for each, t in zip(splits, (before, after), strict=True)
        ]
    except CohortError:
        return
    for one, two in zip(*(each.parts for each in nested), strict=True):
        assert all(set(a.validation) <= set(b.validation) for a, b in zip(one.inner, two.inner, strict=True))


@given(st.floats(0.05, 0.95), st.integers(2, 8), seeds)
def test_by_hash_the_share_is_right_in_expectation(fraction, folds, seed):
    table = pd.DataFrame(
        {"case_id": [f"c{n}" for n in range(2000)], "patient_id": [f"p{n}" for n in range(2000)]}
    )
    held = int(locked_by_hash(table, fraction=fraction, seed=seed).sum())
    # 40 examples of two tests: a right program fails one in a hundred thousand times.
    assert binomtest(held, 2000, fraction).pvalue > 1e-7
    sizes = [len(part.test) for part in hash_splits(table, folds=folds, seed=seed).parts]
    assert chisquare(sizes).pvalue > 1e-7


@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False), st.integers(2, 4))
def test_no_kind_of_split_depends_on_the_order_of_the_rows(seed, random, windows):
    number = range(48)
    table = pd.DataFrame(
        {
            "case_id": [f"c{n:02d}" for n in number],
            "patient_id": [f"p{n // 2:02d}" for n in number],
            "label": [n // 2 % 2 for n in number],
            "site": ["ABC"[n // 2 % 3] for n in number],
            "year": [2000 + n // 6 for n in number],
            "part": [["train", "train", "test"][n // 16] for n in number],
        }
    )
    order = list(number)
    random.shuffle(order)
    shuffled = table.iloc[order].reset_index(drop=True)

    def every(t):
        yield make_splits(t, folds=3, repeats=2, seed=seed, stratify_by=["site"]).to_json()
        yield with_inner_folds(make_splits(t, folds=3, seed=seed), t, folds=2, seed=seed).to_json()
        yield site_splits(t, column="site").to_json()
        yield time_splits(t, column="year", windows=windows).to_json()
        yield time_splits(t, column="year", last_fraction=0.3).to_json()
        yield column_splits(t, column="part", train=["train"], test=["test"]).to_json()
        yield hash_splits(t.drop(columns="label"), folds=2, seed=seed).to_json()
        for locked in (
            locked_by_chance(t, fraction=0.25, seed=seed, stratify_by=["site"]),
            locked_by_hash(t, fraction=0.25, seed=seed),
            column_is(t, "site", ["B"]),
        ):
            yield sorted(t["case_id"][locked])

    assert list(every(shuffled)) == list(every(table))


@pytest.mark.parametrize("per_patient", [1, 3])
def test_classes_are_spread_no_worse_than_by_scikit_learn(per_patient):
    """The measure: the standard deviation over folds of each class's share of its units, summed."""
    rng = np.random.default_rng(0)
    ours, theirs = [], []
    for seed in range(60):
        patients = np.repeat(np.arange(40), rng.integers(1, per_patient + 1, 40))
        labels = (rng.random(len(patients)) < 0.3).astype(int)
        enough = min(len(set(patients[labels == label])) for label in (0, 1)) >= 5
        if not enough:
            continue
        fold = group_folds(patients.astype(str), labels, folds=5, seed=seed)
        other = np.empty(len(labels), dtype=int)
        drawn = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(labels, labels, patients)
        for k, (_, test) in enumerate(drawn):
            other[test] = k
        for measured, place in ((ours, fold), (theirs, other)):
            counts = [np.bincount(place[labels == label], minlength=5) for label in (0, 1)]
            measured.append(sum(np.std(count / count.sum()) for count in counts))
    assert len(ours) > 50
    if per_patient == 1:
        assert all(a <= b + 1e-12 for a, b in zip(ours, theirs, strict=True))
    assert np.mean(ours) <= np.mean(theirs) + 1e-12
