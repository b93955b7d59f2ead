"""What every function of this part asks of its input, and the sentence for an input that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from numbers import Real
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.errors import EvaluationError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_SHOWN = 10


def binary_labels(
    labels: ArrayLike, *, positive: object = None, patients: ArrayLike | None = None
) -> Booleans:
    """Labels as a boolean array, true where the condition is present.

    Args:
        labels: One label a unit, shape ``(n,)``: 0 and 1, or any values where ``positive`` is given.
        positive: The value that means that the condition is present.
        patients: One patient a unit, only to name the wrong rows.

    Returns:
        Shape ``(n,)``.

    Raises:
        EvaluationError: A label is missing, or is neither 0 nor 1 while ``positive`` is not given.

    Example:
        >>> binary_labels(["benign", "malignant"], positive="malignant").tolist()
        [False, True]
    """
    values = one_dimensional(labels, "labels")
    missing = is_missing(values)
    if missing.any():
        raise EvaluationError(
            f"{missing.sum()} of {len(values)} labels are missing; find them, or leave those cases out",
            problems=_rows(values, missing, patients),
        )
    if positive is not None:
        return np.asarray([value == positive for value in values.tolist()], dtype=bool)
    wrong = ~np.isin(values, [0, 1]) if values.dtype.kind in "biuf" else _not_binary(values)
    if wrong.any():
        raise EvaluationError(
            f"{wrong.sum()} of {len(values)} labels are neither 0 nor 1; "
            "say which value means that the condition is present (positive=)",
            problems=_rows(values, wrong, patients),
        )
    return values.astype(bool)


def binary_predictions(
    predictions: ArrayLike, *, positive: object = None, patients: ArrayLike | None = None
) -> Booleans:
    """Predictions as a boolean array: 0 and 1, or in the labels' own words.

    Args:
        predictions: One a unit, shape ``(n,)``.
        positive: The value that means that the condition is present.
        patients: One patient a unit, only to name the wrong rows.

    Raises:
        EvaluationError: As for :func:`binary_labels`.

    Example:
        >>> binary_predictions([0, 1], positive="malignant").tolist()
        [False, True]
    """
    words = positive is not None and np.any(np.asarray(predictions, dtype=object) == positive)
    return binary_labels(predictions, positive=positive if words else None, patients=patients)


def _not_binary(values: NDArray[Any]) -> Booleans:
    # Text is never read as a number: bool("0") is True.
    return np.asarray([isinstance(v, str) or v not in (0, 1) for v in values.tolist()], dtype=bool)


def finite_scores(scores: ArrayLike, *, name: str = "scores", patients: ArrayLike | None = None) -> Floats:
    """Scores as float64, each of them finite.

    Args:
        scores: One score a unit, shape ``(n,)``.
        name: What the numbers are called in the error.
        patients: One patient a unit, only to name the wrong rows.

    Returns:
        Shape ``(n,)``.

    Raises:
        EvaluationError: A score is NaN, infinite or no number; the rows and their patients are named.

    Example:
        >>> finite_scores([0, 0.5]).tolist()
        [0.0, 0.5]
    """
    values = one_dimensional(scores, name)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise EvaluationError(f"{name} are not numbers: {values[:3].tolist()} …") from None
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise EvaluationError(
            f"{wrong.sum()} of {len(numbers)} {name} are missing or infinite; "
            "predict those cases again, or leave them out and say so",
            problems=_rows(values, wrong, patients),
        )
    return numbers


def scores_with_gaps(scores: ArrayLike, *, patients: ArrayLike | None = None) -> Floats:
    """Scores as float64, NaN where one is missing, every other one finite.

    Args:
        scores: One score a unit, shape ``(n,)``; None, NaN and ``pandas.NA`` are missing.
        patients: One patient a unit, only to name the wrong rows.

    Returns:
        Shape ``(n,)``.

    Raises:
        EvaluationError: A score is infinite or no number; the rows and their patients are named.

    Example:
        >>> scores_with_gaps([0.5, None]).tolist()
        [0.5, nan]
    """
    values = one_dimensional(scores, "scores")
    missing = is_missing(values)
    filled = values.astype(object)
    filled[missing] = 0.0
    return np.where(missing, np.nan, finite_scores(filled, patients=patients))


def checked_probabilities(values: ArrayLike) -> Floats:
    """Numbers between 0 and 1, both included.

    Args:
        values: One probability a unit, shape ``(n,)``.

    Returns:
        Shape ``(n,)``.

    Raises:
        EvaluationError: A value is not finite or lies outside [0, 1].

    Example:
        >>> checked_probabilities([0, 1]).tolist()
        [0.0, 1.0]
    """
    numbers = finite_scores(values, name="probabilities")
    wrong = (numbers < 0) | (numbers > 1)
    if wrong.any():
        raise EvaluationError(
            f"{wrong.sum()} of {len(numbers)} probabilities lie outside 0 to 1; "
            "turn scores into probabilities first (a sigmoid, or a calibration model)",
            problems=_rows(numbers, wrong, None),
        )
    return numbers


def patient_codes(patients: ArrayLike | None, n_units: int) -> Integers:
    """Numbers 0, 1, … for the patients, in the order of their sorted identifiers.

    Args:
        patients: One identifier a unit, shape ``(n_units,)``; None makes every unit its own patient.
        n_units: How many units there are.

    Returns:
        Shape ``(n_units,)``.

    Raises:
        EvaluationError: An identifier is missing, or their number is not that of the units.

    Example:
        >>> patient_codes(["B", "A", "B"], 3).tolist()
        [1, 0, 1]
    """
    if patients is None:
        return np.arange(n_units)
    values = one_dimensional(patients, "patients")
    same_length(n_units, patients=values)
    missing = is_missing(values)
    if missing.any():
        raise EvaluationError(
            f"{missing.sum()} of {n_units} units have no patient; the patient is the unit of independence",
            problems=_rows(values, missing, None),
        )
    try:  # numbers in a column of objects sort as numbers, so that they are drawn as in a column of numbers
        places = np.unique(values, return_inverse=True)[1]
    except TypeError:  # text among numbers
        places = np.unique(values.astype(str), return_inverse=True)[1]
    return places.astype(np.int64)


def one_dimensional(values: ArrayLike, name: str) -> NDArray[Any]:
    """An array of shape ``(n,)``.

    Args:
        values: A list, an array, a column.
        name: What it is called in the error.

    Raises:
        EvaluationError: It has another number of dimensions.

    Example:
        >>> one_dimensional([1, 2], "labels").shape
        (2,)
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise EvaluationError(
            f"{name} must be one column, one value a unit; this has the shape {array.shape}"
        )
    return array


def number_table(values: ArrayLike, name: str) -> Floats:
    """Numbers of any shape as float64; what they may be is for the caller to check.

    Args:
        values: Numbers, NaN allowed.
        name: What they are called in the error.

    Raises:
        EvaluationError: They are no numbers, or their rows differ in length.

    Example:
        >>> number_table([[1, 2], [3, 4]], "ratings").shape
        (2, 2)
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise EvaluationError(f"{name} must be a table of numbers, its rows of one length") from None


def same_length(n_units: int, **columns: NDArray[Any]) -> None:
    """Refuse columns of different lengths.

    Args:
        n_units: The length that all must have.
        **columns: The columns, by name.

    Raises:
        EvaluationError: One of them has another length.

    Example:
        >>> same_length(2, scores=np.zeros(2))
    """
    problems = [f"{name}: {len(v)} instead of {n_units}" for name, v in columns.items() if len(v) != n_units]
    if problems:
        raise EvaluationError("the columns differ in length; give one value a unit", problems=problems)


def checked_level(level: float) -> float:
    """A confidence level between 0 and 1.

    Raises:
        EvaluationError: It is not; 95 is a usual slip for 0.95.

    Example:
        >>> checked_level(0.95)
        0.95
    """
    if not (is_number(level) and 0 < level < 1):
        raise EvaluationError(f"level={level!r} is no confidence level; write 0.95 for 95%")
    return float(level)


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is one real number, NaN included; text never is.

    Example:
        >>> is_number(0.95), is_number(np.float32(0.5)), is_number("0.95"), is_number(None)
        (True, True, False, False)
    """
    return isinstance(value, Real)


def is_count(value: object) -> TypeGuard[float]:
    """Whether this is a whole number, 0 or more.

    Example:
        >>> is_count(3), is_count(3.0), is_count(-1), is_count(2.5), is_count("3")
        (True, True, False, False, False)
    """
    return is_number(value) and 0 <= value < np.inf and value == int(value)


def checked_draws(resamples: int, seed: int) -> None:
    """Refuse a number of resamples, or a seed, that random draws cannot be made with.

    Raises:
        EvaluationError: ``resamples`` is no whole number of 1 or more, or ``seed`` none of 0 or more.

    Example:
        >>> checked_draws(2000, 0)
    """
    whole = (int, np.integer)
    if not isinstance(resamples, whole) or resamples < 1:
        raise EvaluationError(f"resamples={resamples!r}: at least one is needed, and 2000 for an interval")
    if not isinstance(seed, whole) or seed < 0:
        raise EvaluationError(f"seed={seed!r} must be a whole number, 0 or more")


def checked_prevalence(prevalence: float) -> float:
    """A prevalence between 0 and 1.

    Raises:
        EvaluationError: It is not; 5 is a usual slip for 0.05.

    Example:
        >>> checked_prevalence(0.05)
        0.05
    """
    if not (is_number(prevalence) and 0 < prevalence < 1):
        raise EvaluationError(f"prevalence={prevalence!r} must lie between 0 and 1; write 0.05 for 5%")
    return float(prevalence)


def one_of(value: str, choices: Sequence[str], name: str) -> str:
    """One of the words that are known.

    Raises:
        EvaluationError: It is another word; the nearest known one is proposed.

    Example:
        >>> one_of("wilson", ["wilson", "exact"], "method")
        'wilson'
    """
    if value in choices:
        return value
    near = get_close_matches(str(value), choices, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise EvaluationError(f"{name}={value!r} is not known{hint} Known: {', '.join(choices)}")


def is_missing(values: NDArray[Any]) -> Booleans:
    """Which values of a column are missing: None, NaN, NaT and ``pandas.NA``.

    Example:
        >>> is_missing(np.array([1, None], dtype=object)).tolist()
        [False, True]
    """
    if values.dtype.kind in "biu":
        return np.zeros(len(values), dtype=bool)
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values), dtype=bool)
    # None, NaN, NaT and pandas.NA, without importing pandas: each is None, unequal to itself, or cannot say.
    return np.asarray([_missing_value(value) for value in values.tolist()], dtype=bool)


def _missing_value(value: object) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _rows(values: NDArray[Any], wrong: Booleans, patients: ArrayLike | None) -> list[str]:
    owners = None if patients is None else np.asarray(patients)
    lines = []
    for row in np.flatnonzero(wrong)[:_SHOWN]:
        owner = "" if owners is None or row >= len(owners) else f" (patient {owners[row]})"
        lines.append(f"row {row}{owner}: {values[row]}")
    if wrong.sum() > _SHOWN:
        lines.append(f"and {wrong.sum() - _SHOWN} more")
    return lines
