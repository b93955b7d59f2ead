"""What every function of this part asks of its input, and the sentence for an input that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

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
    missing = _is_missing(values)
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
    missing = _is_missing(values)
    numbers = finite_scores(np.where(missing, 0.0, values), patients=patients)
    return np.where(missing, np.nan, numbers)


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
    missing = _is_missing(values)
    if missing.any():
        raise EvaluationError(
            f"{missing.sum()} of {n_units} units have no patient; the patient is the unit of independence",
            problems=_rows(values, missing, None),
        )
    sortable = values if values.dtype.kind in "iufbU" else values.astype(str)
    return np.unique(sortable, return_inverse=True)[1].astype(np.int64)


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
    if not 0 < level < 1:
        raise EvaluationError(f"level={level} is no confidence level; write 0.95 for 95%")
    return float(level)


def checked_prevalence(prevalence: float) -> float:
    """A prevalence between 0 and 1.

    Raises:
        EvaluationError: It is not; 5 is a usual slip for 0.05.

    Example:
        >>> checked_prevalence(0.05)
        0.05
    """
    if not 0 < prevalence < 1:
        raise EvaluationError(f"prevalence={prevalence} must lie between 0 and 1; write 0.05 for 5%")
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


def _is_missing(values: NDArray[Any]) -> Booleans:
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
