"""Likelihood ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medvision.evaluation.likelihood_ratios import Rates, ratio_estimate

NAMES = ["lr_positive", "lr_negative", "diagnostic_odds_ratio"]


def _rates(tp: int, fp: int, fn: int, tn: int) -> Rates:
    truth, called = (
        np.repeat([True, False, True, False], [tp, fp, fn, tn]),
        np.repeat([True, True, False, False], [tp, fp, fn, tn]),
    )
    return Rates.of(truth, called, np.arange(len(truth)))


def test_intervals_are_those_of_the_logarithms_by_hand() -> None:
    """Simel, Samsa and Matchar 1991: 1/a - 1/(a+c) + 1/b - 1/(b+d); Woolf for the odds ratio."""
    tp, fp, fn, tn = 30, 12, 10, 60
    expected = {
        "lr_positive": (30 / 40 / (12 / 72), 1 / tp - 1 / 40 + 1 / fp - 1 / 72),
        "lr_negative": (10 / 40 / (60 / 72), 1 / fn - 1 / 40 + 1 / tn - 1 / 72),
        "diagnostic_odds_ratio": (30 * 60 / (12 * 10), 1 / tp + 1 / fp + 1 / fn + 1 / tn),
    }
    for name, (value, variance) in expected.items():
        found = ratio_estimate(_rates(tp, fp, fn, tn), name, 0.95)
        assert found.value == pytest.approx(value)
        assert math.log(found.high / value) == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)
        assert math.log(value / found.low) == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("counts", [(10, 0, 2, 20), (0, 5, 12, 20), (12, 5, 0, 20), (10, 20, 2, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_a_zero_cell_never_makes_it_certain(name: str, counts) -> None:
    found = ratio_estimate(_rates(*counts), name, 0.95)
    assert found.low < found.high
    assert found.low <= found.value <= found.high
    if found.value in (0.0, math.inf):
        assert found.status == "zero_cell"


@pytest.mark.parametrize("name", NAMES)
def test_without_a_class_it_is_undefined(name: str) -> None:
    found = ratio_estimate(_rates(10, 0, 2, 0), name, 0.95)
    assert math.isnan(found.value)
    assert found.status == "undefined_no_units"


def test_patients_of_both_classes_count_once() -> None:
    """One sick and one healthy unit each, right or wrong together: the covariance is not 0."""
    truth, called = (
        np.tile([True, False], 40),
        np.repeat(np.arange(40) % 4 > 0, 2) ^ np.tile([False, True], 40),
    )
    together = Rates.of(truth, called, np.repeat(np.arange(40), 2))
    apart = Rates.of(truth, called, np.arange(80))
    assert together.variances[2] == pytest.approx(together.variances[0])
    assert apart.variances[2] == 0
    wide, narrow = (ratio_estimate(rates, "lr_positive", 0.95) for rates in (together, apart))
    assert wide.high / wide.low > narrow.high / narrow.low


def test_one_patient_of_both_classes_has_no_interval() -> None:
    labels, calls = np.array([True, True, False, False]), np.array([True, False, True, False])
    found = ratio_estimate(Rates.of(labels, calls, np.zeros(4, dtype=np.int64)), "lr_positive", 0.95)
    assert found.value == 1.0
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.status == "one_patient"
