"""Bins of similar probability, and how far promise and observation differ in them, plain and debiased."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from medvision.errors import EvaluationError
from medvision.evaluation.clustered import ratio_variance, units_by_patient
from medvision.evaluation.estimates import UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_draws,
    checked_level,
    checked_probabilities,
    one_of,
    patient_codes,
    same_length,
)

Binning = Literal["mass", "width"]

NO_INTERVAL = "no_interval_at_the_boundary"
LONE_PATIENT = "a_bin_with_one_patient"


@dataclass(frozen=True)
class CalibrationError:
    """How far the promised and the observed share differ, bin by bin.

    Attributes:
        ece: Expected calibration error, the mean absolute difference; biased upwards.
        ece_debiased: The same without about half of its bias, cut at 0.
        rms: Root mean squared difference; biased upwards.
        rms_debiased: The root of the unbiased mean square, cut at 0.
        ece_if_calibrated: Between which limits ``ece`` would lie, if the probabilities were right.
        ece_debiased_if_calibrated: The same of ``ece_debiased``; NaN where that is undefined.
        binning: How the bins were made.

    Example:
        >>> found = calibration_error([0, 1, 0, 1] * 10, [0.2, 0.2, 0.7, 0.7] * 10, bins=2)
        >>> round(found.ece.value, 3), round(found.ece_debiased.value, 3)
        (0.25, 0.248)
    """

    ece: Estimate
    ece_debiased: Estimate
    rms: Estimate
    rms_debiased: Estimate
    ece_if_calibrated: tuple[float, float]
    ece_debiased_if_calibrated: tuple[float, float]
    binning: str


def calibration_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "mass",
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
    resamples: int = 1000,
    seed: int = 0,
) -> CalibrationError:
    """Binned calibration error, plain and debiased, with its range under right probabilities.

    The plain error counts the noise of each bin as miscalibration. The square without it subtracts the
    variance of each bin's observed share (Bröcker, Clim Dyn 2012;39:655, doi:10.1007/s00382-011-1191-1;
    Kumar, Liang and Ma, NeurIPS 2019, doi:10.48550/arXiv.1909.10155); the absolute error subtracts what that
    noise, taken as normal, adds on average (Kumar et al., in closed form): of right probabilities of 200
    units, 0.071 became 0.041 (simulated). Where patients have several units the variance is that of a ratio
    over patients.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        probabilities: Shape ``(n,)``, between 0 and 1, both included.
        bins: How many.
        binning: ``mass`` (as many units in each, ties together) or ``width`` ([low, high), the last one
            closed).
        patients: The patient of each unit.
        level: Of the two ranges.
        positive: The label that means that the condition is present.
        resamples: Simulations of independent outcomes with these probabilities.
        seed: Of the simulations.

    Returns:
        The errors. They have no interval, because percentiles do not cover at the boundary 0. The debiased
        ones are undefined where a bin has a single patient: take fewer bins, or ``mass``.

    Raises:
        EvaluationError: A value is no probability, the lengths differ, or ``bins`` is below 1.

    Example:
        The example in the tests of ``verified_calibration``, the package of Kumar, Liang and Ma, whose plain
        error is 4/9 · 0.25 + 5/9 · 0.20 = 0.2222; the debiased one is smaller:

        >>> labels, p = [0, 1, 0, 1, 0, 1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6]
        >>> found = calibration_error(labels, p, bins=9)
        >>> round(found.ece.value, 4), found.ece_debiased.value < found.ece.value
        (0.2222, True)
    """
    checked_level(level)
    truth, p, codes, places = binned_units(labels, probabilities, bins, binning, patients, positive)
    y, made = truth.astype(float), f"{bins} bins of equal {binning}"
    variances = share_variances(y, codes, places)
    size = np.bincount(places)
    share, promised = np.bincount(places, y) / size, np.bincount(places, p) / size
    found = _errors(share[None, :], promised, size / max(len(p), 1), variances[None, :])[0]
    status = LONE_PATIENT if math.isnan(found[1]) else NO_INTERVAL
    owners = len(np.unique(codes))

    def estimate(value: float, status: str) -> Estimate:
        told = status if len(p) else UNDEFINED_NO_UNITS
        return Estimate(float(value), math.nan, math.nan, level, made, len(p), owners, told)

    low, high = _right_range(p, places, level, resamples, seed)
    return CalibrationError(
        estimate(found[0], NO_INTERVAL),
        estimate(found[1], status),
        estimate(found[2], NO_INTERVAL),
        estimate(found[3], status),
        (float(low[0]), float(high[0])),
        (float(low[1]), float(high[1])),
        made,
    )


def bin_places(p: Floats, bins: int, binning: str) -> Integers:
    """The bin of each probability.

    Args:
        p: Probabilities, shape ``(n,)``.
        bins: How many.
        binning: ``mass`` or ``width``.

    Example:
        >>> bin_places(np.array([0.0, 0.29, 0.3, 1.0]), 10, "width").tolist()
        [0, 2, 3, 9]
    """
    if binning == "width":
        # Against the written edges 0.1, 0.2 …: p * bins would put 0.29 * 100 below 29.
        edges = np.arange(1, bins) / bins
        return np.searchsorted(edges, p, side="right")
    if len(p) == 0:
        return np.zeros(0, dtype=np.int64)
    ordered = np.sort(p)
    first_rank = np.searchsorted(ordered, p, side="left")  # ties share a rank, and so a bin
    return first_rank * min(bins, len(p)) // len(p)


def binned_units(
    labels: ArrayLike,
    probabilities: ArrayLike,
    bins: int,
    binning: str,
    patients: ArrayLike | None,
    positive: object,
) -> tuple[Booleans, Floats, Integers, Integers]:
    """Labels, probabilities and patients, checked, and the bin of each, counted without gaps.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        probabilities: Shape ``(n,)``, between 0 and 1.
        bins: How many.
        binning: ``mass`` or ``width``.
        patients: The patient of each unit.
        positive: The label that means that the condition is present.

    Raises:
        EvaluationError: As for :func:`calibration_error`.

    Example:
        >>> binned_units([0, 1], [0.1, 0.9], 10, "width", None, None)[3].tolist()
        [0, 1]
    """
    one_of(binning, ("mass", "width"), "binning")
    if bins < 1:
        raise EvaluationError(f"bins={bins}: at least one is needed")
    truth = binary_labels(labels, positive=positive, patients=patients)
    p = checked_probabilities(probabilities)
    same_length(len(truth), probabilities=p)
    places = np.unique(bin_places(p, bins, binning), return_inverse=True)[1].astype(np.int64)
    return truth, p, patient_codes(patients, len(truth)), places


def share_variances(y: Floats, codes: Integers, places: Integers) -> Floats:
    """Variance of the observed share of each bin over patients; NaN for a single one.

    Args:
        y: Outcomes, shape ``(n,)``.
        codes: The patient of each unit, shape ``(n,)``.
        places: The bin of each unit, shape ``(n,)``.

    Example:
        >>> share_variances(np.array([0.0, 1.0, 1.0]), np.arange(3), np.array([0, 0, 1])).tolist()
        [0.25, nan]
    """
    found = [
        ratio_variance(*units_by_patient(y[places == place], codes[places == place]))
        for place in np.unique(places)
    ]
    return np.array(found, dtype=np.float64)


def _errors(share: Floats, promised: Floats, weight: Floats, variances: Floats) -> Floats:
    """ECE, debiased ECE, RMS and debiased RMS for each row of observed shares, shape ``(rows, 4)``.

    Args:
        share: Observed share of each bin, shape ``(rows, bins)``.
        promised: Mean probability of each bin, shape ``(bins,)``.
        weight: Share of the units that are in it, shape ``(bins,)``.
        variances: Of the observed shares, shape ``(rows, bins)``.
    """
    if len(weight) == 0:
        return np.full((len(share), 4), np.nan)
    gap = share - promised
    plain, square = np.abs(gap) @ weight, gap**2 @ weight
    noisy = _mean_absolute(gap, np.sqrt(variances)) @ weight
    debiased = np.maximum(2 * plain - noisy, 0.0)
    return np.stack(
        [plain, debiased, np.sqrt(square), np.sqrt(np.maximum(square - variances @ weight, 0.0))], axis=1
    )


def _mean_absolute(centre: Floats, spread: Floats) -> Floats:
    """The mean of the absolute value of a normal variable."""
    ratio = np.divide(centre, spread, out=np.full_like(centre, np.inf), where=~(spread == 0))
    with np.errstate(invalid="ignore"):  # no spread: the value itself
        folded = spread * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + centre * (1 - 2 * ndtr(-ratio))
    return np.where(spread == 0, np.abs(centre), folded)


def _right_range(
    p: Floats, places: Integers, level: float, resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """Limits of each of the four errors, if outcomes followed the probabilities independently."""
    if len(p) == 0:
        return np.full(4, np.nan), np.full(4, np.nan)
    checked_draws(resamples, seed)
    order = np.argsort(p, kind="stable")
    p, places = p[order], places[order]  # so that the draws do not depend on the rows
    rng, size = np.random.default_rng(seed), np.bincount(places)
    share = np.array([np.bincount(places, rng.random(len(p)) < p) for _ in range(resamples)]) / size
    with np.errstate(divide="ignore", invalid="ignore"):  # a bin of one unit has no variance
        variances = share * (1 - share) / (size - 1)
    promised = np.bincount(places, p) / size
    found = _errors(share, promised, size / len(p), variances)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
