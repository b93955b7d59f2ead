"""How well a predicted mask agrees with the reference: overlap, surfaces, volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK
from medvision.evaluation.inputs import Booleans, is_number, one_of
from medvision.evaluation.mask_inputs import (
    PREDICTION_EMPTY,
    REFERENCE_EMPTY,
    Labels,
    checked_masks,
    emptiness,
    structure_mask,
    structures_of,
)
from medvision.evaluation.surfaces import surface_distances

if TYPE_CHECKING:
    import pandas as pd

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
        Two slabs of the tests of DeepMind's ``surface-distance``, which hold a Dice score of 0.99 and, with
        slices 2 mm apart, a Hausdorff distance of 2 mm:

        >>> slab, longer = np.zeros((2, 100, 100, 100), dtype=bool)
        >>> slab[:50], longer[:51] = True, True
        >>> scores = segmentation_scores(slab, longer, (2, 1, 1), labels={"slab": 1})
        >>> scores[["dice", "hd95_mm"]].round(2).values.tolist()
        [[0.99, 2.0]]
    """
    import pandas as pd

    one_of(empty_distance, ("diagonal", "nan"), "empty_distance")
    if not (is_number(nsd_tolerance_mm) and nsd_tolerance_mm >= 0):
        raise EvaluationError(f"nsd_tolerance_mm={nsd_tolerance_mm!r} must be 0 or more millimetres")
    first, second, spacing = checked_masks(reference, prediction, spacing_mm, case)
    penalty = math.nan
    if empty_distance == "diagonal":
        penalty = float(np.linalg.norm(np.array(first.shape) * spacing))
    rows = [
        {
            **({} if case is None else {"case_id": case}),
            "structure": name,
            **mask_scores(
                structure_mask(first, values),
                structure_mask(second, values),
                spacing,
                nsd_tolerance_mm,
                penalty,
            ),
        }
        for name, values in structures_of(labels, first, second).items()
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
        return {
            "dice": overlap, "iou": overlap, "hd95_mm": math.nan, "nsd": overlap, "assd_mm": math.nan,
            "status": emptiness(*sizes),
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
