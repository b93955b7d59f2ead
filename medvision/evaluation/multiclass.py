"""More than two classes, or several labels a case: areas and operating points of each, and their means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.class_inputs import class_places, content_order, score_matrix
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.estimates import OK, Estimate
from medvision.evaluation.inputs import (
    Floats,
    Integers,
    checked_level,
    is_count,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.joint_draws import (
    BOOTSTRAP,
    CLASS_WITHOUT_CASES,
    joint_bootstrap,
    strata_of,
)
from medvision.evaluation.proportions import proportion
from medvision.evaluation.roc import auroc
from medvision.evaluation.sampled_draws import SAMPLINGS, Sampling
from medvision.evaluation.weighted_metrics import WeightedMetric, weighted_auroc


@dataclass(frozen=True)
class MulticlassAuroc:
    """Areas under ROC curves of more than two classes.

    Attributes:
        per_class: Each class against all others, by its name.
        macro: Mean of these, each class counting the same.
        weighted: Mean of these, weighted by how many cases each class has.
        hand_till: M of Hand and Till: mean over pairs of classes, however common each class is.

    Example:
        >>> scores = np.eye(3)[[0, 1, 2, 0, 1, 2]] + 0.1
        >>> round(multiclass_auroc([0, 1, 2, 0, 1, 1], scores, resamples=200).macro.value, 3)
        0.911
    """

    per_class: dict[str, Estimate]
    macro: Estimate
    weighted: Estimate
    hand_till: Estimate


def multiclass_auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    classes: Sequence[object] | None = None,
    patients: ArrayLike | None = None,
    sampling: Sampling = "cohort",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> MulticlassAuroc:
    """Areas under the ROC curves of several classes: each against the rest, their means, Hand and Till's M.

    Intervals of single classes are those of :func:`medvision.evaluation.auroc`. Those of the means come from
    a bootstrap over patients in which all classes see the same draws. M (Mach Learn 2001;45:171,
    doi:10.1023/A:1010920819831) is the mean over pairs of classes of (A(i|j) + A(j|i)) / 2, where A(i|j) is
    the area of the score of class i among the cases of classes i and j.

    Args:
        labels: The class of each unit, shape ``(n,)``.
        scores: One column a class, shape ``(n, k)``; higher means more likely.
        classes: The class of each column; by default the sorted labels, which must then be k.
        patients: The patient of each unit.
        sampling: ``cohort`` (consecutive: the weights of the weighted mean are a matter of chance) or
            ``enriched`` (they were chosen).
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
        level: Confidence level.

    Returns:
        Every area. A class without cases is undefined (``one_class``), and so are the means
        (``class_without_cases``); it does not count as 0 or 0.5.

    Raises:
        EvaluationError: Labels that are no class, scores that are not finite, or shapes that do not fit.

    Example:
        Of two classes, all areas are that under the ROC curve, 0.893 for the ratings of Hanley and McNeil
        (1982); then three classes:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> found = multiclass_auroc(labels, np.column_stack([-ratings, ratings]), resamples=200)
        >>> print(found.per_class["1"], round(found.hand_till.value, 4))
        0.893 (95% CI 0.816–0.940) 0.8932
        >>> classes = ["a", "a", "b", "b", "c", "c"] * 5
        >>> scores = np.array([[3, 1, 0], [2, 1, 1], [0, 2, 1], [2, 1, 0], [0, 1, 2], [1, 1, 0]] * 5)
        >>> found = multiclass_auroc(classes, scores, resamples=200)
        >>> print(found.per_class["c"], round(found.hand_till.value, 4))
        0.625 (95% CI 0.363–0.830) 0.7708
    """
    checked_level(level)
    one_of(sampling, SAMPLINGS, "sampling")
    values = score_matrix(scores, "scores")
    names, places = class_places(labels, classes, values.shape[1])
    same_length(len(values), labels=places)
    codes = patient_codes(patients, len(places))
    order = content_order(codes, patients, *values.T, places)
    values, places = values[order], places[order]
    codes = codes if patients is None else codes[order]
    owners = None if patients is None else codes
    per_class = {
        name: auroc(places == k, values[:, k], patients=owners, level=level) for k, name in enumerate(names)
    }
    present = [bool((places == k).any()) for k in range(len(names))]
    alone = [weighted_auroc(places == k, values[:, k]) for k in range(len(names))]
    among = [_pair(places, values, i, j) for i, j in combinations(range(len(names)), 2)]
    shares = [places == k for k in range(len(names))]

    def macro(weights: Floats) -> Floats:
        return np.asarray(np.mean([one(weights) for one in alone], axis=0), dtype=np.float64)

    def weighted(weights: Floats) -> Floats:
        sizes = np.array([weights @ own for own in shares])
        areas = np.array([one(weights) for one in alone])
        # A class that was not drawn has no area, and no weight either.
        kept = np.where(sizes > 0, sizes * areas, 0.0)
        return np.asarray(kept.sum(axis=0) / sizes.sum(axis=0), dtype=np.float64)

    def hand_till(weights: Floats) -> Floats:
        return np.asarray(np.mean([pair(weights) for pair in among], axis=0), dtype=np.float64)

    status = OK if all(present) else CLASS_WITHOUT_CASES
    strata = strata_of(places, codes)
    as_came = strata if sampling == "enriched" else np.zeros_like(strata)
    how: dict[str, Any] = {
        "codes": codes,
        "resamples": resamples,
        "seed": seed,
        "level": level,
        "status": status,
    }
    means = joint_bootstrap({"macro": macro, "hand_till": hand_till}, strata, **how)
    means |= joint_bootstrap({"weighted": weighted}, as_came, **how)
    return MulticlassAuroc(per_class, **means)


def multilabel_auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    patients: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[dict[str, Estimate], Estimate]:
    """The area of each label, and their mean over the labels that have cases with and without.

    Args:
        labels: 0 or 1, shape ``(n, k)``: a case may have several labels or none.
        scores: Shape ``(n, k)``.
        names: Of the columns; by default 0, 1, ….
        patients: The patient of each unit.
        resamples: Of the bootstrap of the mean, in which all labels see the same draws.
        seed: Of the bootstrap.
        level: Confidence level.

    Returns:
        The areas by name, and their mean; a label that all cases have, or none, is undefined and left out of
        the mean, whose status then counts it.

    Raises:
        EvaluationError: Shapes differ, or a value is not 0, 1 or finite.

    Example:
        Two tests of DeLong, DeLong and Clarke-Pearson (1988) with areas of 0.7366 and 0.7258, each scoring
        the same label:

        >>> from medvision.evaluation.published import delong
        >>> truth, tests = delong()
        >>> labels = np.column_stack([truth, truth])
        >>> scores = np.column_stack([-tests["albumin"], tests["score"]])
        >>> areas, mean = multilabel_auroc(labels, scores, names=["albumin", "score"], resamples=200)
        >>> {name: round(area.value, 4) for name, area in areas.items()}, round(mean.value, 4)
        ({'albumin': 0.7366, 'score': 0.7258}, 0.7312)
    """
    checked_level(level)
    truth, values = score_matrix(labels, "labels"), score_matrix(scores, "scores")
    if truth.shape != values.shape or not np.isin(truth, [0, 1]).all():
        raise EvaluationError(
            f"labels of shape {truth.shape} and scores of shape {values.shape}: give one column a label, 0 "
            "or 1"
        )
    called = [str(k) for k in range(truth.shape[1])] if names is None else [str(name) for name in names]
    codes = patient_codes(patients, len(truth))
    order = content_order(codes, patients, *values.T, *truth.T)
    values, truth = values[order], truth[order]
    codes = codes if patients is None else codes[order]
    owners = None if patients is None else codes
    areas = {
        name: auroc(truth[:, k], values[:, k], patients=owners, level=level) for k, name in enumerate(called)
    }
    defined = [k for k, area in enumerate(areas.values()) if not math.isnan(area.value)]
    metrics = [weighted_auroc(truth[:, k] == 1, values[:, k]) for k in defined]
    missing = truth.shape[1] - len(defined)
    rarest = strata_of(np.asarray(truth.sum(axis=1) > 0, dtype=np.int64), codes)
    status = OK if not missing else f"{missing}_of_{truth.shape[1]}_labels_undefined"

    def mean(weights: Floats) -> Floats:
        # A resample without cases of a label says nothing of that label; the others still count.
        return np.asarray(np.nanmean([one(weights) for one in metrics], axis=0), dtype=np.float64)

    if not defined:
        return areas, Estimate(math.nan, math.nan, math.nan, level, BOOTSTRAP, len(truth), 0, "one_class")
    found = joint_bootstrap(
        {"mean": mean}, rarest, codes, resamples=resamples, seed=seed, level=level, status=status
    )
    return areas, found["mean"]


def top_k_accuracy(
    labels: ArrayLike,
    scores: ArrayLike,
    k: int,
    *,
    classes: Sequence[object] | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """How often the true class is among the k highest scores.

    A tie counts against the prediction: the true class must be beaten by fewer than k others that score as
    much or more, so that a model without an opinion is not right.

    Args:
        labels: The class of each unit, shape ``(n,)``.
        scores: One column a class, shape ``(n, classes)``.
        k: How many classes may be named.
        classes: The class of each column; by default the sorted labels.
        patients: The patient of each unit.
        level: Confidence level.

    Raises:
        EvaluationError: As for :func:`multiclass_auroc`, or k is no number of classes.

    Example:
        The example of scikit-learn's manual, which gives 0.75:

        >>> scores = [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]]
        >>> top_k_accuracy([0, 1, 2, 2], scores, 2).value
        0.75
    """
    values = score_matrix(scores, "scores")
    _, places = class_places(labels, classes, values.shape[1])
    same_length(len(values), labels=places)
    if not (is_count(k) and 1 <= k <= values.shape[1]):
        raise EvaluationError(f"k={k} must lie between 1 and the {values.shape[1]} classes")
    own = values[np.arange(len(values)), places][:, None]
    hits = (values >= own).sum(axis=1) <= k
    codes = patient_codes(patients, len(hits))
    if len(np.unique(codes)) < len(hits):
        return clustered_proportion(hits, codes, level=level)
    return proportion(int(hits.sum()), len(hits), level=level)


def _pair(places: Integers, scores: Floats, i: int, j: int) -> WeightedMetric:
    """(A(i|j) + A(j|i)) / 2 among the units of two classes."""
    own = np.flatnonzero((places == i) | (places == j))
    first = weighted_auroc(places[own] == i, scores[own, i])
    second = weighted_auroc(places[own] == j, scores[own, j])
    return lambda weights: (first(weights[:, own]) + second(weights[:, own])) / 2
