"""Power and size of a reader study of two treatments, from the components of a pilot."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import fdtri, ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Floats, checked_level, one_of
from medvision.evaluation.multi_reader import SCOPES
from medvision.evaluation.obuchowski_rockette import Scope, VarianceComponents


def power_reader_study(
    components: VarianceComponents,
    *,
    difference: float,
    readers: int,
    cases: int,
    pilot_cases: int,
    scope: Scope = "RRRC",
    alpha: float = 0.05,
) -> float:
    """The chance that a study of two treatments finds a difference.

    The non-central F of Hillis, Obuchowski and Berbaum (Acad Radiol 2011;18:129,
    doi:10.1016/j.acra.2010.09.007), for fixed readers the non-central chi-square. Covariances shrink with the
    number of cases at the pilot's share of diseased ones; negative components count as 0.

    Args:
        components: Of a pilot of two treatments.
        difference: True difference of the mean figures of merit.
        readers: Of the planned study.
        cases: Of the planned study.
        pilot_cases: On which the components rest.
        scope: ``RRRC`` (readers and cases random), ``FRRC`` (readers fixed) or ``RRFC`` (cases fixed).
        alpha: Two-sided level of the test.

    Raises:
        EvaluationError: A number is out of its range.

    Example:
        The components that `reader_study` finds in Van Dyke's ratings (114 cases, 5 readers, 2 treatments),
        for which the vignette of the R package ``RJafroc`` prints a power of 0.8005403 with 6 readers and 251
        cases:

        >>> pilot = VarianceComponents(
        ...     ms_treatment=0.0047961705, ms_reader=0.0038362000, ms_treatment_reader=0.0005510306,
        ...     variance=0.0008022883, cov1=0.0003466137, cov2=0.0003440748, cov3=0.0002390284)
        >>> how = {"difference": 0.043800322, "pilot_cases": 114}
        >>> round(power_reader_study(pilot, readers=6, cases=251, **how), 5)
        0.80054
    """
    checked_level(alpha)
    one_of(scope, SCOPES, "scope")
    wrong = [
        f"{name}={value}: at least 2"
        for name, value in (("readers", readers), ("cases", cases), ("pilot_cases", pilot_cases))
        if value < 2
    ]
    if wrong:
        raise EvaluationError("the study cannot be planned from these numbers", problems=wrong)
    across = max(components.cov2 - components.cov3, 0.0)
    own = components.variance - components.cov1
    interaction = max(components.ms_treatment_reader - own + across, 0.0)
    shrink = pilot_cases / cases
    mean_square = interaction + shrink * max(own - across, 0.0)
    noise = {
        "RRRC": mean_square + shrink * readers * across,
        "RRFC": mean_square,
        "FRRC": shrink * (max(own, 0.0) + (readers - 1) * across),
    }[scope]
    if not min(noise, math.inf if scope == "FRRC" else mean_square) > 0:
        raise EvaluationError("the components leave no variance between readings; a power needs one")
    beyond = readers * difference**2 / (2 * noise)
    if scope == "FRRC":
        reach = math.sqrt(beyond) - float(ndtri(1 - alpha / 2))
        return float(ndtr(reach) + ndtr(reach - 2 * math.sqrt(beyond)))
    df = (noise / mean_square) ** 2 * (readers - 1)
    return _beyond_critical(math.sqrt(beyond), df, float(fdtri(1, df, 1 - alpha)))


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    return nodes, weights


def _beyond_critical(shift: float, df: float, critical: float) -> float:
    """The chance that a non-central F of 1 and ``df`` degrees of freedom exceeds a value.

    The mean of P(|Z + shift| > s √critical) over s, the square root of chi-square over its degrees of
    freedom, by Gauss and Legendre's rule. scipy's own function is NaN for some large shifts.
    """
    half = 10 / math.sqrt(2 * df)
    low, high = max(0.0, 1 - half), 1 + half
    nodes, weights = _gauss_legendre()
    s = low + (nodes + 1) / 2 * (high - low)
    density = (df - 1) * np.log(s) - df * (s**2 - 1) / 2
    weights = weights * np.exp(density - density.max())
    limit = math.sqrt(critical) * s
    return float(weights @ (ndtr(shift - limit) + ndtr(-shift - limit)) / weights.sum())


def sample_size_reader_study(
    components: VarianceComponents,
    *,
    difference: float,
    readers: int,
    pilot_cases: int,
    power: float = 0.8,
    scope: Scope = "RRRC",
    alpha: float = 0.05,
    most_cases: int = 100_000,
) -> int:
    """The fewest cases with which so many readers reach the power.

    The power is that of :func:`power_reader_study`: Hillis, Obuchowski and Berbaum, Acad Radiol 2011;18:129,
    doi:10.1016/j.acra.2010.09.007.

    Args:
        components: Of a pilot of two treatments.
        difference: True difference of the mean figures of merit.
        readers: Of the planned study.
        pilot_cases: On which the components rest.
        power: That is wanted.
        scope: As for :func:`power_reader_study`.
        alpha: Two-sided level of the test.
        most_cases: Where the search ends.

    Raises:
        EvaluationError: No number of cases up to ``most_cases`` reaches it; more readers are needed.

    Example:
        The components that `reader_study` finds in Van Dyke's ratings (114 cases, 5 readers, 2 treatments),
        for which the vignette of the R package ``RJafroc`` prints 251 cases for 6 readers, 188 for 8 and 163
        for 10:

        >>> pilot = VarianceComponents(
        ...     ms_treatment=0.0047961705, ms_reader=0.0038362000, ms_treatment_reader=0.0005510306,
        ...     variance=0.0008022883, cov1=0.0003466137, cov2=0.0003440748, cov3=0.0002390284)
        >>> how = {"difference": 0.043800322, "pilot_cases": 114}
        >>> [sample_size_reader_study(pilot, readers=readers, **how) for readers in (6, 8, 10)]
        [251, 188, 163]
    """
    checked_level(power)

    def reached(cases: int) -> bool:
        found = power_reader_study(
            components, difference=difference, readers=readers, cases=cases,
            pilot_cases=pilot_cases, scope=scope, alpha=alpha,
        )  # fmt: skip
        return found >= power

    if not reached(most_cases):
        raise EvaluationError(
            f"{readers} readers do not reach a power of {power:g} with {most_cases} cases; plan more readers"
        )
    low, high = 1, most_cases
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
