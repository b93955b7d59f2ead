"""The C-index of ordered classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import somersd

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, ordinal_c_index


def _graded(seed: int, n: int = 60, grades: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, n // 3, n)
    labels = rng.integers(0, grades, n)
    scores = (labels + rng.normal(0, 2, n // 3)[patients] + rng.normal(0, 1, n)).round()
    return labels, scores, patients


def _by_pairs(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    """The definition, written as a double loop over weighted units."""
    concordant = pairs = 0.0
    for i in range(len(labels)):
        for j in range(len(labels)):
            if labels[i] > labels[j]:
                both = weights[i] * weights[j]
                pairs += both
                concordant += both * (1.0 if scores[i] > scores[j] else 0.5 * (scores[i] == scores[j]))
    return concordant / pairs


@pytest.mark.parametrize("seed", range(4))
def test_it_is_somers_d_on_the_scale_of_an_area(seed: int) -> None:
    labels, scores, _ = _graded(seed)
    expected = (somersd(labels, scores).statistic + 1) / 2
    assert ordinal_c_index(labels, scores).value == pytest.approx(expected, abs=1e-12)
    assert _by_pairs(labels, scores, np.ones(60)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("clustered", [False, True])
def test_two_classes_give_the_area_with_its_standard_error(clustered: bool) -> None:
    labels, scores, patients = _graded(1, grades=2)
    owners = patients if clustered else None
    found, expected = ordinal_c_index(labels, scores, patients=owners), auroc(labels, scores, patients=owners)
    for name in ("value", "low", "high", "standard_error", "n_units", "n_patients", "status"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name))


def test_the_standard_error_is_near_that_of_a_jackknife_over_patients() -> None:
    labels, scores, patients = _graded(2, n=300)
    found = ordinal_c_index(labels, scores, patients=patients)
    left_out = [
        _by_pairs(labels[keep], scores[keep], np.ones(keep.sum()))
        for keep in (patients != p for p in np.unique(patients)[:100])
    ]
    m = len(left_out)
    assert m == len(np.unique(patients))
    jackknife = math.sqrt((m - 1) / m * ((left_out - np.mean(left_out)) ** 2).sum())
    assert found.standard_error == pytest.approx(jackknife, rel=0.03)


def test_the_derivative_by_the_weight_of_a_patient_gives_the_variance() -> None:
    """Every patient has every class, so each correction is m / (m - 1), m = 12."""
    rng = np.random.default_rng(3)
    labels, patients = np.tile(np.arange(3), 12), np.repeat(np.arange(12), 3)
    scores = labels + rng.normal(0, 1, 36) + rng.normal(0, 1, 12)[patients]
    derivative = []
    for patient in range(12):
        up, down = np.ones(36), np.ones(36)
        up[patients == patient] += 1e-5
        down[patients == patient] -= 1e-5
        derivative.append((_by_pairs(labels, scores, up) - _by_pairs(labels, scores, down)) / 2e-5)
    expected = math.sqrt(12 / 11 * np.square(derivative).sum())
    found = ordinal_c_index(labels, scores, patients=patients)
    assert found.standard_error == pytest.approx(expected, rel=1e-6)


def test_copies_of_every_unit_inside_its_patient_change_nothing() -> None:
    labels, scores, _ = _graded(4, n=45)
    once = ordinal_c_index(labels, scores, patients=np.arange(45))
    copies = ordinal_c_index(np.tile(labels, 3), np.tile(scores, 3), patients=np.tile(np.arange(45), 3))
    assert (copies.low, copies.value, copies.high) == pytest.approx((once.low, once.value, once.high))


def test_the_order_of_text_has_to_be_said() -> None:
    labels, scores = ["low", "mid", "high", "mid"], [1.0, 2.0, 3.0, 2.5]
    assert ordinal_c_index(labels, scores, classes=["low", "mid", "high"]).value == 1
    with pytest.raises(EvaluationError, match="lowest to the highest"):
        ordinal_c_index(labels, scores)


def test_perfect_order_has_an_exact_limit() -> None:
    found = ordinal_c_index(np.repeat([0, 1, 2], 5), np.arange(15))
    assert (found.value, found.high, found.status) == (1.0, 1.0, "degenerate_variance")
    assert found.low == pytest.approx(0.025 ** (1 / 5))


def test_a_class_of_one_patient_counts_but_two_must_have_more() -> None:
    labels, scores, _ = _graded(5)
    rare = np.r_[labels, 9]
    found = ordinal_c_index(rare, np.r_[scores, 1.0])
    assert found.low < found.value < found.high
    one = ordinal_c_index([0, 1, 2, 2, 2], [0.3, 0.2, 0.1, 0.4, 0.5])
    assert one.status == "degenerate_variance"
    assert (one.low, one.high) == (0, 1)


@pytest.mark.parametrize(("labels", "status"), [([], "undefined_no_units"), ([2, 2, 2], "one_class")])
def test_without_two_classes_it_is_undefined(labels: list[int], status: str) -> None:
    found = ordinal_c_index(labels, [0.5] * len(labels))
    assert math.isnan(found.value)
    assert found.status == status


def test_a_constant_score_is_a_half() -> None:
    found = ordinal_c_index([0, 1, 2] * 5, [1.0] * 15)
    assert (found.value, found.status) == (0.5, "degenerate_variance")


@pytest.mark.parametrize(
    "call",
    [
        lambda: ordinal_c_index([0, 1], [1, np.nan]),
        lambda: ordinal_c_index([0, np.nan], [1, 2]),
        lambda: ordinal_c_index([0, 1, 2], [1, 2]),
        lambda: ordinal_c_index([0, 3], [1, 2], classes=[0, 1]),
        lambda: ordinal_c_index([0, 1], [1, 2], level=95),
    ],
)
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()


def test_numbers_in_a_column_of_objects_are_numbers() -> None:
    labels, scores, _ = _graded(3)
    assert ordinal_c_index(labels.astype(object), scores) == ordinal_c_index(labels, scores)
    with pytest.raises(EvaluationError, match="text does not sort"):
        ordinal_c_index([0, "1", 2], [0.1, 0.2, 0.3])
