"""Bland and Altman."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import linregress, ttest_1samp

from medvision.errors import EvaluationError
from medvision.evaluation import bland_altman


def _volumes(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.lognormal(3, 0.5, n)
    return truth * 1.1 + rng.normal(0, 2, n), truth


def test_the_interval_of_the_bias_is_that_of_a_t_test() -> None:
    a, b = _volumes(1, 30)
    expected = ttest_1samp(a - b, 0).confidence_interval()
    found = bland_altman(a, b)
    assert (found.bias.low, found.bias.high) == pytest.approx((expected.low, expected.high))
    assert found.limits_of_agreement == (found.lower_limit, found.upper_limit)
    middle = (found.lower_limit.value + found.upper_limit.value) / 2
    assert middle == pytest.approx(found.bias.value)


def test_a_proportional_bias_shows_in_the_slope() -> None:
    a, b = _volumes(2, 60)
    found, expected = bland_altman(a, b), linregress((a + b) / 2, a - b)
    assert found.slope.value == pytest.approx(expected.slope)
    assert found.slope.standard_error == pytest.approx(expected.stderr)
    assert found.slope.low > 0


def test_copies_inside_patients_leave_the_interval_of_the_bias_unchanged() -> None:
    a, b = _volumes(3, 25)
    once = bland_altman(a, b)
    copies = bland_altman(np.repeat(a, 3), np.repeat(b, 3), patients=np.repeat(np.arange(25), 3))
    assert (copies.bias.low, copies.bias.high) == pytest.approx((once.bias.low, once.bias.high))
    assert copies.standard_deviation == pytest.approx(once.standard_deviation)
    assert copies.bias.n_patients == 25


def test_repeated_differences_add_their_variance_within_patients() -> None:
    """Between patients SD 3, within 4: a new difference of a new patient has SD 5."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(3000), 4)
    gap = rng.normal(0, 3, 3000)[patients] + rng.normal(0, 4, 12000)
    found = bland_altman(gap, np.zeros(12000), patients=patients)
    assert found.standard_deviation == pytest.approx(5, rel=0.03)


@pytest.mark.parametrize(("values", "status"), [([], "undefined_no_units"), ([1.0], "one_unit")])
def test_too_few_units(values, status) -> None:
    found = bland_altman(values, values)
    assert found.bias.status == status
    assert math.isnan(found.upper_limit.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bland_altman([1, np.nan], [1, 2]),
        lambda: bland_altman([1, 2], [1]),
        lambda: bland_altman([1, 2], [1, 2], multiplier=0),
    ],
)
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()
