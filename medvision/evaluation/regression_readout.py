"""A predicted number against its reference: errors, explained share, agreement and correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from medvision.evaluation.class_inputs import content_order
from medvision.evaluation.estimates import (
    DEGENERATE_VARIANCE,
    FEW_UNITS,
    OK,
    UNDEFINED_NO_UNITS,
    Estimate,
    undefined,
)
from medvision.evaluation.inputs import (
    Floats,
    checked_level,
    finite_scores,
    patient_codes,
    same_length,
)
from medvision.evaluation.joint_draws import BOOTSTRAP, joint_bootstrap
from medvision.evaluation.weighted_metrics import WeightedMetric
from medvision.evaluation.weighted_regression import (
    bias,
    concordance_correlation,
    explained_share,
    mean_absolute_error,
    pearson,
    root_mean_squared_error,
    spearman,
)

CONSTANT = "constant_values"

_METRICS = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "bias": bias,
    "r_squared": explained_share,
    "ccc": concordance_correlation,
    "pearson": pearson,
    "spearman": spearman,
}


@dataclass(frozen=True)
class RegressionScores:
    """A predicted number against its reference.

    Attributes:
        mae: Mean absolute error, in the unit of the reference.
        rmse: Root of the mean squared error, in the unit of the reference.
        bias: Mean of prediction minus reference.
        r_squared: 1 - SSE / SST: the share of the squared distance from the mean of the reference that the
            prediction explains. Below 0 where the mean would predict better; not the squared correlation.
        ccc: Lin's concordance correlation: 1 where every prediction equals its reference.
        pearson: Correlation along any straight line.
        spearman: Correlation of the ranks.

    Example:
        >>> found = regression_scores([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 2.0, 3.0, 5.0, 5.0])
        >>> found.mae.value, round(found.ccc.value, 3)
        (0.4, 0.9)
    """

    mae: Estimate
    rmse: Estimate
    bias: Estimate
    r_squared: Estimate
    ccc: Estimate
    pearson: Estimate
    spearman: Estimate

    def estimates(self) -> dict[str, Estimate]:
        """All of them by name.

        Example:
            >>> list(regression_scores([1, 2, 3], [1, 2, 4]).estimates())[:2]
            ['mae', 'rmse']
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}


def regression_scores(
    reference: ArrayLike,
    prediction: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> RegressionScores:
    """Errors, explained share, agreement and correlation of a predicted number, each with its interval.

    With one unit a patient: Student's t for the bias; Fisher's z for the correlations, with the variance
    1 / (n - 3) for Pearson's and (1 + r² / 2) / (n - 3) for Spearman's (Bonett and Wright, Psychometrika
    2000;65:23), and Lin's variance of z for his coefficient (Biometrics 1989;45:255, as corrected in
    2000;56:324). These of Pearson and Lin assume that both numbers are jointly normal. With several units a
    patient, and always for MAE, RMSE and R², it is the percentile bootstrap over patients, in which all see
    the same draws.

    Args:
        reference: The measured number of each unit, shape ``(n,)``.
        prediction: The predicted number, in the same unit.
        patients: The patient of each unit.
        resamples: Of the bootstrap.
        seed: Of the bootstrap; it draws the same whatever the order of the rows.
        level: Confidence level.

    Returns:
        Every measure; R² and the correlations are NaN (``constant_values``) where a number does not vary.

    Raises:
        EvaluationError: A value is not finite, or the lengths differ.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> volume = rng.normal(30, 8, 50)
        >>> print(regression_scores(volume, volume + rng.normal(1, 3, 50)).ccc)
        0.907 (95% CI 0.844–0.946)
    """
    checked_level(level)
    x = finite_scores(reference, name="reference", patients=patients)
    y = finite_scores(prediction, name="prediction", patients=patients)
    same_length(len(x), prediction=y)
    codes = patient_codes(patients, len(x))
    if len(x) == 0:
        blank = undefined(UNDEFINED_NO_UNITS, level=level, method=BOOTSTRAP, n_units=0, n_patients=0)
        return RegressionScores(**dict.fromkeys(_METRICS, blank))
    order = content_order(codes, patients, y, x)
    x, y = x[order], y[order]
    codes = codes if patients is None else codes[order]
    owners = len(np.unique(codes))
    metrics = {name: build(x, y) for name, build in _METRICS.items()}
    closed = _closed(metrics, x, y, level) if owners == len(x) else {}
    drawn = {name: metric for name, metric in metrics.items() if name not in closed}
    found = joint_bootstrap(
        drawn, np.zeros(owners, dtype=np.int64), codes, resamples=resamples, seed=seed, level=level
    )
    constant = {"r_squared"} if np.ptp(x) == 0 else set()
    constant |= {"ccc", "pearson", "spearman"} if np.ptp(x) == 0 or np.ptp(y) == 0 else set()
    return RegressionScores(
        **{name: _constant(one) if name in constant else one for name, one in (found | closed).items()}
    )


def _constant(found: Estimate) -> Estimate:
    return replace(found, value=math.nan, low=math.nan, high=math.nan, status=CONSTANT, standard_error=None)


def _closed(metrics: dict[str, WeightedMetric], x: Floats, y: Floats, level: float) -> dict[str, Estimate]:
    """The measures that have an interval in closed form where units are independent."""
    n = len(x)
    value = {name: float(metric(np.ones((1, n)))[0]) for name, metric in metrics.items()}
    r, rank = value["pearson"], value["spearman"]
    return {
        "bias": _mean_gap(y - x, level),
        "ccc": _on_z(value["ccc"], _lin_variance(x, y, value["ccc"], r), "Lin, z", n, level),
        "pearson": _on_z(r, 1 / (n - 3) if n > 3 else math.nan, "Fisher's z", n, level),
        "spearman": _on_z(
            rank, (1 + rank**2 / 2) / (n - 3) if n > 3 else math.nan, "Bonett-Wright, z", n, level
        ),
    }


def _mean_gap(gap: Floats, level: float) -> Estimate:
    n, value = len(gap), float(gap.mean())
    if n < 2 or np.ptp(gap) == 0:
        return Estimate(value, math.nan, math.nan, level, "t", n, n, DEGENERATE_VARIANCE)
    error = float(gap.std(ddof=1)) / math.sqrt(n)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return Estimate(value, value - half, value + half, level, "t", n, n, _few(n), error)


def _lin_variance(x: Floats, y: Floats, c: float, r: float) -> float:
    """Variance of Fisher's z of Lin's coefficient, with the correction of 2000."""
    n = len(x)
    if n < 3 or not (0 < abs(c) < 1 and abs(r) > 0):
        return math.nan
    shift = float(x.mean() - y.mean()) ** 2 / math.sqrt(float(x.var()) * float(y.var()))
    spread = (1 - r**2) * c**2 / ((1 - c**2) * r**2)
    spread += 2 * c**3 * (1 - c) * shift / (r * (1 - c**2) ** 2)
    spread -= c**4 * shift**2 / (2 * r**2 * (1 - c**2) ** 2)
    return max(spread, 0.0) / (n - 2)


def _on_z(value: float, variance: float, method: str, n: int, level: float) -> Estimate:
    if not variance > 0 or not abs(value) < 1 - 1e-12:
        return Estimate(value, math.nan, math.nan, level, method, n, n, DEGENERATE_VARIANCE)
    half = float(ndtri((1 + level) / 2)) * math.sqrt(variance)
    z = math.atanh(value)
    error = math.sqrt(variance) * (1 - value**2)
    return Estimate(value, math.tanh(z - half), math.tanh(z + half), level, method, n, n, _few(n), error)


def _few(n: int) -> str:
    return OK if n >= 10 else FEW_UNITS
