"""Nested cross-validation: an interval for the error of the method, training included."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, Estimate
from medvision.evaluation.inputs import (
    Floats,
    Integers,
    checked_level,
    finite_scores,
    one_dimensional,
    patient_codes,
    same_length,
)

_NAME = "nested cross-validation (Bates, Hastie and Tibshirani)"


@dataclass(frozen=True)
class NestedCrossValidation(Estimate):
    """The error of a method of training, with an interval that includes how much training varies.

    Attributes:
        naive: The mean of the outer errors with the interval that takes them for independent.
        inflation: How many times as wide it is as if errors were independent: 1 to the root of the folds.
        bias: What was subtracted because the inner models learned from fewer patients.
        repeats: Repeats of the whole nested cross-validation.

    Example:
        >>> NestedCrossValidation(0.2, 0.1, 0.3, inflation=1.3).inflation
        1.3
    """

    naive: Estimate | None = None
    inflation: float = math.nan
    bias: float = math.nan
    repeats: int = 0


def nested_cross_validation(
    errors: ArrayLike,
    units: ArrayLike,
    folds: ArrayLike,
    left_out: ArrayLike,
    *,
    repeats: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> NestedCrossValidation:
    """Error of a method with the interval of nested cross-validation, from errors that were computed before.

    Errors of cross-validation are correlated, because fold models share training cases; the naive interval
    does not see this and is too narrow. Bates, Hastie and Tibshirani (J Am Stat Assoc 2024;119:1434,
    doi:10.1080/01621459.2023.2197686) estimate the mean squared error of the cross-validated estimate: for
    each outer fold, a is the squared distance of its mean error to that of an inner cross-validation on the
    other folds, b the variance of its mean; MSE = (K - 1) / K · mean(a - b), kept between the variance of
    independent errors and K times it. The estimate is corrected for the smaller training parts of the inner
    models. One model more is needed for each pair of folds. The method wants many repeats (the paper takes
    200); with few, the width is itself uncertain, and with one it is mostly at one of its two bounds.

    The inner error of a unit in fold j while fold k is left out is that of a model trained without both.

    Args:
        errors: One error a row, such as 0 or 1, squared error, 1 - Dice; shape ``(n,)``.
        units: The unit of each row.
        folds: The fold of the unit.
        left_out: The outer fold that was left out; the row is an outer error where it equals ``folds``.
        repeats: The repeat of each row.
        patients: The patient of each row; errors are averaged within a patient first.
        level: Confidence level.

    Returns:
        The error, its interval, and the naive one beside it. ``standard_error`` is the root of the MSE.

    Raises:
        EvaluationError: Fewer than three folds, a unit in two folds of a repeat, or one that is not there
            once for each outer fold; all named at once.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> unit, out = np.repeat(np.arange(60), 5), np.tile(np.arange(5), 60)
        >>> wrong = (rng.random(60) < 0.3)[unit] ^ (rng.random(300) < 0.05)
        >>> found = nested_cross_validation(wrong.astype(float), unit, unit % 5, out)
        >>> print(found, round(found.inflation, 2))
        0.266 (95% CI 0.060–0.472) 1.75
    """
    checked_level(level)
    values = finite_scores(errors, name="errors", patients=patients)
    fold, out = (one_dimensional(column, name) for column, name in ((folds, "folds"), (left_out, "left_out")))
    unit = one_dimensional(units, "units")
    rounds = np.zeros(len(values), dtype=np.int64) if repeats is None else one_dimensional(repeats, "repeats")
    same_length(len(values), units=unit, folds=fold, left_out=out, repeats=rounds)
    _require_complete(unit, fold, out, rounds)
    owners = patient_codes(unit if patients is None else patients, len(values))
    pieces = [_repeat(values[own], fold[own], out[own], owners[own]) for own in _each(rounds)]
    return _joined(pieces, len(np.unique(unit)), len(np.unique(owners)), len(np.unique(fold)), level)


@dataclass(frozen=True)
class _Repeat:
    outer: Floats
    inner: Floats
    gaps: Floats


def _each(rounds: NDArray[np.generic]) -> list[NDArray[np.bool_]]:
    return [np.asarray(rounds == value, dtype=bool) for value in np.unique(rounds)]


def _repeat(errors: Floats, fold: NDArray[np.generic], out: NDArray[np.generic], owners: Integers) -> _Repeat:
    outer, inner, gaps = [], [], []
    for k in np.unique(out):
        held = out == k
        own = _by_patient(errors[held & (fold == k)], owners[held & (fold == k)])
        other = _by_patient(errors[held & (fold != k)], owners[held & (fold != k)])
        gaps.append((other.mean() - own.mean()) ** 2 - own.var(ddof=1) / len(own))
        outer.append(own)
        inner.append(other)
    return _Repeat(np.concatenate(outer), np.concatenate(inner), np.array(gaps))


def _by_patient(errors: Floats, owners: Integers) -> Floats:
    places = np.unique(owners, return_inverse=True)[1]
    sums = np.bincount(places, weights=errors)
    return np.asarray(sums / np.bincount(places), dtype=np.float64)


def _joined(
    pieces: list[_Repeat], n_units: int, n_patients: int, k: int, level: float
) -> NestedCrossValidation:
    quantile = float(ndtri((1 + level) / 2))
    outer = float(np.mean([piece.outer.mean() for piece in pieces]))
    naive_error = float(np.mean([piece.outer.std(ddof=1) for piece in pieces])) / math.sqrt(n_patients)
    naive = Estimate(
        outer, outer - quantile * naive_error, outer + quantile * naive_error, level,
        "cross-validated mean, errors taken for independent", n_units, n_patients, OK, naive_error,
    )  # fmt: skip
    all_inner = np.concatenate([piece.inner for piece in pieces])
    inner, least = float(all_inner.mean()), float(all_inner.std(ddof=1)) / math.sqrt(n_patients)
    bias = (1 + (k - 2) / k) * (inner - outer)
    if least == 0:
        return NestedCrossValidation(
            outer, math.nan, math.nan, level, _NAME, n_units, n_patients, DEGENERATE_VARIANCE, 0.0,
            naive=naive, repeats=len(pieces),
        )  # fmt: skip
    mse = (k - 1) / k * float(np.mean(np.concatenate([piece.gaps for piece in pieces])))
    error = min(max(math.sqrt(max(mse, 0.0)), least), math.sqrt(k) * least)
    centre = inner - bias
    return NestedCrossValidation(
        centre, centre - quantile * error, centre + quantile * error, level, _NAME, n_units, n_patients, OK,
        error, naive=naive, inflation=error / least, bias=bias, repeats=len(pieces),
    )  # fmt: skip


def _require_complete(
    unit: NDArray[np.generic],
    fold: NDArray[np.generic],
    out: NDArray[np.generic],
    rounds: NDArray[np.generic],
) -> None:
    names = np.unique(fold)
    if len(names) < 3:
        raise EvaluationError(f"{len(names)} folds: nested cross-validation needs three or more")
    problems = []
    for value in np.unique(rounds):
        own = rounds == value
        owner = np.unique(unit[own], return_inverse=True)
        pairs = np.unique(np.stack([owner[1], np.unique(fold[own], return_inverse=True)[1]]), axis=1)
        crossing = np.bincount(pairs[0]) > 1
        seen = np.unique(np.stack([owner[1], np.unique(out[own], return_inverse=True)[1]]), axis=1)
        counts = np.bincount(owner[1])
        partial = (np.bincount(seen[0], minlength=len(counts)) != len(names)) | (counts != len(names))
        told = "" if len(np.unique(rounds)) == 1 else f"repeat {value}, "
        problems += [f"{told}unit {name} stands in several folds" for name in owner[0][crossing]]
        problems += [
            f"{told}unit {name} is not there once for each of the {len(names)} left out folds"
            for name in owner[0][partial & ~crossing]
        ]
    if problems:
        shown = problems[:10] + ([f"and {len(problems) - 10} more"] if len(problems) > 10 else [])
        raise EvaluationError("the errors of a nested cross-validation are not complete", problems=shown)
