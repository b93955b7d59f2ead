"""Limits on the logit scale."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from medvision.evaluation.resampled_logits import on_logit_scale
from medvision.evaluation.resampling import BootstrapEstimate

TRUTH, CODES = np.repeat([True, False], [6, 20]), np.arange(26)


def _estimate(value: float, error: float) -> BootstrapEstimate:
    return BootstrapEstimate(value, np.nan, np.nan, standard_error=error)


@pytest.mark.parametrize("most", [1.0, 0.1])
def test_limits_by_hand(most: float) -> None:
    found = on_logit_scale(_estimate(0.7 * most, 0.05 * most), "x", TRUTH, CODES, most=most)
    half = stats.t.ppf(0.975, 5) * np.sqrt(6 / 5) * 0.05 / (0.7 * 0.3)  # six patients of the rarer class
    assert found.low == pytest.approx(most * expit(logit(0.7) - half))
    assert found.high == pytest.approx(most * expit(logit(0.7) + half))
    assert (found.status, found.method) == ("ok", "x")


@pytest.mark.parametrize(
    ("value", "low", "high"), [(1.0, 0.025 ** (1 / 6), 1.0), (0.0, 0.0, 1 - 0.025 ** (1 / 6))]
)
def test_at_a_bound_the_limit_is_exact_for_the_rarer_class(value: float, low: float, high: float) -> None:
    found = on_logit_scale(_estimate(value, 0.1), "x", TRUTH, CODES)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.status == "degenerate_variance"


def test_no_spread_says_nothing() -> None:
    found = on_logit_scale(_estimate(0.5, 0.0), "x", TRUTH, CODES)
    assert (found.low, found.high, found.status) == (0.0, 1.0, "degenerate_variance")


def test_undefined_stays_undefined() -> None:
    found = on_logit_scale(_estimate(np.nan, 0.1), "x", TRUTH, CODES)
    assert np.isnan(found.value)
    assert np.isnan(found.low)
