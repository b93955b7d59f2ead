"""Two proportions: on the same units, or on different ones; and McNemar's test."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, chdtrc, ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import (
    DEGENERATE_VARIANCE,
    FEW_UNITS,
    OK,
    UNDEFINED_NO_UNITS,
    Comparison,
    Estimate,
    undefined,
)
from medvision.evaluation.inputs import (
    Booleans,
    Integers,
    binary_labels,
    checked_level,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.proportions import proportion, proportion_limits

McNemarMethod = Literal["midp", "exact", "asymptotic", "corrected"]

_PAIRED = ("tango", "newcombe")
_INDEPENDENT = ("newcombe", "miettinen_nurminen")


def mcnemar(
    b: int, c: int, *, method: McNemarMethod = "midp", n: int | None = None, level: float = 0.95
) -> Comparison:
    """McNemar's test of the two counts in which paired predictions differ.

    Args:
        b: Pairs in which only the first succeeded.
        c: Pairs in which only the second succeeded.
        method: ``midp`` (Fagerland, Lydersen and Laake, BMC Med Res Methodol 2013;13:91), ``exact``,
            ``asymptotic`` (chi-squared on 1 degree of freedom) or ``corrected`` (with continuity
            correction).
        n: All pairs, the concordant ones included; with it the difference and its Tango interval are given.
        level: Confidence level of that interval.

    Returns:
        The test. The statistic is chi-squared, or the smaller count for ``midp`` and ``exact``. Without
        discordant pairs p is 1.

    Raises:
        EvaluationError: A count is negative or not whole, or ``n`` is smaller than their sum.

    Example:
        >>> round(mcnemar(6, 16).p, 5)
        0.03469
    """
    one_of(method, ("midp", "exact", "asymptotic", "corrected"), "method")
    wrong = [f"{name}={value}" for name, value in (("b", b), ("c", c)) if value < 0 or value != int(value)]
    if wrong or (n is not None and n < b + c):
        raise EvaluationError(
            f"impossible counts of pairs: {', '.join(wrong) or f'n={n} is less than b + c'}"
        )
    statistic, p = _mcnemar(int(b), int(c), method)
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


def _mcnemar(b: int, c: int, method: str) -> tuple[float, float]:
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
    """Score limits of a paired difference of proportions (Tango, Stat Med 1998;17:891).

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

    return _score_limits((b - c) / n, distance, variance, z)


def _score_limits(
    value: float, distance: Callable[[float], float], variance: Callable[[float], float], z: float
) -> tuple[float, float]:
    """The two differences at which the score statistic equals z, one on each side of the value."""
    from scipy.optimize import brentq

    def low_side(d: float) -> float:
        return distance(d) - z * math.sqrt(variance(d))

    def high_side(d: float) -> float:
        return distance(d) + z * math.sqrt(variance(d))

    # The statistic is 0/0 at the value itself where nothing varies, so the search stops just short of it.
    step = 1e-10
    low = brentq(low_side, -1, value - step, xtol=1e-12) if _crosses(low_side, -1, value - step) else -1.0
    high = brentq(high_side, value + step, 1, xtol=1e-12) if _crosses(high_side, value + step, 1) else 1.0
    return float(low), float(high)


def _crosses(curve: Callable[[float], float], start: float, end: float) -> bool:
    return start < end and curve(start) > 0 > curve(end)


def compare_proportions(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool = True,
    method: Literal["tango", "newcombe", "miettinen_nurminen"] | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Comparison:
    """The difference of two proportions, first minus second.

    Paired (the same units, in the same order) the interval is Tango's score interval or Newcombe's
    square-and-add, and p is McNemar's mid-p. With several units a patient it is Obuchowski's (Stat Med
    1998;17:1495). For sensitivity compare the diseased units only, for specificity the others.

    Independent, the interval is Newcombe's hybrid score (method 10, Stat Med 1998;17:873) or the score
    interval of Miettinen and Nurminen (Stat Med 1985;4:213), and p is the score test of the latter.

    Args:
        a: 0 or 1 for each unit: did the first succeed?
        b: 0 or 1 for each unit: did the second?
        paired: Whether both belong to the same units.
        method: ``tango`` (the default where paired), ``newcombe`` (the default where independent), or
            ``miettinen_nurminen`` (independent).
        patients: Paired only: the patient of each unit.
        level: Confidence level.

    Returns:
        The comparison.

    Raises:
        EvaluationError: A value is not 0 or 1, paired lengths differ, or the method does not fit.

    Example:
        >>> first, second = [1] * 65 + [0] * 96, [1] * 59 + [0] * 6 + [1] * 16 + [0] * 80
        >>> print(compare_proportions(first, second))
        difference -0.062 (95% CI -0.124 to -0.005), p = 0.035
    """
    checked_level(level)
    chosen = method or ("tango" if paired else "newcombe")
    one_of(chosen, _PAIRED if paired else _INDEPENDENT, "method")
    first, second = binary_labels(a), binary_labels(b)
    if not paired:
        if patients is not None:
            raise EvaluationError(
                "patients= is for paired proportions; independent groups have one unit a patient"
            )
        return _independent(first, second, chosen, level)
    same_length(len(first), b=second)
    codes = patient_codes(patients, len(first))
    if len(np.unique(codes)) < len(codes):
        return _clustered_pairs(first, second, codes, level)
    return _pairs(first, second, chosen, level)


def _pairs(first: Booleans, second: Booleans, method: str, level: float) -> Comparison:
    n11, n12 = int((first & second).sum()), int((first & ~second).sum())
    n21, n22 = int((~first & second).sum()), int((~first & ~second).sum())
    n = len(first)
    name = "Tango" if method == "tango" else "Newcombe, square-and-add"
    one, two = (proportion(int(x.sum()), n, level=level) for x in (first, second))
    if n == 0:
        blank = undefined(UNDEFINED_NO_UNITS, level=level, method=name, n_units=0, n_patients=0)
        return Comparison(blank, math.nan, math.nan, "McNemar, midp", None, one, two)
    limits = (
        tango_limits(n12, n21, n, level) if method == "tango" else _newcombe_paired(n11, n12, n21, n22, level)
    )
    value, status = (n12 - n21) / n, OK if n >= 10 else FEW_UNITS
    difference = Estimate(value, *limits, level, name, n, n, status)
    statistic, p = _mcnemar(n12, n21, "midp")
    return Comparison(difference, statistic, p, "McNemar, midp", None, one, two)


def _newcombe_paired(n11: int, n12: int, n21: int, n22: int, level: float) -> tuple[float, float]:
    n = n11 + n12 + n21 + n22
    p1, p2 = (n11 + n12) / n, (n11 + n21) / n
    (l1, u1), (l2, u2) = (proportion_limits(p * n, n, level=level) for p in (p1, p2))
    margins = math.sqrt((n11 + n12) * (n21 + n22)) * math.sqrt((n11 + n21) * (n12 + n22))
    product = float(n11 * n22 - n12 * n21)
    # Newcombe's continuity correction of phi; it never turns a positive correlation negative.
    if product > 0:
        product = max(product - n / 2, 0)
    phi = product / margins if margins > 0 else 0.0
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - math.sqrt(max(below, 0)), p1 - p2 + math.sqrt(max(above, 0))


def _clustered_pairs(first: Booleans, second: Booleans, codes: Integers, level: float) -> Comparison:
    gap = first.astype(float) - second.astype(float)
    m, n = int(codes.max()) + 1, len(gap)
    value = float(gap.mean())
    residual = np.bincount(codes, weights=gap - value)
    variance = float(m / (m - 1) * (residual @ residual) / n**2) if m > 1 else math.nan
    name = "Obuchowski, clustered pairs, z"
    if variance > 1e-24:
        error = math.sqrt(variance)
        half, z = float(ndtri((1 + level) / 2)) * error, value / error
        low, high = max(value - half, -1.0), min(value + half, 1.0)
        return Comparison(
            Estimate(value, low, high, level, name, n, m, OK, error), z, float(2 * ndtr(-abs(z))), name
        )
    # Every patient differs by the same: the patients are taken as single pairs.
    b, c = (m, 0) if value > 0 else (0, m)
    low, high = tango_limits(0, 0, m, level) if value == 0 else tango_limits(b, c, m, level)
    low, high = min(low, value), max(high, value)
    p = 1.0 if value == 0 else math.nan
    difference = Estimate(value, low, high, level, "Tango over patients", n, m, DEGENERATE_VARIANCE)
    return Comparison(difference, 0.0 if value == 0 else math.nan, p, name)


def _independent(first: Booleans, second: Booleans, method: str, level: float) -> Comparison:
    x1, n1, x2, n2 = int(first.sum()), len(first), int(second.sum()), len(second)
    one, two = proportion(x1, n1, level=level), proportion(x2, n2, level=level)
    name = "Newcombe hybrid score" if method == "newcombe" else "Miettinen-Nurminen score"
    test = "score test (Miettinen-Nurminen)"
    if n1 == 0 or n2 == 0:
        blank = undefined(UNDEFINED_NO_UNITS, level=level, method=name, n_units=n1 + n2, n_patients=n1 + n2)
        return Comparison(blank, math.nan, math.nan, test, None, one, two)
    if method == "newcombe":
        (l1, u1), (l2, u2) = (proportion_limits(x, n, level=level) for x, n in ((x1, n1), (x2, n2)))
        p1, p2 = x1 / n1, x2 / n2
        low, high = p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    else:
        low, high = _miettinen_nurminen(x1, n1, x2, n2, level)
    status = OK if min(n1, n2) >= 10 else FEW_UNITS
    difference = Estimate(x1 / n1 - x2 / n2, low, high, level, name, n1 + n2, n1 + n2, status)
    z = _score_statistic(x1, n1, x2, n2)
    return Comparison(difference, z, float(2 * ndtr(-abs(z))), test, None, one, two)


def _score_variance(x1: int, n1: int, x2: int, n2: int, d: float) -> float:
    """Variance of the difference under p1 - p2 = d, its two proportions fitted under that condition."""
    n = n1 + n2
    c3, c2 = n, (n1 + 2 * n2) * d - n - x1 - x2
    c1, c0 = (n2 * d - n - 2 * x2) * d + x1 + x2, x2 * d * (1 - d)
    v = c2**3 / (27 * c3**3) - c1 * c2 / (6 * c3**2) + c0 / (2 * c3)
    size = math.copysign(math.sqrt(max(c2**2 / (9 * c3**2) - c1 / (3 * c3), 0.0)), v)
    turn = math.acos(min(max(v / size**3, -1.0), 1.0)) if size else math.pi / 2
    p2 = min(max(2 * size * math.cos((math.pi + turn) / 3) - c2 / (3 * c3), 0.0), 1.0)
    p1 = min(max(p2 + d, 0.0), 1.0)
    return (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * n / (n - 1)


def _miettinen_nurminen(x1: int, n1: int, x2: int, n2: int, level: float) -> tuple[float, float]:
    value = x1 / n1 - x2 / n2
    z = float(ndtri((1 + level) / 2))
    return _score_limits(value, lambda d: value - d, lambda d: _score_variance(x1, n1, x2, n2, d), z)


def _score_statistic(x1: int, n1: int, x2: int, n2: int) -> float:
    value = x1 / n1 - x2 / n2
    variance = _score_variance(x1, n1, x2, n2, 0.0)
    return value / math.sqrt(variance) if value and variance > 0 else 0.0
