"""Two areas under the ROC curve: on the same patients, or on different ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, Comparison, Estimate, undefined
from medvision.evaluation.inputs import Booleans, Floats, Integers, checked_level
from medvision.evaluation.roc import (
    NO_VARIANCE,
    area_estimate,
    area_name,
    auroc,
    placement_variance,
    placements,
    ranked_units,
    undefined_area,
)

_PERMUTATIONS = 2000

FEW_OF_A_CLASS = "fewer_than_10_patients_of_a_class"
_FEW = 10


def compare_auroc(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    *,
    paired: bool = True,
    patients: ArrayLike | None = None,
    labels_b: ArrayLike | None = None,
    patients_b: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> Comparison:
    """The difference of two areas under the ROC curve, first minus second.

    Paired, both scores belong to the same units, and the covariance of the two areas counts (DeLong,
    Biometrics 1988;44:837, doi:10.2307/2531595; Obuchowski, Biometrics 1997;53:567, doi:10.2307/2533958,
    where ``patients`` have several units). Unpaired, the areas come from different patients, and the test is
    a t with Satterthwaite's degrees of freedom, as in pROC (Robin et al., BMC Bioinformatics 2011;12:77,
    doi:10.1186/1471-2105-12-77). The areas of nested models on their own training data must not be compared
    this way (Demler, Pencina and D'Agostino, Stat Med 2012;31:2577, doi:10.1002/sim.5328).

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores_a: Shape ``(n,)``.
        scores_b: Shape ``(n,)``, or ``(n_b,)`` where unpaired.
        paired: Whether both scores belong to the same units, in the same order.
        patients: The patient of each unit.
        labels_b: Unpaired only: the labels of ``scores_b``; None takes ``labels``.
        patients_b: Unpaired only: the patients of ``scores_b``.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        The comparison; the statistic is z (paired) or t (unpaired). Identical scores give z = 0 and p = 1.
        Where patients have several units and a class comes from fewer than 10 patients, the test claims too
        often (simulated, 7% with 5), and the status says so.

    Raises:
        EvaluationError: As for :func:`medvision.evaluation.auroc`.

    Example:
        DeLong, DeLong and Clarke-Pearson (1988); SAS prints the areas 0.7366, 0.7258 and the standard errors
        0.0927, 0.1028. Low albumin goes with label 1, so that it needs a minus sign:

        >>> from medvision.evaluation.published import delong
        >>> labels, tests = delong()
        >>> found = compare_auroc(labels, -tests["albumin"], tests["score"])
        >>> [(round(one.value, 4), round(one.standard_error, 4)) for one in (found.first, found.second)]
        [(0.7366, 0.0927), (0.7258, 0.1028)]
        >>> print(found)
        difference 0.011 (95% CI -0.176 to 0.198), p = 0.91
    """
    checked_level(level)
    if not paired:
        second = labels if labels_b is None else labels_b
        first = auroc(labels, scores_a, patients=patients, level=level, positive=positive)
        other = auroc(second, scores_b, patients=patients_b, level=level, positive=positive)
        return _unpaired(first, other, level)
    if labels_b is not None or patients_b is not None:
        raise EvaluationError(
            "labels_b and patients_b belong to paired=False; paired scores share their labels"
        )
    truth, values_a, codes = ranked_units(labels, scores_a, patients, positive)
    _, values_b, _ = ranked_units(labels, scores_b, patients, positive)
    return _paired(truth, values_a, values_b, codes, level, patients is not None)


def _paired(
    labels: Booleans, a: Floats, b: Floats, codes: Integers, level: float, clustered: bool
) -> Comparison:
    name = "paired DeLong, z" if not clustered else "paired Obuchowski (clustered), z"
    blank = undefined_area(labels, codes, level, name)
    if blank is not None:
        return Comparison(blank, math.nan, math.nan, name, None, blank, blank)
    found_a, found_b = placements(labels, a, codes), placements(labels, b, codes)
    kind = area_name("logit", codes if clustered else None)
    first, second = (
        area_estimate(f.auc, placement_variance(f), labels, codes, "logit", level, kind)
        for f in (found_a, found_b)
    )
    variance = placement_variance(found_a - found_b)
    if not variance > NO_VARIANCE:
        return _without_variance(labels, a, b, codes, first, second, level)
    found = difference_by_z(first, second, variance, level, name)
    if len(np.unique(codes)) < len(codes) and _rarer(labels, codes) < _FEW:
        return replace(found, difference=found.difference.with_status(FEW_OF_A_CLASS))
    return found


def _rarer(labels: Booleans, codes: Integers) -> int:
    return min(len(np.unique(codes[labels])), len(np.unique(codes[~labels])))


def difference_by_z(
    first: Estimate, second: Estimate, variance: float, level: float, method: str
) -> Comparison:
    """A difference of two estimates whose variance is known, tested against the normal distribution.

    Example:
        >>> one, two = Estimate(0.9, 0.8, 1.0), Estimate(0.8, 0.7, 0.9)
        >>> difference_by_z(one, two, 0.0025, 0.95, "z").p < 0.05
        True
    """
    value, error = first.value - second.value, math.sqrt(variance)
    half, z = float(ndtri((1 + level) / 2)) * error, value / error
    difference = Estimate(
        value, max(value - half, -1.0), min(value + half, 1.0), level, method,
        first.n_units, first.n_patients, OK, error,
    )  # fmt: skip
    return Comparison(difference, z, float(2 * ndtr(-abs(z))), method, None, first, second)


def difference_without_variance(
    first: Estimate, second: Estimate, level: float, p: float, method: str
) -> Comparison:
    """A difference that has no variance of its own; its interval comes from the two intervals.

    Squaring and adding the distances of each value to its limits ignores that the values are paired, which
    makes the interval wider, never narrower, where the pairing correlates them.

    Example:
        >>> same = Estimate(1.0, 0.9, 1.0)
        >>> print(difference_without_variance(same, same, 0.95, 1.0, "z"))
        difference 0.000 (95% CI -0.100 to 0.100), p = 1.00
    """
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    difference = Estimate(
        value, max(value - below, -1.0), min(value + above, 1.0), level, "square-and-add of two intervals",
        first.n_units, first.n_patients, DEGENERATE_VARIANCE, 0.0,
    )  # fmt: skip
    return Comparison(difference, 0.0 if value == 0 else math.nan, p, method, None, first, second)


def _without_variance(
    labels: Booleans, a: Floats, b: Floats, codes: Integers, first: Estimate, second: Estimate, level: float
) -> Comparison:
    if abs(first.value - second.value) < 1e-12:
        return difference_without_variance(first, second, level, 1.0, "paired DeLong, z")
    p = _swap_permutation(labels, a, b, codes)
    name = f"permutation, scores swapped within patients, {_PERMUTATIONS} times"
    return difference_without_variance(first, second, level, p, name)


def _swap_permutation(labels: Booleans, a: Floats, b: Floats, codes: Integers) -> float:
    # Ranks put both scores on one scale, so that swapping them between the models means something.
    ranks = [_midranks(values) for values in (a, b)]
    observed = abs(placements(labels, a, codes).auc - placements(labels, b, codes).auc)
    draws = np.random.default_rng(0).random((_PERMUTATIONS, int(codes.max()) + 1)) < 0.5
    extreme = 0
    for swap in draws[:, codes]:
        one, two = np.where(swap, ranks[1], ranks[0]), np.where(swap, ranks[0], ranks[1])
        gap = abs(placements(labels, one, codes).auc - placements(labels, two, codes).auc)
        extreme += gap >= observed - 1e-12
    return (1 + extreme) / (_PERMUTATIONS + 1)


def _midranks(values: Floats) -> Floats:
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2.0


def _unpaired(first: Estimate, second: Estimate, level: float) -> Comparison:
    name = "unpaired DeLong, t (Satterthwaite)"
    units, owners = first.n_units + second.n_units, first.n_patients + second.n_patients
    for area in (first, second):
        if math.isnan(area.value):
            blank = undefined(area.status, level=level, method=name, n_units=units, n_patients=owners)
            return Comparison(blank, math.nan, math.nan, name, None, first, second)
    va, vb = (first.standard_error or 0.0) ** 2, (second.standard_error or 0.0) ** 2
    if DEGENERATE_VARIANCE in (first.status, second.status):
        p = 1.0 if first.value == second.value else math.nan
        return difference_without_variance(first, second, level, p, name)
    df = (va + vb) ** 2 / (va**2 / (first.n_patients - 1) + vb**2 / (second.n_patients - 1))
    value, error = first.value - second.value, math.sqrt(va + vb)
    half, t = float(stdtrit(df, (1 + level) / 2)) * error, value / error
    difference = Estimate(
        value, max(value - half, -1.0), min(value + half, 1.0), level, name, units, owners, OK, error
    )
    return Comparison(difference, t, float(2 * stdtr(df, -abs(t))), name, float(df), first, second)
