"""Non-inferiority and equivalence: the verdict of the limits, and p-values of the tests behind them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from medvision.errors import EvaluationError
from medvision.evaluation.auroc_comparison import compare_auroc
from medvision.evaluation.estimates import Comparison, Estimate
from medvision.evaluation.margins import equivalence, non_inferiority
from medvision.evaluation.paired_proportions import compare_proportions


def _z(value: float, error: float, df: float | None = None) -> Comparison:
    estimate = Estimate(value, value - 2 * error, value + 2 * error, standard_error=error)
    return Comparison(estimate, value / error, 0.5, "z", df)


def _tango_z(b: int, c: int, n: int, margin: float) -> float:
    """The score statistic of Tango (Stat Med 1998;17:891), written out: H0 is a difference of -margin."""
    d = -margin
    aa, bb, cc = 2 * n, -b - c + (2 * n - b + c) * d, -c * d * (1 - d)
    q = (math.sqrt(bb**2 - 4 * aa * cc) - bb) / (2 * aa)
    return (b - c - n * d) / math.sqrt(n * (2 * q + d * (1 - d)))


@pytest.mark.parametrize(("b", "c", "n", "margin"), [(2, 4, 96, 0.1), (6, 16, 161, 0.1), (5, 9, 60, 0.15)])
def test_p_of_a_score_interval_is_that_of_the_score_test(b: int, c: int, n: int, margin: float) -> None:
    first, second = (np.repeat(values, [b, c, n - b - c]) for values in ([1, 0, 1], [0, 1, 1]))
    found = non_inferiority(lambda level: compare_proportions(first, second, level=level), margin)
    assert found.p == pytest.approx(norm.sf(_tango_z(b, c, n, margin)), abs=2e-5)
    assert found.shown == (found.p < 0.025)


def test_by_hand_with_a_standard_error() -> None:
    found = non_inferiority(_z(-0.01, 0.02), 0.05)
    assert found.p == pytest.approx(norm.sf(0.04 / 0.02))
    assert (found.difference.low, found.shown) == (pytest.approx(-0.01 - 1.959964 * 0.02, abs=1e-6), True)
    both = equivalence(_z(-0.01, 0.02), 0.05)
    assert both.p == pytest.approx(max(norm.sf(0.04 / 0.02), norm.sf(0.06 / 0.02)))
    assert both.difference.level == pytest.approx(0.9)
    assert non_inferiority(_z(-0.01, 0.02, df=5), 0.05).p > found.p  # a t has heavier tails


def test_a_real_comparison_of_areas() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    old = rng.normal(size=400) + 1.5 * labels
    found = non_inferiority(compare_auroc(labels, old + 0.1 * rng.normal(size=400), old), 0.05)
    assert found.shown
    json.dumps(found.to_dict())
    assert str(found).startswith("non-inferiority shown at a margin of 0.05: difference")


@given(st.floats(-0.3, 0.3), st.floats(0.005, 0.2), st.floats(0.01, 0.3))
def test_the_verdict_and_p_agree(value: float, error: float, margin: float) -> None:
    one = non_inferiority(_z(value, error), margin)
    assert one.shown == (one.p < 0.025) or one.p == pytest.approx(0.025, abs=1e-9)
    two = equivalence(_z(value, error), margin)
    assert two.shown == (two.p < 0.05) or two.p == pytest.approx(0.05, abs=1e-9)
    assert not two.shown or abs(value) < margin


def test_an_estimate_beyond_the_margin_has_p_above_a_half() -> None:
    first, second = np.repeat([1, 0, 1], [2, 20, 40]), np.repeat([0, 1, 1], [2, 20, 40])
    found = non_inferiority(lambda level: compare_proportions(first, second, level=level), 0.1)
    assert found.p == pytest.approx(norm.sf(_tango_z(2, 20, 62, 0.1)), abs=2e-5)
    assert found.p > 0.5


def test_type_one_error_at_the_margin() -> None:
    """Paired sensitivities that differ by exactly the margin are called non-inferior in 2.5% (± 3 SE)."""
    rng = np.random.default_rng(1)
    cells = rng.multinomial(200, [0.05, 0.15, 0.8], 1500)
    z = np.array([_tango_z(int(b), int(c), 200, 0.1) for b, c, _ in cells])
    shown = [
        compare_proportions(
            np.repeat([1, 0, 1], row), np.repeat([0, 1, 1], row)
        ).difference.low > -0.1
        for row in cells[:300]
    ]  # fmt: skip
    assert [bool(x > 1.959964) for x in z[:300]] == shown
    assert np.mean(z > 1.959964) == pytest.approx(0.025, abs=0.012)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(EvaluationError, match="margin=0 must be above 0"):
        non_inferiority(_z(0, 0.1), 0)
    with pytest.raises(EvaluationError, match=r"alpha=0.5"):
        equivalence(_z(0, 0.1), 0.1, alpha=0.5)
    plain = compare_proportions([1] * 30 + [0] * 5, [1] * 28 + [0] * 7)
    with pytest.raises(EvaluationError, match="give a function of the level"):
        equivalence(plain, 0.1)
    assert math.isnan(non_inferiority(_z(math.nan, 0.1), 0.1).p)


@pytest.mark.parametrize("margin", ["0.1", None, 0, -1, math.nan])
def test_a_margin_that_is_no_number_above_0_is_refused(margin) -> None:
    compared = compare_auroc([0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4])
    for call in (non_inferiority, equivalence):
        with pytest.raises(EvaluationError, match="margin="):
            call(compared, margin)
        with pytest.raises(EvaluationError, match="a function of the level"):
            call(None, 0.1)
