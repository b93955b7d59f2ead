"""Which predicted component belongs to which lesion, how well it fits, and the panoptic quality."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from medvision.evaluation.detection_matching import Assignment, greedy_pairs, hungarian_pairs
from medvision.evaluation.inputs import Booleans, Floats
from medvision.evaluation.lesion_components import Overlaps

_PANOPTIC = 0.5


@dataclass(frozen=True)
class Matched:
    """What a matching rule made of overlapping components.

    Attributes:
        pairs: Which pairs of the overlaps are matched, shape ``(pairs,)``.
        found: Which lesions have a match, shape ``(lesions,)``.
        dice: Of each lesion with all that it was matched to, 0 without; shape ``(lesions,)``.
        hit: Which components have a match, shape ``(components,)``.
        false_positive: Which components have none and touch no lesion that is left out.
    """

    pairs: Booleans
    found: Booleans
    dice: Floats
    hit: Booleans
    false_positive: Booleans


@dataclass(frozen=True)
class PanopticQuality:
    """The product, the mean IoU of the matched pairs, and the F1 of matching; NaN where undefined.

    Example:
        >>> PanopticQuality(0.4, 0.8, 0.5).panoptic_quality
        0.4
    """

    panoptic_quality: float
    segmentation_quality: float
    recognition_quality: float


def matched(found: Overlaps, counted: Booleans, limit: float | None, assignment: Assignment) -> Matched:
    """Match predicted components to the lesions that count.

    Args:
        found: The overlaps.
        counted: Which lesions count, shape ``(lesions,)``.
        limit: None where touching is enough; else the least IoU of a pair, one to one.
        assignment: ``greedy`` or ``hungarian``, where there is a limit.

    Example:
        >>> from medvision.evaluation.lesion_components import overlaps
        >>> reference, prediction = np.array([[1, 1, 1, 1]]) > 0, np.array([[1, 0, 1, 1]]) > 0
        >>> one = overlaps(reference, prediction, (1, 1))
        >>> [matched(one, np.array([True]), limit, "greedy").dice.round(3).tolist() for limit in (None, 0.1)]
        [[0.857], [0.667]]
    """
    allowed = counted[found.pairs[:, 0]]
    if limit is not None:
        allowed = _one_to_one(found, allowed & (found.shared > 0) & (found.iou >= limit), assignment)
    lesion, component = found.pairs[allowed].T
    lesions, components = len(found.lesion_voxels), len(found.component_voxels)
    hit = np.bincount(component, minlength=components) > 0
    shared = np.bincount(lesion, weights=found.shared[allowed], minlength=lesions)
    predicted = np.bincount(lesion, weights=found.component_voxels[component], minlength=lesions)
    dice = 2 * shared / (found.lesion_voxels + predicted)
    found_lesions = np.bincount(lesion, minlength=lesions) > 0
    return Matched(allowed, found_lesions, dice, hit, ~hit & ~_beside_counted(found, counted))


def panoptic(found: Overlaps, counted: Booleans) -> PanopticQuality:
    """Panoptic quality of the lesions that count: pairs with an IoU above 0.5, which are unique.

    Args:
        found: The overlaps.
        counted: Which lesions count, shape ``(lesions,)``.

    Example:
        >>> from medvision.evaluation.lesion_components import overlaps
        >>> reference, prediction = np.array([[1, 1, 1, 1]]) > 0, np.array([[1, 0, 1, 1]]) > 0
        >>> found = panoptic(overlaps(reference, prediction, (1, 1)), np.array([True]))
        >>> found.panoptic_quality, found.segmentation_quality, found.recognition_quality
        (0.0, nan, 0.0)
    """
    pairs = (found.iou > _PANOPTIC) & counted[found.pairs[:, 0]]
    total, n = float(found.iou[pairs].sum()), int(pairs.sum())
    taken = np.bincount(found.pairs[pairs, 1], minlength=len(found.component_voxels)) > 0
    alarms = int((~taken & ~_beside_counted(found, counted)).sum())
    weight = n + (alarms + int(counted.sum()) - n) / 2
    if weight == 0:
        return PanopticQuality(math.nan, math.nan, math.nan)
    return PanopticQuality(total / weight, total / n if n else math.nan, n / weight)


def _beside_counted(found: Overlaps, counted: Booleans) -> Booleans:
    """Which components touch a lesion that is left out."""
    beside = found.pairs[~counted[found.pairs[:, 0]], 1]
    return np.bincount(beside, minlength=len(found.component_voxels)) > 0


def _one_to_one(found: Overlaps, allowed: Booleans, assignment: Assignment) -> Booleans:
    rows = np.flatnonzero(allowed)
    lesions, lesion = np.unique(found.pairs[rows, 0], return_inverse=True)
    components, component = np.unique(found.pairs[rows, 1], return_inverse=True)
    closeness = np.full((len(components), len(lesions)), -np.inf)
    closeness[component, lesion] = found.iou[rows]
    if assignment == "greedy":
        taken = greedy_pairs(closeness, np.zeros(len(components)))
    else:
        taken = hungarian_pairs(closeness)
    kept = np.zeros(len(allowed), dtype=bool)
    kept[rows] = taken[component] == lesion
    return kept
