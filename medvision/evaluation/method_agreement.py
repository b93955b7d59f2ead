"""Two ways to measure the same quantity: how far apart they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import (
    Floats,
    Integers,
    checked_level,
    finite_scores,
    one_of,
    patient_codes,
    same_length,
)

ONE_UNIT = "one_unit"


@dataclass(frozen=True)
class BlandAltman:
    """Agreement of two measurements in their own unit.

    Attributes:
        bias: Mean difference, first minus second.
        lower_limit: Below it lie about 2.5% of the differences.
        upper_limit: Above it lie about 2.5% of the differences.
        standard_deviation: Of the differences.
        slope: Change of the difference with each unit of the mean of both: 0 where the bias is the same for
            small and large values.

    Example:
        >>> found = bland_altman([10.0, 12.0, 15.0, 20.0], [11.0, 12.0, 14.0, 22.0])
        >>> found.bias.text(2)
        '-0.50 (95% CI -2.55 to 1.55)'
    """

    bias: Estimate
    lower_limit: Estimate
    upper_limit: Estimate
    standard_deviation: float
    slope: Estimate

    @property
    def limits_of_agreement(self) -> tuple[Estimate, Estimate]:
        """The lower and the upper limit."""
        return self.lower_limit, self.upper_limit


def bland_altman(
    first: ArrayLike,
    second: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    true_value: Literal["varies", "constant"] = "varies",
    multiplier: float = 1.96,
    level: float = 0.95,
) -> BlandAltman:
    """Bias and limits of agreement, each with its interval.

    The limits are the bias plus and minus 1.96 standard deviations of the differences (Bland and Altman,
    Lancet 1986;i:307, doi:10.1016/S0140-6736(86)90837-8). Their intervals use a t quantile on n - 1 degrees
    of freedom: SD / sqrt(n) for the bias and SD sqrt(1 / n + 1.96² / (2 (n - 1))) for a limit (Stat Methods
    Med Res 1999;8:135, doi:10.1177/096228029900800204). With several units a patient, the standard deviation
    is that of one more unit of one more patient (Bland and Altman, J Biopharm Stat 2007;17:571,
    doi:10.1080/10543400701329422, the true value varying), and the intervals count patients. Where the units
    of a patient are replicates of one true value, by each method on its own, ``true_value="constant"`` takes
    their pairing for chance: the variance is that of the patients' mean differences plus
    (1 - mean(1 / units)) times both variances within patients, and the bias counts each patient once
    (section 5.2 of the paper of 1999).

    Args:
        first: Shape ``(n,)``, such as predicted volumes.
        second: Shape ``(n,)``, such as reference volumes, in the same unit.
        patients: The patient of each unit.
        true_value: Whether the measured quantity ``varies`` between the units of a patient (lesions, visits),
            each pair being measured together, or is ``constant``, the units being replicates.
        multiplier: How many standard deviations the limits lie from the bias; 1.96 holds 95% of them.
        level: Confidence level of the intervals.

    Returns:
        Bias, limits, standard deviation, and the slope that shows a proportional bias; with several units a
        patient its variance sums what each patient adds.

    Raises:
        EvaluationError: A value is not finite, or the lengths differ.

    Example:
        Bland and Altman (1986) print a mean difference of -2.1 and a standard deviation of 38.8 l/min for two
        meters of peak flow:

        >>> from medvision.evaluation.published import pefr
        >>> wright, mini = pefr()
        >>> found = bland_altman(wright, mini)
        >>> found.bias.text(1), round(found.standard_deviation, 1)
        ('-2.1 (95% CI -22.0 to 17.8)', 38.8)
        >>> found.upper_limit.text(1)
        '73.9 (95% CI 39.1–108.6)'
    """
    checked_level(level)
    if not 0 < multiplier < math.inf:
        raise EvaluationError(f"multiplier={multiplier} must be a number above 0, such as 1.96")
    a, b = finite_scores(first, name="first", patients=patients), finite_scores(second, name="second")
    same_length(len(a), second=b)
    codes = patient_codes(patients, len(a))
    gap = a - b
    n, m = len(gap), len(np.unique(codes))
    if one_of(true_value, ("varies", "constant"), "true_value") == "constant" and 1 < m < n:
        bias, sd, error, uncertainty = _replicates(a, b, codes)
    else:
        bias = float(gap.mean()) if n else math.nan
        sd, error = _spread(gap, codes, n, m)
        uncertainty = sd**2 / (2 * (m - 1)) if m > 1 else math.nan
    half = float(stdtrit(m - 1, (1 + level) / 2)) if m > 1 else math.nan
    status = OK if m > 1 else (ONE_UNIT if n else UNDEFINED_NO_UNITS)

    def estimate(value: float, spread: float, method: str) -> Estimate:
        low, high = value - half * spread, value + half * spread
        return Estimate(value, low, high, level, method, n, m, status, spread)

    margin = math.sqrt(error**2 + multiplier**2 * uncertainty)
    return BlandAltman(
        estimate(bias, error, "t"),
        estimate(bias - multiplier * sd, margin, "t (Bland-Altman)"),
        estimate(bias + multiplier * sd, margin, "t (Bland-Altman)"),
        sd,
        _proportional_bias(gap, (a + b) / 2, level, codes, m),
    )


def _replicates(first: Floats, second: Floats, codes: Integers) -> tuple[float, float, float, float]:
    """Bias, standard deviation, standard error of the bias, variance of the standard deviation."""
    sizes = np.bincount(codes).astype(float)
    m, n = len(sizes), len(codes)
    gaps = np.bincount(codes, weights=first - second) / sizes
    between, share = float(gaps.var(ddof=1)), 1 - float((1 / sizes).mean())
    within = [_within(values, codes, sizes) for values in (first, second)]
    variance = between + share * sum(within)
    spread = 2 * between**2 / (m - 1) + share**2 * sum(2 * one**2 / (n - m) for one in within)
    uncertainty = spread / (4 * variance) if variance > 0 else 0.0
    return float(gaps.mean()), math.sqrt(variance), math.sqrt(between / m), uncertainty


def _within(values: Floats, codes: Integers, sizes: Floats) -> float:
    means = np.bincount(codes, weights=values) / sizes
    return float(((values - means[codes]) ** 2).sum() / (len(values) - len(sizes)))


def _spread(gap: Floats, codes: Integers, n: int, m: int) -> tuple[float, float]:
    """Standard deviation of one new difference, and the standard error of the mean difference."""
    if m < 2:
        return math.nan, math.nan
    if m == n:
        sd = float(gap.std(ddof=1))
        return sd, sd / math.sqrt(n)
    sizes = np.bincount(codes).astype(float)
    means = np.bincount(codes, weights=gap) / sizes
    within = _within(gap, codes, sizes)
    between = float((sizes * (means - gap.mean()) ** 2).sum() / (m - 1))
    size = (n - (sizes**2).sum() / n) / (m - 1)
    variance = max((between - within) / size, 0.0) + within
    residual = np.bincount(codes, weights=gap - gap.mean())
    return math.sqrt(variance), math.sqrt(m / (m - 1) * float(residual @ residual)) / n


def _proportional_bias(gap: Floats, mean: Floats, level: float, codes: Integers, m: int) -> Estimate:
    n = len(gap)
    name = "least squares of the difference on the mean, t" + ("" if m == n else " by patient")
    centred = mean - mean.mean() if n else mean
    total = float(centred @ centred)
    if n < 3 or m < 2 or total == 0:
        return Estimate(math.nan, math.nan, math.nan, level, name, n, m, ONE_UNIT)
    slope = float(centred @ gap) / total
    residual = gap - gap.mean() - slope * centred
    if m == n:
        variance, degrees = float(residual @ residual) / (n - 2) / total, n - 2
    else:  # what the units of a patient add is summed (Liang and Zeger, Biometrika 1986;73:13)
        added = np.bincount(codes, weights=centred * residual)
        variance = m / (m - 1) * (n - 1) / (n - 2) * float(added @ added) / total**2
        degrees = m - 1
    error = math.sqrt(variance)
    half = float(stdtrit(degrees, (1 + level) / 2)) * error
    return Estimate(slope, slope - half, slope + half, level, name, n, m, OK, error)
