"""Do readers agree on a category? Cohen's and Fleiss' kappa."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import (
    Floats,
    Integers,
    checked_level,
    is_missing,
    number_table,
    one_dimensional,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.proportions import proportion_limits

KappaWeights = Literal["linear", "quadratic"]
KappaInterval = Literal["wald", "fisher"]

ONE_CATEGORY = "one_category"
FEW_DISAGREEMENTS = "fewer_than_5_disagreements"
_FEW = 5


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
    patients: ArrayLike | None = None,
    interval: KappaInterval = "wald",
    level: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two readers, with the large-sample variance.

    Kappa is that of Cohen (Educ Psychol Meas 1960;20:37, doi:10.1177/001316446002000104), weighted (Psychol
    Bull 1968;70:213, doi:10.1037/h0026256) where weights are asked for; its variance is that of Fleiss, Cohen
    and Everitt (Psychol Bull 1969;72:323, doi:10.1037/h0028106); ``pabak`` is that of Byrt, Bishop and Carlin
    (J Clin Epidemiol 1993;46:423, doi:10.1016/0895-4356(93)90018-V).

    The usual interval, kappa ± z · SE, is too short where agreement is good and units are few: simulated at
    a kappa of 0.8 it covers 88% with 50 units. On Fisher's scale, artanh(kappa) ± z · SE / (1 - kappa²), the
    same standard error covers 93% to 97% there. With several units a patient the variance sums, over
    patients, the squares of what all units of a patient add to kappa (the delta method; with one unit a
    patient it is the large-sample variance times m / (m - 1)), and the interval takes Student's t on m - 1
    degrees of freedom for z.

    Args:
        first: The category that the first reader gave each unit, shape ``(n,)``; or, without ``second``, the
            square table of counts, first reader in rows.
        second: The category that the second reader gave, in the same order.
        weights: None (agree or not), ``linear`` or ``quadratic`` by the distance between categories.
        categories: All categories in their order; needed for weights where text does not sort by itself.
        patients: The patient of each unit, where a patient has several; not with a table of counts.
        interval: ``wald`` (as published, and as other programs print it) or ``fisher``.
        level: Confidence level.

    Returns:
        Kappa. It is undefined (``one_category``) where both readers used a single category throughout. With
        fewer than 5 units on which they differ, the interval is not reliable, and the status says so.

    Raises:
        EvaluationError: Lengths differ, a category is not listed, or the table is not square.

    Example:
        SAS PROC FREQ prints 0.4842 (0.2137 to 0.7547) for this table, with linear weights 0.4701 (0.1845 to
        0.7558):

        >>> table = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]
        >>> kappa(table).text(4)
        '0.4842 (95% CI 0.2137–0.7547)'
        >>> kappa(table, weights="linear").text(4)
        '0.4701 (95% CI 0.1845–0.7558)'
    """
    checked_level(level)
    if weights is not None:
        one_of(weights, ("linear", "quadratic"), "weights")
    one_of(interval, ("wald", "fisher"), "interval")
    counts, cells = (_square(first), None) if second is None else _cross_table(first, second, categories)
    n, k = counts.sum(), len(counts)
    codes = _owners(patients, cells)
    scale = _SCALES[interval] if codes is None else f"{_SCALES[interval]}, clustered, t"
    name = f"Cohen's kappa, {weights or 'unweighted'}, {scale}"
    if n == 0:
        return Kappa(math.nan, math.nan, math.nan, level, name, 0, 0, UNDEFINED_NO_UNITS)
    p, w = counts / n, _agreement_weights(k, weights)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((w * p).sum()), float((w * np.outer(rows, columns)).sum())
    pabak = (observed - w.mean()) / (1 - w.mean()) if k > 1 else math.nan
    size = int(n)
    owners = size if codes is None else len(np.unique(codes))
    if 1 - expected < 1e-12:
        return Kappa(
            math.nan,
            math.nan,
            math.nan,
            level,
            name,
            size,
            owners,
            ONE_CATEGORY,
            agreement=observed,
            pabak=pabak,
        )
    value = (observed - expected) / (1 - expected)
    mean = (w @ columns)[:, None] + (rows @ w)[None, :]
    added = w * (1 - expected) - mean * (1 - observed) - (observed * expected - 2 * expected + observed)
    if codes is None or cells is None:
        spread = float((p * added**2).sum()) / n
    else:
        spread = _clustered_spread(added.ravel()[cells], codes)
    error = math.sqrt(spread) / (1 - expected) ** 2
    null = float((np.outer(rows, columns) * (w - mean) ** 2).sum()) - expected**2
    # The test of no agreement is known for independent units alone.
    error_null = math.sqrt(max(null, 0) / n) / (1 - expected) if codes is None else math.nan
    tail = (1 + level) / 2
    half = float(ndtri(tail) if codes is None else stdtrit(owners - 1, tail)) * error
    low, high = _kappa_limits(value, half, interval)
    status = OK if error > 0 else DEGENERATE_VARIANCE  # NaN where all units are of one patient
    if status == OK and n - np.trace(counts) < _FEW:
        status = FEW_DISAGREEMENTS
    if error < 1e-12:
        # No disagreement was seen: the exact limit of the agreement, chance agreement being as it is.
        low, status = (
            (proportion_limits(observed * owners, owners, method="exact", level=level)[0] - expected)
            / (1 - expected),
            DEGENERATE_VARIANCE,
        )
        high = 1.0
    z = value / error_null if error_null > 0 else math.nan
    return Kappa(
        value, low, high, level, name, size, owners, status, error,
        agreement=observed, pabak=pabak, standard_error_null=error_null, z=z,
    )  # fmt: skip


_SCALES = {"wald": "large sample", "fisher": "large sample, Fisher's scale"}


def _kappa_limits(value: float, half: float, interval: KappaInterval) -> tuple[float, float]:
    if interval == "wald" or not -1 < value < 1:
        return max(value - half, -1.0), min(value + half, 1.0)
    centre, half = math.atanh(value), half / (1 - value**2)
    return math.tanh(centre - half), math.tanh(centre + half)


def _possible(counts: Floats) -> bool:
    return bool(np.all(np.isfinite(counts) & (counts >= 0)))


def _square(table: ArrayLike) -> Floats:
    counts = number_table(table, "counts")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not _possible(counts):
        raise EvaluationError(
            "a table of two readers is square and holds counts of 0 or more, none missing; this has the "
            f"shape {counts.shape}"
        )
    return counts


def _cross_table(
    first: ArrayLike, second: ArrayLike, categories: ArrayLike | None
) -> tuple[Floats, Integers]:
    """The table of counts, and the place of each unit's cell in it."""
    a, b = one_dimensional(first, "first"), one_dimensional(second, "second")
    same_length(len(a), second=b)
    for name, values in (("first", a), ("second", b)):
        rows = np.flatnonzero(is_missing(values)).tolist()
        if rows:
            raise EvaluationError(f"{name} has {len(rows)} missing categories, in rows such as {rows[:10]}")
    known = (
        np.unique(np.concatenate([a, b])) if categories is None else one_dimensional(categories, "categories")
    )
    place = {value: index for index, value in enumerate(known.tolist())}
    unknown = sorted({str(value) for value in [*a.tolist(), *b.tolist()] if value not in place})
    if unknown:
        raise EvaluationError(f"these categories are not listed: {', '.join(unknown)}")
    pairs = zip(a.tolist(), b.tolist(), strict=True)
    cells = np.array([place[x] * len(known) + place[y] for x, y in pairs], dtype=np.int64)
    counts = np.bincount(cells, minlength=len(known) ** 2).astype(np.float64)
    return counts.reshape(len(known), len(known)), cells


def _owners(patients: ArrayLike | None, cells: Integers | None) -> Integers | None:
    if patients is None:
        return None
    if cells is None:
        raise EvaluationError("a table of counts does not say whose units they are; give both categories")
    return patient_codes(patients, len(cells))


def _clustered_spread(added: Floats, codes: Integers) -> float:
    sums, m = np.bincount(codes, weights=added), int(codes.max()) + 1
    return m / (m - 1) * float(sums @ sums) / len(codes) ** 2 if m > 1 else math.nan


def _agreement_weights(k: int, weights: KappaWeights | None) -> Floats:
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(np.float64)
    if weights is None:
        return np.asarray(distance == 0, dtype=np.float64)
    scaled = distance / max(k - 1, 1)
    return np.asarray(1 - scaled if weights == "linear" else 1 - scaled**2, dtype=np.float64)


def fleiss_kappa(counts: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Fleiss' kappa of several readers, with a jackknife interval over units.

    Reference: Fleiss, Psychol Bull 1971;76:378, doi:10.1037/h0031619.

    Args:
        counts: How many readers chose each category for each unit, shape ``(units, categories)``; every
            unit has the same number of readers, who need not be the same persons.
        level: Confidence level.

    Returns:
        Kappa; undefined (``one_category``) where all readers chose one category throughout.

    Raises:
        EvaluationError: Units differ in their number of readers, or there are fewer than two.

    Example:
        The worked example of the article on Fleiss' kappa in Wikipedia, 0.210:

        >>> from medvision.evaluation.published import fleiss
        >>> print(fleiss_kappa(fleiss()))
        0.210 (95% CI -0.018 to 0.437)
    """
    checked_level(level)
    table = number_table(counts, "counts")
    if table.ndim != 2 or not _possible(table):
        raise EvaluationError(
            "counts have one row a unit and one column a category, 0 or more and none missing; this has the "
            f"shape {table.shape}"
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
