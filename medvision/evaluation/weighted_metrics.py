"""Metrics of many resamples at once: a resample is a weight for each unit, how often it was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.evaluation.inputs import Booleans, Floats, binary_labels, finite_scores

WeightedMetric = Callable[[Floats], Floats]


def weighted_auroc(labels: ArrayLike, scores: ArrayLike) -> WeightedMetric:
    """The AUC for each row of weights, the scores being sorted only once.

    Args:
        labels: 0 or 1, shape ``(n,)``.
        scores: Shape ``(n,)``.

    Returns:
        A function of whole weights of shape ``(resamples, n)``; its result has the shape ``(resamples,)``
        and is NaN where a class has no weight.

    Example:
        >>> weighted_auroc([0, 0, 1], [0.1, 0.9, 0.5])(np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 2.0]])).tolist()
        [0.5, 0.75]
    """
    truth, values = binary_labels(labels), finite_scores(scores)
    negative = np.flatnonzero(~truth)[np.argsort(values[~truth], kind="stable")]
    ordered = values[negative]
    below = np.searchsorted(ordered, values[truth], "left")
    to = np.searchsorted(ordered, values[truth], "right")

    def metric(weights: Floats) -> Floats:
        # Whole numbers throughout, so the sums are exact in whatever order they are made.
        summed = np.zeros((len(weights), len(negative) + 1))
        np.cumsum(weights[:, negative], axis=1, out=summed[:, 1:])
        own = weights[:, truth]
        wins = np.einsum("ij,ij->i", own, summed[:, below] + summed[:, to]) / 2
        return _ratio(wins, own.sum(axis=1) * summed[:, -1])

    return metric


def weighted_average_precision(labels: ArrayLike, scores: ArrayLike) -> WeightedMetric:
    """The average precision (step-wise area under the precision-recall curve) for each row of weights.

    Args:
        labels: 0 or 1, shape ``(n,)``.
        scores: Shape ``(n,)``.

    Returns:
        A function of weights of shape ``(resamples, n)``.

    Example:
        >>> weighted_average_precision([0, 1, 1], [0.5, 0.4, 0.9])(np.ones((1, 3))).round(4).tolist()
        [0.8333]
    """
    truth, values = binary_labels(labels), finite_scores(scores)
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    ends = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1] if len(ranked) else np.array([], dtype=int)
    hit = truth[order]

    def metric(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        hits = np.cumsum(sorted_weights * hit, axis=1)[:, ends]
        drawn = np.cumsum(sorted_weights, axis=1)[:, ends]
        gained = np.diff(hits, axis=1, prepend=0)
        precision = np.divide(hits, drawn, out=np.zeros_like(hits), where=drawn > 0)
        total = hits[:, -1] if hits.shape[1] else np.zeros(len(weights))
        return _ratio((gained * precision).sum(axis=1), total)

    return metric


def weighted_mean(labels: ArrayLike, values: ArrayLike) -> WeightedMetric:
    """The mean for each row of weights.

    Args:
        labels: Not used.
        values: Shape ``(n,)``.

    Returns:
        A function of weights of shape ``(resamples, n)``.

    Example:
        >>> weighted_mean([], [1.0, 4.0])(np.array([[1.0, 1.0], [2.0, 1.0]])).tolist()
        [2.5, 2.0]
    """
    numbers = finite_scores(values, name="values")
    return lambda weights: _ratio(weights @ numbers, weights.sum(axis=1))


def weighted_median(labels: ArrayLike, values: ArrayLike) -> WeightedMetric:
    """The median for each row of whole weights.

    Args:
        labels: Not used.
        values: Shape ``(n,)``.

    Returns:
        A function of weights of shape ``(resamples, n)``.

    Example:
        >>> weighted_median([], [1.0, 4.0, 9.0])(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 3.0]])).tolist()
        [2.5, 9.0]
    """
    numbers = finite_scores(values, name="values")
    order = np.argsort(numbers, kind="stable")
    ranked = numbers[order]

    def metric(weights: Floats) -> Floats:
        upto = np.cumsum(weights[:, order], axis=1)
        total = upto[:, -1:]
        # The two middle ones of as many values as were drawn; they are one where that number is odd.
        middle = [np.argmax(upto > np.floor(place), axis=1) for place in ((total - 1) / 2, total / 2)]
        return np.where(total[:, 0] > 0, (ranked[middle[0]] + ranked[middle[1]]) / 2, np.nan)

    return metric


def from_counts(measure: Callable[[Floats, Floats, Floats, Floats], Floats]) -> Callable[..., WeightedMetric]:
    """A metric of the four counts tp, fp, fn, tn, for each row of weights.

    Args:
        measure: A function of the four counts, each of shape ``(resamples,)``.

    Returns:
        A function of labels and 0/1 predictions that returns the metric.

    Example:
        >>> from_counts(sensitivity)([1, 1, 0], [1, 0, 0])(np.ones((1, 3))).tolist()
        [0.5]
    """

    def build(labels: ArrayLike, predictions: ArrayLike) -> WeightedMetric:
        truth, called = binary_labels(labels), binary_labels(predictions)
        cells = np.stack(_cells(truth, called), axis=1).astype(float)
        return lambda weights: measure(*(weights @ cells).T)

    return build


def _cells(truth: Booleans, called: Booleans) -> tuple[Booleans, Booleans, Booleans, Booleans]:
    return truth & called, ~truth & called, truth & ~called, ~truth & ~called


def sensitivity(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """The share tp / (tp + fn).

    Example:
        >>> sensitivity(*np.array([[9.0], [2.0], [1.0], [8.0]])).tolist()
        [0.9]
    """
    return _ratio(tp, tp + fn)


def specificity(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """The share tn / (tn + fp).

    Example:
        >>> specificity(*np.array([[9.0], [2.0], [1.0], [8.0]])).tolist()
        [0.8]
    """
    return _ratio(tn, tn + fp)


def ppv(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """The share tp / (tp + fp), of the sample at hand.

    Example:
        >>> ppv(*np.array([[9.0], [1.0], [1.0], [8.0]])).tolist()
        [0.9]
    """
    return _ratio(tp, tp + fp)


def npv(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """The share tn / (tn + fn), of the sample at hand.

    Example:
        >>> npv(*np.array([[9.0], [1.0], [2.0], [8.0]])).tolist()
        [0.8]
    """
    return _ratio(tn, tn + fn)


def accuracy(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """(tp + tn) / n.

    Example:
        >>> accuracy(*np.array([[9.0], [2.0], [1.0], [8.0]])).tolist()
        [0.85]
    """
    return _ratio(tp + tn, tp + fp + fn + tn)


def balanced_accuracy(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Mean of sensitivity and specificity.

    Example:
        >>> balanced_accuracy(*np.array([[9.0], [3.0], [1.0], [9.0]])).tolist()
        [0.825]
    """
    return (sensitivity(tp, fp, fn, tn) + specificity(tp, fp, fn, tn)) / 2


def youden(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Sensitivity + specificity - 1.

    Example:
        >>> youden(*np.array([[9.0], [5.0], [1.0], [5.0]])).round(3).tolist()
        [0.4]
    """
    return sensitivity(tp, fp, fn, tn) + specificity(tp, fp, fn, tn) - 1


def f1(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Harmonic mean of sensitivity and positive predictive value; NaN without positive units.

    Example:
        >>> f1(*np.array([[8.0], [2.0], [2.0], [8.0]])).tolist()
        [0.8]
    """
    return np.where(tp + fn > 0, _ratio(2 * tp, 2 * tp + fp + fn), np.nan)


def mcc(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Matthews correlation; NaN where labels or predictions are all alike.

    Example:
        >>> mcc(*np.array([[8.0], [2.0], [2.0], [8.0]])).round(3).tolist()
        [0.6]
    """
    product = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    return _ratio(tp * tn - fp * fn, product)


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.full(np.shape(part), np.nan)
    return np.divide(part, whole, out=ratio, where=np.asarray(whole) > 0)


MEASURES: dict[str, Callable[[Floats, Floats, Floats, Floats], Floats]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "npv": npv,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "youden": youden,
    "f1": f1,
    "mcc": mcc,
}
"""Measures of the four counts, by name."""

WEIGHTED_METRICS: dict[str, tuple[Callable[[NDArray[Any], NDArray[Any]], WeightedMetric], str | None]] = {
    "auroc": (weighted_auroc, "score"),
    "average_precision": (weighted_average_precision, "score"),
    **{name: (from_counts(measure), "prediction") for name, measure in MEASURES.items()},
    "mean": (weighted_mean, None),
    "median": (weighted_median, None),
}
"""What builds each metric, and the column that it reads unless told otherwise; None where it must be told."""
