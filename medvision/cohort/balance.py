"""How alike two groups of cases are in one variable."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def standardised_difference(first: pd.Series, second: pd.Series) -> float:
    """Return the standardised difference of a variable between two groups; 0 is alike.

    Numbers of more than two values: the difference of the means over the square root of the mean of the
    two variances, first minus second (Austin, Stat Med 2009;28:3083). Two values: the same with p(1 − p)
    as the variance, of the larger value. Text and flags of more values: the Mahalanobis distance of the
    two sets of shares, which has no sign (Yang & Dalton, SAS Global Forum 2012, paper 335). Missing values
    are left out.

    Args:
        first: The variable in one group.
        second: In the other.

    Returns:
        The difference; NaN where a group has no value, or where neither group varies and they differ.

    Example:
        >>> round(standardised_difference(pd.Series([1, 2, 3, 6]), pd.Series([1, 2, 3])), 3)
        0.594
        >>> round(standardised_difference(pd.Series(["f", "m"]), pd.Series(["f", "f", "m"])), 3)
        0.343
    """
    one, two = first.dropna(), second.dropna()
    if one.empty or two.empty:
        return math.nan
    levels = sorted(set(one.tolist()) | set(two.tolist()), key=lambda value: (str(type(value)), value))
    number = pd.api.types.is_numeric_dtype(one) and pd.api.types.is_numeric_dtype(two)
    if number and len(levels) > 2:
        variances = [
            float(group.astype(float).var(ddof=1)) if len(group) > 1 else 0.0 for group in (one, two)
        ]
        return _ratio(float(one.astype(float).mean() - two.astype(float).mean()), float(np.mean(variances)))
    if len(levels) <= 2:
        p, q = (float((group == levels[-1]).mean()) for group in (one, two))
        return _ratio(p - q, (p * (1 - p) + q * (1 - q)) / 2)
    return _distance(*(np.array([(group == level).mean() for level in levels[1:]]) for group in (one, two)))


def _ratio(difference: float, variance: float) -> float:
    if abs(difference) < 1e-12:
        return 0.0
    return difference / math.sqrt(variance) if variance > 1e-24 else math.nan


def _distance(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """All levels but the first, whose share follows from the others."""
    covariance = sum((np.diag(share) - np.outer(share, share)) / 2 for share in (p, q))
    gap = p - q
    inverse = np.linalg.pinv(covariance, hermitian=True)
    if not np.allclose(covariance @ inverse @ gap, gap, atol=1e-9):
        return math.nan  # a direction in which neither group varies
    return math.sqrt(max(float(gap @ inverse @ gap), 0.0))
