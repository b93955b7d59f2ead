"""Limits of a difference by turning a score test round: where its statistic equals z."""

from __future__ import annotations

import math
from collections.abc import Callable


def score_limits(
    value: float, distance: Callable[[float], float], variance: Callable[[float], float], z: float
) -> tuple[float, float]:
    """The two differences at which the score statistic equals z, one on each side of the value.

    Args:
        value: The observed difference, between -1 and 1.
        distance: How far the observed difference lies from another one.
        variance: Of that distance, if the other difference were true.
        z: Of the level.

    Example:
        >>> low, high = score_limits(0.1, lambda d: 0.1 - d, lambda d: 0.01, 2.0)
        >>> round(low, 6), round(high, 6)
        (-0.1, 0.3)
    """
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
