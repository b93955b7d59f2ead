"""The signed-rank test and the Hodges–Lehmann estimate against R, SciPy and all signs there could be."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from medvision.evaluation.signed_rank import _lower_quantile, hodges_lehmann, signed_rank

# Hollander and Wolfe, Nonparametric Statistical Methods, the depression scores of R's ?wilcox.test.
# R: V = 40, two-sided p 0.0390625; conf.int = TRUE: (pseudo)median 0.46, 95% 0.010 to 0.786.
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])


def every_sign(differences: np.ndarray, *, pratt: bool = False) -> tuple[float, float]:
    """W and its two-sided p by going through all 2^n signs of the midranks."""
    kept = differences if pratt else differences[differences != 0]
    ranks = stats.rankdata(np.abs(kept))[kept != 0]
    observed = ranks[kept[kept != 0] > 0].sum()
    sums = np.array([np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))])
    tail = min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean())
    return observed, min(1.0, 2 * tail)


def test_the_depression_scores_as_r_gives_them() -> None:
    test = signed_rank(BEFORE - AFTER)
    assert (test.statistic, test.p, test.method) == (40, pytest.approx(0.0390625, abs=1e-12), "exact")
    centre = hodges_lehmann(BEFORE - AFTER)
    assert (centre.value, centre.low, centre.high) == pytest.approx((0.46, 0.010, 0.786), abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_p_is_exact_with_ties_and_zeros(seed: int) -> None:
    differences = np.random.default_rng(seed).integers(-3, 5, 10).astype(float)
    for zeros in ("drop", "pratt"):
        found = signed_rank(differences, zeros=zeros)
        expected = every_sign(differences, pratt=zeros == "pratt")
        assert (found.statistic, found.p) == pytest.approx(expected, abs=1e-12)
        assert found.zeros == (differences == 0).sum()


def test_rounding_breaks_no_ties() -> None:
    differences = np.array([0.3 - 0.2, 0.2 - 0.1, 0.1, -0.1, 0.4, 0.9 - 0.6, 0.3, 0.8 - 0.8])
    plain = np.array([1, 1, 1, -1, 4, 3, 3, 0.0])
    assert signed_rank(differences) == signed_rank(plain)


@pytest.mark.parametrize("n", [30, 150, 200])
def test_without_ties_p_is_that_of_scipy(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.1, 1, n)
    expected = stats.wilcoxon(differences, method="exact")
    found = signed_rank(differences)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert min(found.statistic, n * (n + 1) / 2 - found.statistic) == expected.statistic


def test_many_differences_have_the_normal_approximation_of_scipy() -> None:
    differences = np.round(np.random.default_rng(1).normal(0.1, 1, 400), 1)
    for zeros, method in (("drop", "wilcox"), ("pratt", "pratt")):
        expected = stats.wilcoxon(differences, zero_method=method, correction=True, method="asymptotic")
        found = signed_rank(differences, zeros=zeros)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
        assert found.method == "normal approximation"


@pytest.mark.parametrize("seed", range(4))
def test_the_interval_is_what_the_test_does_not_refuse(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.5, 1, 9)
    centre = hodges_lehmann(differences, level=0.9)
    walsh = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(differences, 2)]
    assert centre.value == pytest.approx(np.median(walsh))
    for limit, inside in ((centre.low, 1e-9), (centre.high, -1e-9)):
        assert every_sign(differences - limit - inside)[1] > 0.1
        assert every_sign(differences - limit + inside)[1] <= 0.1


def test_more_differences_hardly_notice_the_change_of_method() -> None:
    rng = np.random.default_rng(3)
    below, above = hodges_lehmann(rng.normal(size=200)), hodges_lehmann(rng.normal(size=201))
    assert (above.high - above.low) == pytest.approx(below.high - below.low, rel=0.25)
    # At n = 200 the normal quantile is the exact one but for a few of 20,100 means.
    approximate = math.ceil(200 * 201 / 4 + stats.norm.ppf(0.025) * math.sqrt(200 * 201 * 401 / 24) - 0.5)
    assert abs(_lower_quantile(200, 0.025) - approximate) <= 3


@pytest.mark.parametrize("n", [1, 5])
def test_few_differences_have_no_interval(n: int) -> None:
    found = hodges_lehmann(np.arange(1.0, n + 1))
    assert found.value == (n + 1) / 2
    assert math.isnan(found.low)
    assert found.status == "too_few_differences_for_the_level"
    assert not math.isnan(hodges_lehmann(np.arange(6.0)).low)


def test_nothing_and_nothing_but_zeros() -> None:
    assert math.isnan(signed_rank(np.array([])).p)
    assert math.isnan(hodges_lehmann(np.array([])).value)
    same = signed_rank(np.zeros(8))
    assert (same.p, same.zeros) == (1.0, 8)
    centre = hodges_lehmann(np.zeros(8))
    assert (centre.value, centre.status) == (0, "degenerate_variance")
    assert math.isnan(centre.high)
