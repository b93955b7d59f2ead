"""The coordinates of the ROC curve: what every threshold would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from medvision.evaluation.inputs import Floats, Integers, one_of
from medvision.evaluation.operating_steps import Steps
from medvision.evaluation.roc import ranked_units

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RocCoordinates:
    """Counts and rates at every threshold, the thresholds ascending; a prediction is ``score >= threshold``.

    Attributes:
        thresholds: Shape ``(k,)``; the last one is infinite: nothing is called positive there.
        true_positive: Positive units at or above each threshold, shape ``(k,)``.
        false_positive: Negative units at or above each threshold, shape ``(k,)``.
        positives: Positive units in all.
        negatives: Negative units in all.

    Example:
        >>> roc_coordinates([0, 1], [0.2, 0.7]).thresholds.tolist()
        [0.2, 0.7, inf]
    """

    thresholds: Floats
    true_positive: Integers
    false_positive: Integers
    positives: int
    negatives: int

    @property
    def sensitivity(self) -> Floats:
        """Shape ``(k,)``, never rising; NaN without a positive unit."""
        return _share(self.true_positive, self.positives)

    @property
    def specificity(self) -> Floats:
        """Shape ``(k,)``, never falling; NaN without a negative unit."""
        return 1 - _share(self.false_positive, self.negatives)

    def to_frame(self) -> pd.DataFrame:
        """One row a ``threshold``: ``sensitivity``, ``specificity``, ``tp``, ``fp``, ``fn`` and ``tn``.

        Example:
            >>> roc_coordinates([0, 1], [0.2, 0.7]).to_frame().iloc[1].to_dict()["specificity"]
            1.0
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "threshold": self.thresholds,
                "sensitivity": self.sensitivity,
                "specificity": self.specificity,
                "tp": self.true_positive,
                "fp": self.false_positive,
                "fn": self.positives - self.true_positive,
                "tn": self.negatives - self.false_positive,
            }
        )


def roc_coordinates(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    thresholds: Literal["observed", "midpoints"] = "observed",
    positive: object = None,
) -> RocCoordinates:
    """Sensitivity and specificity at every threshold that tells units apart.

    The counts are the same whichever thresholds are printed: an observed score and the midpoint between it
    and the next lower one call the same units positive. R's pROC prints midpoints, with minus infinity below
    the lowest score; choose them to compare a table with one of its.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``, finite.
        thresholds: ``observed`` scores or ``midpoints`` between them.
        positive: The label that means that the condition is present.

    Returns:
        One coordinate for each distinct score, and one where nothing is called positive.

    Raises:
        EvaluationError: As for :func:`medvision.evaluation.auroc`.

    Example:
        The 58 normal and 51 abnormal scans of Hanley and McNeil (1982), table I, summed from the highest
        rating:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> found = roc_coordinates(labels, ratings)
        >>> found.thresholds.tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, inf]
        >>> found.true_positive.tolist(), found.false_positive.tolist()
        ([51, 48, 46, 44, 33, 0], [58, 25, 19, 13, 2, 0])
        >>> roc_coordinates(labels, ratings, thresholds="midpoints").thresholds.tolist()
        [-inf, 1.5, 2.5, 3.5, 4.5, inf]
    """
    one_of(thresholds, ("observed", "midpoints"), "thresholds")
    truth, values, _ = ranked_units(labels, scores, None, positive)
    steps = Steps.of(truth, values)
    counts, limits = steps.counts(np.ones((1, len(values)))), steps.thresholds[::-1]
    if thresholds == "midpoints" and len(limits):
        limits = np.r_[-np.inf, limits[:-1] / 2 + limits[1:] / 2]
    hits, alarms = (
        np.r_[called[0, ::-1], 0].astype(np.int64) for called in (counts.true_positive, counts.false_positive)
    )
    return RocCoordinates(np.r_[limits, np.inf], hits, alarms, int(truth.sum()), int((~truth).sum()))


def _share(counts: Integers, total: int) -> Floats:
    return counts / total if total else np.full(len(counts), np.nan)
