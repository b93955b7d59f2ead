"""Areas under the ROC curve averaged over parts that are no random folds: sites, or windows in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.evaluation.auroc_comparison import difference_by_z, difference_without_variance
from medvision.evaluation.cross_validation import ONE_CLASS_IN_A_FOLD, disjoint_folds
from medvision.evaluation.estimates import OK, Comparison, Estimate, undefined
from medvision.evaluation.inputs import Booleans, Floats, Integers, checked_level
from medvision.evaluation.roc import (
    NO_VARIANCE,
    Placements,
    area_estimate,
    placement_variance,
    placements,
    ranked_units,
    undefined_area,
)

PART_WITHOUT_VARIANCE = "a_part_ranks_perfectly_and_adds_no_variance"


def mean_auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    parts: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> Estimate:
    """The mean of the areas under the ROC curve of parts with different patients, each part counting once.

    The parts are independent given their models, so the variance of the mean is the sum of the parts'
    variances (DeLong, Biometrics 1988;44:837, doi:10.2307/2531595; Obuchowski, Biometrics 1997;53:567,
    doi:10.2307/2533958, where patients have several units) over the square of their number; the interval is
    on the logit scale. Unlike LeDell's variance of :func:`medvision.evaluation.cross_validated_auroc`, it
    does not assume that parts are of one size and prevalence, as random folds are and hospitals are not. It
    describes the models of these parts on other patients of the same parts: not other hospitals, and not
    another training.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: The score of each unit by the model that did not learn from its part, shape ``(n,)``.
        parts: The part of each unit, shape ``(n,)``.
        patients: The patient of each unit; a patient stands in one part only.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        The mean; undefined (``one_class_in_a_fold``) where a part has only one class. Where a part ranks
        perfectly, its variance counts as 0, which makes the interval too narrow; the status says so.

    Raises:
        EvaluationError: A patient stands in several parts, or as for :func:`medvision.evaluation.auroc`.

    Example:
        Two published tables as two sites: the ratings of Hanley and McNeil (1982) with the area 0.8932, and
        the score of DeLong, DeLong and Clarke-Pearson (1988) with 0.7258:

        >>> from medvision.evaluation.published import delong, hanley_mcneil
        >>> (labels, ratings), (ill, tests) = hanley_mcneil(), delong()
        >>> sites = np.repeat(["CT", "ovary"], [len(labels), len(ill)])
        >>> found = mean_auroc(np.r_[labels, ill], np.r_[ratings, tests["score"]], sites)
        >>> found.text(4), round((0.8932 + 0.7258) / 2, 4)
        ('0.8095 (95% CI 0.6824–0.8937)', 0.8095)
    """
    checked_level(level)
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    names = disjoint_folds(parts, codes, patients)
    return _mean(truth, codes, _by_part(truth, values, codes, names), patients is not None, level)


def compare_mean_auroc(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    parts: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> Comparison:
    """The difference of two mean areas on the same units and parts, first minus second.

    Within each part the covariance of the two areas counts, as in :func:`medvision.evaluation.compare_auroc`
    (DeLong, Biometrics 1988;44:837, doi:10.2307/2531595).

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores_a: Scores of the first model, shape ``(n,)``.
        scores_b: Those of the second.
        parts: The part of each unit.
        patients: The patient of each unit.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        The comparison; its statistic is z.

    Raises:
        EvaluationError: As for :func:`mean_auroc`.

    Example:
        >>> labels, sites = [0, 1, 0, 1, 0, 1, 0, 1], ["A"] * 4 + ["B"] * 4
        >>> found = compare_mean_auroc(labels, [1, 3, 2, 4, 1, 2, 4, 3], [3, 1, 2, 4, 1, 2, 4, 3], sites)
        >>> found.difference.value
        0.25
    """
    checked_level(level)
    name = "paired, mean over parts, DeLong within each, z"
    truth, first, codes = ranked_units(labels, scores_a, patients, positive)
    _, second, _ = ranked_units(labels, scores_b, patients, positive)
    names = disjoint_folds(parts, codes, patients)
    found_a, found_b = (_by_part(truth, values, codes, names) for values in (first, second))
    one, two = (_mean(truth, codes, found, patients is not None, level) for found in (found_a, found_b))
    if math.isnan(one.value):
        blank = undefined(one.status, level=level, method=name, n_units=len(truth), n_patients=one.n_patients)
        return Comparison(blank, math.nan, math.nan, name, None, one, two)
    variance = _variance([a - b for a, b in zip(found_a, found_b, strict=True)])
    if not variance > NO_VARIANCE:
        p = 1.0 if abs(one.value - two.value) < 1e-12 else math.nan
        return difference_without_variance(one, two, level, p, name)
    return difference_by_z(one, two, variance, level, name)


def _by_part(truth: Booleans, scores: Floats, codes: Integers, names: NDArray[Any]) -> list[Placements]:
    """The placements within each part; none where a part has one class only."""
    found = []
    for name in np.unique(names):
        own = names == name
        if truth[own].all() or not truth[own].any():
            return []
        found.append(placements(truth[own], scores[own], np.unique(codes[own], return_inverse=True)[1]))
    return found


def _mean(
    truth: Booleans, codes: Integers, found: Sequence[Placements], clustered: bool, level: float
) -> Estimate:
    name = f"mean over parts, {'Obuchowski (clustered)' if clustered else 'DeLong'} within each, logit"
    blank = undefined_area(truth, codes, level, name)
    if blank is not None:
        return blank
    if not found:
        patients = len(np.unique(codes))
        return undefined(
            ONE_CLASS_IN_A_FOLD, level=level, method=name, n_units=len(truth), n_patients=patients
        )
    area = float(np.mean([part.auc for part in found]))
    estimate = area_estimate(area, _variance(found), truth, codes, "logit", level, name)
    if estimate.status == OK and any(not placement_variance(part) > NO_VARIANCE for part in found):
        return replace(estimate, status=PART_WITHOUT_VARIANCE)
    return estimate


def _variance(found: Sequence[Placements]) -> float:
    return float(sum(placement_variance(part) for part in found)) / len(found) ** 2
