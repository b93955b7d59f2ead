"""The lesions of a mask as connected components, and which of two masks' components overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Booleans, Floats, Integers
from medvision.evaluation.surfaces import bounding_box

_NEIGHBOURS = {2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}


@dataclass(frozen=True)
class Overlaps:
    """The lesions of a reference, the components of a prediction, and the pairs that touch.

    Attributes:
        lesion_voxels: Voxels of each lesion, shape ``(lesions,)``.
        lesion_centres: Mean voxel index of each lesion, shape ``(lesions, axes)``.
        component_voxels: Voxels of each predicted component, shape ``(components,)``.
        component_centres: Shape ``(components, axes)``.
        pairs: Lesion and component, from 0, of every pair that touches, shape ``(pairs, 2)``.
        shared: Voxels that the two of a pair have in common, shape ``(pairs,)``; 0 where the component
            reaches only the surroundings of the lesion.

    Example:
        >>> reference, prediction = np.array([[1, 1, 0, 1]]) > 0, np.array([[0, 1, 0, 0]]) > 0
        >>> found = overlaps(reference, prediction, (1, 1))
        >>> found.lesion_voxels.tolist(), found.pairs.tolist(), found.iou.tolist()
        ([2, 1], [[0, 0]], [0.5])
    """

    lesion_voxels: Integers
    lesion_centres: Floats
    component_voxels: Integers
    component_centres: Floats
    pairs: Integers
    shared: Integers

    @property
    def iou(self) -> Floats:
        """Intersection over union of each pair."""
        lesion, component = self.pairs.T
        union = self.lesion_voxels[lesion] + self.component_voxels[component] - self.shared
        return np.asarray(self.shared / union)


def overlaps(
    reference: Booleans,
    prediction: Booleans,
    spacing_mm: Sequence[float],
    *,
    connectivity: int | None = None,
    merge_within_mm: float = 0.0,
    least_voxels: int = 0,
) -> Overlaps:
    """Divide two masks into components and find which touch.

    Numbers follow the first voxel of each component, the last axis running fastest.

    Args:
        reference: Shape ``(i, j, k)`` or ``(i, j)``.
        prediction: The same shape.
        spacing_mm: Along each axis.
        connectivity: Neighbours of a voxel: 6, 18 or 26, in two dimensions 4 or 8; None for all.
        merge_within_mm: Radius of the ball by which the reference is dilated before it is divided.
        least_voxels: Predicted components with fewer voxels are taken away.

    Raises:
        EvaluationError: Such a connectivity does not exist.

    Example:
        >>> mask = np.array([[1, 1, 0, 1]]) > 0
        >>> overlaps(mask, mask, (1, 1), merge_within_mm=1).lesion_voxels.tolist()
        [3]
    """
    either = reference | prediction
    structure = _structure(reference.ndim, connectivity)
    if not either.any():
        nothing, nowhere = np.zeros(0, dtype=np.int64), np.zeros((0, reference.ndim))
        return Overlaps(nothing, nowhere, nothing, nowhere, np.zeros((0, 2), dtype=np.int64), nothing)
    box = bounding_box(either)
    inner, other = reference[box], prediction[box]
    reach = _divided(_dilated(inner, spacing_mm, merge_within_mm), structure)
    components = _without_small(_divided(other, structure), least_voxels)
    lesions = reach * inner
    corner = np.array([part.start for part in box])
    pairs, shared = _pairs(reach, components, inner)
    return Overlaps(*_sizes(lesions, corner), *_sizes(components, corner), pairs, shared)


def _structure(axes: int, connectivity: int | None) -> Booleans:
    from scipy.ndimage import generate_binary_structure

    known = _NEIGHBOURS[axes]
    asked = max(known) if connectivity is None else connectivity
    if asked not in known:
        choices = ", ".join(map(str, known))
        raise EvaluationError(f"connectivity={connectivity} is not known in {axes} dimensions: {choices}")
    return np.asarray(generate_binary_structure(axes, known[asked]), dtype=bool)


def _divided(mask: Booleans, structure: Booleans) -> NDArray[np.int32]:
    from scipy.ndimage import label

    found = np.zeros(mask.shape, dtype=np.int32)
    label(mask, structure=structure, output=found)
    return found


def _dilated(mask: Booleans, spacing_mm: Sequence[float], radius_mm: float) -> Booleans:
    """Within the box of both masks: no path between two balls needs to leave the box of their centres."""
    from scipy.ndimage import distance_transform_edt

    if radius_mm == 0 or not mask.any():
        return mask
    # Two voxels of 0.7 mm are 1.4 mm apart, whatever rounding makes of it.
    return np.asarray(distance_transform_edt(~mask, sampling=spacing_mm) <= radius_mm * (1 + 1e-9))


def _without_small(labels: NDArray[np.int32], least_voxels: int) -> NDArray[np.int32]:
    voxels = np.bincount(labels.ravel())
    kept = voxels >= least_voxels
    kept[0] = False
    return np.asarray((np.cumsum(kept) * kept)[labels], dtype=np.int32)


def _sizes(labels: NDArray[np.int32], corner: Integers) -> tuple[Integers, Floats]:
    """Voxels and mean index of each component."""
    places = np.nonzero(labels)
    own = labels[places] - 1
    voxels = np.bincount(own)
    sums = [np.bincount(own, weights=axis, minlength=len(voxels)) for axis in places]
    return voxels.astype(np.int64), np.stack(sums, axis=1) / voxels[:, None] + corner


def _pairs(
    reach: NDArray[np.int32], components: NDArray[np.int32], reference: Booleans
) -> tuple[Integers, Integers]:
    both = (reach > 0) & (components > 0)
    n_components = int(components.max(initial=0))
    codes = (reach[both].astype(np.int64) - 1) * n_components + components[both] - 1
    touching, position = np.unique(codes, return_inverse=True)
    shared = np.bincount(position, weights=reference[both], minlength=len(touching)).astype(np.int64)
    return np.stack(np.divmod(touching, max(n_components, 1)), axis=1), shared
