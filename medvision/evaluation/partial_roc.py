"""The part of the ROC curve that matters: its area over a range of specificity or of sensitivity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import Estimate
from medvision.evaluation.inputs import Booleans, Floats, checked_level
from medvision.evaluation.resampled_logits import on_logit_scale
from medvision.evaluation.resampling import bootstrap_weighted
from medvision.evaluation.roc import ranked_units, undefined_area

_NAME = "partial area, bootstrap over patients, logit-t"


def partial_auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    specificity: tuple[float, float] | None = None,
    sensitivity: tuple[float, float] | None = None,
    standardise: bool = False,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The area under a part of the ROC curve, joined by straight lines.

    The interval is made on the logit scale of the area's share of the range, from the standard error of a
    bootstrap over patients.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        specificity: The range of specificity; (0.9, 1.0) if neither range is given.
        sensitivity: Or the range of sensitivity; the area then lies under specificity over sensitivity.
        standardise: Rescale it so that a score that knows nothing has 0.5 and a perfect one 1 (McClish, Med
            Decis Making 1989;9:190, doi:10.1177/0272989X8900900307).
        patients: The patient of each unit.
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Returns:
        The partial area, at most the width of the range unless it is standardised.

    Raises:
        EvaluationError: Both ranges are given, or a range is none; or as for
            :func:`medvision.evaluation.auroc`.

    Example:
        The ratings of Hanley and McNeil (1982), whose area over all specificities is 0.893. At the points of
        the curve, 33 of 51 are found at a specificity of 56/58, and 44 of 51 at 45/58:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> round(partial_auroc(labels, ratings, specificity=(0, 1), resamples=200).value, 3)
        0.893
        >>> part = partial_auroc(labels, ratings, specificity=(45 / 58, 1), resamples=200)
        >>> round(part.value, 4), round((33 / 51 * 2 + (33 + 44) / 51 * 11) / 2 / 58, 4)
        (0.1543, 0.1543)
    """
    checked_level(level)
    if specificity is not None and sensitivity is not None:
        raise EvaluationError("give a range of specificity or one of sensitivity, not both")
    over_sensitivity = sensitivity is not None
    low, high = sensitivity or specificity or (0.9, 1.0)
    if not 0 <= low < high <= 1:
        raise EvaluationError(f"({low}, {high}) is no range between 0 and 1; write (0.9, 1.0)")
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    blank = undefined_area(truth, codes, level, _NAME)
    if blank is not None:
        return blank

    def metric(weights: Floats) -> Floats:
        return np.array([_area(truth, values, row, 1 - high, 1 - low, over_sensitivity) for row in weights])

    found = bootstrap_weighted(
        metric, truth, None if patients is None else codes, _NAME, resamples, seed, level, keys=(values,)
    )
    area = on_logit_scale(found, _NAME, truth, codes, most=high - low)
    return _standardised(area, low, high) if standardise else area


def _area(
    truth: Booleans, scores: Floats, weights: Floats, start: float, end: float, over_sensitivity: bool
) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]
    hits, alarms = (np.cumsum((weights * kind)[order])[last] for kind in (truth, ~truth))
    if hits[-1] == 0 or alarms[-1] == 0:
        return float("nan")
    x, y = np.r_[0.0, alarms / alarms[-1]], np.r_[0.0, hits / hits[-1]]
    if over_sensitivity:
        # Turned over: specificity over (1 - sensitivity), so that the same clipping does for both.
        x, y = (1 - y)[::-1], (1 - x)[::-1]
    return _clipped_area(x, y, start, end)


def _clipped_area(x: Floats, y: Floats, start: float, end: float) -> float:
    """The area under a chain of straight lines between two places; vertical lines have none."""
    left, right = np.maximum(x[:-1], start), np.minimum(x[1:], end)
    inside = right > left
    rise = np.divide(np.diff(y), np.diff(x), out=np.zeros(len(x) - 1), where=np.diff(x) > 0)
    heights = y[:-1] + rise * ((left + right) / 2 - x[:-1])
    return float(((right - left) * heights)[inside].sum())


def _standardised(area: Estimate, low: float, high: float) -> Estimate:
    start, end = 1 - high, 1 - low
    chance = (end**2 - start**2) / 2
    span = end - start - chance
    moved = {part: (1 + (getattr(area, part) - chance) / span) / 2 for part in ("value", "low", "high")}
    error = None if area.standard_error is None else area.standard_error / span / 2
    return replace(area, **moved, standard_error=error)
