"""What is asked of two masks of one case, and the structures in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK
from medvision.evaluation.inputs import Booleans, is_number

BOTH_EMPTY = "both_empty"
REFERENCE_EMPTY = "reference_empty"
PREDICTION_EMPTY = "prediction_empty"

Labels = Mapping[str, int | Sequence[int]] | Sequence[int]


def checked_masks(
    reference: NDArray[Any], prediction: NDArray[Any], spacing_mm: Sequence[float], case: str | None
) -> tuple[NDArray[Any], NDArray[Any], tuple[float, ...]]:
    """Two masks of whole numbers on one grid, and its spacing.

    Args:
        reference: Shape ``(i, j, k)`` or ``(i, j)``.
        prediction: The same shape.
        spacing_mm: Along each axis.
        case: Whose masks they are, for the errors.

    Raises:
        EvaluationError: Shapes differ, the spacing does not fit, or a mask is not whole-numbered.

    Example:
        >>> mask = np.ones((2, 2))
        >>> checked_masks(mask, mask, [1, 2], None)[2]
        (1.0, 2.0)
    """
    first, second = _whole(reference, "reference", case), _whole(prediction, "prediction", case)
    return first, second, _checked_grid(first, second, spacing_mm, case)


def structures_of(
    labels: Labels | None, reference: NDArray[Any], prediction: NDArray[Any]
) -> dict[str, list[int]]:
    """The values of each structure; without labels any value above 0 is one structure.

    Raises:
        EvaluationError: A structure has no value, or one that is no whole number.

    Example:
        >>> structures_of({"tumour": (1, 2)}, np.zeros(1), np.zeros(1))
        {'tumour': [1, 2]}
    """
    if labels is None:
        values = np.union1d(np.unique(reference), np.unique(prediction))
        return {"foreground": [int(value) for value in values if value > 0]}
    named = labels if isinstance(labels, Mapping) else {str(value): value for value in labels}
    structures = {str(name): np.atleast_1d(np.asarray(value)).tolist() for name, value in named.items()}
    wrong = [name for name, values in structures.items() if not values or not all(map(_is_whole, values))]
    if wrong or not structures:
        raise EvaluationError(
            f"labels={labels!r} must give one whole number, or several, for each structure", problems=wrong
        )
    return {name: [int(value) for value in values] for name, values in structures.items()}


def _is_whole(value: object) -> bool:
    return is_number(value) and math.isfinite(value) and value == int(value)


def structure_mask(array: NDArray[Any], values: Sequence[int]) -> Booleans:
    """Where a mask has one of these values.

    Example:
        >>> structure_mask(np.array([0, 1, 2]), [1, 2]).tolist()
        [False, True, True]
    """
    return np.asarray(array == values[0] if len(values) == 1 else np.isin(array, values), dtype=bool)


def emptiness(reference: int, prediction: int) -> str:
    """The status of two masks by what each holds: voxels, or lesions.

    Example:
        >>> emptiness(0, 3)
        'reference_empty'
    """
    if reference and prediction:
        return OK
    if reference:
        return PREDICTION_EMPTY
    return REFERENCE_EMPTY if prediction else BOTH_EMPTY


def _whole(mask: NDArray[Any], name: str, case: str | None) -> NDArray[Any]:
    array = np.asarray(mask)
    if array.dtype.kind in "biu":
        return array
    rounded = np.round(array) if array.dtype.kind == "f" else None
    if rounded is None or not np.array_equal(rounded, array) or not np.isfinite(array).all():
        where = "" if case is None else f"case {case}: "
        raise EvaluationError(
            f"{where}the {name} mask has values that are no whole numbers; threshold probabilities, and "
            "resample masks with nearest-neighbour interpolation"
        )
    return rounded.astype(np.int64)


def _checked_grid(
    reference: NDArray[Any], prediction: NDArray[Any], spacing_mm: Sequence[float], case: str | None
) -> tuple[float, ...]:
    where = "" if case is None else f"case {case}: "
    if reference.shape != prediction.shape:
        raise EvaluationError(
            f"{where}the reference has the shape {reference.shape}, the prediction {prediction.shape}; "
            "bring both to one grid"
        )
    try:
        spacing = tuple(float(size) for size in spacing_mm)
    except (TypeError, ValueError):
        raise EvaluationError(f"{where}spacing_mm={spacing_mm!r} must be one number for each axis") from None
    if reference.ndim not in (2, 3) or len(spacing) != reference.ndim:
        raise EvaluationError(
            f"{where}a mask of {reference.ndim} dimensions and a spacing of {len(spacing)}; "
            "masks have 3 dimensions (or 2) and one spacing for each"
        )
    if not all(0 < size < math.inf for size in spacing):
        raise EvaluationError(f"{where}spacing_mm={spacing} must be positive millimetres")
    return spacing
