"""Do probabilities mean what they say? Calibration, Brier score and expected calibration error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, ONE_CLASS, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    checked_probabilities,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.probability_bins import NO_INTERVAL, Binning, bin_places
from medvision.evaluation.proportions import proportion
from medvision.evaluation.resampling import bootstrap
from medvision.evaluation.sampled_draws import SAMPLINGS, Sampling

_CLIP = 1e-10
SEPARATION = "perfect_separation"


@dataclass(frozen=True)
class CalibrationBin:
    """Units of similar probability.

    Attributes:
        low: Lowest probability of the bin.
        high: Highest probability of the bin.
        n_units: Units in it.
        mean_probability: What was promised.
        observed: What happened.

    Example:
        >>> calibration([0, 1], [0.2, 0.8], bins=2).bins[0].n_units
        1
    """

    low: float
    high: float
    n_units: int
    mean_probability: float
    observed: Estimate


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be taken at their word.

    Attributes:
        intercept: Calibration in the large: 0 if as many units are positive as promised; above 0 if more.
        slope: 1 if the spread is right; below 1 if probabilities are too extreme.
        brier: Mean squared difference between probability and outcome.
        brier_scaled: 1 - Brier / that of the prevalence: 0 knows nothing, 1 is perfect.
        ece: Expected calibration error; no interval, because it cannot fall below 0 and is biased upwards:
            :func:`medvision.evaluation.calibration_error` takes the bias off.
        ece_if_calibrated: Where the ECE would lie, at the same level, if the probabilities were right.
        spiegelhalter_z: Of the test that the Brier score is that of right probabilities.
        spiegelhalter_p: Its p-value.
        bins: What the ECE is made of.
        binning: How they were made.
        clipped: Probabilities of (nearly) 0 or 1 that were moved to fit intercept and slope.

    Example:
        >>> found = calibration([0, 0, 1, 0, 1, 1], [0.1, 0.3, 0.4, 0.6, 0.7, 0.9], bins=2)
        >>> found.brier.value.__round__(4), found.clipped
        (0.1533, 0)
    """

    intercept: Estimate
    slope: Estimate
    brier: Estimate
    brier_scaled: Estimate
    ece: Estimate
    ece_if_calibrated: tuple[float, float]
    spiegelhalter_z: float
    spiegelhalter_p: float
    bins: tuple[CalibrationBin, ...]
    binning: str
    clipped: int


def calibration(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "mass",
    patients: ArrayLike | None = None,
    sampling: Sampling = "cohort",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Calibration:
    """Calibration of probabilities on cases that neither trained nor calibrated the model.

    Intercept and slope are those of Cox (Biometrika 1958;45:562, doi:10.1093/biomet/45.3-4.562), with Wald
    intervals, robust to several units a patient where ``patients`` are given. Brier scores (Mon Weather Rev
    1950;78:1, doi:10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2; scaled: Steyerberg et al.,
    Epidemiology 2010;21:128, doi:10.1097/EDE.0b013e3181c30fb2) have the percentile bootstrap over patients,
    in which the number of positive patients varies, as in a cohort. The ECE is that of Naeini, Cooper and
    Hauskrecht (AAAI 2015, doi:10.1609/aaai.v29i1.9602), its range under right probabilities is simulated as
    by Bröcker and Smith (Weather Forecast 2007;22:651, doi:10.1175/WAF993.1), and the test is Spiegelhalter's
    (Stat Med 1986;5:421, doi:10.1002/sim.4780050506).

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        probabilities: Shape ``(n,)``, between 0 and 1, both included.
        bins: How many.
        binning: ``mass`` (as many units in each, ties together) or ``width`` ([low, high), the last one
            closed).
        patients: The patient of each unit.
        sampling: ``cohort`` (consecutive) or ``enriched`` (the share of positive units was chosen).
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap, and of the band of the ECE.
        seed: Of both.

    Returns:
        Every measure. Slope and intercept are undefined for one class, and the slope for perfect separation.

    Raises:
        EvaluationError: A value is no probability, or the lengths differ.

    Example:
        >>> labels = [0, 0, 0, 1, 1, 1, 0, 1, 0, 1]
        >>> found = calibration(
        ...     labels, [0.05, 0.15, 0.15, 0.95, 0.85, 0.65, 0.35, 0.45, 0.55, 0.75], binning="width"
        ... )
        >>> round(found.ece.value, 4), round(found.brier.value, 4)
        (0.26, 0.0985)
    """
    checked_level(level)
    one_of(binning, ("mass", "width"), "binning")
    one_of(sampling, SAMPLINGS, "sampling")
    if bins < 1:
        raise EvaluationError(f"bins={bins}: at least one is needed")
    truth = binary_labels(labels, positive=positive, patients=patients)
    p = checked_probabilities(probabilities)
    same_length(len(truth), probabilities=p)
    codes = patient_codes(patients, len(truth))
    owners = None if patients is None else codes
    places = bin_places(p, bins, binning)
    brier, scaled = _brier(truth, p, owners, sampling, level, resamples, seed)
    z = _spiegelhalter(truth, p)
    n, m, made = len(p), len(np.unique(codes)), f"{bins} bins of equal {binning}"
    ece = Estimate(
        _ece(truth.astype(float), p, places), math.nan, math.nan, level, made, n, m,
        NO_INTERVAL if n else UNDEFINED_NO_UNITS,
    )  # fmt: skip
    return Calibration(
        _cox(truth, p, codes, level, with_slope=False),
        _cox(truth, p, codes, level, with_slope=True),
        brier,
        scaled,
        ece,
        _band(p, places, level, resamples, seed),
        z,
        float(2 * ndtr(-abs(z))),
        _bins(truth, p, places, level),
        made,
        int(((p < _CLIP) | (p > 1 - _CLIP)).sum()),
    )


def _cox(truth: Booleans, p: Floats, codes: Integers, level: float, *, with_slope: bool) -> Estimate:
    name = "logistic recalibration, Wald" if with_slope else "logistic recalibration with offset, Wald"
    n, m = len(p), len(np.unique(codes))
    if truth.all() or not truth.any():
        status = ONE_CLASS if n else UNDEFINED_NO_UNITS
        return Estimate(math.nan, math.nan, math.nan, level, name, n, m, status)
    x = logit(np.clip(p, _CLIP, 1 - _CLIP))
    if with_slope and (x[truth].min() >= x[~truth].max() or x[truth].max() <= x[~truth].min()):
        status = DEGENERATE_VARIANCE if np.ptp(x) == 0 else SEPARATION
        return Estimate(math.nan, math.nan, math.nan, level, name, n, m, status)
    design = np.column_stack([np.ones(n), x]) if with_slope else np.ones((n, 1))
    beta, covariance = _logistic(design, truth.astype(float), np.zeros(n) if with_slope else x, codes)
    value, error = float(beta[-1]), math.sqrt(float(covariance[-1, -1]))
    half = float(ndtri((1 + level) / 2)) * error
    return Estimate(value, value - half, value + half, level, name, n, m, OK, error)


def fit_logistic(design: Floats, targets: Floats) -> Floats:
    """Coefficients of a logistic regression by maximum likelihood; the targets may be shares.

    Args:
        design: Shape ``(n, k)``, a column of ones included where an intercept is wanted.
        targets: Shape ``(n,)``, 0 to 1.

    Example:
        >>> fit_logistic(np.ones((4, 1)), np.array([0.0, 1.0, 1.0, 1.0])).round(4).tolist()
        [1.0986]
    """
    return _logistic(design, targets, np.zeros(len(targets)), np.arange(len(targets)))[0]


def _logistic(design: Floats, y: Floats, offset: Floats, codes: Integers) -> tuple[Floats, Floats]:
    """Maximum likelihood by Newton's method, and the covariance, robust where patients have several units."""
    beta = np.zeros(design.shape[1])
    for _ in range(100):
        fitted = expit(design @ beta + offset)
        information = (design * (fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (y - fitted))
        # Halving long steps keeps Newton's method from running away on steep likelihoods.
        beta = beta + step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(step).max() < 1e-10:
            break
    fitted = expit(design @ beta + offset)
    weighted = (design * (fitted * (1 - fitted))[:, None]).T @ design
    inverse = np.asarray(np.linalg.inv(weighted), dtype=np.float64)
    m = int(codes.max()) + 1
    if m == len(codes):
        return np.asarray(beta, dtype=np.float64), inverse
    scores = design * (y - fitted)[:, None]
    sums = np.column_stack([np.bincount(codes, weights=column, minlength=m) for column in scores.T])
    robust: Floats = inverse @ (sums.T @ sums * m / max(m - 1, 1)) @ inverse
    return np.asarray(beta, dtype=np.float64), robust


def _brier(
    truth: Booleans,
    p: Floats,
    codes: Integers | None,
    sampling: Sampling,
    level: float,
    resamples: int,
    seed: int,
) -> tuple[Estimate, Estimate]:
    if len(p) == 0:
        nothing = Estimate(math.nan, math.nan, math.nan, level, "bootstrap", 0, 0, UNDEFINED_NO_UNITS)
        return nothing, nothing
    table = {"label": truth.astype(float), "error": (p - truth) ** 2}
    found = bootstrap(
        {"brier": "mean:error", "share": "mean:label"},
        table,
        patients=codes,
        resamples=resamples,
        seed=seed,
        level=level,
        stratified=sampling == "enriched",
    )
    brier, share = found["brier"], found["share"]
    if share.value in (0.0, 1.0):
        nothing = Estimate(
            math.nan, math.nan, math.nan, level, brier.method, len(p), brier.n_patients, ONE_CLASS
        )
        return brier, nothing
    spread = share.replicates * (1 - share.replicates)
    # A draw of one class has no scaled score.
    replicates = 1 - brier.replicates[spread > 0] / spread[spread > 0]
    tails = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    varies = brier.status != DEGENERATE_VARIANCE
    scaled = Estimate(
        1 - brier.value / (share.value * (1 - share.value)),
        float(tails[0]) if varies else math.nan,
        float(tails[1]) if varies else math.nan,
        level, brier.method, len(p), brier.n_patients, brier.status, float(replicates.std(ddof=1)), seed,
    )  # fmt: skip
    return brier, scaled


def _spiegelhalter(truth: Booleans, p: Floats) -> float:
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    return float(((truth - p) * (1 - 2 * p)).sum()) / math.sqrt(variance) if variance > 0 else math.nan


def _ece(y: Floats, p: Floats, places: Integers) -> float:
    if len(p) == 0:
        return math.nan
    return float(np.abs(np.bincount(places, weights=y - p)).sum() / len(p))


def _band(p: Floats, places: Integers, level: float, resamples: int, seed: int) -> tuple[float, float]:
    if len(p) == 0:
        return math.nan, math.nan
    rng, order = np.random.default_rng(seed), np.argsort(p, kind="stable")
    p, places = p[order], places[order]  # so that the draws do not depend on the rows
    simulated = [_ece((rng.random(len(p)) < p).astype(float), p, places) for _ in range(min(resamples, 1000))]
    low, high = np.quantile(simulated, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _bins(truth: Booleans, p: Floats, places: Integers, level: float) -> tuple[CalibrationBin, ...]:
    found = []
    for place in np.unique(places):
        own = places == place
        observed = proportion(int(truth[own].sum()), int(own.sum()), level=level)
        mean = float(p[own].mean())
        found.append(CalibrationBin(float(p[own].min()), float(p[own].max()), int(own.sum()), mean, observed))
    return tuple(found)
