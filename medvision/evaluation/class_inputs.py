"""Classes and their scores as arrays, and the sentences for those that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Floats, Integers, one_dimensional


def score_matrix(values: ArrayLike, name: str) -> Floats:
    """Numbers with one column a class, each of them finite.

    Args:
        values: Shape ``(n, k)``.
        name: What they are called in the error.

    Raises:
        EvaluationError: Another shape, or rows that are not finite; they are named.

    Example:
        >>> score_matrix([[1, 2]], "scores").tolist()
        [[1.0, 2.0]]
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise EvaluationError(f"{name} are not numbers") from None
    if found.ndim != 2 or found.shape[1] < 1:
        raise EvaluationError(f"{name} must be one column a class; this has the shape {found.shape}")
    wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(wrong):
        rows = ", ".join(map(str, wrong[:10].tolist()))
        raise EvaluationError(f"{len(wrong)} rows of {name} are missing or infinite: rows {rows}")
    return found


def class_places(
    labels: ArrayLike, classes: Sequence[object] | None, columns: int, what: str = "labels"
) -> tuple[list[str], Integers]:
    """The names of the classes, and the place of each unit's class among them.

    Args:
        labels: The class of each unit, shape ``(n,)``.
        classes: All classes in order; None takes the sorted labels.
        columns: How many there must be.
        what: What the labels are called in the error.

    Raises:
        EvaluationError: A label is missing or no class, or the number of classes is another.

    Example:
        >>> names, places = class_places(["b", "a", "b"], None, 2)
        >>> names, places.tolist()
        (['a', 'b'], [1, 0, 1])
    """
    values = one_dimensional(labels, what).tolist()
    missing = [row for row, value in enumerate(values) if value is None or value != value]
    if missing:
        raise EvaluationError(f"{len(missing)} {what} are missing, the first in row {missing[0]}")
    known = sorted(set(values)) if classes is None else list(classes)
    if len(known) != columns:
        raise EvaluationError(
            f"{what} have {len(known)} classes, and there are {columns} columns of scores; name the class of "
            "each column (classes=)"
        )
    place = {value: number for number, value in enumerate(known)}
    strange = sorted({str(value) for value in values if value not in place})
    if strange:
        raise EvaluationError(
            f"{what} that are no class: {', '.join(strange[:10])}; known: {', '.join(map(str, known))}"
        )
    return [str(value) for value in known], np.array([place[value] for value in values], dtype=np.int64)


def content_order(codes: Integers, patients: ArrayLike | None, *keys: ArrayLike) -> Integers:
    """An order of the units that depends on their content alone, so that no resampling depends on the rows.

    Args:
        codes: The patient of each unit.
        patients: None where every unit is its own patient: then only the content can order them.
        keys: What tells units apart, shape ``(n,)`` each.

    Example:
        >>> content_order(np.array([0, 1, 2]), None, [3.0, 1.0, 2.0]).tolist()
        [1, 2, 0]
    """
    order = np.lexsort([np.asarray(key) for key in keys])
    return order if patients is None else order[np.argsort(codes[order], kind="stable")]
