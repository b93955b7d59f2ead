"""One proportion: edges, and agreement with statsmodels and scipy."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint

from medvision.errors import EvaluationError
from medvision.evaluation import proportion
from medvision.evaluation.proportions import proportion_limits

METHODS = ["wilson", "wilson_cc", "exact", "midp", "agresti_coull", "jeffreys"]


@pytest.mark.parametrize("method", METHODS)
def test_without_units_nothing_is_known(method: str) -> None:
    found = proportion(0, 0, method=method)
    assert math.isnan(found.value)
    assert (found.low, found.high, found.status) == (0.0, 1.0, "undefined_no_units")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [10, 47, 1000])
def test_limits_at_the_ends_are_exactly_0_and_1(method: str, n: int) -> None:
    nothing, everything = proportion(0, n, method=method), proportion(n, n, method=method)
    assert nothing.low == 0.0
    assert 0 < nothing.high < 1
    assert everything.high == 1.0
    assert everything.low == pytest.approx(1 - nothing.high, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_with_few_units_the_interval_is_exact_and_flagged(method: str) -> None:
    found = proportion(7, 9, method=method)
    assert (found.method, found.status) == ("exact", "fewer_than_10_units")
    expected = binomtest(7, 9).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_with_enough_units_the_method_asked_for_is_used(method: str) -> None:
    assert proportion(7, 10, method=method).method == method
    assert proportion(7, 10, method=method).status == "ok"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("wilson", "wilson"), ("exact", "beta"), ("agresti_coull", "agresti_coull"), ("jeffreys", "jeffreys")],
)
@pytest.mark.parametrize(("k", "n"), [(1, 12), (17, 40), (299, 300), (5, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_as_statsmodels(ours: str, theirs: str, k: int, n: int, level: float) -> None:
    low, high = proportion_confint(k, n, alpha=1 - level, method=theirs)
    found = proportion(k, n, method=ours, level=level)
    assert (found.low, found.high) == pytest.approx((max(low, 0), min(high, 1)), abs=1e-9)


@pytest.mark.parametrize(("k", "n"), [(1, 12), (17, 40), (80, 81)])
def test_continuity_corrected_wilson_as_scipy(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(method="wilsoncc")
    found = proportion(k, n, method="wilson_cc")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(1, 12), (17, 40), (80, 81), (0, 20), (20, 20)])
def test_midp_limits_solve_their_equations(k: int, n: int) -> None:
    found = proportion(k, n, method="midp")
    if k > 0:
        assert binom.sf(k, n, found.low) + binom.pmf(k, n, found.low) / 2 == pytest.approx(0.025, abs=1e-9)
    if k < n:
        assert binom.cdf(k - 1, n, found.high) + binom.pmf(k, n, found.high) / 2 == pytest.approx(
            0.025, abs=1e-9
        )


@pytest.mark.parametrize(("k", "n"), [(5, 4), (-1, 4), (1.5, 4), (1, -4), (1, float("nan"))])
def test_impossible_counts_are_refused(k: float, n: float) -> None:
    with pytest.raises(EvaluationError):
        proportion(k, n)


def test_limits_take_effective_numbers() -> None:
    low, high = proportion_limits(8.5, 10.25)
    assert 0 < low < 8.5 / 10.25 < high < 1


@pytest.mark.parametrize("count", ["3", None, math.inf, -1, 2.5])
def test_counts_that_are_none_are_refused(count) -> None:
    for call in (lambda: proportion(count, 10), lambda: proportion(3, count)):
        with pytest.raises(EvaluationError, match="is no count"):
            call()
