"""Intervals and tests for measures of detection: from resampled patients, or from patients left out."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.special import expit, logit, stdtr, stdtrit

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, Comparison, Estimate, undefined
from medvision.evaluation.inputs import Floats
from medvision.evaluation.proportions import proportion_limits
from medvision.evaluation.resampling import FEW_PATIENTS

Interval = Literal["bootstrap", "jackknife"]

INTERVALS = ("bootstrap", "jackknife")
_FEW = 10
_STILL = 1e-12
_REFUSED_SHARE = 0.05


def share_estimate(
    value: float,
    others: Floats,
    *,
    interval: Interval,
    level: float,
    n_units: int,
    n_patients: int,
    rarer: int,
    seed: int | None,
    reason: str,
) -> Estimate:
    """A measure between 0 and 1 with its interval.

    Bootstrap: percentiles of the replicates. Jackknife: the variance over patients left out, on the logit
    scale, with a t quantile on patients - 1 degrees of freedom. Where the measure did not vary, or is 0 or
    1, the limits are the exact ones for as many patients as the rarer kind has, none or all a success.

    Args:
        value: The measure on all patients; NaN where it is undefined.
        others: The measure on each resample, or without each patient.
        interval: ``bootstrap`` or ``jackknife``.
        level: Confidence level.
        n_units: Units that the value rests on.
        n_patients: Patients.
        rarer: Patients of the rarer kind, for the exact limits.
        seed: Of the bootstrap.
        reason: The status where the measure is undefined.

    Raises:
        EvaluationError: More than 5% of the resamples leave the measure undefined.

    Example:
        >>> left_out = np.array([0.5, 0.7, 0.6, 0.6])
        >>> found = share_estimate(0.6, left_out, interval="jackknife", level=0.95, n_units=9, n_patients=4,
        ...                        rarer=2, seed=None, reason="one_class")
        >>> print(found, found.status)
        0.600 (95% CI 0.228–0.884) fewer_than_10_patients
    """
    name = _name(interval, "percentile" if interval == "bootstrap" else "logit-t")
    if math.isnan(value):
        return undefined(reason, level=level, method=name, n_units=n_units, n_patients=n_patients)
    value = float(round(value)) if abs(value - round(value)) < _STILL else value
    error = standard_error(others, interval)
    if value in (0.0, 1.0) or not error > _STILL:
        low, high = _exact(value, rarer, level)
        return Estimate(
            value,
            low,
            high,
            level,
            "exact over patients",
            n_units,
            n_patients,
            DEGENERATE_VARIANCE,
            error,
            seed,
        )
    status = OK if n_patients >= _FEW else FEW_PATIENTS
    if interval == "bootstrap":
        low, high = _percentiles(others, level)
        status = _undefined_draws(others) or status
    else:
        half = float(stdtrit(n_patients - 1, (1 + level) / 2)) * error / (value * (1 - value))
        low, high = float(expit(logit(value) - half)), float(expit(logit(value) + half))
    return Estimate(value, low, high, level, name, n_units, n_patients, status, error, seed)


def paired_difference(
    first: Estimate, second: Estimate, others: Floats, *, interval: Interval, level: float
) -> Comparison:
    """Two detectors on the same patients, first minus second.

    Bootstrap: percentiles of the differences on the same draws, and the two-sided
    p = 2 (1 + #) / (B + 1), # the replicates on the rarer side of 0; the statistic is the difference over
    its bootstrap standard error. Jackknife: t on patients - 1 degrees of freedom. A difference that never
    varies has p = 1 where it is 0, and no p elsewhere.

    Args:
        first: The measure of the first detector.
        second: That of the second.
        others: The difference on each resample, or without each patient.
        interval: ``bootstrap`` or ``jackknife``.
        level: Confidence level.

    Example:
        >>> one, two = Estimate(0.8, 0.7, 0.9, n_patients=20), Estimate(0.7, 0.6, 0.8, n_patients=20)
        >>> draws = np.linspace(-0.05, 0.25, 999)
        >>> print(paired_difference(one, two, draws, interval="bootstrap", level=0.95))
        difference 0.100 (95% CI -0.042 to 0.242), p = 0.34
    """
    value, patients = first.value - second.value, first.n_patients
    name = "paired " + _name(interval, "percentile" if interval == "bootstrap" else "t")
    error, df = standard_error(others, interval), patients - 1 if interval == "jackknife" else None
    shared = (level, name, first.n_units, patients)
    if math.isnan(value) or not error > _STILL:
        status = DEGENERATE_VARIANCE if math.isfinite(value) else first.status
        blank = Estimate(value, math.nan, math.nan, *shared, status, error, first.seed)
        statistic, p = (0.0, 1.0) if value == 0 else (math.nan, math.nan)
        return Comparison(blank, statistic, p, name, df, first, second)
    if interval == "bootstrap":
        low, high = _percentiles(others, level)
        drawn = others[np.isfinite(others)]
        rarer = min((drawn <= 0).sum(), (drawn >= 0).sum())
        p = min(1.0, 2 * (1 + int(rarer)) / (len(drawn) + 1))
    else:
        half = float(stdtrit(patients - 1, (1 + level) / 2)) * error
        low, high = value - half, value + half
        p = float(2 * stdtr(patients - 1, -abs(value / error)))
    status = OK if patients >= _FEW else FEW_PATIENTS
    difference = Estimate(value, low, high, *shared, status, error, first.seed)
    return Comparison(difference, value / error, p, name, df, first, second)


def standard_error(others: Floats, interval: Interval) -> float:
    """The standard error that replicates, or values with one patient left out, show; NaN where undefined.

    Example:
        >>> standard_error(np.array([1.0, 2.0, 3.0]), "bootstrap")
        1.0
    """
    if interval == "bootstrap":
        drawn = others[np.isfinite(others)]
        return float(np.std(drawn, ddof=1)) if len(drawn) > 1 else math.nan
    n = len(others)
    return math.sqrt((n - 1) / n * float(((others - others.mean()) ** 2).sum())) if n > 1 else math.nan


def _name(interval: Interval, how: str) -> str:
    return f"{interval} over patients, {how}"


def _percentiles(others: Floats, level: float) -> tuple[float, float]:
    low, high = np.nanquantile(others, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _undefined_draws(others: Floats) -> str:
    missing = int(np.isnan(others).sum())
    if missing > _REFUSED_SHARE * len(others):
        raise EvaluationError(
            f"the measure is undefined in {missing} of {len(others)} resamples; over 5% would bias the "
            'interval: use more patients, or interval="jackknife"'
        )
    return f"{missing}_of_{len(others)}_replicates_undefined" if missing else ""


def _exact(value: float, patients: int, level: float) -> tuple[float, float]:
    if value not in (0.0, 1.0) or patients == 0:
        return 0.0, 1.0
    low, high = proportion_limits(round(value * patients), patients, method="exact", level=level)
    return float(low), float(high)
