"""Proportions of units that share patients: several lesions or scans of one person are not independent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, stdtrit

from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    patient_codes,
    same_length,
)
from medvision.evaluation.proportions import proportion, proportion_limits

ONE_PATIENT = "one_patient"

_LOGIT_T = "logit-t, ratio estimator over patients"


@dataclass(frozen=True)
class ClusteredProportion(Estimate):
    """A proportion over units that share patients.

    Attributes:
        design_effect: How many times the variance exceeds that of as many independent units.
        icc: Correlation of two units of one patient (analysis of variance); NaN where every patient
            has one unit.

    Example:
        >>> clustered_proportion([1, 1, 0, 1], ["A", "A", "B", "C"]).n_patients
        3
    """

    design_effect: float = math.nan
    icc: float = math.nan


def clustered_proportion(
    successes: ArrayLike, patients: ArrayLike, *, level: float = 0.95
) -> ClusteredProportion:
    """The proportion of units that succeed, where several units may belong to one patient.

    The variance is that of a ratio of two sums over patients (Rao and Scott, Biometrics 1992;48:577,
    doi:10.2307/2532311; Obuchowski, Stat Med 1998;17:1495,
    doi:10.1002/(SICI)1097-0258(19980715)17:13%3C1495::AID-SIM863%3E3.0.CO;2-I); the interval is built on the
    logit scale with a t quantile on patients - 1 degrees of freedom. Where every unit succeeded or every one
    failed, it is the exact interval over patients, a patient counting as a success if all its units are.
    Where the variance is 0 at a proportion in between, it is the Wilson interval of as many independent
    units.

    Args:
        successes: 0 or 1 for each unit, shape ``(n,)``.
        patients: The patient of each unit, shape ``(n,)``.
        level: Confidence level.

    Returns:
        The proportion, with ``design_effect`` and ``icc``.

    Raises:
        EvaluationError: A value is not 0 or 1, a patient is missing, or the lengths differ.

    Example:
        Rao and Scott (1992), table 1, print a design effect of 3.952861 for Weil's litters of treated rats:

        >>> from medvision.evaluation.published import weil
        >>> alive, litters = weil("treated")
        >>> estimate = clustered_proportion(alive, litters)
        >>> print(estimate, estimate.n_units, estimate.n_patients, round(estimate.design_effect, 6))
        0.772 (95% CI 0.595–0.887) 145 16 3.952861
    """
    checked_level(level)
    hits = binary_labels(successes, patients=patients).astype(np.float64)
    codes = patient_codes(patients, len(hits))
    same_length(len(hits), patients=codes)
    if len(hits) == 0:
        return ClusteredProportion(math.nan, 0.0, 1.0, level, _LOGIT_T, 0, 0, UNDEFINED_NO_UNITS)
    x, n = units_by_patient(hits, codes)
    p = float(x.sum() / n.sum())
    variance = ratio_variance(x, n)
    low, high, method, status = _limits(x, n, variance, level)
    binomial = p * (1 - p) / n.sum()
    return ClusteredProportion(
        p,
        low,
        high,
        level,
        method,
        int(n.sum()),
        len(n),
        status,
        math.sqrt(variance),
        design_effect=float(variance / binomial) if binomial > 0 else math.nan,
        icc=_intraclass_correlation(x, n),
    )


def share_of_units(hits: Booleans, codes: Integers, *, level: float) -> Estimate:
    """The proportion of hits, clustered where a patient has several of these units.

    Args:
        hits: Shape ``(n,)``.
        codes: The patient of each unit, shape ``(n,)``.
        level: Confidence level.

    Example:
        >>> share_of_units(np.array([True, False]), np.array([0, 1]), level=0.95).value
        0.5
    """
    if len(np.unique(codes)) < len(codes):
        return clustered_proportion(hits, codes, level=level)
    return proportion(int(hits.sum()), len(hits), level=level)


def units_by_patient(hits: Floats, codes: Integers) -> tuple[Floats, Floats]:
    """Successes and units of each patient that has units.

    Example:
        >>> units_by_patient(np.array([1.0, 0.0, 1.0]), np.array([0, 0, 2]))
        (array([1., 1.]), array([2., 1.]))
    """
    present, own = np.unique(codes, return_inverse=True)
    return (
        np.bincount(own, weights=hits, minlength=len(present)).astype(np.float64),
        np.bincount(own, minlength=len(present)).astype(np.float64),
    )


def ratio_variance(x: Floats, n: Floats) -> float:
    """Variance of sum(x) / sum(n) over independent patients; NaN for one patient.

    Example:
        >>> ratio_variance(np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 1.0]))
        0.1111111111111111
    """
    m = len(n)
    if m < 2:
        return math.nan
    residual = x - x.sum() / n.sum() * n
    return float(m / (m - 1) * (residual @ residual) / n.sum() ** 2)


def _limits(x: Floats, n: Floats, variance: float, level: float) -> tuple[float, float, str, str]:
    p, m = float(x.sum() / n.sum()), len(n)
    if p in (0.0, 1.0):
        exact = proportion(int(p * m), m, method="exact", level=level)
        return exact.low, exact.high, "exact over patients", DEGENERATE_VARIANCE
    if m < 2:
        return 0.0, 1.0, _LOGIT_T, ONE_PATIENT
    if variance < 1e-24:
        low, high = proportion_limits(x.sum(), n.sum(), level=level)
        return low, high, "wilson", DEGENERATE_VARIANCE
    half = stdtrit(m - 1, (1 + level) / 2) * math.sqrt(variance) / (p * (1 - p))
    return float(expit(logit(p) - half)), float(expit(logit(p) + half)), _LOGIT_T, OK


def _intraclass_correlation(x: Floats, n: Floats) -> float:
    m, total = len(n), n.sum()
    if m < 2 or total == m:
        return math.nan
    own, p = x / n, x.sum() / total
    between = (n * (own - p) ** 2).sum() / (m - 1)
    within = (n * own * (1 - own)).sum() / (total - m)
    size = (total - (n**2).sum() / total) / (m - 1)
    denominator = between + (size - 1) * within
    return float((between - within) / denominator) if denominator > 0 else math.nan
