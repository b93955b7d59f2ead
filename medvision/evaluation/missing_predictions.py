"""Units without a prediction: complete cases, and what the worst and the best case would have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.evaluation.clustered import share_of_units
from medvision.evaluation.estimates import Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    finite_scores,
    one_dimensional,
    patient_codes,
    same_length,
    scores_with_gaps,
)
from medvision.evaluation.roc import auroc


@dataclass(frozen=True)
class CompleteCases:
    """The units that have a score, and how many have none.

    Attributes:
        labels: Of the units with a score, as they were given.
        scores: Finite.
        patients: Of the units with a score, or None.
        kept: True where a unit has a score, for all units.
        n_missing: Units without one.

    Example:
        >>> drop_missing([0, 1, 1], [0.2, None, 0.7]).n_missing
        1
    """

    labels: NDArray[Any]
    scores: Floats
    patients: NDArray[Any] | None
    kept: Booleans
    n_missing: int


@dataclass(frozen=True)
class MissingDataBounds:
    """Estimates of the complete cases, and how far the units without a score could move them.

    Attributes:
        complete: The measures of the units that have a score.
        worst: The same, every unit without a score counted as wrong.
        best: The same, every one counted as right.
        n_missing_positive: Units with the condition and without a score.
        n_missing_negative: Units without either.
        n_units: All units.

    Example:
        >>> found = missing_data_bounds([1, 1, 1, 0, 0, 0], [1, 1, None, 0, 0, 1], threshold=0.5)
        >>> [round(one["sensitivity"].value, 2) for one in (found.worst, found.complete, found.best)]
        [0.67, 1.0, 1.0]
    """

    complete: Mapping[str, Estimate]
    worst: Mapping[str, Estimate]
    best: Mapping[str, Estimate]
    n_missing_positive: int
    n_missing_negative: int
    n_units: int

    @property
    def n_missing(self) -> int:
        """Units without a score."""
        return self.n_missing_positive + self.n_missing_negative


def drop_missing(labels: ArrayLike, scores: ArrayLike, *, patients: ArrayLike | None = None) -> CompleteCases:
    """Leave out the units without a score, and count them.

    Nothing in this package does so by itself. Leaving them out is right only if a score is missing
    regardless of what it would have been; :func:`missing_data_bounds` tells what that assumption is worth.

    Args:
        labels: One label a unit, shape ``(n,)``.
        scores: Shape ``(n,)``; None, NaN and ``pandas.NA`` are missing.
        patients: The patient of each unit.

    Raises:
        EvaluationError: A score is infinite or no number, or lengths differ.

    Example:
        The ratings of Hanley and McNeil (1982), three of the 109 struck out:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> ratings = ratings.astype(float)
        >>> ratings[[5, 60, 70]] = np.nan
        >>> found = drop_missing(labels, ratings)
        >>> found.n_missing, len(found.labels), int(found.labels.sum())
        (3, 106, 49)
        >>> drop_missing([0, 1, 1], [0.2, float("nan"), 0.7]).scores.tolist()
        [0.2, 0.7]
    """
    values = scores_with_gaps(scores, patients=patients)
    truth = one_dimensional(labels, "labels")
    owners = None if patients is None else one_dimensional(patients, "patients")
    same_length(len(values), labels=truth, **({} if owners is None else {"patients": owners}))
    kept = ~np.isnan(values)
    return CompleteCases(
        truth[kept], values[kept], None if owners is None else owners[kept], kept, int((~kept).sum())
    )


def missing_data_bounds(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    threshold: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> MissingDataBounds:
    """Area under the ROC curve and rates with the units without a score left out, all wrong, and all right.

    In the worst case a unit with the condition gets a score below, and one without it a score above, every
    other one; in the best case the reverse. The truth lies between, whatever made them missing. The
    intervals are those of :func:`medvision.evaluation.auroc` and of a proportion, clustered where patients
    have several units; each describes sampling within its case only.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``, missing ones included; or predictions of 0 and 1 with ``threshold=0.5``.
        threshold: A prediction is positive at it and above; a number, or one for each unit. Without it
            only the area is given.
        patients: The patient of each unit.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        ``auroc`` and, with a threshold, ``sensitivity``, ``specificity`` and ``accuracy``, three times.

    Raises:
        EvaluationError: A score is infinite or no number, a label is missing, or lengths differ.

    Example:
        The ratings of Hanley and McNeil (1982), three of the 109 struck out; the area of all, 0.893, lies
        within the bounds:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> ratings = ratings.astype(float)
        >>> ratings[[5, 60, 70]] = np.nan
        >>> found = missing_data_bounds(labels, ratings)
        >>> [round(one["auroc"].value, 3) for one in (found.worst, found.complete, found.best)]
        [0.854, 0.905, 0.91]
    """
    checked_level(level)
    truth = binary_labels(labels, positive=positive, patients=patients)
    values = scores_with_gaps(scores, patients=patients)
    same_length(len(truth), scores=values)
    codes = patient_codes(patients, len(truth))
    limits = None if threshold is None else _limits(threshold, len(truth))
    kept = ~np.isnan(values)

    def measured(filled: Floats, own: Booleans) -> dict[str, Estimate]:
        cut = None if limits is None else limits[own]
        return _measures(truth[own], filled[own], codes[own], cut, patients is not None, level)

    everyone = np.ones(len(truth), dtype=bool)
    return MissingDataBounds(
        measured(values, kept),
        measured(fill_missing(truth, values, worst=True, thresholds=limits), everyone),
        measured(fill_missing(truth, values, worst=False, thresholds=limits), everyone),
        int((truth & ~kept).sum()),
        int((~truth & ~kept).sum()),
        len(truth),
    )


def fill_missing(
    labels: Booleans, scores: Floats, *, worst: bool, thresholds: ArrayLike | None = None
) -> Floats:
    """Scores in which every missing one is as wrong, or as right, as it can be.

    Args:
        labels: Shape ``(n,)``.
        scores: Shape ``(n,)``, NaN where missing.
        worst: Wrong or right.
        thresholds: Thresholds that the filled scores must lie beyond, too.

    Returns:
        Shape ``(n,)``: below every score and threshold, or above.

    Example:
        >>> fill_missing(np.array([True, False]), np.array([np.nan, 0.5]), worst=True).tolist()
        [-1.0, 0.5]
    """
    known = np.concatenate([scores[~np.isnan(scores)], np.ravel([] if thresholds is None else thresholds)])
    lowest, highest = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    extremes = np.where(labels == worst, lowest - 1 - abs(lowest), highest + 1 + abs(highest))
    return np.where(np.isnan(scores), extremes, scores)


def _limits(threshold: ArrayLike, n: int) -> Floats:
    given = np.atleast_1d(np.asarray(threshold))
    limits = finite_scores(np.repeat(given, n) if len(given) == 1 else given, name="thresholds")
    same_length(n, thresholds=limits)
    return limits


def _measures(
    truth: Booleans, scores: Floats, codes: Integers, limits: Floats | None, clustered: bool, level: float
) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {
        "auroc": auroc(truth, scores, patients=codes if clustered else None, level=level)
    }
    if limits is None:
        return found
    right = (scores >= limits) == truth
    for name, among in (("sensitivity", truth), ("specificity", ~truth), ("accuracy", truth | True)):
        found[name] = share_of_units(right[among], codes[among], level=level)
    return found
