"""Fields that tell the label are found with the right area, and fields that do not are left alone."""

import math

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from medvision.evaluation import auroc
from medvision.workflows.shortcuts import Field, find_shortcuts, label_contradictions


@pytest.fixture
def cohort():
    random = np.random.default_rng(0)
    patients = [f"P{n // 2}" for n in range(240)]
    labels = (random.random(240) < 0.4).astype(int)
    return random, patients, labels


def found(fields, patients, labels):
    return find_shortcuts(fields, labels.tolist(), patients, seed=1)


def test_a_number_has_the_clustered_area_of_the_estimator_and_of_scikit_learn(cohort):
    random, patients, labels = cohort
    score = labels * 1.2 + random.normal(size=240)
    up, down = found([Field("up", "column", score), Field("down", "column", -score)], patients, labels)
    expected = auroc(labels, score, patients=patients)
    assert up.area.value == pytest.approx(sklearn.metrics.roc_auc_score(labels, score))
    for each in (up, down):
        assert (each.area.value, each.area.low, each.area.high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )
    assert {each.field: each.direction for each in (up, down)} == {"up": "higher", "down": "lower"}
    assert up.area.n_patients == 120


def test_a_scanner_that_only_the_diseased_had_is_perfect_and_a_mixed_one_is_strong(cohort):
    random, patients, labels = cohort
    vendor = np.where(labels == 1, random.choice(["A", "B"], 240), random.choice(["C", "D", "E"], 240))
    noisy = np.where(random.random(240) < 0.12, random.permutation(vendor), vendor)
    perfect, strong = found(
        [Field("noisy", "header", noisy), Field("vendor", "header", vendor)], patients, labels
    )
    assert (perfect.field, perfect.kind, perfect.perfect, perfect.strong) == (
        "vendor",
        "category",
        True,
        True,
    )
    assert (strong.field, strong.perfect, strong.strong) == ("noisy", False, True)


def test_codes_that_mean_nothing_stay_near_one_half_however_many_there_are():
    # An encoding that saw its own cases would reach an area of about 0.7 with 20 codes in 240 cases.
    areas = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        labels = (random.random(240) < 0.4).astype(int)
        codes = [f"code {n}" for n in random.integers(0, 20, 240)]
        (one,) = find_shortcuts(
            [Field("code", "column", codes)], labels, [f"P{n}" for n in range(240)], seed=seed
        )
        areas.append(one.area.value)
        assert not one.strong
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)


def test_a_patients_name_for_the_site_does_not_look_like_a_shortcut():
    # Every case of a patient has one label: an encoding by cases instead of patients would reach 1.
    random = np.random.default_rng(0)
    patients = [f"P{n // 12}" for n in range(240)]
    labels = np.repeat(random.permutation([0, 1] * 10), 12)
    (one,) = found([Field("ward", "column", patients)], patients, labels)
    assert one.area.value == pytest.approx(0.5, abs=0.01)


def test_a_number_that_is_high_and_low_in_disease_is_found_as_a_category(cohort):
    random, patients, labels = cohort
    stage = np.where(labels == 1, random.choice([1, 5], 240), random.choice([2, 3, 4], 240))
    category, number = found([Field("stage", "column", stage)], patients, labels)
    assert (category.kind, category.perfect) == ("category", True)
    assert number.area.value < 0.65


def test_perfect_separation_by_a_number_is_said(cohort):
    random, patients, labels = cohort
    date = 20200101 + labels * 10_000 + random.integers(0, 300, 240)
    (one,) = found([Field("StudyDate", "header", date)], patients, labels)
    assert one.perfect
    assert one.area.status == "degenerate_variance"
    assert math.isnan(one.p)
    unique = found([Field("row", "column", np.arange(240))], patients, labels)
    assert not unique[0].perfect


def test_that_a_value_is_missing_can_be_the_shortcut(cohort):
    random, patients, labels = cohort
    values = [None if label and random.random() < 0.95 else 1.0 + random.random() for label in labels]
    best = found([Field("biopsy", "column", values)], patients, labels)[0]
    assert (best.kind, best.direction) == ("missing", "higher")
    assert best.area.value > 0.9


def test_what_cannot_be_a_field_is_left_out(cohort):
    _, patients, labels = cohort
    fields = [
        Field("constant", "header", ["CT"] * 240),
        Field("comment", "column", [f"text {n}" for n in range(240)]),
        Field("nothing", "column", [None] * 240),
    ]
    assert found(fields, patients, labels) == []
    one_class = find_shortcuts([Field("x", "column", [1, 2])], [1, 1], ["a", "b"], seed=0)
    assert one_class == []
    few = find_shortcuts([Field("x", "column", list("aabb"))], [1, 0, 1, 0], list("wxyz"), seed=0)
    assert few == []


def test_holm_counts_every_field(cohort):
    random, patients, labels = cohort
    fields = [Field(f"noise {n}", "column", random.normal(size=240)) for n in range(20)]
    assert all(each.p > 0.05 for each in found(fields, patients, labels))


def test_patients_with_both_labels_are_counted():
    table = pd.DataFrame({"p": ["a", "a", "a", "b", "c", "c"], "y": [0, 1, 1, 1, 0, 0]})
    assert label_contradictions(table["p"], table["y"]) == {"a": (1, 2)}
    assert label_contradictions([], []) == {}
