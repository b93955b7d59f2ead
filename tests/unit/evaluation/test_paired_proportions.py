"""Two proportions: paired, clustered, independent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep

from medvision.errors import EvaluationError
from medvision.evaluation import compare_proportions, mcnemar
from medvision.evaluation.paired_proportions import tango_limits


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


def test_swapping_turns_the_sign() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, (2, 60))
    for method in ("tango", "newcombe"):
        one, other = (compare_proportions(x, y, method=method) for x, y in ((a, b), (b, a)))
        assert one.difference.low == pytest.approx(-other.difference.high, abs=1e-9)
        assert one.p == other.p


def test_independent_newcombe_as_statsmodels() -> None:
    a, b = np.repeat([1, 0], [9, 21]), np.repeat([1, 0], [4, 36])
    found = compare_proportions(a, b, paired=False).difference
    assert (found.low, found.high) == pytest.approx(
        confint_proportions_2indep(9, 30, 4, 40, method="newcomb", compare="diff"), abs=1e-9
    )


@pytest.mark.parametrize("counts", [(9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (7, 35, 1, 20)])
def test_miettinen_nurminen_limits_solve_the_score_equation(counts) -> None:
    x1, n1, x2, n2 = counts

    def statistic(d: float) -> float:
        p2 = np.linspace(max(0.0, -d), min(1.0, 1 - d), 400_001)[1:-1]
        p1 = p2 + d
        terms = [x1 * np.log(p1), (n1 - x1) * np.log(1 - p1), x2 * np.log(p2), (n2 - x2) * np.log(1 - p2)]
        best = int(np.argmax(sum(terms)))
        variance = p1[best] * (1 - p1[best]) / n1 + p2[best] * (1 - p2[best]) / n2
        return (x1 / n1 - x2 / n2 - d) / math.sqrt(variance * (n1 + n2) / (n1 + n2 - 1))

    a, b = np.repeat([1, 0], [x1, n1 - x1]), np.repeat([1, 0], [x2, n2 - x2])
    found = compare_proportions(a, b, paired=False, method="miettinen_nurminen").difference
    for limit, z in ((found.low, 1.959964), (found.high, -1.959964)):
        if -1 < limit < 1:
            assert statistic(limit) == pytest.approx(z, abs=5e-3)


def test_clustered_pairs_with_one_unit_a_patient_are_the_wald_test() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, (2, 200))
    found = compare_proportions(np.repeat(a, 2), np.repeat(b, 2), patients=np.repeat(np.arange(200), 2))
    gap = a - b
    assert found.statistic == pytest.approx(gap.mean() / (gap.std(ddof=1) / math.sqrt(200)), rel=1e-9)
    assert found.difference.n_patients == 200


def test_clustered_pairs_that_never_differ() -> None:
    found = compare_proportions([1, 1, 0, 0], [1, 1, 0, 0], patients=["A", "A", "B", "B"])
    assert found.p == 1.0
    assert found.difference.low < 0 < found.difference.high


@pytest.mark.parametrize("paired", [True, False])
def test_without_units_there_is_no_difference(paired: bool) -> None:
    found = compare_proportions([], [], paired=paired)
    assert math.isnan(found.difference.value)
    assert math.isnan(found.p)


@pytest.mark.parametrize(
    "arguments",
    [
        {"paired": True, "method": "miettinen_nurminen"},
        {"paired": False, "method": "tango"},
        {"paired": False, "patients": [1, 2]},
    ],
)
def test_methods_that_do_not_fit_are_refused(arguments) -> None:
    with pytest.raises(EvaluationError):
        compare_proportions([0, 1], [1, 1], **arguments)


def test_paired_lengths_must_agree() -> None:
    with pytest.raises(EvaluationError, match="differ in length"):
        compare_proportions([0, 1], [1])
