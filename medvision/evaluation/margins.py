"""Non-inferiority and equivalence: is a difference smaller than what matters?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import Comparison, Estimate, p_text
from medvision.evaluation.inputs import is_number

Compared = Comparison | Callable[[float], Comparison]
_SMALLEST, _LARGEST = 1e-9, 0.499


@dataclass(frozen=True)
class MarginTest:
    """Whether a difference (first minus second) lies on the right side of a margin that was stated before.

    Attributes:
        kind: ``non-inferiority`` or ``equivalence``.
        margin: The largest loss (or the largest difference) that does not matter.
        difference: With the interval of level 1 - 2 alpha, whose limits are compared with the margin.
        alpha: One-sided type I error.
        p: One-sided p-value of the null hypothesis that the difference reaches the margin; of an equivalence
            the larger of the two. NaN where the difference is undefined.
        shown: Whether it was shown. ``False`` does not mean that the first is inferior, or that they differ.

    Example:
        >>> same = Comparison(Estimate(0.01, -0.03, 0.05, standard_error=0.02), 0.5, 0.6, "z")
        >>> found = non_inferiority(same, 0.05)
        >>> found.shown, round(found.p, 4)
        (True, 0.0013)
    """

    kind: str
    margin: float
    difference: Estimate
    alpha: float
    p: float
    shown: bool

    def __str__(self) -> str:
        verdict = "shown" if self.shown else "not shown"
        told = f"{self.kind} {verdict} at a margin of {self.margin:g}"
        return f"{told}: difference {self.difference}, {p_text(self.p)}"

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold.

        Example:
            >>> one = Comparison(Estimate(0.01, -0.03, 0.05, standard_error=0.02), 0.5, 0.6, "z")
            >>> non_inferiority(one, 0.05).to_dict()["shown"]
            True
        """
        return {
            "kind": self.kind,
            "margin": self.margin,
            "difference": self.difference.to_dict(),
            "alpha": self.alpha,
            "p": None if math.isnan(self.p) else self.p,
            "shown": self.shown,
        }


def non_inferiority(compared: Compared, margin: float, *, alpha: float = 0.025) -> MarginTest:
    """Whether the first is worse than the second by less than a margin, where higher is better.

    Shown where the lower limit of the interval of level 1 - 2 alpha lies above -margin (CONSORT extension for
    non-inferiority, Piaggio et al., JAMA 2012;308:2594, doi:10.1001/jama.2012.87802). The margin must have
    been stated before the data were seen, from what is clinically tolerable.

    Args:
        compared: A comparison with a standard error (AUC, cross-validated AUC, means), or a function that
            takes a level and returns the comparison, for intervals without one (Tango, Newcombe):
            ``lambda level: compare_proportions(a, b, level=level)``.
        margin: The largest tolerable loss, above 0.
        alpha: One-sided type I error.

    Raises:
        EvaluationError: The margin or alpha is impossible, or a comparison without a standard error was given
            where a function of the level is needed.

    Example:
        The R package ``contingencytables`` prints Tango's interval for the pairs of Cavo and others as
        -0.1240 to -0.0054: a margin of 0.13 is kept, and one of 0.12 is not.

        >>> from medvision.evaluation.paired_proportions import compare_proportions
        >>> from medvision.evaluation.published import cavo
        >>> before, after = cavo()
        >>> for margin in (0.13, 0.12):
        ...     print(non_inferiority(lambda level: compare_proportions(before, after, level=level), margin))
        non-inferiority shown at a margin of 0.13: difference -0.062 (95% CI -0.124 to -0.005), p = 0.017
        non-inferiority not shown at a margin of 0.12: difference -0.062 (95% CI -0.124 to -0.005), p = 0.033
    """
    _check(margin, alpha)
    difference = _at(compared, 1 - 2 * alpha)
    p = _p_above(compared, -margin)
    return MarginTest("non-inferiority", margin, difference, alpha, p, difference.low > -margin)


def equivalence(compared: Compared, margin: float, *, alpha: float = 0.05) -> MarginTest:
    """Whether the two differ by less than a margin in either direction: two one-sided tests.

    Shown where the interval of level 1 - 2 alpha (90% for alpha 0.05) lies within ±margin (Schuirmann, J
    Pharmacokinet Biopharm 1987;15:657, doi:10.1007/BF01068419).

    Args:
        compared: As for :func:`non_inferiority`.
        margin: The largest difference that does not matter, above 0.
        alpha: Type I error of each of the two tests, and of both together.

    Raises:
        EvaluationError: As for :func:`non_inferiority`.

    Example:
        Two tests of DeLong, DeLong and Clarke-Pearson (1988), with areas of 0.7366 and 0.7258:

        >>> from medvision.evaluation.auroc_comparison import compare_auroc
        >>> from medvision.evaluation.published import delong
        >>> labels, tests = delong()
        >>> print(equivalence(compare_auroc(labels, -tests["albumin"], tests["score"]), 0.2))
        equivalence shown at a margin of 0.2: difference 0.011 (90% CI -0.146 to 0.168), p = 0.024
    """
    _check(margin, alpha)
    difference = _at(compared, 1 - 2 * alpha)
    p = max(_p_above(compared, -margin), _p_below(compared, margin))
    inside = -margin < difference.low and difference.high < margin
    return MarginTest("equivalence", margin, difference, alpha, p, inside)


def _check(margin: float, alpha: float) -> None:
    if not (is_number(margin) and 0 < margin < math.inf):
        raise EvaluationError(f"margin={margin!r} must be above 0, such as 0.05; state it before looking")
    if not (is_number(alpha) and 0 < alpha < 0.5):
        raise EvaluationError(
            f"alpha={alpha!r} must lie between 0 and 0.5; 0.025 is usual for non-inferiority"
        )


def _at(compared: Compared, level: float) -> Estimate:
    if not isinstance(compared, Comparison):
        if not callable(compared):
            raise EvaluationError(f"give a comparison or a function of the level, not {compared!r}")
        return compared(level).difference
    found, error = compared.difference, compared.difference.standard_error
    if abs(found.level - level) < 1e-12 and not error:
        return found
    if not error:
        raise EvaluationError(
            f"this comparison has no standard error, so its {100 * level:g}% interval is not known; give a "
            "function of the level, such as lambda level: compare_proportions(a, b, level=level)"
        )
    df = compared.df
    quantile = float(ndtri((1 + level) / 2) if df is None else stdtrit(df, (1 + level) / 2))
    low, high = found.value - quantile * error, found.value + quantile * error
    return replace(found, low=low, high=high, level=level)


def _p_above(compared: Compared, bound: float) -> float:
    """One-sided p of the null hypothesis that the difference is at most a bound."""
    if isinstance(compared, Comparison):
        return _p_of_error(compared, compared.difference.value - bound)
    return _inverted(
        lambda level: compared(level).difference.low - bound,
        lambda level: bound - compared(level).difference.high,
        compared(0.95).difference.value - bound,
    )


def _p_below(compared: Compared, bound: float) -> float:
    """One-sided p of the null hypothesis that the difference is at least a bound."""
    if isinstance(compared, Comparison):
        return _p_of_error(compared, bound - compared.difference.value)
    return _inverted(
        lambda level: bound - compared(level).difference.high,
        lambda level: compared(level).difference.low - bound,
        bound - compared(0.95).difference.value,
    )


def _p_of_error(compared: Comparison, beyond: float) -> float:
    error = compared.difference.standard_error
    if not error or math.isnan(beyond):
        return math.nan
    return float(ndtr(-beyond / error) if compared.df is None else stdtr(compared.df, -beyond / error))


def _inverted(near: Callable[[float], float], far: Callable[[float], float], beyond: float) -> float:
    """The alpha at which a limit of the interval of level 1 - 2 alpha reaches the bound.

    Args:
        near: How far the nearer limit lies on the right side of the bound, by level.
        far: How far the other limit lies on the wrong side of it.
        beyond: How far the estimate lies on the right side; where it lies on the wrong one, p is above 0.5.
    """
    from scipy.optimize import brentq

    if math.isnan(beyond):
        return math.nan
    if beyond < 0:
        return 1 - _inverted(far, near, -beyond)
    if near(1 - 2 * _LARGEST) <= 0:
        return 0.5
    if near(1 - 2 * _SMALLEST) > 0:
        return _SMALLEST
    return float(brentq(lambda alpha: near(1 - 2 * alpha), _SMALLEST, _LARGEST, xtol=1e-12))
