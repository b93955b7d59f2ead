"""Lesion by lesion: which lesions a mask found, how well, and what it found besides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.detection_matching import Assignment
from medvision.evaluation.hit_rules import parse_hit_rule
from medvision.evaluation.inputs import Booleans, Floats, is_number, one_of
from medvision.evaluation.lesion_components import Overlaps, overlaps
from medvision.evaluation.lesion_matching import Matched, matched, panoptic
from medvision.evaluation.mask_inputs import Labels, checked_masks, emptiness, structure_mask, structures_of

if TYPE_CHECKING:
    import pandas as pd

_AXES = ("i", "j", "k")


@dataclass(frozen=True)
class LesionwiseScores:
    """One case, lesion by lesion.

    Attributes:
        cases: A row for each structure: ``structure``, ``n_reference``, ``n_found``, ``n_predicted``,
            ``n_false_positives``, ``lesion_sensitivity``, ``lesion_precision``, ``lesion_f1``,
            ``lesionwise_dice``, ``panoptic_quality``, ``segmentation_quality``, ``recognition_quality``,
            ``false_positive_volume_mm3``, ``false_negative_volume_mm3``, ``n_left_out``, ``status``.
        lesions: A row for each lesion of the reference: ``structure``, ``lesion_id``, ``volume_mm3``, its
            centre as voxel index (``centre_i``, ``centre_j``, ``centre_k``), ``found``, ``dice`` with what
            was matched, and ``components``, the numbers of these.
        components: A row for each predicted component: ``structure``, ``component``, ``volume_mm3``, its
            centre, and ``status``: ``matched``, ``false_positive`` or ``left_out``.
    """

    cases: pd.DataFrame
    lesions: pd.DataFrame
    components: pd.DataFrame


def lesionwise_scores(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: Sequence[float],
    *,
    labels: Labels | None = None,
    connectivity: int | None = None,
    rule: str = "any",
    assignment: Assignment = "greedy",
    merge_within_mm: float = 0.0,
    min_volume_mm3: float = 0.0,
    min_predicted_mm3: float = 0.0,
    case: str | None = None,
) -> LesionwiseScores:
    """Detection and outline of each lesion of one case, a lesion being a connected component.

    Which lesion is found, by ``rule``:

    - ``any``: one that a predicted component touches, be it by one voxel. All components that touch it are
      taken together for its Dice, each with its whole extent; a component may belong to several lesions.
    - ``iou>=0.3``: one component for one lesion, of those pairs whose intersection over union is as large.
      Greedy, the largest overlap first, equal ones by the smaller number of the component, then of the
      lesion; Hungarian, as many lesions as possible, then the largest overlaps in all.

    A component that is matched to no lesion is a false positive. Sensitivity is found over all lesions,
    precision matched over all components, F1 their harmonic mean. ``lesionwise_dice`` is the sum of the
    lesions' Dice (0 where not found) over lesions plus false positives: the rule of the BraTS challenge of
    2023, whose program (BraTS-2023-Metrics) also dilates the reference. ``merge_within_mm`` does so with a
    ball of that radius: parts of the reference whose balls meet are one lesion, and a component that reaches
    the ball touches it; voxels of the Dice stay those of the masks. One dilation of that program, on voxels
    of 1 mm, is a radius of 1.42; its three dilations are no ball and have no exact counterpart.

    Panoptic quality (Kirillov, He, Girshick, Rother and Dollár, CVPR 2019, doi:10.1109/CVPR.2019.00963) is
    the sum of the IoU of pairs above 0.5, which are unique, over pairs plus half of the lesions and
    components without one: ``segmentation_quality``, the mean IoU of the pairs, times
    ``recognition_quality``.

    Lesions smaller than ``min_volume_mm3`` are left out, and so are components that touch them and are
    matched to no other. Components smaller than ``min_predicted_mm3`` count as not predicted. (BraTS has
    only the former, and leaves out what is not larger than its limit.)

    Without lesions the sensitivity is NaN, without components the precision; with neither, every ratio is
    NaN and the status ``both_empty``: count such cases, BraTS counts them as 1. With one of the two, Dice,
    F1 and panoptic quality are 0.

    Args:
        reference: Whole-numbered labels, shape ``(i, j, k)`` or ``(i, j)``.
        prediction: The same shape, on the same grid.
        spacing_mm: Distance between voxel centres along each axis, in mm.
        labels: A name for the value, or the values, of each structure; or just the values. None takes any
            value above 0 as one structure. Each structure is divided by itself.
        connectivity: Neighbours of a voxel: 6, 18 or 26, in two dimensions 4 or 8; None for 26 or 8.
        rule: ``any`` or ``iou>=t``.
        assignment: ``greedy`` or ``hungarian``, for ``iou>=t``.
        merge_within_mm: Radius of the dilation of the reference, in mm.
        min_volume_mm3: Smallest lesion (mm² in two dimensions).
        min_predicted_mm3: Smallest predicted component.
        case: The case, for a first column ``case_id``.

    Returns:
        Three tables.

    Raises:
        EvaluationError: Masks that cannot be compared, or a setting that is impossible.

    Example:
        >>> reference, prediction = np.zeros((2, 8, 8, 8), dtype=int)
        >>> reference[1:3, 1:3, 1:3] = reference[5:7, 5:7, 5:7] = prediction[1:3, 1:3, 2:4] = 1
        >>> found = lesionwise_scores(reference, prediction, (1, 1, 2))
        >>> found.cases[["n_reference", "n_found", "lesionwise_dice", "panoptic_quality"]].values.tolist()
        [[2.0, 1.0, 0.25, 0.0]]
        >>> found.lesions[["lesion_id", "volume_mm3", "found", "dice"]].values.tolist()
        [[1, 16.0, True, 0.5], [2, 16.0, False, 0.0]]
    """
    import pandas as pd

    limit = _limit(rule)
    one_of(assignment, ("greedy", "hungarian"), "assignment")
    _refuse_negative(
        merge_within_mm=merge_within_mm, min_volume_mm3=min_volume_mm3, min_predicted_mm3=min_predicted_mm3
    )
    first, second, spacing = checked_masks(reference, prediction, spacing_mm, case)
    voxel = float(np.prod(spacing))
    tables: tuple[list[pd.DataFrame], ...] = ([], [], [])
    for name, values in structures_of(labels, first, second).items():
        found = overlaps(
            structure_mask(first, values), structure_mask(second, values), spacing,
            connectivity=connectivity, merge_within_mm=merge_within_mm,
            least_voxels=_voxels(min_predicted_mm3, voxel),
        )  # fmt: skip
        counted = found.lesion_voxels >= _voxels(min_volume_mm3, voxel)
        result = matched(found, counted, limit, assignment)
        names = {**({} if case is None else {"case_id": case}), "structure": name}
        rows = (
            pd.DataFrame([{**names, **_summary(found, counted, result, voxel)}]),
            _lesion_rows(found, counted, result, voxel, names),
            _component_rows(found, result, voxel, names),
        )
        for kept, row in zip(tables, rows, strict=True):
            kept.append(row)
    return LesionwiseScores(*(pd.concat(part, ignore_index=True) for part in tables))


def _limit(rule: str) -> float | None:
    if rule == "any":
        return None
    kind, limit = parse_hit_rule(rule)
    if kind != "iou":
        raise EvaluationError(f"rule={rule!r} is no rule for masks; write any, or iou>=0.3")
    return limit


def _refuse_negative(**sizes: float) -> None:
    wrong = [
        f"{name}={size!r}" for name, size in sizes.items() if not (is_number(size) and 0 <= size < math.inf)
    ]
    if wrong:
        raise EvaluationError(f"{', '.join(wrong)} must be 0 or more")


def _voxels(volume: float, voxel: float) -> int:
    """The least whole number of voxels that has a volume; 8 voxels of 0.1 have 0.8."""
    return math.ceil(volume / voxel * (1 - 1e-12))


def _summary(found: Overlaps, counted: Booleans, result: Matched, voxel: float) -> dict[str, float | str]:
    lesions, alarms = int(counted.sum()), int(result.false_positive.sum())
    hits = int(result.hit.sum())
    n_found, predicted = int(result.found.sum()), hits + alarms
    sensitivity, precision = _ratio(n_found, lesions), _ratio(hits, predicted)
    quality = panoptic(found, counted)
    return {
        "n_reference": lesions,
        "n_found": n_found,
        "n_predicted": predicted,
        "n_false_positives": alarms,
        "lesion_sensitivity": sensitivity,
        "lesion_precision": precision,
        "lesion_f1": _f1(sensitivity, precision),
        "lesionwise_dice": _ratio(float(result.dice[counted].sum()), lesions + alarms),
        "panoptic_quality": quality.panoptic_quality,
        "segmentation_quality": quality.segmentation_quality,
        "recognition_quality": quality.recognition_quality,
        "false_positive_volume_mm3": float(found.component_voxels[result.false_positive].sum() * voxel),
        "false_negative_volume_mm3": float(found.lesion_voxels[counted & ~result.found].sum() * voxel),
        "n_left_out": int((~counted).sum()),
        "status": emptiness(lesions, predicted),
    }


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else math.nan


def _f1(sensitivity: float, precision: float) -> float:
    """The harmonic mean; 0 where one is 0 or has nothing to count, NaN where both have nothing."""
    if math.isnan(sensitivity) and math.isnan(precision):
        return math.nan
    both = sensitivity + precision
    return 2 * sensitivity * precision / both if both > 0 else 0.0


def _lesion_rows(
    found: Overlaps, counted: Booleans, result: Matched, voxel: float, names: dict[str, str]
) -> pd.DataFrame:
    import pandas as pd

    kept = np.flatnonzero(counted)
    own: dict[int, list[int]] = {}
    for lesion, component in found.pairs[result.pairs].tolist():
        own.setdefault(lesion, []).append(component + 1)
    return pd.DataFrame(
        {
            **{key: [value] * len(kept) for key, value in names.items()},
            "lesion_id": np.arange(1, len(kept) + 1),
            "volume_mm3": found.lesion_voxels[kept] * voxel,
            **_centres(found.lesion_centres[kept]),
            "found": result.found[kept],
            "dice": result.dice[kept],
            "components": pd.Series([tuple(own.get(lesion, [])) for lesion in kept.tolist()], dtype=object),
        }
    )


def _component_rows(found: Overlaps, result: Matched, voxel: float, names: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    n = len(found.component_voxels)
    status = np.where(result.hit, "matched", np.where(result.false_positive, "false_positive", "left_out"))
    return pd.DataFrame(
        {
            **{key: [value] * n for key, value in names.items()},
            "component": np.arange(1, n + 1),
            "volume_mm3": found.component_voxels * voxel,
            **_centres(found.component_centres),
            "status": status.astype(object),
        }
    )


def _centres(centres: Floats) -> dict[str, Floats]:
    return {f"centre_{axis}": column for axis, column in zip(_AXES, centres.T, strict=False)}
