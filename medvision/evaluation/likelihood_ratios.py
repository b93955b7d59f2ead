"""Likelihood ratios and the diagnostic odds ratio: products of two rates, measured on the log scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from medvision.evaluation.clustered import ONE_PATIENT
from medvision.evaluation.estimates import OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import Booleans, Floats, Integers

ZERO_CELL = "zero_cell"


@dataclass(frozen=True)
class Rates:
    """Sensitivity and specificity with their joint variance over patients.

    Attributes:
        sensitivity: NaN without positive units.
        specificity: NaN without negative units.
        variances: Of sensitivity, of specificity, and their covariance (0 for independent units).
        positive: Positive units, and the patients that they belong to.
        negative: Negative units, and their patients.
        n_patients: Patients in all.

    Example:
        >>> labels, calls = np.array([True, True, False, False]), np.array([True, False, False, False])
        >>> Rates.of(labels, calls, np.arange(4)).sensitivity
        0.5
    """

    sensitivity: float
    specificity: float
    variances: tuple[float, float, float]
    positive: tuple[int, int]
    negative: tuple[int, int]
    n_patients: int

    @classmethod
    def of(cls, truth: Booleans, called: Booleans, patients: Integers) -> Rates:
        """The rates of these units.

        Example:
            >>> Rates.of(np.array([True, False]), np.array([True, False]), np.arange(2)).specificity
            1.0
        """
        n_patients = len(np.unique(patients))
        sizes = [int(truth.sum()), int((~truth).sum())]
        owners = [len(np.unique(patients[truth])), len(np.unique(patients[~truth]))]
        se = float(called[truth].mean()) if sizes[0] else math.nan
        sp = float((~called[~truth]).mean()) if sizes[1] else math.nan
        if n_patients == len(patients):
            variances = (_binomial(se, sizes[0]), _binomial(sp, sizes[1]), 0.0)
        else:
            variances = _clustered(truth, called, patients, se, sp)
        return cls(se, sp, variances, (sizes[0], owners[0]), (sizes[1], owners[1]), n_patients)


def ratio_estimate(rates: Rates, name: str, level: float) -> Estimate:
    """A ratio with the interval of its logarithm.

    Reference: Simel, Samsa and Matchar, J Clin Epidemiol 1991;44:763, doi:10.1016/0895-4356(91)90128-V.

    Args:
        rates: Sensitivity and specificity.
        name: ``lr_positive``, ``lr_negative`` or ``diagnostic_odds_ratio``.
        level: Confidence level.

    Returns:
        The ratio. With a zero cell it is 0, infinite or NaN, the interval comes from counts with 0.5 added
        (counted in patients), and the status is ``zero_cell``.

    Example:
        >>> labels = np.repeat([True, False], [744, 842])
        >>> calls = np.repeat([True, False, True, False], [670, 74, 202, 640])
        >>> print(ratio_estimate(Rates.of(labels, calls, np.arange(1586)), "lr_positive", 0.95))
        3.754 (95% CI 3.321–4.243)
    """
    se, sp = rates.sensitivity, rates.specificity
    value = _ratio(name, se, sp)
    units = rates.positive[0] + rates.negative[0]
    method = "log (Simel), clustered" if rates.n_patients < units else "log (Simel)"
    if math.isnan(se) or math.isnan(sp):
        nothing = UNDEFINED_NO_UNITS
        return Estimate(math.nan, math.nan, math.nan, level, method, units, rates.n_patients, nothing)
    status = OK
    variance = _log_variance(name, se, sp, rates.variances) if _interior(name, se, sp) else 0.0
    if math.isnan(variance):
        blank = math.nan
        return Estimate(value, blank, blank, level, method, units, rates.n_patients, ONE_PATIENT)
    if variance == 0:
        status = ZERO_CELL
        se, sp = _half_added(se, rates.positive[1]), _half_added(sp, rates.negative[1])
        added = _binomial(se, rates.positive[1] + 1), _binomial(sp, rates.negative[1] + 1), 0.0
        variance = _log_variance(name, se, sp, added)
    centre, half = math.log(_ratio(name, se, sp)), float(ndtri((1 + level) / 2)) * math.sqrt(variance)
    low, high = math.exp(centre - half), math.exp(centre + half)
    if not math.isnan(value):
        low, high = min(low, value), max(high, value)
    return Estimate(value, low, high, level, method, units, rates.n_patients, status)


def predictive_value(ratio: Estimate, prevalence: float, *, negative: bool = False) -> Estimate:
    """A predictive value at a prevalence: posterior odds are prior odds times the likelihood ratio.

    The limits are those of the ratio, carried over, which is the logit interval of Mercaldo, Lau and Zhou
    (Stat Med 2007;26:2170, doi:10.1002/sim.2677).

    Args:
        ratio: The positive likelihood ratio, or the negative one.
        prevalence: Between 0 and 1.
        negative: Whether the negative predictive value is wanted; ``ratio`` is then the negative one.

    Example:
        >>> print(predictive_value(Estimate(9.0, 3.0, 27.0), 0.1))
        0.500 (95% CI 0.250–0.750)
    """
    prior = float(logit(prevalence))

    def posterior(value: float) -> float:
        if math.isnan(value):
            return math.nan
        log = -math.inf if value == 0 else math.log(value)
        chance = float(expit(prior + log))
        return 1 - chance if negative else chance

    limits = sorted((posterior(ratio.low), posterior(ratio.high)))
    return Estimate(
        posterior(ratio.value), limits[0], limits[1], ratio.level,
        f"logit at a prevalence of {prevalence:g} (Mercaldo)", ratio.n_units, ratio.n_patients, ratio.status,
    )  # fmt: skip


def _ratio(name: str, se: float, sp: float) -> float:
    if name == "lr_positive":
        return _divided(se, 1 - sp)
    if name == "lr_negative":
        return _divided(1 - se, sp)
    return _divided(se * sp, (1 - se) * (1 - sp))


def _divided(part: float, whole: float) -> float:
    if whole == 0:
        return math.nan if part == 0 else math.inf
    return part / whole


def _interior(name: str, se: float, sp: float) -> bool:
    # The log of the positive ratio exists where nobody is missed; that of the odds ratio does not.
    if name == "lr_positive":
        return se > 0 and sp < 1
    if name == "lr_negative":
        return se < 1 and sp > 0
    return 0 < se < 1 and 0 < sp < 1


def _log_variance(name: str, se: float, sp: float, variances: tuple[float, float, float]) -> float:
    slope_se, slope_sp = _slopes(name, se, sp)
    joint = 2 * slope_se * slope_sp * variances[2]
    return max(slope_se**2 * variances[0] + slope_sp**2 * variances[1] + joint, 0.0)


def _slopes(name: str, se: float, sp: float) -> tuple[float, float]:
    """Derivatives of the logarithm of the ratio by sensitivity and by specificity."""
    if name == "lr_positive":
        return 1 / se, 1 / (1 - sp)
    if name == "lr_negative":
        return -1 / (1 - se), -1 / sp
    return 1 / (se * (1 - se)), 1 / (sp * (1 - sp))


def _half_added(rate: float, n: int) -> float:
    return (rate * n + 0.5) / (n + 1)


def _binomial(rate: float, n: int) -> float:
    return rate * (1 - rate) / n if n else math.nan


def _clustered(
    truth: Booleans, called: Booleans, patients: Integers, se: float, sp: float
) -> tuple[float, float, float]:
    positive = _influence(called & truth, truth, se, patients)
    negative = _influence(~called & ~truth, ~truth, sp, patients)
    m = len(np.unique(patients))
    scale = m / (m - 1) if m > 1 else math.nan
    own, other, joint = positive @ positive, negative @ negative, positive @ negative
    return float(scale * own), float(scale * other), float(scale * joint)


def _influence(hits: Booleans, among: Booleans, rate: float, patients: Integers) -> Floats:
    size = int(patients.max()) + 1
    x = np.bincount(patients, weights=hits, minlength=size)
    n = np.bincount(patients, weights=among, minlength=size)
    return np.asarray((x - rate * n) / max(n.sum(), 1), dtype=np.float64)
