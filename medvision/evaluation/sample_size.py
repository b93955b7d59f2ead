"""How many cases a study needs, for an interval of a width or for a test of a power."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.special import ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import checked_level


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
    expected: float, half_width: float, *, prevalence: float | None = None, level: float = 0.95
) -> int:
    """Cases for a sensitivity or specificity with an interval of this half-width.

    The formula is that of Buderer (Acad Emerg Med 1996;3:895).

    Args:
        expected: The proportion that is expected.
        half_width: Of the interval, such as 0.05 for ± 5 percentage points.
        prevalence: Share of the cases that count (with the condition for a sensitivity, without it for a
            specificity); with it the number is that of all cases to be recruited.
        level: Confidence level.

    Returns:
        Whole cases, rounded up. The formula is the normal one; near 0 or 1 take more.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> sample_size_proportion(0.9, 0.05), sample_size_proportion(0.9, 0.05, prevalence=0.2)
        (139, 692)
    """
    checked_level(level)
    _between("expected", expected, 0, 1)
    _between("half_width", half_width, 0, 1)
    n = float(ndtri((1 + level) / 2)) ** 2 * expected * (1 - expected) / half_width**2
    if prevalence is not None:
        _between("prevalence", prevalence, 0, 1)
        n /= prevalence
    return _whole(n)


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

    The variance is the binormal one of Obuchowski and McClish (Stat Med 1997;16:1529) in the form of
    Obuchowski, Lieber and Wians (Clin Chem 2004;50:1118).

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
        >>> sample_size_auroc(0.75)
        CaseNumbers(positive=19, negative=19)
    """
    alpha = _checked_test(expected, null, ratio, level, sided)
    _between("power", power, 0, 1)
    wanted = float(ndtri(1 - alpha)) * math.sqrt(_null_variance(null, ratio))
    wanted += float(ndtri(power)) * math.sqrt(_variance(expected, ratio))
    positive = (wanted / (expected - null)) ** 2
    return CaseNumbers(_whole(positive), _whole(positive * ratio))


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
        >>> round(power_auroc(20, 20, 0.75), 2)
        0.82
    """
    if min(n_positive, n_negative) < 1:
        raise EvaluationError(f"n_positive={n_positive}, n_negative={n_negative}: both classes need a case")
    ratio = n_negative / n_positive
    alpha = _checked_test(expected, null, ratio, level, sided)
    reach = abs(expected - null) * math.sqrt(n_positive)
    reach -= float(ndtri(1 - alpha)) * math.sqrt(_null_variance(null, ratio))
    return float(ndtr(reach / math.sqrt(_variance(expected, ratio))))


def _variance(area: float, ratio: float) -> float:
    a = 1.414 * float(ndtri(area))
    return 0.0099 * math.exp(-(a**2) / 2) * ((5 * a**2 + 8) + (a**2 + 8) / ratio)


def _null_variance(null: float, ratio: float) -> float:
    return 0.0792 * (1 + 1 / ratio) if null == 0.5 else _variance(null, ratio)


def _checked_test(expected: float, null: float, ratio: float, level: float, sided: int) -> float:
    checked_level(level)
    _between("expected", expected, 0, 1)
    _between("null", null, 0, 1)
    _between("ratio", ratio, 0, math.inf)
    if expected == null:
        raise EvaluationError(
            f"expected={expected} equals the null hypothesis: no number of cases shows a difference"
        )
    if sided not in (1, 2):
        raise EvaluationError(f"sided={sided} must be 1 or 2")
    return (1 - level) / sided


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise EvaluationError(f"{name}={value} must lie between {low} and {high}")


def _whole(n: float) -> int:
    # 138.00000000001 cases are 138.
    return math.ceil(n - 1e-9)
