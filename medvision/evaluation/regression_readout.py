"""A predicted number against its reference: errors, explained share, agreement and correlation."""

from __future__ import annotations

import math
from collections.abc import Callable
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
    Integers,
    checked_level,
    finite_scores,
    patient_codes,
    same_length,
)
from medvision.evaluation.joint_draws import joint_bootstrap
from medvision.evaluation.weighted_ranks import weighted_spearman

CONSTANT = "constant_values"
ONE_PATIENT = "one_patient"


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

    Each interval but that of Spearman's correlation is Student's t on m - 1 degrees of freedom with a
    standard error that sums, over the m patients, the squares of what each adds to the measure (delta
    method): on the plain scale for the bias (with one unit a patient it is the t interval of a mean), on that
    of the logarithm for MAE, RMSE and 1 - R², on Fisher's z for the correlations. With one unit a patient,
    Pearson's correlation has Fisher's variance 1 / (n - 3) and a normal quantile, Spearman's
    (1 + r² / 2) / (n - 3) (Bonett and Wright, Psychometrika 2000;65:23, doi:10.1007/BF02294183), and Lin's
    coefficient Lin's variance (Biometrics 1989;45:255, doi:10.2307/2532051, as corrected in Biometrics
    2000;56:324, doi:10.1111/j.0006-341X.2000.00324.x); those of Pearson and Lin assume that both numbers are
    jointly normal. Spearman's with several units a patient has the percentile bootstrap over patients.

    Args:
        reference: The measured number of each unit, shape ``(n,)``.
        prediction: The predicted number, in the same unit.
        patients: The patient of each unit.
        resamples: Of the bootstrap of Spearman's correlation.
        seed: Of the bootstrap; it draws the same whatever the order of the rows.
        level: Confidence level.

    Returns:
        Every measure; R² and the correlations are NaN (``constant_values``) where a number does not vary.

    Raises:
        EvaluationError: A value is not finite, or the lengths differ.

    Example:
        The peak flows of Bland and Altman (1986), a standard deviation of 38.8 l/min about a mean difference
        of -2.1:

        >>> from medvision.evaluation.published import pefr
        >>> wright, mini = pefr()
        >>> found = regression_scores(mini, wright, resamples=500)
        >>> found.bias.text(1), round((38.8**2 * 16 / 17 + 2.1**2) ** 0.5, 1), round(found.rmse.value, 1)
        ('-2.1 (95% CI -22.0 to 17.8)', 37.7, 37.7)
        >>> print(found.ccc)
        0.943 (95% CI 0.850–0.979)
    """
    checked_level(level)
    x = finite_scores(reference, name="reference", patients=patients)
    y = finite_scores(prediction, name="prediction", patients=patients)
    same_length(len(x), prediction=y)
    codes = patient_codes(patients, len(x))
    if len(x) == 0:
        blank = undefined(UNDEFINED_NO_UNITS, level=level, method="t", n_units=0, n_patients=0)
        return RegressionScores(*[blank] * len(fields(RegressionScores)))
    order = content_order(codes, patients, y, x)
    x, y = x[order], y[order]
    codes = codes if patients is None else codes[order]
    found = _errors(x, y, codes, level)
    single = len(np.unique(codes)) == len(x)
    found |= (
        _plain_correlations(x, y, level) if single else _correlations(x, y, codes, resamples, seed, level)
    )
    constant = {"r_squared"} if np.ptp(x) == 0 else set()
    constant |= {"ccc", "pearson", "spearman"} if np.ptp(x) == 0 or np.ptp(y) == 0 else set()
    return RegressionScores(
        **{name: _constant(one) if name in constant else one for name, one in found.items()}
    )


def _constant(found: Estimate) -> Estimate:
    return replace(found, value=math.nan, low=math.nan, high=math.nan, status=CONSTANT, standard_error=None)


def _errors(x: Floats, y: Floats, codes: Integers, level: float) -> dict[str, Estimate]:
    """Errors and R²: what each unit adds to them on their scales, and the t intervals."""
    gap, spread = y - x, (x - x.mean()) ** 2
    size, square = float(np.abs(gap).mean()), float((gap**2).mean())
    total = float(spread.mean())
    on_log = [np.log, np.exp]
    return {
        "mae": _on_scale(size, np.abs(gap) / (size or math.nan), codes, level, "log, t", *on_log),
        "rmse": _on_scale(
            math.sqrt(square), gap**2 / (2 * square or math.nan), codes, level, "log, t", *on_log
        ),
        "bias": _on_scale(float(gap.mean()), gap, codes, level, "t", np.positive, np.positive),
        "r_squared": _on_scale(
            1 - square / total if total else math.nan,
            spread / (total or math.nan) - gap**2 / (square or math.nan),
            codes, level, "log of 1 - R², t", lambda r: -np.log(1 - r), lambda z: 1 - np.exp(-z),
        ),
    }  # fmt: skip


def _correlations(
    x: Floats, y: Floats, codes: Integers, resamples: int, seed: int, level: float
) -> dict[str, Estimate]:
    """Correlations where patients have several units."""
    a, b = x - x.mean(), y - y.mean()
    first, second = float((a**2).mean()), float((b**2).mean())
    shift = float(x.mean() - y.mean())
    r, c = _pearson(x, y), _lin(x, y)
    whole = (first + second + shift**2) or math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        of_c = (2 * a * b - c * (a**2 + b**2 + 2 * shift * (a - b))) / whole / (1 - c**2)
        of_r = (a * b / math.sqrt(first * second or math.nan)
                - r / 2 * (a**2 / first + b**2 / second)) / (1 - r**2)  # fmt: skip
    owners = len(np.unique(codes))
    rank = joint_bootstrap(
        {"spearman": weighted_spearman(x, y)}, np.zeros(owners, dtype=np.int64), codes,
        resamples=resamples, seed=seed, level=level,
    )  # fmt: skip
    return {
        "ccc": _on_scale(c, of_c, codes, level, "z, t", np.arctanh, np.tanh),
        "pearson": _on_scale(r, of_r, codes, level, "z, t", np.arctanh, np.tanh),
        **rank,
    }


def _plain_correlations(x: Floats, y: Floats, level: float) -> dict[str, Estimate]:
    """Correlations of independent units, with the variances of the literature."""
    n, r, c = len(x), _pearson(x, y), _lin(x, y)
    rank = float(weighted_spearman(x, y)(np.ones((1, n)))[0])
    degrees = n - 3 if n > 3 else math.nan
    return {
        "ccc": _on_z(c, _lin_variance(x, y, c, r), "Lin, z", n, level),
        "pearson": _on_z(r, 1 / degrees, "Fisher's z", n, level),
        "spearman": _on_z(rank, (1 + rank**2 / 2) / degrees, "Bonett-Wright, z", n, level),
    }


def _pearson(x: Floats, y: Floats) -> float:
    a, b = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale else math.nan


def _lin(x: Floats, y: Floats) -> float:
    a, b = x - x.mean(), y - y.mean()
    whole = float(a @ a + b @ b) + len(x) * float(x.mean() - y.mean()) ** 2
    return 2 * float(a @ b) / whole if whole else math.nan


def _on_scale(
    value: float,
    added: Floats,
    codes: Integers,
    level: float,
    method: str,
    forward: Callable[[float], float],
    back: Callable[[float], float],
) -> Estimate:
    """A t interval on another scale, from what each unit adds there (up to a constant)."""
    n, m = len(added), len(np.unique(codes))
    sums = np.bincount(codes, weights=added - added.mean())
    error = math.sqrt(m / (m - 1) * float(sums @ sums)) / n if m > 1 else math.nan
    if not error > 1e-12:
        status = ONE_PATIENT if m == 1 else DEGENERATE_VARIANCE
        return Estimate(value, math.nan, math.nan, level, method, n, m, status)
    half, centre = float(stdtrit(m - 1, (1 + level) / 2)) * error, float(forward(value))
    low, high = float(back(centre - half)), float(back(centre + half))
    plain = (float(back(centre + error / 1e4)) - float(back(centre - error / 1e4))) / 2e-4
    return Estimate(value, low, high, level, method, n, m, _few(m), plain)


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
