"""McNemar's test of paired predictions, and Tango's limits of their difference."""

from __future__ import annotations

import math
from typing import Literal

from scipy.special import bdtr, chdtrc, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK, UNDEFINED_NO_UNITS, Comparison, Estimate, undefined
from medvision.evaluation.inputs import checked_level, is_count, one_of
from medvision.evaluation.score_limits import score_limits

McNemarMethod = Literal["midp", "exact", "asymptotic", "corrected"]


def mcnemar(
    b: int, c: int, *, method: McNemarMethod = "midp", n: int | None = None, level: float = 0.95
) -> Comparison:
    """McNemar's test of the two counts in which paired predictions differ.

    Reference: McNemar, Psychometrika 1947;12:153, doi:10.1007/BF02295996.

    Args:
        b: Pairs in which only the first succeeded.
        c: Pairs in which only the second succeeded.
        method: ``midp`` (Fagerland, Lydersen and Laake, BMC Med Res Methodol 2013;13:91,
            doi:10.1186/1471-2288-13-91), ``exact``, ``asymptotic`` (chi-squared on 1 degree of freedom) or
            ``corrected`` (with continuity correction).
        n: All pairs, the concordant ones included; with it the difference and its Tango interval are given
            (Stat Med 1998;17:891, doi:10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B).
        level: Confidence level of that interval.

    Returns:
        The test. The statistic is chi-squared, or the smaller count for ``midp`` and ``exact``. Without
        discordant pairs p is 1.

    Raises:
        EvaluationError: A count is negative or not whole, or ``n`` is smaller than their sum.

    Example:
        Fagerland, Lydersen and Laake (2013) print 0.039 for 1 against 7 discordant pairs, and 0.070 for the
        exact test; the R package ``contingencytables`` 0.034690 for 6 against 16:

        >>> round(mcnemar(1, 7).p, 3), round(mcnemar(1, 7, method="exact").p, 3)
        (0.039, 0.07)
        >>> round(mcnemar(6, 16).p, 6)
        0.03469
    """
    one_of(method, ("midp", "exact", "asymptotic", "corrected"), "method")
    checked_level(level)
    given = {"b": b, "c": c} | ({} if n is None else {"n": n})
    wrong = [f"{name}={value!r}" for name, value in given.items() if not is_count(value)]
    if wrong or (n is not None and n < b + c):
        raise EvaluationError(
            f"impossible counts of pairs: {', '.join(wrong) or f'n={n} is less than b + c'}"
        )
    statistic, p = mcnemar_p(int(b), int(c), method)
    name = f"McNemar, {method}"
    if n is None:
        difference = undefined(
            "needs_the_number_of_pairs", level=level, method=name, n_units=b + c, n_patients=b + c
        )
    else:
        low, high = tango_limits(b, c, n, level) if n else (math.nan, math.nan)
        value = (b - c) / n if n else math.nan
        difference = Estimate(value, low, high, level, "Tango", n, n, OK if n else UNDEFINED_NO_UNITS)
    return Comparison(difference, statistic, p, name)


def mcnemar_p(b: int, c: int, method: str) -> tuple[float, float]:
    """The statistic and the p-value alone.

    Example:
        >>> mcnemar_p(0, 0, "midp")
        (0.0, 1.0)
    """
    total, smaller = b + c, min(b, c)
    if method in ("asymptotic", "corrected"):
        gap = abs(b - c) if method == "asymptotic" else max(abs(b - c) - 1, 0)
        chi2 = gap**2 / total if total else 0.0
        return float(chi2), float(chdtrc(1, chi2)) if total else 1.0
    if total == 0:
        return 0.0, 1.0
    tail = float(bdtr(smaller, total, 0.5))
    point = tail - (float(bdtr(smaller - 1, total, 0.5)) if smaller else 0.0)
    if method == "exact":
        return float(smaller), min(1.0, 2 * tail)
    return float(smaller), 1 - point / 2 if b == c else 2 * tail - point


def tango_limits(b: int, c: int, n: int, level: float) -> tuple[float, float]:
    """Score limits of a paired difference of proportions.

    Reference: Tango, Stat Med 1998;17:891,
    doi:10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B.

    Args:
        b: Pairs in which only the first succeeded.
        c: Pairs in which only the second succeeded.
        n: All pairs, more than 0.
        level: Confidence level.

    Example:
        >>> [round(limit, 4) for limit in tango_limits(6, 16, 161, 0.95)]
        [-0.124, -0.0054]
    """
    z = float(ndtri((1 + level) / 2))

    def variance(d: float) -> float:
        linear = -b - c + (2 * n - b + c) * d
        root = math.sqrt(max(linear**2 + 8 * n * c * d * (1 - d), 0.0))
        q = (root - linear) / (4 * n)
        return max(n * (2 * q + d * (1 - d)), 0.0)

    def distance(d: float) -> float:
        return b - c - n * d

    return score_limits((b - c) / n, distance, variance, z)
