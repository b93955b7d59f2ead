"""The points of the FROC curve, for all resamples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from medvision.evaluation.detections import Detections
from medvision.evaluation.inputs import Floats, Integers

Interpolation = Literal["linear", "step"]


class FrocPoints:
    """The FROC curve for any weights of patients, the marks being sorted only once.

    Args:
        found: One detector's marks.

    Attributes:
        thresholds: Plus infinity, and the scores that occur, descending.

    Example:
        >>> import pandas as pd
        >>> from medvision.evaluation.detections import detections
        >>> marks = pd.DataFrame({"case_id": ["A", "B"], "score": [0.9, 0.2], "lesion_id": [1, None]})
        >>> lesions = pd.DataFrame({"case_id": ["A", "A"], "lesion_id": [1, 2]})
        >>> curve = FrocPoints(detections(marks, lesions, cases=["A", "B"]))
        >>> curve.points(np.array([[1.0, 1.0], [1.0, 2.0]]))[1].round(3).tolist()
        [[0.0, 0.0, 0.5], [0.0, 0.0, 0.667]]
    """

    def __init__(self, found: Detections) -> None:
        marked = np.isfinite(found.lesion_scores)
        self._hits, hit_scores = _descending(found.lesion_scores[marked], found.lesion_cases[marked])
        self._alarms, alarm_scores = _descending(found.alarm_scores, found.alarm_cases)
        scores = np.unique(np.r_[hit_scores, alarm_scores])[::-1]
        self.thresholds = np.r_[np.inf, scores]
        self._hits_at = np.searchsorted(-hit_scores, -self.thresholds, side="right")
        self._alarms_at = np.searchsorted(-alarm_scores, -self.thresholds, side="right")
        self._patients = found.patients
        self._lesions = np.bincount(found.patients[found.lesion_cases], minlength=found.n_patients)
        self._scans = np.bincount(found.patients, minlength=found.n_patients)

    def points(self, counts: Floats) -> tuple[Floats, Floats]:
        """Sensitivity and false positives per scan at every threshold, shape ``(rows, thresholds)``."""
        lesions, scans = (counts @ self._lesions)[:, None], (counts @ self._scans)[:, None]
        hits = _summed(counts[:, self._patients[self._hits]])[:, self._hits_at]
        alarms = _summed(counts[:, self._patients[self._alarms]])[:, self._alarms_at]
        return _over(hits, lesions), _over(alarms, scans)

    def read(self, counts: Floats, rates: Floats, interpolation: Interpolation) -> Floats:
        """The sensitivity at the rates, and their mean behind them, shape ``(rows, rates + 1)``."""
        hits, alarms = self.points(counts)
        # A rate times a whole number of scans may round to just below the whole number that it is.
        reach = rates * (1 + 1e-12)
        last = np.stack([np.searchsorted(row, reach, side="right") - 1 for row in alarms])
        found = np.take_along_axis(hits, last, axis=1)
        if interpolation == "linear":
            after = np.minimum(last + 1, hits.shape[1] - 1)
            low, high = (np.take_along_axis(alarms, place, axis=1) for place in (last, after))
            step = np.divide(rates - low, high - low, out=np.zeros_like(low), where=high > low)
            found = found + step.clip(0, 1) * (np.take_along_axis(hits, after, axis=1) - found)
        return np.column_stack([found, found.mean(axis=1)])


def left_out(evaluate: Callable[[Floats], Floats], n: int) -> Floats:
    """A measure of weights, with each of ``n`` units left out in turn.

    Args:
        evaluate: A function of weights of shape ``(rows, n)``.
        n: How many units there are.

    Returns:
        What ``evaluate`` returns, one row for each unit.

    Example:
        >>> left_out(lambda weights: weights @ np.array([1.0, 2.0, 4.0]), 3).tolist()
        [6.0, 5.0, 3.0]
    """
    rows = np.array_split(np.arange(n), -(-n // 50))
    return np.concatenate([evaluate((np.arange(n) != part[:, None]).astype(np.float64)) for part in rows])


def _over(sums: Floats, whole: Floats) -> Floats:
    share: Floats = np.divide(sums, whole, out=np.full_like(sums, np.nan), where=whole > 0)
    return share


def _descending(scores: Floats, cases: Integers) -> tuple[Integers, Floats]:
    order = np.argsort(-scores, kind="stable")
    return cases[order], scores[order]


def _summed(weights: Floats) -> Floats:
    summed = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=summed[:, 1:])
    return summed
