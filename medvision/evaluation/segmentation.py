"""How well a predicted mask agrees with the reference: overlap, surfaces, volume."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK
from medvision.evaluation.inputs import Booleans, one_of
from medvision.evaluation.surfaces import surface_distances

if TYPE_CHECKING:
    import pandas as pd

BOTH_EMPTY = "both_empty"
REFERENCE_EMPTY = "reference_empty"
PREDICTION_EMPTY = "prediction_empty"

Labels = Mapping[str, int | Sequence[int]] | Sequence[int]
EmptyDistance = Literal["diagonal", "nan"]


def segmentation_scores(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: Sequence[float],
    *,
    labels: Labels | None = None,
    nsd_tolerance_mm: float = 1.0,
    empty_distance: EmptyDistance = "diagonal",
    case: str | None = None,
) -> pd.DataFrame:
    """Agreement of one case's masks, one row for each structure.

    The surface measures weigh each piece of surface by its area (see
    :func:`medvision.evaluation.surfaces.surface_distances`): ``hd95_mm`` is the larger of the two directed
    95th percentiles, ``nsd`` the share of both surfaces within the tolerance (Nikolov et al., J Med Internet
    Res 2021;23:e26151, doi:10.2196/26151), ``assd_mm`` the mean distance over both surfaces. On the choice
    between measures: Maier-Hein et al., Nat Methods 2024;21:195, doi:10.1038/s41592-023-02151-z.

    Where a structure is in neither mask, nothing is there to agree on: every measure but the volumes is NaN
    and the status is ``both_empty``; count such cases, do not average them (Reinke et al., Nat Methods
    2024;21:182, doi:10.1038/s41592-023-02150-0). Where it is in one of the two, dice, iou and nsd are 0 and
    the distances are the diagonal of the image, or NaN if that is chosen.

    Args:
        reference: Whole-numbered labels, shape ``(i, j, k)`` or ``(i, j)``.
        prediction: The same shape, on the same grid.
        spacing_mm: Distance between voxel centres along each axis, in mm.
        labels: A name for the value, or the values, of each structure; or just the values. None takes any
            value above 0 as one structure.
        nsd_tolerance_mm: Distance that still counts as agreement, in mm.
        empty_distance: What a distance is where one mask is empty: ``diagonal`` or ``nan``.
        case: The case, for a first column ``case_id``.

    Returns:
        The columns ``structure``, ``dice``, ``iou``, ``hd95_mm``, ``nsd``, ``assd_mm``,
        ``volume_reference_ml``, ``volume_prediction_ml``, ``volume_error_ml`` (prediction minus reference),
        ``volume_error_percent`` (of the reference) and ``status``.

    Raises:
        EvaluationError: Shapes differ, the spacing does not fit, or a mask is not whole-numbered.

    Example:
        >>> reference, prediction = np.zeros((2, 10, 10, 10), dtype=int)
        >>> reference[2:6, 2:6, 2:6] = prediction[2:6, 2:6, 2:7] = 1
        >>> scores = segmentation_scores(reference, prediction, (1, 1, 2.5), labels={"nodule": 1})
        >>> scores[["dice", "hd95_mm", "volume_error_ml"]].round(3).values.tolist()
        [[0.889, 2.5, 0.04]]
    """
    import pandas as pd

    one_of(empty_distance, ("diagonal", "nan"), "empty_distance")
    if not nsd_tolerance_mm >= 0:
        raise EvaluationError(f"nsd_tolerance_mm={nsd_tolerance_mm} must be 0 or more millimetres")
    first, second = _whole(reference, "reference", case), _whole(prediction, "prediction", case)
    spacing = _checked_grid(first, second, spacing_mm, case)
    penalty = math.nan
    if empty_distance == "diagonal":
        penalty = float(np.linalg.norm(np.array(first.shape) * spacing))
    rows = [
        {
            **({} if case is None else {"case_id": case}),
            "structure": name,
            **mask_scores(_mask(first, values), _mask(second, values), spacing, nsd_tolerance_mm, penalty),
        }
        for name, values in _structures(labels, first, second).items()
    ]
    return pd.DataFrame(rows)


def mask_scores(
    reference: Booleans,
    prediction: Booleans,
    spacing_mm: Sequence[float],
    nsd_tolerance_mm: float,
    empty_distance_mm: float,
) -> dict[str, float | str]:
    """The measures of one structure.

    Args:
        reference: Shape ``(i, j, k)`` or ``(i, j)``.
        prediction: The same shape.
        spacing_mm: Along each axis.
        nsd_tolerance_mm: Distance that still counts as agreement.
        empty_distance_mm: The distances where one of the two is empty.

    Example:
        >>> mask = np.ones((2, 2, 2), dtype=bool)
        >>> mask_scores(mask, mask, (1, 1, 1), 1.0, 0.0)["dice"]
        1.0
    """
    sizes = int(reference.sum()), int(prediction.sum())
    scores: dict[str, float | str] = _agreement(reference, prediction, spacing_mm, nsd_tolerance_mm, sizes)
    if scores["status"] in (REFERENCE_EMPTY, PREDICTION_EMPTY):
        scores["hd95_mm"] = scores["assd_mm"] = empty_distance_mm
    status = scores.pop("status")
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    error = (sizes[1] - sizes[0]) * voxel_ml
    return {
        **scores,
        "volume_reference_ml": sizes[0] * voxel_ml,
        "volume_prediction_ml": sizes[1] * voxel_ml,
        "volume_error_ml": error,
        "volume_error_percent": 100 * (sizes[1] - sizes[0]) / sizes[0] if sizes[0] else math.nan,
        "status": status,
    }


def _agreement(
    reference: Booleans,
    prediction: Booleans,
    spacing_mm: Sequence[float],
    nsd_tolerance_mm: float,
    sizes: tuple[int, int],
) -> dict[str, float | str]:
    if 0 in sizes:
        overlap = math.nan if sizes == (0, 0) else 0.0
        status = BOTH_EMPTY if sizes == (0, 0) else REFERENCE_EMPTY if sizes[0] == 0 else PREDICTION_EMPTY
        return {
            "dice": overlap, "iou": overlap, "hd95_mm": math.nan, "nsd": overlap, "assd_mm": math.nan,
            "status": status,
        }  # fmt: skip
    shared = int((reference & prediction).sum())
    found = surface_distances(reference, prediction, spacing_mm)
    return {
        "dice": 2 * shared / sum(sizes),
        "iou": shared / (sum(sizes) - shared),
        "hd95_mm": found.percentile(95),
        "nsd": found.within(nsd_tolerance_mm),
        "assd_mm": found.average(),
        "status": OK,
    }


def _structures(
    labels: Labels | None, reference: NDArray[Any], prediction: NDArray[Any]
) -> dict[str, list[int]]:
    if labels is None:
        values = np.union1d(np.unique(reference), np.unique(prediction))
        return {"foreground": [int(value) for value in values if value > 0]}
    if not isinstance(labels, Mapping):
        return {str(value): [int(value)] for value in labels}
    return {str(name): [int(v) for v in np.atleast_1d(np.asarray(value))] for name, value in labels.items()}


def _mask(array: NDArray[Any], values: list[int]) -> Booleans:
    return np.asarray(array == values[0] if len(values) == 1 else np.isin(array, values), dtype=bool)


def _whole(mask: NDArray[Any], name: str, case: str | None) -> NDArray[Any]:
    array = np.asarray(mask)
    if array.dtype.kind in "biu":
        return array
    rounded = np.round(array) if array.dtype.kind == "f" else None
    if rounded is None or not np.array_equal(rounded, array):
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
    spacing = tuple(float(size) for size in spacing_mm)
    if reference.ndim not in (2, 3) or len(spacing) != reference.ndim:
        raise EvaluationError(
            f"{where}a mask of {reference.ndim} dimensions and a spacing of {len(spacing)}; "
            "masks have 3 dimensions (or 2) and one spacing for each"
        )
    if not all(0 < size < math.inf for size in spacing):
        raise EvaluationError(f"{where}spacing_mm={spacing} must be positive millimetres")
    return spacing
