"""One proportion and its interval: sensitivity, specificity, accuracy, where units are independent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from scipy.special import betainc, betaincinv, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import FEW_UNITS, OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import checked_level, is_count, one_of

ProportionMethod = Literal["wilson", "wilson_cc", "exact", "midp", "agresti_coull", "jeffreys"]

_FEW = 10


def proportion(
    successes: int, n: int, *, method: ProportionMethod = "wilson", level: float = 0.95
) -> Estimate:
    """The proportion of successes among independent units.

    With fewer than 10 units the interval is the exact one whatever was asked, and the status says so.
    Without units the value is NaN and the interval (0, 1): nothing is known, which is not the same as 0.

    Args:
        successes: How many units succeeded, 0 to ``n``.
        n: How many units there are.
        method: ``wilson`` (score; Wilson, J Am Stat Assoc 1927;22:209, doi:10.1080/01621459.1927.10502953),
            ``wilson_cc`` (with continuity correction; method 4 of Newcombe, Stat Med 1998;17:857,
            doi:10.1002/(SICI)1097-0258(19980430)17:8%3C857::AID-SIM777%3E3.0.CO;2-E), ``exact`` (Clopper and
            Pearson, Biometrika 1934;26:404, doi:10.1093/biomet/26.4.404), ``midp``, ``agresti_coull`` (Am
            Stat 1998;52:119, doi:10.1080/00031305.1998.10480550; clipped to [0, 1]), or ``jeffreys``
            (equal-tailed; Brown, Cai and DasGupta, Stat Sci 2001;16:101, doi:10.1214/ss/1009213286).
        level: Confidence level.

    Returns:
        The proportion. ``low`` is exactly 0 where nothing succeeded, ``high`` exactly 1 where everything did.

    Raises:
        EvaluationError: The counts are impossible, or the method is not known.

    Example:
        Newcombe (1998), table I, prints 0.2553 to 0.3662 for 81 of 263, and 0.2527 to 0.3676 for the exact
        interval:

        >>> proportion(81, 263).text(4)
        '0.3080 (95% CI 0.2553–0.3662)'
        >>> proportion(81, 263, method="exact").text(4)
        '0.3080 (95% CI 0.2527–0.3676)'
        >>> print(proportion(0, 0))
        undefined (no units)
    """
    successes, n = _count(successes, "successes"), _count(n, "n")
    if successes > n:
        raise EvaluationError(f"{successes} successes of {n} units: more successes than units")
    checked_level(level)
    one_of(method, tuple(_LIMITS), "method")
    if n == 0:
        return Estimate(math.nan, 0.0, 1.0, level, method, 0, 0, UNDEFINED_NO_UNITS)
    used: ProportionMethod = "exact" if n < _FEW else method
    low, high = proportion_limits(successes, n, method=used, level=level)
    p = successes / n
    return Estimate(
        p, low, high, level, used, n, n, FEW_UNITS if n < _FEW else OK, math.sqrt(p * (1 - p) / n)
    )


def proportion_limits(
    successes: float, n: float, *, method: ProportionMethod = "wilson", level: float = 0.95
) -> tuple[float, float]:
    """The two limits of an interval for one proportion, for counts that need not be whole.

    Args:
        successes: Successes, or an effective number of them.
        n: Units, or an effective number of them; more than 0.
        method: As for :func:`proportion`.
        level: Confidence level.

    Returns:
        Low and high, within [0, 1].

    Example:
        >>> [round(limit, 4) for limit in proportion_limits(81, 263)]
        [0.2553, 0.3662]
    """
    low, high = _LIMITS[method](float(successes), float(n), 1 - level)
    # Floating point leaves a residue such as 1e-17 where the limit is exactly 0 or 1.
    low = 0.0 if successes <= 0 else min(max(float(low), 0.0), successes / n)
    high = 1.0 if successes >= n else max(min(float(high), 1.0), successes / n)
    return low, high


def _wilson(k: float, n: float, alpha: float) -> tuple[float, float]:
    z = ndtri(1 - alpha / 2)
    p = k / n
    centre = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


def _wilson_cc(k: float, n: float, alpha: float) -> tuple[float, float]:
    z = ndtri(1 - alpha / 2)
    p, q = k / n, 1 - k / n
    lower = z**2 - 2 - 1 / n + 4 * p * (n * q + 1)
    upper = z**2 + 2 - 1 / n + 4 * p * (n * q - 1)
    low = (2 * k + z**2 - 1 - z * math.sqrt(max(lower, 0))) / (2 * (n + z**2))
    high = (2 * k + z**2 + 1 + z * math.sqrt(max(upper, 0))) / (2 * (n + z**2))
    return low, high


def _exact(k: float, n: float, alpha: float) -> tuple[float, float]:
    low = betaincinv(k, n - k + 1, alpha / 2) if k > 0 else 0.0
    high = betaincinv(k + 1, n - k, 1 - alpha / 2) if k < n else 1.0
    return float(low), float(high)


def _midp(k: float, n: float, alpha: float) -> tuple[float, float]:
    from scipy.optimize import brentq

    def upper_tail(p: float) -> float:
        at_least = betainc(k, n - k + 1, p) if k > 0 else 1.0
        more = betainc(k + 1, n - k, p) if k < n else 0.0
        return float((at_least + more) / 2)

    low = brentq(lambda p: upper_tail(p) - alpha / 2, 0, 1, xtol=1e-14) if k > 0 else 0.0
    high = brentq(lambda p: 1 - upper_tail(p) - alpha / 2, 0, 1, xtol=1e-14) if k < n else 1.0
    return float(low), float(high)


def _agresti_coull(k: float, n: float, alpha: float) -> tuple[float, float]:
    z = ndtri(1 - alpha / 2)
    p = (k + z**2 / 2) / (n + z**2)
    half = z * math.sqrt(p * (1 - p) / (n + z**2))
    return p - half, p + half


def _jeffreys(k: float, n: float, alpha: float) -> tuple[float, float]:
    low = betaincinv(k + 0.5, n - k + 0.5, alpha / 2)
    return float(low), float(betaincinv(k + 0.5, n - k + 0.5, 1 - alpha / 2))


_LIMITS: dict[ProportionMethod, Callable[[float, float, float], tuple[float, float]]] = {
    "wilson": _wilson,
    "wilson_cc": _wilson_cc,
    "exact": _exact,
    "midp": _midp,
    "agresti_coull": _agresti_coull,
    "jeffreys": _jeffreys,
}


def _count(value: float, name: str) -> int:
    if not is_count(value):
        raise EvaluationError(f"{name}={value!r} is no count; give a whole number, 0 or more")
    return int(value)
