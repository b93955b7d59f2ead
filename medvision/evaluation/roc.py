"""The area under the ROC curve: DeLong's variance, or Obuchowski's where patients have several units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from medvision.evaluation.estimates import (
    DEGENERATE_VARIANCE,
    OK,
    ONE_CLASS,
    UNDEFINED_NO_UNITS,
    Estimate,
    undefined,
)
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    finite_scores,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.proportions import proportion_limits

AurocMethod = Literal["logit", "wald", "bootstrap"]

FEW_OUT_OF_ORDER = "fewer_than_5_cases_out_of_order"
_FEW = 5

# Below this a variance is rounding noise: a standard error of 1e-12 of an area between 0 and 1.
NO_VARIANCE = 1e-24


@dataclass(frozen=True)
class Placements:
    """Where each unit stands among the units of the other class.

    Attributes:
        positive: For each positive unit, the share of negative units that score lower (ties count half),
            shape ``(n_positive,)``. Its mean is the AUC.
        negative: For each negative unit, the share of positive units that score higher, shape
            ``(n_negative,)``.
        positive_patients: Patient code of each positive unit.
        negative_patients: Patient code of each negative unit.

    Example:
        >>> placements(np.array([False, True]), np.array([0.2, 0.9]), np.array([0, 1])).auc
        1.0
    """

    positive: Floats
    negative: Floats
    positive_patients: Integers
    negative_patients: Integers

    @property
    def auc(self) -> float:
        """The area under the curve."""
        return float(self.positive.mean())

    def __sub__(self, other: Placements) -> Placements:
        return replace(self, positive=self.positive - other.positive, negative=self.negative - other.negative)


def placements(labels: Booleans, scores: Floats, patients: Integers) -> Placements:
    """Placement values in n log n steps.

    Reference: DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, doi:10.2307/2531595.

    Args:
        labels: Shape ``(n,)``; both classes are present.
        scores: Shape ``(n,)``, finite.
        patients: Patient codes, shape ``(n,)``.

    Example:
        >>> found = placements(np.array([False, True, True]), np.array([1.0, 1.0, 2.0]), np.arange(3))
        >>> found.positive.tolist(), found.negative.tolist()
        ([0.5, 1.0], [0.75])
    """
    positive, negative = scores[labels], scores[~labels]
    return Placements(
        share_below(positive, np.sort(negative)),
        1 - share_below(negative, np.sort(positive)),
        patients[labels],
        patients[~labels],
    )


def share_below(scores: Floats, ordered: Floats) -> Floats:
    """The share of ``ordered`` (ascending) that lies below each score, ties counting half.

    Example:
        >>> share_below(np.array([2.0]), np.array([1.0, 2.0, 3.0, 4.0])).tolist()
        [0.375]
    """
    below = np.searchsorted(ordered, scores, side="left")
    return (below + np.searchsorted(ordered, scores, side="right")) / (2.0 * len(ordered))


def placement_variance(found: Placements) -> float:
    """Variance of the AUC over independent patients.

    Reference: Obuchowski, Biometrics 1997;53:567, doi:10.2307/2533958.

    With one unit a patient it is DeLong's variance. It is linear in the placements, so the placements of a
    difference of two scores give the variance of the difference of their areas.

    Returns:
        The variance; NaN where a class comes from a single patient.

    Example:
        >>> labels = np.array([False, False, True, True])
        >>> found = placements(labels, np.array([1.0, 3.0, 2.0, 4.0]), np.arange(4))
        >>> placement_variance(found)
        0.125
    """
    n_patients = 1 + max(found.positive_patients.max(), found.negative_patients.max())
    positive, with_positive = _centred_sums(found.positive, found.positive_patients, n_patients)
    negative, with_negative = _centred_sums(found.negative, found.negative_patients, n_patients)
    if with_positive.sum() < 2 or with_negative.sum() < 2:
        return math.nan
    m, n = len(found.positive), len(found.negative)
    patients = int((with_positive | with_negative).sum())
    within = _spread(float(positive @ positive), int(with_positive.sum())) / m**2
    within += _spread(float(negative @ negative), int(with_negative.sum())) / n**2
    across = _spread(float(positive @ negative), patients) / (m * n)
    return float(max(within + 2 * across, 0.0))


def _centred_sums(values: Floats, patients: Integers, n_patients: int) -> tuple[Floats, Booleans]:
    sums: Floats = np.bincount(patients, weights=values - values.mean(), minlength=n_patients).astype(float)
    return sums, np.bincount(patients, minlength=n_patients) > 0


def _spread(total: float, patients: int) -> float:
    return patients / (patients - 1) * total


def auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    method: AurocMethod = "logit",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The area under the ROC curve: the chance that a positive unit scores higher than a negative one.

    For this meaning see Hanley and McNeil (Radiology 1982;143:29, doi:10.1148/radiology.143.1.7063747). The
    variance is that of DeLong, DeLong and Clarke-Pearson (Biometrics 1988;44:837, doi:10.2307/2531595).

    A higher score must mean more disease; a score that runs the other way gives an area below 0.5 and is
    not turned round. Where the variance is 0 (perfect separation) the interval is the exact limit for as
    many successes as the rarer class has patients, and the status is ``degenerate_variance``.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``, finite.
        patients: The patient of each unit; several units of one patient make it the clustered area
            (Obuchowski, Biometrics 1997;53:567, doi:10.2307/2533958).
        method: ``logit`` (DeLong on the logit scale, always inside [0, 1]), ``wald`` (DeLong, clipped;
            for parity with other programs), or ``bootstrap`` (percentile, over patients).
        level: Confidence level.
        positive: The label that means that the condition is present, where labels are not 0 and 1.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The area; NaN and ``one_class`` where only one class is present. Where the area is so near to 1 (or 0)
        that it amounts to fewer than 5 patients of the rarer class out of order, the intervals ``wald`` and
        ``bootstrap`` are too short (simulated: 85% and 89% at 0.95 with 15 and 30 cases, where ``logit``
        covers 95%), and the status says so.

    Raises:
        EvaluationError: A score is not finite, a label is not 0 or 1, or the lengths differ.

    Example:
        Hanley and McNeil (1982) print 0.893 for 109 rated CT scans, and Stata for the same ratings the
        standard error 0.0307, 0.8330 to 0.9534:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> print(auroc(labels, ratings))
        0.893 (95% CI 0.816–0.940)
        >>> found = auroc(labels, ratings, method="wald")
        >>> found.text(4), round(found.standard_error, 4)
        ('0.8932 (95% CI 0.8330–0.9534)', 0.0307)
    """
    checked_level(level)
    one_of(method, ("logit", "wald", "bootstrap"), "method")
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    name = area_name(method, patients)
    blank = undefined_area(truth, codes, level, name)
    if blank is not None:
        return blank
    if method == "bootstrap":
        area = _bootstrapped(truth, values, None if patients is None else codes, level, resamples, seed)
    else:
        found = placements(truth, values, codes)
        area = area_estimate(found.auc, placement_variance(found), truth, codes, method, level, name)
    near = method != "logit" and area.status == OK and few_out_of_order(area.value, truth, codes)
    return area.with_status(FEW_OUT_OF_ORDER) if near else area


def few_out_of_order(area: float, labels: Booleans, patients: Integers) -> bool:
    """Whether an area amounts to fewer than 5 patients of the rarer class on the wrong side.

    Example:
        >>> labels = np.repeat([True, False], [50, 80])
        >>> few_out_of_order(0.95, labels, np.arange(130)), few_out_of_order(0.85, labels, np.arange(130))
        (True, False)
    """
    rarer = min(len(np.unique(patients[labels])), len(np.unique(patients[~labels])))
    return rarer * min(area, 1 - area) < _FEW


def ranked_units(
    labels: ArrayLike, scores: ArrayLike, patients: ArrayLike | None, positive: object = None
) -> tuple[Booleans, Floats, Integers]:
    """Checked labels, scores and patient codes of equal length.

    Raises:
        EvaluationError: As for :func:`auroc`.

    Example:
        >>> ranked_units([0, 1], [0.1, 0.2], None)[2].tolist()
        [0, 1]
    """
    truth = binary_labels(labels, positive=positive, patients=patients)
    values = finite_scores(scores, patients=patients)
    same_length(len(truth), scores=values)
    return truth, values, patient_codes(patients, len(truth))


def undefined_area(labels: Booleans, patients: Integers, level: float, method: str) -> Estimate | None:
    """The undefined estimate of an input without both classes, None where both are present.

    Example:
        >>> undefined_area(np.array([True]), np.array([0]), 0.95, "delong").status
        'one_class'
    """
    if labels.any() and not labels.all():
        return None
    status = ONE_CLASS if len(labels) else UNDEFINED_NO_UNITS
    return undefined(
        status, level=level, method=method, n_units=len(labels), n_patients=len(np.unique(patients))
    )


def area_estimate(
    area: float, variance: float, labels: Booleans, patients: Integers, scale: str, level: float, method: str
) -> Estimate:
    """An area with the interval that its variance gives on the logit or the plain scale.

    Args:
        area: Between 0 and 1.
        variance: Its variance; 0 or NaN makes the estimate degenerate.
        labels: Shape ``(n,)``.
        patients: Patient codes, shape ``(n,)``.
        scale: ``logit`` or ``wald``.
        level: Confidence level.
        method: What the interval is called.

    Example:
        >>> print(area_estimate(0.9, 0.0004, np.array([False, True]), np.arange(2), "wald", 0.95, "delong"))
        0.900 (95% CI 0.861–0.939)
    """
    n_patients = len(np.unique(patients))
    if not variance > NO_VARIANCE or area in (0.0, 1.0):
        low, high = _degenerate_limits(area, labels, patients, level)
        error = 0.0 if variance <= NO_VARIANCE else None
        return Estimate(
            area, low, high, level, "exact limit for perfect separation" if area in (0.0, 1.0) else method,
            len(labels), n_patients, DEGENERATE_VARIANCE, error,
        )  # fmt: skip
    error = math.sqrt(variance)
    half = float(ndtri((1 + level) / 2)) * error
    if scale == "logit":
        centre, half = float(logit(area)), half / (area * (1 - area))
        low, high = float(expit(centre - half)), float(expit(centre + half))
    else:
        low, high = max(area - half, 0.0), min(area + half, 1.0)
    return Estimate(area, low, high, level, method, len(labels), n_patients, OK, error)


def _degenerate_limits(
    area: float, labels: Booleans, patients: Integers, level: float
) -> tuple[float, float]:
    rarer = min(len(np.unique(patients[labels])), len(np.unique(patients[~labels])))
    limit = proportion_limits(rarer, rarer, method="exact", level=level)[0]
    if area == 1.0:
        return limit, 1.0
    if area == 0.0:
        return 0.0, 1 - limit
    return 0.0, 1.0


def area_name(method: str, patients: ArrayLike | None) -> str:
    """What the interval of an area is called in a table.

    Example:
        >>> area_name("logit", None)
        'DeLong, logit'
    """
    if method == "bootstrap":
        return "bootstrap over patients, percentile"
    return f"{'DeLong' if patients is None else 'Obuchowski, clustered'}, {method}"


def _bootstrapped(
    labels: Booleans, scores: Floats, patients: Integers | None, level: float, resamples: int, seed: int
) -> Estimate:
    from medvision.evaluation.resampling import bootstrap

    table = {"label": labels.astype(float), "score": scores}
    found = bootstrap(
        ["auroc"], table, patients=patients, resamples=resamples, seed=seed, method="percentile", level=level
    )["auroc"]
    if found.status != DEGENERATE_VARIANCE:
        return found
    owners = np.arange(len(labels)) if patients is None else patients
    return area_estimate(found.value, 0.0, labels, owners, "logit", level, found.method)
