"""Errors and correlations of many resamples at once: a resample is a weight for each unit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medvision.evaluation.inputs import Floats
from medvision.evaluation.weighted_metrics import WeightedMetric

PairedMetric = Callable[[Floats, Floats], WeightedMetric]


def mean_absolute_error(reference: Floats, prediction: Floats) -> WeightedMetric:
    """The mean absolute error for each row of weights.

    Example:
        >>> mean_absolute_error(np.array([1.0, 2.0]), np.array([2.0, 5.0]))(np.ones((1, 2))).tolist()
        [2.0]
    """
    gap = np.abs(prediction - reference)
    return lambda weights: _ratio(weights @ gap, weights.sum(axis=1))


def root_mean_squared_error(reference: Floats, prediction: Floats) -> WeightedMetric:
    """The root of the mean squared error for each row of weights.

    Example:
        >>> root_mean_squared_error(np.zeros(2), np.array([1.0, 7.0]))(np.ones((1, 2))).tolist()
        [5.0]
    """
    squares = (prediction - reference) ** 2
    return lambda weights: np.sqrt(_ratio(weights @ squares, weights.sum(axis=1)))


def bias(reference: Floats, prediction: Floats) -> WeightedMetric:
    """The mean of prediction minus reference for each row of weights.

    Example:
        >>> bias(np.zeros(2), np.array([1.0, 7.0]))(np.ones((1, 2))).tolist()
        [4.0]
    """
    gap = prediction - reference
    return lambda weights: _ratio(weights @ gap, weights.sum(axis=1))


def explained_share(reference: Floats, prediction: Floats) -> WeightedMetric:
    """R², 1 - SSE / SST, for each row of weights; NaN where the reference does not vary.

    Example:
        >>> explained_share(np.array([0.0, 2.0]), np.array([0.0, 1.0]))(np.ones((1, 2))).tolist()
        [0.5]
    """
    squares = (prediction - reference) ** 2
    return lambda weights: 1 - _ratio(weights @ squares, _moments(reference, reference, weights)[2])


def concordance_correlation(reference: Floats, prediction: Floats) -> WeightedMetric:
    """Lin's coefficient, 2 s_xy / (s_x² + s_y² + (x̄ - ȳ)²) with sums divided by n, for each row of weights.

    Example:
        >>> x = np.array([1.0, 2.0, 3.0])
        >>> concordance_correlation(x, x + 1)(np.ones((1, 3))).round(4).tolist()
        [0.5714]
    """

    def metric(weights: Floats) -> Floats:
        mean, shifted, across = _moments(reference, prediction, weights)
        total, spread = (_moments(column, column, weights)[2] for column in (reference, prediction))
        return _ratio(2 * across, total + spread + weights.sum(axis=1) * (mean - shifted) ** 2)

    return metric


def pearson(reference: Floats, prediction: Floats) -> WeightedMetric:
    """The product-moment correlation for each row of weights; NaN where one of both does not vary.

    Example:
        >>> pearson(np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 4.0]))(np.ones((1, 3))).round(6).tolist()
        [1.0]
    """

    def metric(weights: Floats) -> Floats:
        spreads = [_moments(column, column, weights)[2] for column in (reference, prediction)]
        return _ratio(_moments(reference, prediction, weights)[2], np.sqrt(spreads[0] * spreads[1]))

    return metric


def spearman(reference: Floats, prediction: Floats) -> WeightedMetric:
    """The correlation of ranks for each row of whole weights, ranks being made anew in each.

    Example:
        >>> spearman(np.array([1.0, 5.0, 9.0]), np.array([1.0, 2.0, 99.0]))(np.ones((1, 3))).round(6).tolist()
        [1.0]
    """
    ranks = [_weighted_ranks(column) for column in (reference, prediction)]

    def metric(weights: Floats) -> Floats:
        first, second = (ranked(weights) for ranked in ranks)
        total = weights.sum(axis=1, keepdims=True)
        centred = [
            column - (weights * column).sum(axis=1, keepdims=True) / total for column in (first, second)
        ]
        spreads = [(weights * column**2).sum(axis=1) for column in centred]
        return _ratio((weights * centred[0] * centred[1]).sum(axis=1), np.sqrt(spreads[0] * spreads[1]))

    return metric


def _weighted_ranks(values: Floats) -> Callable[[Floats], Floats]:
    order = np.argsort(values, kind="stable")
    _, starts, groups = np.unique(values, return_index=True, return_inverse=True)
    starts = np.searchsorted(values[order], values[starts])

    def ranked(weights: Floats) -> Floats:
        drawn = np.add.reduceat(weights[:, order], starts, axis=1)
        middle = np.cumsum(drawn, axis=1) - drawn + (drawn + 1) / 2
        return np.asarray(middle[:, groups], dtype=np.float64)

    return ranked


def _moments(first: Floats, second: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Both weighted means, and the sum of products around them."""
    total = weights.sum(axis=1)
    # Far from 0 the sums would lose their digits, so both start from their plain means.
    start, other = float(first.mean()), float(second.mean())
    a, b = _ratio(weights @ (first - start), total), _ratio(weights @ (second - other), total)
    across = weights @ ((first - start) * (second - other)) - total * a * b
    if first is second:  # what rounding leaves where all drawn values are alike is no spread
        across = np.where(across > 1e-12 * ((first - start) ** 2).sum(), across, 0.0)
    return a + start, b + other, np.asarray(across, dtype=np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.full(np.shape(part), np.nan)
    return np.divide(part, whole, out=ratio, where=np.asarray(whole) > 0)
