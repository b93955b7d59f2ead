"""The rank correlation of many resamples at once: a resample is a whole weight for each unit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medvision.evaluation.inputs import Floats
from medvision.evaluation.weighted_metrics import WeightedMetric


def weighted_spearman(first: Floats, second: Floats) -> WeightedMetric:
    """Spearman's correlation for each row of whole weights, the ranks being made anew in each.

    Args:
        first: Shape ``(n,)``.
        second: Shape ``(n,)``.

    Returns:
        A function of weights of shape ``(resamples, n)``; NaN where a column does not vary.

    Example:
        >>> metric = weighted_spearman(np.array([1.0, 5.0, 9.0]), np.array([1.0, 2.0, 99.0]))
        >>> metric(np.ones((1, 3))).round(6).tolist()
        [1.0]
    """
    ranks = [_weighted_ranks(column) for column in (first, second)]

    def metric(weights: Floats) -> Floats:
        total = weights.sum(axis=1, keepdims=True)
        one, other = (ranked(weights) - (total + 1) / 2 for ranked in ranks)  # their mean is exact
        spreads = (weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1)
        across = (weights * one * other).sum(axis=1)
        result: Floats = np.full(len(weights), np.nan)
        np.divide(across, np.sqrt(spreads), out=result, where=spreads > 0)
        return result

    return metric


def _weighted_ranks(values: Floats) -> Callable[[Floats], Floats]:
    order = np.argsort(values, kind="stable")
    distinct, groups = np.unique(values, return_inverse=True)
    starts = np.searchsorted(values[order], distinct)

    def ranked(weights: Floats) -> Floats:
        drawn = np.add.reduceat(weights[:, order], starts, axis=1)
        middle = np.cumsum(drawn, axis=1) - drawn + (drawn + 1) / 2
        return np.asarray(middle[:, groups], dtype=np.float64)

    return ranked
