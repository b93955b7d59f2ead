"""Areas under the ROC curve of cross-validated scores: averaged over the folds, and pooled."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.auroc_comparison import difference_by_z, difference_without_variance
from medvision.evaluation.estimates import OK, ONE_CLASS, UNDEFINED_NO_UNITS, Comparison, Estimate, undefined
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    checked_level,
    one_dimensional,
    one_of,
    same_length,
)
from medvision.evaluation.roc import NO_VARIANCE, area_estimate, auroc, ranked_units, share_below

Ties = Literal["half", "cvauc"]

ONE_CLASS_IN_A_FOLD = "one_class_in_a_fold"
FEW_IN_A_FOLD = "fewer_than_4_of_a_class_in_a_fold"
ONE_IN_A_FOLD = "one_of_a_class_in_a_fold"
_FEW = 4

_NAME = "mean over folds, influence function (LeDell)"


@dataclass(frozen=True)
class CrossValidatedAuroc:
    """Two answers to "how good are these out-of-fold scores", which are not the same question.

    Attributes:
        fold_averaged: Mean of the areas of the folds: how well a model ranks patients that it has not seen.
        pooled: One area over all out-of-fold scores. Scores of different models are compared in it, so it
            is biased downwards unless they share a scale.
        folds: The area of each fold, by the fold's name.

    Example:
        >>> found = cross_validated_auroc([0, 1, 0, 1], [0.1, 0.8, 0.6, 0.7], [0, 0, 1, 1])
        >>> len(found.folds)
        2
    """

    fold_averaged: Estimate
    pooled: Estimate
    folds: dict[Hashable, Estimate]

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold.

        Example:
            >>> found = cross_validated_auroc([0, 1, 0, 1], [0.1, 0.8, 0.6, 0.7], [0, 0, 1, 1])
            >>> sorted(found.to_dict())
            ['fold_averaged', 'folds', 'pooled']
        """
        return {
            "fold_averaged": self.fold_averaged.to_dict(),
            "pooled": self.pooled.to_dict(),
            "folds": {str(name): fold.to_dict() for name, fold in self.folds.items()},
        }


def cross_validated_auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    folds: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    repeats: ArrayLike | None = None,
    ties: Ties = "half",
    method: Literal["wald", "logit"] = "wald",
    level: float = 0.95,
    positive: object = None,
) -> CrossValidatedAuroc:
    """The area under the ROC curve of out-of-fold scores, averaged over folds and pooled.

    The interval of the average is that of LeDell, Petersen and van der Laan (Electron J Stat
    2015;9:1583, doi:10.1214/15-EJS1035), summed by patient where patients have several units. It describes
    the models of these folds, given their training; it does not know how another training would have gone.
    Pooled scores are those of different models, which biases their area (Forman and Scholz, SIGKDD Explor
    2010;12:49, doi:10.1145/1882471.1882479). In repeated cross-validation each unit has one row a repeat:
    name the repeats, and the patients, whose number does not grow with them.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: The out-of-fold score of each unit, shape ``(n,)``.
        folds: The fold in which each unit was held out, shape ``(n,)``.
        patients: The patient of each unit; a patient stands in one fold only.
        repeats: The repeat of each row, where the cross-validation was repeated; ``patients`` are then
            needed, and stand in one fold of each repeat.
        ties: A tie counts one half in the variance (``half``), or 0 as in R's cvAUC (``cvauc``). The area
            itself counts one half either way.
        method: ``wald`` as published, clipped to [0, 1]; or ``logit``, with n - 1 in place of n for each
            class of each fold, as in DeLong's variance, which holds better where folds are small.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        Both estimates and the area of each fold. The average is undefined (``one_class_in_a_fold``) where
        a fold has only one class. Where a fold has fewer than 4 patients of a class the interval ``wald`` is
        too short (``fewer_than_4_of_a_class_in_a_fold``), and with a single one ``logit`` is, too
        (``one_of_a_class_in_a_fold``).

    Raises:
        EvaluationError: A patient stands in several folds, or as for :func:`medvision.evaluation.auroc`.

    Example:
        Made-up scores; ``docs/published_tables.md`` recomputes the examples of the R package ``cvAUC``.

        >>> labels = [0, 0, 1, 1, 0, 0, 1, 1]
        >>> found = cross_validated_auroc(labels, [1, 3, 2, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1])
        >>> print(found.fold_averaged)
        0.875 (95% CI 0.630–1.000)
    """
    checked_level(level)
    one_of(ties, ("half", "cvauc"), "ties")
    one_of(method, ("wald", "logit"), "method")
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    names = disjoint_folds(folds, codes, patients, repeats)
    clustered = None if patients is None else codes
    per_fold = {
        name: _fold(names == name, truth, values, clustered, level) for name in np.unique(names).tolist()
    }
    pooled = auroc(truth, values, patients=clustered, level=level)
    return CrossValidatedAuroc(_averaged(truth, values, codes, names, ties, method, level), pooled, per_fold)


def compare_cross_validated_auroc(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    folds: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    repeats: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> Comparison:
    """The difference of two fold-averaged areas on the same units and folds, first minus second.

    The variance is that of the difference of the influence functions of LeDell, Petersen and van der Laan
    (Electron J Stat 2015;9:1583, doi:10.1214/15-EJS1035), summed by patient, so that the pairing counts, with
    n - 1 in place of n for each class of each fold, as in DeLong's variance.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores_a: Out-of-fold scores of the first model, shape ``(n,)``.
        scores_b: Those of the second.
        folds: The fold of each unit; the same for both models.
        patients: The patient of each unit.
        repeats: The repeat of each row, as for :func:`cross_validated_auroc`.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        The comparison; its statistic is z.

    Raises:
        EvaluationError: As for :func:`cross_validated_auroc`.

    Example:
        >>> labels, folds = [0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]
        >>> better, worse = [1, 3, 2, 4, 5, 6, 7, 8], [1, 3, 2, 4, 7, 6, 5, 8]
        >>> print(compare_cross_validated_auroc(labels, better, worse, folds).difference)
        0.250 (95% CI -0.240 to 0.740)
    """
    checked_level(level)
    name = f"paired, {_NAME}, z"
    truth, first, codes = ranked_units(labels, scores_a, patients, positive)
    _, second, _ = ranked_units(labels, scores_b, patients, positive)
    names = disjoint_folds(folds, codes, patients, repeats)
    one, two = (_averaged(truth, values, codes, names, "half", "wald", level) for values in (first, second))
    if math.isnan(one.value):
        blank = undefined(one.status, level=level, method=name, n_units=len(truth), n_patients=one.n_patients)
        return Comparison(blank, math.nan, math.nan, name, None, one, two)
    influence = _influence(truth, first, names, "half")[1] - _influence(truth, second, names, "half")[1]
    variance = _influence_variance(_of_small_folds(influence, truth, codes, names), codes, names)
    if not variance > NO_VARIANCE:
        p = 1.0 if abs(one.value - two.value) < 1e-12 else math.nan
        return difference_without_variance(one, two, level, p, name)
    found = difference_by_z(one, two, variance, level, name)
    return replace(found, difference=found.difference.with_status(_status(truth, codes, names, "logit")))


def disjoint_folds(
    folds: ArrayLike, codes: Integers, patients: ArrayLike | None, repeats: ArrayLike | None = None
) -> NDArray[Any]:
    """The fold of each unit, ``repeat-fold`` where repeats share fold names; no patient crosses folds.

    Args:
        folds: The fold of each unit, shape ``(n,)``.
        codes: Patient codes, shape ``(n,)``.
        patients: The patients that they stand for; None where every unit is its own patient.
        repeats: The repeat of each unit.

    Raises:
        EvaluationError: A fold is missing, or a patient stands in several folds of a repeat: then scores
            were made by models that knew the patient, or the repeats were not named.

    Example:
        >>> disjoint_folds([0, 1, 0, 0], np.array([0, 0, 1, 1]), list("AABB"), [1, 2, 1, 2]).tolist()
        ['1-0', '2-1', '1-0', '2-0']
    """
    names = _names(folds, len(codes), "folds")
    rounds = np.zeros(len(codes), dtype=np.int64)
    if repeats is not None:
        if patients is None:
            raise EvaluationError("repeats= needs patients=: the rows of one unit are not independent")
        repeated = _names(repeats, len(codes), "repeats")
        rounds = np.unique(repeated, return_inverse=True)[1]
        # Fold 0 of one repeat is not fold 0 of the next; names that already tell them apart stay.
        owned = np.unique(np.stack([np.unique(names, return_inverse=True)[1], rounds]), axis=1)
        if np.any(np.bincount(owned[0]) > 1):
            pairs = zip(repeated.tolist(), names.tolist(), strict=True)
            names = np.array([f"{round_}-{fold}" for round_, fold in pairs], dtype=str)
    in_folds = np.unique(np.stack([codes, rounds, np.unique(names, return_inverse=True)[1]]), axis=1)
    seen, times = np.unique(in_folds[:2], axis=1, return_counts=True)
    crossing = np.unique(seen[0][times > 1])
    if len(crossing):
        ids = np.asarray(patients)
        raise EvaluationError(
            f"{len(crossing)} patients stand in several folds; a patient belongs to one fold. If the "
            "cross-validation was repeated, name the repeat of each row",
            problems=[f"patient {ids[codes == code][0]}" for code in crossing[:10]],
        )
    return names


def _names(values: ArrayLike, n_units: int, name: str) -> NDArray[Any]:
    found = one_dimensional(values, name)
    same_length(n_units, **{name: found})
    missing = [row for row, value in enumerate(found.tolist()) if value is None or value != value]
    if missing:
        raise EvaluationError(f"{len(missing)} units have no {name[:-1]}, the first in row {missing[0]}")
    return found if found.dtype.kind in "iufbU" else found.astype(str)


def _fold(own: Booleans, truth: Booleans, scores: Floats, codes: Integers | None, level: float) -> Estimate:
    return auroc(truth[own], scores[own], patients=None if codes is None else codes[own], level=level)


def _averaged(
    truth: Booleans,
    scores: Floats,
    codes: Integers,
    folds: NDArray[Any],
    ties: Ties,
    scale: str,
    level: float,
) -> Estimate:
    n_patients = len(np.unique(codes))
    if status := _unfit(truth, folds):
        return undefined(status, level=level, method=_NAME, n_units=len(truth), n_patients=n_patients)
    area, influence = _influence(truth, scores, folds, ties)
    if scale == "logit":
        influence = _of_small_folds(influence, truth, codes, folds)
    variance = _influence_variance(influence, codes, folds)
    found = area_estimate(area, variance, truth, codes, scale, level, f"{_NAME}, {scale}")
    return found.with_status(_status(truth, codes, folds, scale)) if found.status == OK else found


def _unfit(truth: Booleans, folds: NDArray[Any]) -> str:
    if len(truth) == 0:
        return UNDEFINED_NO_UNITS
    if truth.all() or not truth.any():
        return ONE_CLASS
    one_class = any(truth[folds == fold].all() or not truth[folds == fold].any() for fold in np.unique(folds))
    return ONE_CLASS_IN_A_FOLD if one_class else ""


def _fewest(truth: Booleans, codes: Integers, folds: NDArray[Any]) -> int:
    """Patients of the rarer class in the fold that has fewest."""
    return min(
        len(np.unique(codes[own & kind]))
        for own in (folds == fold for fold in np.unique(folds))
        for kind in (truth, ~truth)
    )


def _status(truth: Booleans, codes: Integers, folds: NDArray[Any], scale: str) -> str:
    fewest = _fewest(truth, codes, folds)
    if fewest < 2:
        return ONE_IN_A_FOLD
    return FEW_IN_A_FOLD if scale == "wald" and fewest < _FEW else OK


def _of_small_folds(influence: Floats, truth: Booleans, codes: Integers, folds: NDArray[Any]) -> Floats:
    """Influences whose squares add up as if n - 1 divided them, for each class of each fold."""
    found = influence.copy()
    for fold in np.unique(folds):
        for kind in (truth, ~truth):
            own = (folds == fold) & kind
            n = len(np.unique(codes[own]))
            if n > 1:
                found[own] *= math.sqrt(n / (n - 1))
    return found


def _influence(truth: Booleans, scores: Floats, folds: NDArray[Any], ties: Ties) -> tuple[float, Floats]:
    """The mean of the folds' areas, and what each unit contributes to it."""
    share = truth.mean()
    influence, areas = np.zeros(len(truth)), []
    for fold in np.unique(folds):
        own = folds == fold
        positive, negative = own & truth, own & ~truth
        losers, winners = np.sort(scores[negative]), np.sort(scores[positive])
        wins = share_below(scores[positive], losers)
        areas.append(float(wins.mean()))
        if ties == "half":
            lost = 1 - share_below(scores[negative], winners)
        else:
            wins = np.searchsorted(losers, scores[positive], "left") / len(losers)
            lost = 1 - np.searchsorted(winners, scores[negative], "right") / len(winners)
        influence[positive] = (wins - areas[-1]) / share
        influence[negative] = (lost - areas[-1]) / (1 - share)
    return float(np.mean(areas)), influence


def _influence_variance(influence: Floats, codes: Integers, folds: NDArray[Any]) -> float:
    """Variance of the mean area: what each patient contributes, squared and averaged."""
    n_patients = len(np.unique(codes))
    units_a_patient = len(influence) / n_patients
    in_folds = np.unique(np.stack([codes, np.unique(folds, return_inverse=True)[1]]), axis=1)
    if in_folds.shape[1] > n_patients:
        # Repeated: a patient's rows in all repeats add up before they are squared.
        squares = np.bincount(codes, weights=influence) ** 2
        return float(np.mean(squares)) / n_patients / units_a_patient**2
    per_fold = []
    for fold in np.unique(folds):
        own = folds == fold
        sums = np.bincount(np.unique(codes[own], return_inverse=True)[1], weights=influence[own])
        per_fold.append(float(np.mean(sums**2)))
    return float(np.mean(per_fold)) / n_patients / units_a_patient**2
