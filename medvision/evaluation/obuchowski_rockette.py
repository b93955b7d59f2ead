"""The analysis of variance of Obuchowski and Rockette, with Hillis' degrees of freedom."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc, fdtrc, stdtr, stdtrit

from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, Comparison, Estimate
from medvision.evaluation.inputs import Floats
from medvision.evaluation.roc import NO_VARIANCE

Scope = Literal["RRRC", "FRRC", "RRFC"]


@dataclass(frozen=True)
class VarianceComponents:
    """Mean squares and covariances of figures of merit.

    Attributes:
        ms_treatment: MS(T); NaN with one treatment.
        ms_reader: MS(R).
        ms_treatment_reader: MS(TR); NaN with one treatment.
        variance: Mean variance of one figure.
        cov1: Same reader, different treatments.
        cov2: Different readers, same treatment.
        cov3: Different readers, different treatments.

    Example:
        >>> VarianceComponents(0.005, 0.003, 0.0006, 0.0008, 0.0004, 0.0004, 0.0003).cov1
        0.0004
    """

    ms_treatment: float
    ms_reader: float
    ms_treatment_reader: float
    variance: float
    cov1: float
    cov2: float
    cov3: float

    def to_dict(self) -> dict[str, float]:
        """Plain values.

        Example:
            >>> VarianceComponents(1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0).to_dict()["cov2"]
            0.5
        """
        return asdict(self)

    def spread(self, readers: int, scope: Scope) -> tuple[float, float]:
        """The denominator of F and its degrees of freedom for one contrast of treatments.

        Example:
            >>> VarianceComponents(1.0, 1.0, 2.0, 1.0, 0.0, 0.0, 0.0).spread(5, "RRFC")
            (2.0, 1.0)
        """
        across = max(self.cov2 - self.cov3, 0.0)
        if scope == "FRRC":
            return self.variance - self.cov1 + (readers - 1) * across, math.inf
        noise = self.ms_treatment_reader + (readers * across if scope == "RRRC" else 0.0)
        ratio = noise / self.ms_treatment_reader if self.ms_treatment_reader > NO_VARIANCE else math.inf
        return noise, ratio**2


def variance_components(figures: Floats, covariance: Floats) -> VarianceComponents:
    """The components of a crossed study.

    Reference: Obuchowski and Rockette, Commun Stat Simul Comput 1995;24:285, doi:10.1080/03610919508813243.

    Args:
        figures: Shape ``(treatments, readers)``.
        covariance: Of the figures in row order, shape ``(treatments * readers, treatments * readers)``.

    Example:
        >>> variance_components(np.array([[0.8, 0.9], [0.7, 0.8]]), np.eye(4)).variance
        1.0
    """
    t, r = figures.shape
    by_treatment, by_reader, mean = figures.mean(axis=1), figures.mean(axis=0), figures.mean()
    rest = figures - by_treatment[:, None] - by_reader + mean
    four = covariance.reshape(t, r, t, r)
    total, variance = float(four.sum()), float(np.trace(covariance))
    one_reader = float(np.einsum("ajbj->", four))
    one_treatment = float(np.einsum("iaib->", four))
    pairs_t, pairs_r = t * (t - 1), r * (r - 1)
    nothing = math.nan
    return VarianceComponents(
        r * float(((by_treatment - mean) ** 2).sum()) / (t - 1) if t > 1 else nothing,
        t * float(((by_reader - mean) ** 2).sum()) / (r - 1),
        float((rest**2).sum()) / ((t - 1) * (r - 1)) if t > 1 else nothing,
        variance / (t * r),
        (one_reader - variance) / (pairs_t * r) if t > 1 else nothing,
        (one_treatment - variance) / (t * pairs_r),
        (total - one_reader - one_treatment + variance) / (pairs_t * pairs_r) if t > 1 else nothing,
    )


def treatment_test(
    parts: VarianceComponents, treatments: int, readers: int, scope: Scope
) -> tuple[float, float, float]:
    """The test that all treatments are equal: statistic, denominator degrees of freedom, p.

    F for random readers (Hillis, Stat Med 2007;26:596, doi:10.1002/sim.2532), chi-square over its degrees of
    freedom for fixed.

    Example:
        >>> parts = VarianceComponents(0.0, 1.0, 2.0, 1.0, 0.0, 0.0, 0.0)
        >>> treatment_test(parts, 2, 5, "RRRC")[2]
        1.0
    """
    noise, ratio = parts.spread(readers, scope)
    df = ratio * (treatments - 1) * (readers - 1)
    if parts.ms_treatment <= NO_VARIANCE:
        return 0.0, df, 1.0
    if noise <= NO_VARIANCE:
        return math.inf, df, math.nan
    f = parts.ms_treatment / noise
    if math.isinf(df):
        return f, df, float(chdtrc(treatments - 1, f * (treatments - 1)))
    return f, df, float(fdtrc(treatments - 1, df, f))


def t_comparison(
    difference: float,
    error: float,
    df: float,
    *,
    level: float,
    method: str,
    n: tuple[int, int],
    first: Estimate | None = None,
    second: Estimate | None = None,
) -> Comparison:
    """A difference with its t interval and test; z where ``df`` is infinite.

    Example:
        >>> print(t_comparison(0.1, 0.05, 10, level=0.95, method="t", n=(50, 50)))
        difference 0.100 (95% CI -0.011 to 0.211), p = 0.073
    """
    interval = t_interval(difference, error, df, level=level, method=method, n=n)
    if error**2 <= NO_VARIANCE:
        statistic, p = (
            (0.0, 1.0) if difference**2 <= NO_VARIANCE else (math.copysign(math.inf, difference), math.nan)
        )
    else:
        statistic = difference / error
        p = 2 * float(stdtr(df if math.isfinite(df) else 1e12, -abs(statistic)))
    return Comparison(interval, statistic, p, method, df, first, second)


def t_interval(
    value: float, error: float, df: float, *, level: float, method: str, n: tuple[int, int]
) -> Estimate:
    """An estimate with its t interval; degenerate and without limits where the error is 0.

    Example:
        >>> print(t_interval(0.9, 0.02, 10, level=0.95, method="t", n=(50, 50)))
        0.900 (95% CI 0.855–0.945)
    """
    if not error**2 > NO_VARIANCE:
        nothing = math.nan
        return Estimate(value, nothing, nothing, level, method, n[0], n[1], DEGENERATE_VARIANCE, error)
    half = float(stdtrit(df if math.isfinite(df) else 1e12, (1 + level) / 2)) * error
    return Estimate(value, value - half, value + half, level, method, n[0], n[1], OK, error)


def mean_spread(figures: Floats, covariance: Floats, scope: Scope) -> tuple[float, float]:
    """Standard error and degrees of freedom of the mean figure of readers under one treatment.

    Example:
        >>> error, df = mean_spread(np.array([0.8, 0.9]), np.zeros((2, 2)), "RRFC")
        >>> round(error, 3), df
        (0.05, 1.0)
    """
    readers = len(figures)
    parts = variance_components(figures[None, :], covariance)
    shared = max(parts.cov2, 0.0)
    if scope == "FRRC":
        return math.sqrt((parts.variance + (readers - 1) * shared) / readers), math.inf
    noise = parts.ms_reader + (readers * shared if scope == "RRRC" else 0.0)
    if parts.ms_reader <= NO_VARIANCE:
        return math.sqrt(noise / readers), math.inf
    return math.sqrt(noise / readers), (noise / parts.ms_reader) ** 2 * (readers - 1)
