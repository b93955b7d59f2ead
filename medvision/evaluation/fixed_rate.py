"""Sensitivity where the specificity is fixed, and the reverse: the threshold belongs to what is estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, Comparison, Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    checked_level,
    finite_scores,
    one_of,
    same_length,
)
from medvision.evaluation.operating_steps import Steps
from medvision.evaluation.proportions import proportion_limits
from medvision.evaluation.resampling import BootstrapEstimate, bootstrap_weighted
from medvision.evaluation.roc import ranked_units, undefined_area
from medvision.evaluation.weighted_metrics import WeightedMetric

Curve = Literal["linear", "step"]

# Counts are whole numbers, a wanted share of them is not: what lies closer than this is equal.
_ROUNDING = 1e-9


def sensitivity_at(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    specificity: float,
    patients: ArrayLike | None = None,
    curve: Curve = "linear",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The sensitivity at a stated specificity, read from the ROC curve of these cases.

    The threshold is estimated from the same negative cases, and the interval includes that. It is BTII of
    Zhou and Qin (Stat Med 2005;24:465, doi:10.1002/sim.1563): the mean over resampled patients of the
    sensitivity with ``z²/2`` successes among ``z²`` more positive patients, give or take z times its standard
    deviation over them. Two things are added: the standard deviation is never below that of a known
    threshold, and the limits enclose the estimate.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``, finite; higher means more disease.
        specificity: Between 0 and 1.
        patients: The patient of each unit.
        curve: ``linear`` joins the points of the ROC curve by straight lines, as :func:`partial_auroc` and
            R's pROC do; ``step`` takes the best threshold that keeps the specificity.
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Returns:
        The sensitivity; NaN and ``one_class`` where a class is missing. Where no resample differs, the
        limits are exact ones for as many patients as have a positive unit, and the status is
        ``degenerate_variance``.

    Raises:
        EvaluationError: The specificity lies outside [0, 1]; or as for :func:`medvision.evaluation.auroc`.

    Example:
        In the table of Hanley and McNeil (1982), 45 of 58 normal scans are rated below 4, and 44 of 51
        abnormal ones 4 or more:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> round(sensitivity_at(labels, ratings, specificity=45 / 58).value * 51, 9)
        44.0
        >>> print(sensitivity_at(labels, ratings, specificity=0.9))
        0.722 (95% CI 0.588–0.834)
    """
    _checked(level, curve, "specificity", specificity)
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    name = f"at a specificity of {specificity:g}, bootstrap over patients (Zhou and Qin)"
    cases = _Cases(truth, None if patients is None else codes, specificity, curve, level, resamples, seed)
    return cases.estimate(values, name)


def specificity_at(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    sensitivity: float,
    patients: ArrayLike | None = None,
    curve: Curve = "linear",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """The specificity at a stated sensitivity: :func:`sensitivity_at` with the classes exchanged.

    Args:
        labels: As there.
        scores: As there.
        sensitivity: Between 0 and 1.
        patients: As there.
        curve: As there.
        level: As there.
        positive: As there.
        resamples: As there.
        seed: As there.

    Raises:
        EvaluationError: As there.

    Example:
        In the table of Hanley and McNeil (1982), 44 of 51 abnormal scans are rated 4 or more, and 45 of 58
        normal ones less:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> round(specificity_at(labels, ratings, sensitivity=44 / 51).value * 58, 9)
        45.0
        >>> print(specificity_at(labels, ratings, sensitivity=0.9))
        0.678 (95% CI 0.452–0.876)
    """
    _checked(level, curve, "sensitivity", sensitivity)
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    name = f"at a sensitivity of {sensitivity:g}, bootstrap over patients (Zhou and Qin)"
    cases = _Cases(~truth, None if patients is None else codes, sensitivity, curve, level, resamples, seed)
    return cases.estimate(-values, name)


def compare_at(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    *,
    specificity: float | None = None,
    sensitivity: float | None = None,
    patients: ArrayLike | None = None,
    curve: Curve = "linear",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Two scores of the same units: their sensitivities at one specificity, or the reverse.

    Both are read from the same resampled patients; the difference, first minus second, divided by its
    standard deviation over the resamples is compared with the normal distribution, as in pROC (Robin et al.,
    BMC Bioinformatics 2011;12:77, doi:10.1186/1471-2105-12-77).

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores_a: Shape ``(n,)``.
        scores_b: Shape ``(n,)``, in the same order.
        specificity: Compare sensitivities at this specificity.
        sensitivity: Or specificities at this sensitivity.
        patients: The patient of each unit.
        curve: As for :func:`sensitivity_at`.
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Raises:
        EvaluationError: Not exactly one of the two rates is given; or as for :func:`sensitivity_at`.

    Example:
        Two of the tests of DeLong, DeLong and Clarke-Pearson (1988), whose areas are 0.7366 and 0.7258:

        >>> from medvision.evaluation.published import delong
        >>> labels, tests = delong()
        >>> print(compare_at(labels, -tests["albumin"], tests["score"], specificity=0.8))
        difference 0.106 (95% CI -0.231 to 0.442), p = 0.54
    """
    if (specificity is None) == (sensitivity is None):
        raise EvaluationError("give the specificity or the sensitivity at which to compare, and not both")
    of, rate = ("sensitivity", sensitivity) if specificity is None else ("specificity", specificity)
    wanted = float(rate if rate is not None else math.nan)
    _checked(level, curve, of, wanted)
    truth, a, codes = ranked_units(labels, scores_a, patients, positive)
    b = finite_scores(scores_b, name="scores_b", patients=patients)
    same_length(len(truth), scores_b=b)
    if of == "sensitivity":
        truth, a, b = ~truth, -a, -b
    name = f"at a {of} of {wanted:g}, paired bootstrap over patients"
    cases = _Cases(truth, None if patients is None else codes, wanted, curve, level, resamples, seed)
    own = cases.estimate(a, name), cases.estimate(b, name)
    if not cases.both_classes:
        return Comparison(own[0], math.nan, math.nan, name, first=own[0], second=own[1])
    first, second = Steps.of(truth, a), Steps.of(truth, b)
    drawn = cases.drawn(
        lambda weights: cases.rates(first, weights) - cases.rates(second, weights), name, (a, b)
    )
    return _tested(drawn, *own)


def _checked(level: float, curve: str, name: str, rate: float) -> None:
    checked_level(level)
    one_of(curve, ("linear", "step"), "curve")
    if not 0 <= rate <= 1:
        raise EvaluationError(f"{name}={rate} must lie between 0 and 1; write 0.9 for 90%")


@dataclass(frozen=True)
class _Cases:
    """Units, the specificity that is fixed among them, and how they are resampled."""

    truth: Booleans
    patients: Integers | None
    rate: float
    curve: Curve
    level: float
    resamples: int
    seed: int

    @property
    def both_classes(self) -> bool:
        return bool(self.truth.any() and not self.truth.all())

    @property
    def codes(self) -> Integers:
        return np.arange(len(self.truth)) if self.patients is None else self.patients

    def drawn(self, metric: WeightedMetric, name: str, keys: Sequence[Floats]) -> BootstrapEstimate:
        return bootstrap_weighted(
            metric, self.truth, self.patients, name, self.resamples, self.seed, self.level, keys=keys
        )

    def estimate(self, scores: Floats, name: str) -> Estimate:
        blank = undefined_area(self.truth, self.codes, self.level, name)
        if blank is not None:
            return blank
        steps = Steps.of(self.truth, scores)
        found = self.drawn(lambda weights: self.rates(steps, weights), name, (scores,))
        n = len(np.unique(self.codes[self.truth]))
        if found.status == DEGENERATE_VARIANCE:
            limits = proportion_limits(round(found.value * n), n, method="exact", level=self.level)
        else:
            limits = _limits(found.replicates, n, self.level)
        low, high = max(min(limits[0], found.value), 0.0), min(max(limits[1], found.value), 1.0)
        return replace(_plain(found), low=low, high=high)

    def rates(self, steps: Steps, weights: Floats) -> Floats:
        """The sensitivity at the specificity, for weights of units of shape ``(resamples, n)``."""
        counts, nothing = steps.counts(weights), np.zeros((len(weights), 1))
        hits, alarms = (np.hstack([nothing, own]) for own in (counts.true_positive, counts.false_positive))
        allowed = (1 - self.rate) * alarms[:, -1]
        below = (alarms <= allowed[:, None] + _ROUNDING).sum(axis=1) - 1
        rows, above = np.arange(len(weights)), np.minimum(below + 1, len(steps.ends))
        reached = hits[rows, below]
        if self.curve == "linear":
            gap = alarms[rows, above] - alarms[rows, below]
            part = np.clip((allowed - alarms[rows, below]) / np.where(gap > 0, gap, np.inf), 0, 1)
            reached = reached + part * (hits[rows, above] - reached)
        found: Floats = np.full(len(weights), np.nan)
        np.divide(reached, hits[:, -1], out=found, where=(hits[:, -1] > 0) & (alarms[:, -1] > 0))
        return found


def _limits(replicates: Floats, n_patients: int, level: float) -> tuple[float, float]:
    z = float(ndtri((1 + level) / 2))
    enlarged = n_patients + z**2
    adjusted = (replicates[np.isfinite(replicates)] * n_patients + z**2 / 2) / enlarged
    centre = float(adjusted.mean())
    known_threshold = math.sqrt(centre * (1 - centre) / enlarged)
    half = z * max(float(adjusted.std(ddof=1)), known_threshold)
    return centre - half, centre + half


def _plain(found: Estimate) -> Estimate:
    return Estimate(**{each.name: getattr(found, each.name) for each in fields(Estimate)})


def _tested(drawn: Estimate, first: Estimate, second: Estimate) -> Comparison:
    error, gap = drawn.standard_error or 0.0, _plain(drawn)
    if error <= _ROUNDING:
        limit, p = (0.0, 1.0) if drawn.value == 0 else (math.nan, math.nan)
        gap = replace(gap, low=limit, high=limit, status=DEGENERATE_VARIANCE, standard_error=0.0)
        return Comparison(gap, limit, p, drawn.method, first=first, second=second)
    half, statistic = float(ndtri((1 + drawn.level) / 2)) * error, drawn.value / error
    gap = replace(gap, low=max(gap.value - half, -1.0), high=min(gap.value + half, 1.0))
    return Comparison(
        gap, statistic, float(2 * ndtr(-abs(statistic))), drawn.method, first=first, second=second
    )
