"""Intervals and paired tests from replicates and from patients left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from medvision.errors import EvaluationError
from medvision.evaluation.detection_limits import paired_difference, share_estimate, standard_error
from medvision.evaluation.estimates import Estimate


def _share(value: float, others, interval: str = "bootstrap", rarer: int = 10) -> Estimate:
    return share_estimate(
        value, np.asarray(others, dtype=float), interval=interval, level=0.95, n_units=50, n_patients=20,
        rarer=rarer, seed=0, reason="one_class",
    )  # fmt: skip


def test_percentiles_and_standard_error() -> None:
    draws = np.linspace(0.4, 0.8, 1001)
    found = _share(0.6, draws)
    assert (found.low, found.high) == pytest.approx((0.41, 0.79))
    assert found.standard_error == pytest.approx(draws.std(ddof=1))
    assert found.status == "ok"


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).uniform(size=20)
    left = (values.sum() - values) / 19
    error = standard_error(left, "jackknife")
    assert error == pytest.approx(stats.sem(values))
    found, mean = _share(values.mean(), left, "jackknife"), values.mean()
    half = stats.t.ppf(0.975, 19) * error / (mean * (1 - mean))
    logit = math.log(mean / (1 - mean))
    assert found.low == pytest.approx(1 / (1 + math.exp(half - logit)))
    assert found.high == pytest.approx(1 / (1 + math.exp(-half - logit)))


def test_what_never_varies_has_exact_limits() -> None:
    whole = _share(1 - 1e-15, np.ones(30))
    assert (whole.value, whole.high) == (1, 1)
    assert whole.low == pytest.approx(0.025 ** (1 / 10))
    half = _share(0.5, np.full(30, 0.5))
    assert (half.low, half.high, half.status) == (0, 1, "degenerate_variance")
    assert (_share(1.0, np.ones(30), rarer=0).low, _share(0.0, np.zeros(30)).low) == (0, 0)


def test_draws_that_say_nothing() -> None:
    few = np.r_[np.linspace(0.4, 0.8, 98), np.nan, np.nan]
    assert _share(0.6, few).status == "2_of_100_replicates_undefined"
    with pytest.raises(EvaluationError, match="undefined in 10 of 100 resamples"):
        _share(0.6, np.r_[np.linspace(0.4, 0.8, 90), np.full(10, np.nan)])
    assert _share(math.nan, []).status == "one_class"
    assert math.isnan(standard_error(np.array([0.5]), "bootstrap"))
    assert math.isnan(standard_error(np.array([0.5]), "jackknife"))


def test_a_paired_difference_by_t() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.uniform(size=(2, 20))
    left = (a.sum() - a) / 19 - (b.sum() - b) / 19
    one, two = (Estimate(float(v.mean()), 0, 1, n_units=20, n_patients=20) for v in (a, b))
    found = paired_difference(one, two, left, interval="jackknife", level=0.95)
    expected = stats.ttest_rel(a, b)
    assert (found.statistic, found.p, found.df) == pytest.approx((expected.statistic, expected.pvalue, 19))
    interval = expected.confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high))


def test_few_patients_are_said() -> None:
    one, two = Estimate(0.8, 0.7, 0.9, n_patients=5), Estimate(0.7, 0.6, 0.8, n_patients=5)
    found = paired_difference(one, two, np.linspace(0, 0.2, 99), interval="bootstrap", level=0.95)
    assert found.status == "fewer_than_10_patients"
