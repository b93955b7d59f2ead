"""Patients divided."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.cohort import group_folds, holdout
from medvision.errors import CohortError


def clustered(seed, patients=200):
    """Patients with one to nine units, of which any number is positive, as nodules are."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 2, 3, 5, 9], size=patients, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    names = np.repeat([f"p{n:03d}" for n in range(patients)], sizes)
    risk = np.repeat(rng.beta(0.5, 1.0, size=patients), sizes)
    return names, (rng.random(len(names)) < risk).astype(int)


def spread(fold, weights=None):
    counts = np.bincount(fold, weights=weights)
    return counts.max() - counts.min()


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_balanced_as_well_as_those_of_scikit_learn(seed):
    from sklearn.model_selection import StratifiedGroupKFold

    patients, labels = clustered(seed)
    fold = group_folds(patients, labels, folds=5, seed=seed)
    other = np.empty(len(labels), dtype=int)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for number, (_, test) in enumerate(splitter.split(labels, labels, patients)):
        other[test] = number
    for weights in (labels, 1 - labels):
        assert spread(fold, weights) <= max(2, spread(other, weights))


@pytest.mark.data
@pytest.mark.parametrize("seed", range(3))
def test_folds_of_the_nodules(data_dir, seed):
    import pandas as pd

    table = pd.read_csv(data_dir / "lidc_nodules" / "cohort.csv")
    fold = group_folds(table["patient_id"], table["malignant"], folds=5, seed=seed)
    # 249 malignant and 476 benign nodules in 393 patients: at best 49 or 50, and 95 or 96, in a fold.
    assert spread(fold, table["malignant"]) <= 1
    assert spread(fold, 1 - table["malignant"]) <= 2


def test_strata_are_balanced():
    rng = np.random.default_rng(3)
    patients = [f"p{n}" for n in range(300)]
    labels, site = rng.integers(0, 2, 300), rng.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1])
    fold = group_folds(patients, labels, folds=5, seed=1, strata=site.tolist())
    for label in (0, 1):
        assert spread(fold, labels == label) <= 1
        for name in "abc":
            assert spread(fold, (labels == label) & (site == name)) <= 1


def test_several_strata_are_tuples_and_missing_is_one():
    strata = [("a", 1.0), ("a", float("nan")), ("b", None)] * 10
    fold = group_folds([f"p{n}" for n in range(30)], None, folds=5, seed=1, strata=strata)
    for kind in range(3):
        assert spread(fold[kind::3]) == 0


def test_every_fold_has_every_class_where_few_patients_have_both():
    # Two patients with nearly all units, and just enough others for each class.
    patients = ["a"] * 40 + ["b"] * 40 + ["c", "d", "e"] + ["f", "g", "h"]
    labels = [1] * 39 + [0] + [0] * 39 + [1] + [1, 1, 1] + [0, 0, 0]
    for seed in range(20):
        fold = group_folds(patients, labels, folds=5, seed=seed)
        for label in (0, 1):
            assert set(fold[np.array(labels) == label]) == set(range(5))


def test_seeds_differ_and_repeat():
    patients, labels = clustered(1)
    one = group_folds(patients, labels, folds=5, seed=1)
    np.testing.assert_array_equal(one, group_folds(patients, labels, folds=5, seed=1))
    assert (one != group_folds(patients, labels, folds=5, seed=2)).mean() > 0.5
    assert (one != group_folds(patients, labels, folds=5, seed=(1, 7))).mean() > 0.5


def test_who_shares_a_fold_is_random():
    # Each pair of 20 patients shares one of 5 folds with probability 3/19.
    together = np.zeros((20, 20))
    for seed in range(2000):
        fold = group_folds([f"p{n:02d}" for n in range(20)], [0, 1] * 10, folds=5, seed=seed)
        together += fold[:, None] == fold[None, :]
    same = together[0::2, 0::2][np.triu_indices(10, 1)] / 2000
    other = together[0::2, 1::2].ravel() / 2000
    # Of one class: 1 of the other 9 places in the two-patient share of the fold; of the other: 2 of 10.
    assert np.abs(same - 1 / 9).max() < 5 * np.sqrt(1 / 9 * 8 / 9 / 2000)
    assert np.abs(other - 2 / 10).max() < 5 * np.sqrt(0.2 * 0.8 / 2000)


@pytest.mark.parametrize(
    ("patients", "labels", "folds", "words"),
    [
        (["a", "b", "c"], [0, 1, 1], 2, "class 0 has 1 patient, and 2 folds need at least 2"),
        (["a", "a", "b", "b"], [0, 1, 0, 1], 3, "2 patients cannot fill 3 folds"),
        (["a", "b"], [0, 1], 1, "needs 2 folds or more, not 1"),
        (["a", "b"], [0, 1, 1], 2, "2 patients, 3 labels, 2 strata"),
        ([], [], 2, "no cases to divide"),
        (["a", "b"], [0, None], 2, r"unit 1 \(patient b\) has the label None"),
        (["a", "b"], [0.0, float("nan")], 2, r"unit 1 \(patient b\) has the label nan"),
    ],
)
def test_impossible_folds(patients, labels, folds, words):
    with pytest.raises(CohortError, match=words):
        group_folds(patients, labels, folds=folds, seed=1)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.25, 1 / 3, 0.5, 0.8])
def test_a_share_is_held_out(fraction):
    patients, labels = clustered(2)
    for seed in range(5):
        held = holdout(patients, labels, fraction=fraction, seed=seed)
        share = len(set(patients[held])) / 200
        assert share == pytest.approx(fraction, abs=0.01)
        assert not set(patients[held]) & set(patients[~held])
        # A systematic sample by size keeps the share of units and of positive units close too.
        assert held.mean() == pytest.approx(fraction, abs=0.03)
        assert labels[held].mean() == pytest.approx(labels.mean(), abs=0.05)


def test_every_patient_can_be_held_out():
    patients = [f"p{n}" for n in range(10)]
    often = sum(holdout(patients, [0, 1] * 5, fraction=0.2, seed=seed).astype(int) for seed in range(1000))
    # Each with probability 0.2: 200 of 1000, standard deviation 12.6.
    assert np.abs(often - 200).max() < 5 * 12.65


@pytest.mark.parametrize(
    ("patients", "labels", "fraction", "words"),
    [
        (
            ["a", "b", "c"],
            [0, 1, 1],
            0.5,
            "class 0 has 1 patient, and one is needed in each of the two parts",
        ),
        (["a", "b"], [0, 0], 0.0, "must be between 0 and 1, not 0"),
        (["a", "b"], [0, 0], 1.0, "must be between 0 and 1, not 1"),
        (["a"], [0], 0.5, "class 0 has 1 patient"),
    ],
)
def test_impossible_shares(patients, labels, fraction, words):
    with pytest.raises(CohortError, match=words):
        holdout(patients, labels, fraction=fraction, seed=1)
