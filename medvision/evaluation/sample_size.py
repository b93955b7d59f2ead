"""How many cases a study needs, for an interval of a width or for a test of a power."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from scipy.special import ndtr, ndtri, owens_t

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import checked_level, is_count, is_number, one_of

Scores = Literal["ratings", "continuous"]


class CaseNumbers(NamedTuple):
    """Cases with and without the condition.

    Example:
        >>> CaseNumbers(40, 80).total
        120
    """

    positive: int
    negative: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.positive + self.negative


def sample_size_proportion(
    expected: float,
    half_width: float,
    *,
    prevalence: float | None = None,
    method: Literal["wald", "wilson"] = "wald",
    level: float = 0.95,
) -> int:
    """Cases for a sensitivity or specificity with an interval of this half-width.

    ``wald`` is the formula of Buderer (Acad Emerg Med 1996;3:895, doi:10.1111/j.1553-2712.1996.tb03538.x),
    which is too small near 0 and 1; ``wilson`` gives the fewest cases from which on half the length of the
    Wilson interval is no longer.

    Args:
        expected: The proportion that is expected.
        half_width: Of the interval, such as 0.05 for ± 5 percentage points.
        prevalence: Share of the cases that count (with the condition for a sensitivity, without it for a
            specificity); with it the number is that of all cases to be recruited.
        method: ``wald`` or ``wilson``.
        level: Confidence level.

    Returns:
        Whole cases, rounded up.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        By hand, Buderer's formula gives 1.96² · 0.9 · 0.1 / 0.05² = 138.3, and 138.3 / 0.2 = 691.5:

        >>> sample_size_proportion(0.9, 0.05), sample_size_proportion(0.9, 0.05, prevalence=0.2)
        (139, 692)
        >>> sample_size_proportion(0.98, 0.03), sample_size_proportion(0.98, 0.03, method="wilson")
        (84, 113)
    """
    checked_level(level)
    require_between("expected", expected, 0, 1)
    require_between("half_width", half_width, 0, 1)
    one_of(method, ("wald", "wilson"), "method")
    n = float(ndtri((1 + level) / 2)) ** 2 * expected * (1 - expected) / half_width**2
    if method == "wilson":
        n = _fewest_by_wilson(expected, half_width, float(ndtri((1 + level) / 2)))
        if n < 1:
            raise EvaluationError(
                f"half_width={half_width} is wider than the interval of one unit; ask for less"
            )
    if prevalence is not None:
        require_between("prevalence", prevalence, 0, 1)
        n /= prevalence
    return whole_cases(n)


def _fewest_by_wilson(p: float, half_width: float, z: float) -> float:
    # Half the length is z √(p q / n + z² / 4n²) / (1 + z² / n) = w: a quadratic in n.
    w2, z2 = half_width**2, z**2
    a, b, c = w2, z2 * (2 * w2 - p * (1 - p)), z2**2 * (w2 - 0.25)
    return (-b + math.sqrt(max(b**2 - 4 * a * c, 0.0))) / (2 * a)


def sample_size_auroc(
    expected: float,
    *,
    null: float = 0.5,
    power: float = 0.8,
    ratio: float = 1.0,
    level: float = 0.95,
    sided: int = 2,
) -> CaseNumbers:
    """Cases that show an area under the ROC curve to differ from another value.

    The variance is the binormal one of Obuchowski and McClish (Stat Med 1997;16:1529,
    doi:10.1002/(SICI)1097-0258(19970715)16:13%3C1529::AID-SIM565%3E3.0.CO;2-H) in the form of Obuchowski,
    Lieber and Wians (Clin Chem 2004;50:1118, doi:10.1373/clinchem.2004.031823).

    Args:
        expected: The area that is expected.
        null: The area under the null hypothesis.
        power: Chance to find it.
        ratio: Cases without the condition for each case with it.
        level: 1 - the type I error of the test.
        sided: 2, or 1 for a one-sided test.

    Returns:
        Cases with and without the condition, each rounded up.

    Raises:
        EvaluationError: A number lies outside its range, or both areas are equal.

    Example:
        Obuchowski, Lieber and Wians (2004), table 4, one-sided with a power of 90%: 33 and 33 for an area of
        0.7, or 25 and 50:

        >>> sample_size_auroc(0.7, power=0.9, sided=1)
        CaseNumbers(positive=33, negative=33)
        >>> sample_size_auroc(0.7, power=0.9, sided=1, ratio=2)
        CaseNumbers(positive=25, negative=50)
    """
    alpha = _checked_test(expected, null, ratio, level, sided)
    require_between("power", power, 0, 1)
    wanted = float(ndtri(1 - alpha)) * math.sqrt(_null_variance(null, ratio))
    wanted += float(ndtri(power)) * math.sqrt(binormal_variance(expected, ratio))
    positive = (wanted / (expected - null)) ** 2
    return CaseNumbers(whole_cases(positive), whole_cases(positive * ratio))


def power_auroc(
    n_positive: int,
    n_negative: int,
    expected: float,
    *,
    null: float = 0.5,
    level: float = 0.95,
    sided: int = 2,
) -> float:
    """The chance that so many cases show an area under the ROC curve to differ from another value.

    As for :func:`sample_size_auroc`: Obuchowski and McClish, Stat Med 1997;16:1529,
    doi:10.1002/(SICI)1097-0258(19970715)16:13%3C1529::AID-SIM565%3E3.0.CO;2-H.

    Args:
        n_positive: Cases with the condition.
        n_negative: Cases without it.
        expected: The area that is expected.
        null: The area under the null hypothesis.
        level: 1 - the type I error of the test.
        sided: 2, or 1 for a one-sided test.

    Returns:
        The power, between 0 and 1.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        The tests of the R package ``pROC`` hold 0.9897453 for 41 and 72 cases and an area of 0.73:

        >>> round(power_auroc(41, 72, 0.73), 6)
        0.989745
    """
    require_cases(n_positive, n_negative)
    ratio = n_negative / n_positive
    alpha = _checked_test(expected, null, ratio, level, sided)
    reach = abs(expected - null) * math.sqrt(n_positive)
    reach -= float(ndtri(1 - alpha)) * math.sqrt(_null_variance(null, ratio))
    return float(ndtr(reach / math.sqrt(binormal_variance(expected, ratio))))


def sample_size_auroc_interval(
    expected: float,
    half_width: float,
    *,
    ratio: float = 1.0,
    scores: Scores = "ratings",
    level: float = 0.95,
) -> CaseNumbers:
    """Cases for an area under the ROC curve with an interval of this half-width.

    n = z² V / w² (Obuchowski, Stat Methods Med Res 1998;7:371, doi:10.1177/096228029800700405), with the
    variance of :func:`medvision.evaluation.sample_size.binormal_variance`.

    Args:
        expected: The area that is expected.
        half_width: Of the interval, such as 0.05.
        ratio: Cases without the condition for each case with it.
        scores: ``ratings`` (cautious) or ``continuous``.
        level: Confidence level.

    Returns:
        Cases with and without the condition, each rounded up.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> sample_size_auroc_interval(0.85, 0.05, ratio=3)
        CaseNumbers(positive=115, negative=345)
    """
    checked_level(level)
    require_between("expected", expected, 0, 1)
    require_between("half_width", half_width, 0, 1)
    require_between("ratio", ratio, 0, math.inf)
    one_of(scores, ("ratings", "continuous"), "scores")
    positive = float(ndtri((1 + level) / 2)) ** 2 * binormal_variance(expected, ratio, scores) / half_width**2
    return CaseNumbers(whole_cases(positive), whole_cases(positive * ratio))


def binormal_variance(area: float, ratio: float, scores: Scores = "ratings") -> float:
    """Variance of an area under a binormal ROC curve, times the number of cases with the condition.

    ``ratings`` is the approximation of Obuchowski and McClish (Stat Med 1997;16:1529,
    doi:10.1002/(SICI)1097-0258(19970715)16:13%3C1529::AID-SIM565%3E3.0.CO;2-H) for ratings on few levels, the
    field's standard. ``continuous`` is that of DeLong's area for scores that are normal with one spread in
    both classes: (Q - A²)(1 + 1 / ratio) with Q = A - 2 T(h, 1/√3), h the normal quantile of A, T Owen's
    function. It is about two thirds of the former around 0.85.

    Args:
        area: Between 0 and 1.
        ratio: Cases without the condition for each case with it.
        scores: ``ratings`` or ``continuous``.

    Example:
        >>> round(binormal_variance(0.5, 1.0), 4), round(binormal_variance(0.5, 1.0, "continuous"), 4)
        (0.1584, 0.1667)
    """
    if one_of(scores, ("ratings", "continuous"), "scores") == "continuous":
        both = area - 2 * float(owens_t(float(ndtri(area)), 1 / math.sqrt(3)))
        return (both - area**2) * (1 + 1 / ratio)
    a = 1.414 * float(ndtri(area))
    return 0.0099 * math.exp(-(a**2) / 2) * ((5 * a**2 + 8) + (a**2 + 8) / ratio)


def _null_variance(null: float, ratio: float) -> float:
    return 0.0792 * (1 + 1 / ratio) if null == 0.5 else binormal_variance(null, ratio)


def _checked_test(expected: float, null: float, ratio: float, level: float, sided: int) -> float:
    checked_level(level)
    require_between("expected", expected, 0, 1)
    require_between("null", null, 0, 1)
    require_between("ratio", ratio, 0, math.inf)
    if expected == null:
        raise EvaluationError(
            f"expected={expected} equals the null hypothesis: no number of cases shows a difference"
        )
    if sided not in (1, 2):
        raise EvaluationError(f"sided={sided} must be 1 or 2")
    return (1 - level) / sided


def require_between(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside an open range.

    Raises:
        EvaluationError: Names the number and the range.

    Example:
        >>> require_between("power", 0.8, 0, 1)
    """
    if not (is_number(value) and low < value < high):
        raise EvaluationError(f"{name}={value!r} must lie between {low} and {high}")


def require_cases(n_positive: int, n_negative: int) -> None:
    """Refuse numbers of cases that are not whole, or a class without a case.

    Raises:
        EvaluationError: Names both numbers.

    Example:
        >>> require_cases(20, 40)
    """
    if not (is_count(n_positive) and is_count(n_negative) and min(n_positive, n_negative) >= 1):
        raise EvaluationError(
            f"n_positive={n_positive!r}, n_negative={n_negative!r}: both classes need a whole number of "
            "cases, 1 or more"
        )


def whole_cases(n: float) -> int:
    """Cases, rounded up.

    Example:
        >>> whole_cases(138.2), whole_cases(138.00000000001)
        (139, 138)
    """
    # 138.00000000001 cases are 138.
    return math.ceil(n - 1e-9)
