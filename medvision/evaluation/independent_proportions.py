"""The difference of two proportions in different patients."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from medvision.evaluation.estimates import FEW_UNITS, OK, UNDEFINED_NO_UNITS, Comparison, Estimate, undefined
from medvision.evaluation.inputs import Booleans
from medvision.evaluation.proportions import proportion, proportion_limits
from medvision.evaluation.score_limits import score_limits


def independent_difference(first: Booleans, second: Booleans, method: str, level: float) -> Comparison:
    """The difference of two proportions in independent units, first minus second.

    Args:
        first: Which units of the first group succeeded.
        second: Which of the second.
        method: ``newcombe`` or ``miettinen_nurminen``.
        level: Confidence level.

    Example:
        >>> import numpy as np
        >>> first, second = np.repeat([True, False], [56, 14]), np.repeat([True, False], [48, 32])
        >>> print(independent_difference(first, second, "newcombe", 0.95))
        difference 0.200 (95% CI 0.052–0.334), p = 0.008
    """
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
    return score_limits(value, lambda d: value - d, lambda d: _score_variance(x1, n1, x2, n2, d), z)


def _score_statistic(x1: int, n1: int, x2: int, n2: int) -> float:
    value = x1 / n1 - x2 / n2
    variance = _score_variance(x1, n1, x2, n2, 0.0)
    return value / math.sqrt(variance) if value and variance > 0 else 0.0
