"""Do readers agree on a measurement? The intraclass correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, Estimate
from medvision.evaluation.inputs import (
    Floats,
    checked_level,
    number_table,
    one_of,
)

IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]

FEW_READERS = "few_readers_for_so_many_units"
_UNITS_A_READER = 7

_FORMS = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")


def icc(ratings: ArrayLike, *, form: IccForm = "2,1", level: float = 0.95) -> Estimate:
    """The intraclass correlation, with its F-based interval.

    Forms and intervals are those of Shrout and Fleiss (Psychol Bull 1979;86:420,
    doi:10.1037/0033-2909.86.2.420); see also McGraw and Wong (Psychol Methods 1996;1:30,
    doi:10.1037/1082-989X.1.1.30).

    Args:
        ratings: Measurements, one row a unit and one column a reader, shape ``(n, k)``, none missing.
        form: ``1,1`` (each unit has readers of its own), ``2,1`` (the same readers, drawn from many; their
            absolute agreement), ``3,1`` (just these readers; their consistency), or ``1,k``, ``2,k``,
            ``3,k`` for the mean of the k readers.
        level: Confidence level.

    Returns:
        The correlation; ``method`` names the form. A handful of readers cannot say how much readers differ,
        and the F-based interval of the forms 2 does not know that: with more than 7 units a reader it is too
        short where readers differ (simulated with 3 readers: 94% with 10 units, 85% with 100), and the status
        is ``few_readers_for_so_many_units``.

    Raises:
        EvaluationError: A measurement is missing, or there are fewer than two units or readers.

    Example:
        Shrout and Fleiss (1979), table 4, print 0.17, 0.29, 0.71 for one judge and 0.44, 0.62, 0.91 for the
        mean of four:

        >>> from medvision.evaluation.published import shrout_fleiss
        >>> forms = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
        >>> [round(icc(shrout_fleiss(), form=form).value, 2) for form in forms]
        [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
        >>> print(icc(shrout_fleiss(), form="2,1"))
        0.290 (95% CI 0.019–0.761)
    """
    checked_level(level)
    wanted = str(form).upper().removeprefix("ICC").strip("() ").lower()
    one_of(wanted, _FORMS, "form")
    x = _ratings(ratings)
    n, k = x.shape
    name = f"ICC({wanted}), F"
    squares = _MeanSquares.of(x)
    error = squares.within if wanted[0] == "1" else squares.residual
    if squares.between == 0 and error == 0:
        # Units do not differ and readers do not err: there is nothing to correlate.
        return Estimate(math.nan, math.nan, math.nan, level, name, n, n, DEGENERATE_VARIANCE)
    single = _single(squares, wanted[0], n, k)
    low, high = _single_limits(squares, wanted[0], n, k, single, level)
    if wanted[2] == "k":
        single, low, high = (_of_mean(value, k) for value in (single, low, high))
    status = OK if math.isfinite(low) and math.isfinite(high) else DEGENERATE_VARIANCE
    if status == OK and wanted[0] == "2" and n > _UNITS_A_READER * k:
        status = FEW_READERS
    return Estimate(single, low, high, level, name, n, n, status)


@dataclass(frozen=True)
class _MeanSquares:
    between: float
    within: float
    readers: float
    residual: float

    @classmethod
    def of(cls, x: Floats) -> _MeanSquares:
        n, k = x.shape
        units = k * float(((x.mean(axis=1) - x.mean()) ** 2).sum())
        readers = n * float(((x.mean(axis=0) - x.mean()) ** 2).sum())
        total = float(((x - x.mean()) ** 2).sum())
        residual = max(total - units - readers, 0.0)
        return cls(
            units / (n - 1),
            (total - units) / (n * (k - 1)),
            readers / (k - 1),
            residual / ((n - 1) * (k - 1)),
        )


def _ratings(ratings: ArrayLike) -> Floats:
    x = number_table(ratings, "ratings")
    if x.ndim != 2 or min(x.shape) < 2:
        raise EvaluationError(
            f"ratings have a row a unit and a column a reader, two of each at least: {x.shape}"
        )
    missing = np.argwhere(~np.isfinite(x))
    if len(missing):
        raise EvaluationError(
            f"{len(missing)} ratings are missing; leave those units out and say so",
            problems=[f"unit {row}, reader {column}" for row, column in missing[:10]],
        )
    return x


def _single(s: _MeanSquares, kind: str, n: int, k: int) -> float:
    if kind == "1":
        return (s.between - s.within) / (s.between + (k - 1) * s.within)
    if kind == "3":
        return (s.between - s.residual) / (s.between + (k - 1) * s.residual)
    return (s.between - s.residual) / (s.between + (k - 1) * s.residual + k * (s.readers - s.residual) / n)


def _single_limits(
    s: _MeanSquares, kind: str, n: int, k: int, value: float, level: float
) -> tuple[float, float]:
    upper = (1 + level) / 2
    if kind == "2":
        return _absolute_limits(s, n, k, value, upper)
    error, df = (s.within, n * (k - 1)) if kind == "1" else (s.residual, (n - 1) * (k - 1))
    if error == 0:
        return math.nan, math.nan
    ratio = s.between / error
    low, high = ratio / float(fdtri(n - 1, df, upper)), ratio * float(fdtri(df, n - 1, upper))
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _absolute_limits(s: _MeanSquares, n: int, k: int, value: float, upper: float) -> tuple[float, float]:
    if s.residual == 0:
        return math.nan, math.nan
    ratio = s.readers / s.residual
    own = n * (1 + (k - 1) * value) - k * value
    df = (k - 1) * (n - 1) * (k * value * ratio + own) ** 2 / ((n - 1) * (k * value * ratio) ** 2 + own**2)
    above, below = float(fdtri(n - 1, df, upper)), float(fdtri(df, n - 1, upper))
    rest = k * s.readers + (k * n - k - n) * s.residual
    low = n * (s.between - above * s.residual) / (above * rest + n * s.between)
    return low, n * (below * s.between - s.residual) / (rest + n * below * s.between)


def _of_mean(value: float, k: int) -> float:
    """Spearman and Brown: the correlation of means of k readers."""
    return k * value / (1 + (k - 1) * value)
