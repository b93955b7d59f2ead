"""Do readers agree? Kappa for categories, the intraclass correlation for measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtri, ndtri, stdtrit

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import Floats, checked_level, one_dimensional, one_of, same_length
from medvision.evaluation.proportions import proportion_limits

KappaWeights = Literal["linear", "quadratic"]
IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]

ONE_CATEGORY = "one_category"
_FORMS = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")


@dataclass(frozen=True)
class Kappa(Estimate):
    """Agreement beyond chance.

    Attributes:
        agreement: Share of units on which the readers agree (weighted where kappa is).
        pabak: Kappa if categories and readers were balanced: for two categories, twice the agreement less 1.
        standard_error_null: Standard error if there were no agreement beyond chance.
        z: Kappa divided by it.

    Example:
        >>> kappa([[20, 5], [10, 15]]).agreement
        0.7
    """

    agreement: float = math.nan
    pabak: float = math.nan
    standard_error_null: float = math.nan
    z: float = math.nan


def kappa(
    first: ArrayLike,
    second: ArrayLike | None = None,
    *,
    weights: KappaWeights | None = None,
    categories: ArrayLike | None = None,
    level: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two readers, with the large-sample variance (Fleiss, Cohen and Everitt 1969).

    Args:
        first: The category that the first reader gave each unit, shape ``(n,)``; or, without ``second``, the
            square table of counts, first reader in rows.
        second: The category that the second reader gave, in the same order.
        weights: None (agree or not), ``linear`` or ``quadratic`` by the distance between categories.
        categories: All categories in their order; needed for weights where text does not sort by itself.
        level: Confidence level.

    Returns:
        Kappa. It is undefined (``one_category``) where both readers used a single category throughout.

    Raises:
        EvaluationError: Lengths differ, a category is not listed, or the table is not square.

    Example:
        >>> print(kappa([[0, 4, 1], [0, 8, 0], [0, 1, 5]]))
        0.484 (95% CI 0.214–0.755)
    """
    checked_level(level)
    if weights is not None:
        one_of(weights, ("linear", "quadratic"), "weights")
    counts = _square(first) if second is None else _cross_table(first, second, categories)
    n, k = counts.sum(), len(counts)
    name = f"Cohen's kappa, {weights or 'unweighted'}, large sample"
    if n == 0:
        return Kappa(math.nan, math.nan, math.nan, level, name, 0, 0, UNDEFINED_NO_UNITS)
    p, w = counts / n, _agreement_weights(k, weights)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((w * p).sum()), float((w * np.outer(rows, columns)).sum())
    pabak = (observed - w.mean()) / (1 - w.mean()) if k > 1 else math.nan
    size = int(n)
    if 1 - expected < 1e-12:
        return Kappa(
            math.nan,
            math.nan,
            math.nan,
            level,
            name,
            size,
            size,
            ONE_CATEGORY,
            agreement=observed,
            pabak=pabak,
        )
    value = (observed - expected) / (1 - expected)
    mean = (w @ columns)[:, None] + (rows @ w)[None, :]
    spread = float((p * (w * (1 - expected) - mean * (1 - observed)) ** 2).sum())
    error = (
        math.sqrt(max(spread - (observed * expected - 2 * expected + observed) ** 2, 0) / n)
        / (1 - expected) ** 2
    )
    null = float((np.outer(rows, columns) * (w - mean) ** 2).sum()) - expected**2
    error_null = math.sqrt(max(null, 0) / n) / (1 - expected)
    half = float(ndtri((1 + level) / 2)) * error
    low, high, status = max(value - half, -1.0), min(value + half, 1.0), OK
    if error < 1e-12:
        # No disagreement was seen: the exact limit of the agreement, chance agreement being as it is.
        low, status = (
            (proportion_limits(observed * n, n, method="exact", level=level)[0] - expected) / (1 - expected),
            DEGENERATE_VARIANCE,
        )
        high = 1.0
    z = value / error_null if error_null > 0 else math.nan
    return Kappa(
        value, low, high, level, name, size, size, status, error,
        agreement=observed, pabak=pabak, standard_error_null=error_null, z=z,
    )  # fmt: skip


def _square(table: ArrayLike) -> Floats:
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or np.any(counts < 0):
        raise EvaluationError(
            f"a table of two readers is square and counts units; this has the shape {counts.shape}"
        )
    return counts


def _cross_table(first: ArrayLike, second: ArrayLike, categories: ArrayLike | None) -> Floats:
    a, b = one_dimensional(first, "first"), one_dimensional(second, "second")
    same_length(len(a), second=b)
    known = (
        np.unique(np.concatenate([a, b])) if categories is None else one_dimensional(categories, "categories")
    )
    place = {value: index for index, value in enumerate(known.tolist())}
    unknown = sorted({str(value) for value in [*a.tolist(), *b.tolist()] if value not in place})
    if unknown:
        raise EvaluationError(f"these categories are not listed: {', '.join(unknown)}")
    counts = np.zeros((len(known), len(known)))
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        counts[place[x], place[y]] += 1
    return counts


def _agreement_weights(k: int, weights: KappaWeights | None) -> Floats:
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(np.float64)
    if weights is None:
        return np.asarray(distance == 0, dtype=np.float64)
    scaled = distance / max(k - 1, 1)
    return np.asarray(1 - scaled if weights == "linear" else 1 - scaled**2, dtype=np.float64)


def fleiss_kappa(counts: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Fleiss' kappa of several readers (Psychol Bull 1971;76:378), with a jackknife interval over units.

    Args:
        counts: How many readers chose each category for each unit, shape ``(units, categories)``; every
            unit has the same number of readers, who need not be the same persons.
        level: Confidence level.

    Returns:
        Kappa; undefined (``one_category``) where all readers chose one category throughout.

    Raises:
        EvaluationError: Units differ in their number of readers, or there are fewer than two.

    Example:
        >>> print(fleiss_kappa([[3, 0], [0, 3], [3, 0], [1, 2], [3, 0], [0, 3], [2, 1], [3, 0]]))
        0.644 (95% CI 0.050–1.000)
    """
    checked_level(level)
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or np.any(table < 0):
        raise EvaluationError(
            f"counts have one row a unit and one column a category; this has the shape {table.shape}"
        )
    readers = np.unique(table.sum(axis=1))
    if len(readers) > 1 or (len(readers) and readers[0] < 2):
        raise EvaluationError(
            f"every unit needs the same number of readers, at least 2; found {readers.tolist()}"
        )
    n, name = len(table), "Fleiss' kappa, jackknife over units, t"
    value = _fleiss(table)
    if math.isnan(value):
        status = ONE_CATEGORY if n else UNDEFINED_NO_UNITS
        return Estimate(math.nan, math.nan, math.nan, level, name, n, n, status)
    left_out = np.array([_fleiss(np.delete(table, row, axis=0)) for row in range(n)])
    if n < 3 or np.isnan(left_out).any():
        return Estimate(value, math.nan, math.nan, level, name, n, n, "too_few_units")
    error = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    if error < 1e-12:
        return Estimate(value, math.nan, math.nan, level, name, n, n, DEGENERATE_VARIANCE, error)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return Estimate(value, max(value - half, -1.0), min(value + half, 1.0), level, name, n, n, OK, error)


def _fleiss(table: Floats) -> float:
    if len(table) == 0:
        return math.nan
    readers = table[0].sum()
    agreed = ((table**2).sum(axis=1) - readers) / (readers * (readers - 1))
    expected = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return (float(agreed.mean()) - expected) / (1 - expected) if 1 - expected > 1e-12 else math.nan


def icc(ratings: ArrayLike, *, form: IccForm = "2,1", level: float = 0.95) -> Estimate:
    """The intraclass correlation (Shrout and Fleiss, Psychol Bull 1979;86:420), with its F-based interval.

    Args:
        ratings: Measurements, one row a unit and one column a reader, shape ``(n, k)``, none missing.
        form: ``1,1`` (each unit has readers of its own), ``2,1`` (the same readers, drawn from many; their
            absolute agreement), ``3,1`` (just these readers; their consistency), or ``1,k``, ``2,k``,
            ``3,k`` for the mean of the k readers.
        level: Confidence level.

    Returns:
        The correlation; ``method`` names the form.

    Raises:
        EvaluationError: A measurement is missing, or there are fewer than two units or readers.

    Example:
        >>> ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
        >>> print(icc(ratings, form="2,1"))
        0.290 (95% CI 0.019–0.761)
    """
    checked_level(level)
    wanted = form.upper().removeprefix("ICC").strip("() ").lower()
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


def _ratings(ratings: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(ratings, dtype=np.float64)
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
