"""McNemar's test and Tango's limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from medvision.errors import EvaluationError
from medvision.evaluation import mcnemar
from medvision.evaluation.mcnemar_test import tango_limits


@pytest.mark.parametrize(("b", "c"), [(6, 16), (1, 7), (12, 12), (0, 5), (1, 0)])
def test_mcnemar_as_statsmodels(b: int, c: int) -> None:
    table = [[10, b], [c, 10]]
    assert mcnemar(b, c, method="exact").p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    plain = statsmodels_mcnemar(table, exact=False, correction=False)
    assert mcnemar(b, c, method="asymptotic").p == pytest.approx(plain.pvalue)


@pytest.mark.parametrize(("b", "c"), [(6, 16), (12, 12), (0, 5)])
def test_midp_is_exact_less_half_of_what_was_seen(b: int, c: int) -> None:
    exact, seen = binomtest(b, b + c).pvalue, math.comb(b + c, b) / 2 ** (b + c)
    expected = 1 - seen / 2 if b == c else exact - seen
    assert mcnemar(b, c).p == pytest.approx(expected)


def test_without_discordant_pairs_p_is_1() -> None:
    """statsmodels returns p = 0 for the corrected statistic here."""
    for method in ("midp", "exact", "asymptotic", "corrected"):
        assert mcnemar(0, 0, method=method).p == 1.0


def test_the_difference_needs_the_number_of_pairs() -> None:
    assert math.isnan(mcnemar(6, 16).difference.value)
    found = mcnemar(6, 16, n=161)
    assert found.difference.value == pytest.approx(-10 / 161)
    assert (found.difference.low, found.difference.high) == pytest.approx((-0.1240, -0.0054), abs=6e-5)


@pytest.mark.parametrize(("b", "c", "n"), [(-1, 2, None), (1.5, 2, None), (5, 5, 9)])
def test_impossible_counts_are_refused(b, c, n) -> None:
    with pytest.raises(EvaluationError):
        mcnemar(b, c, n=n)


@pytest.mark.parametrize(
    ("b", "c", "n"), [(6, 16, 161), (0, 3, 20), (20, 0, 20), (0, 20, 20), (5, 5, 10), (0, 1, 2)]
)
def test_tango_limits_solve_the_score_equation(b: int, c: int, n: int) -> None:
    """Against the constrained likelihood itself: at a limit the score statistic is 1.96."""

    def statistic(d: float) -> float:
        # The discordant share under p12 - p21 = d that makes the counts likeliest, by a fine search.
        p21 = np.linspace(max(0.0, -d), (1 - d) / 2, 400_001)[1:-1]
        p12, rest = p21 + d, 1 - 2 * p21 - d
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = [k * np.log(p) if k else 0 * p for k, p in ((b, p12), (c, p21), (n - b - c, rest))]
        best = p21[np.nanargmax(sum(terms))]
        return (b - c - n * d) / math.sqrt(n * (2 * best + d * (1 - d)))

    low, high = tango_limits(b, c, n, 0.95)
    if low > -1:
        assert statistic(low) == pytest.approx(1.959964, abs=2e-3)
    if high < 1:
        assert statistic(high) == pytest.approx(-1.959964, abs=2e-3)


def test_tango_without_discordant_pairs() -> None:
    """Closed form for b = c = 0: z² / (n + z²) on both sides."""
    z2 = 1.959964**2
    assert tango_limits(0, 0, 20, 0.95) == pytest.approx((-z2 / (20 + z2), z2 / (20 + z2)), abs=1e-6)


@pytest.mark.parametrize("level", [0, 1, 95, "0.95", None])
def test_a_level_that_is_none_is_refused(level) -> None:
    with pytest.raises(EvaluationError, match="confidence level"):
        mcnemar(3, 5, n=20, level=level)


@pytest.mark.parametrize("count", [math.nan, math.inf, "3", 2.5])
def test_counts_that_are_none_are_refused(count) -> None:
    for call in (lambda: mcnemar(count, 5), lambda: mcnemar(3, count), lambda: mcnemar(3, 5, n=count)):
        with pytest.raises(EvaluationError, match="impossible counts"):
            call()
