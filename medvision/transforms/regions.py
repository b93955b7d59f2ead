"""Which voxels of an image are patient: thresholds, the body, a mask that was given."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import assert_never

import numpy as np
from monai.data import MetaTensor
from numpy.typing import NDArray
from scipy import ndimage

from medvision.config.intensity import (
    AboveThreshold,
    Body,
    Foreground,
    GivenRegion,
    Threshold,
    WholeImage,
)
from medvision.errors import CohortError

IMAGE, MASK, REGION = "image", "mask", "region"

Voxels = NDArray[np.bool_]
_BINS = 256


def foreground_voxels(data: Mapping[Hashable, MetaTensor], foreground: Foreground) -> Voxels:
    """Return where a step takes its figures.

    Args:
        data: "image", and "region" where a mask of one was given; each (1, i, j, k).
        foreground: Which voxels are meant.

    Returns:
        (i, j, k), at least one voxel True.

    Raises:
        CohortError: No voxel is meant.
    """
    image = data[IMAGE]
    match foreground:
        case WholeImage():
            return np.ones(tuple(image.shape[1:]), dtype=bool)
        case AboveThreshold():
            return _some(np.asarray(image)[0] > foreground.above, f"no voxel is above {foreground.above:g}")
        case Body():
            return body_voxels(image, foreground.above)
        case GivenRegion():
            return _some(np.asarray(data[REGION])[0] != 0, "its region is empty")
        case _:
            assert_never(foreground)


def body_voxels(image: MetaTensor, above: Threshold) -> Voxels:
    """Return the largest connected part above a threshold, its holes filled slice by slice.

    Parts are connected by faces. Holes are filled in the slices along the body's axis, because lungs and
    bowel may be open to the outside at the end of a volume.

    Args:
        image: (1, i, j, k) with its affine.
        above: The threshold in the image's units, or "otsu".

    Raises:
        CohortError: No voxel is above the threshold.
    """
    values = np.asarray(image)[0]
    threshold = otsu_threshold(values) if isinstance(above, str) else above
    inside = _some(values > threshold, f"no voxel is above {threshold:g}")
    parts, count = ndimage.label(inside)
    if count > 1:
        inside = parts == 1 + np.bincount(parts.ravel())[1:].argmax()
    along = int(np.abs(np.asarray(image.affine)[2, :3]).argmax())
    for slice_ in np.moveaxis(inside, along, 0):
        slice_[...] = ndimage.binary_fill_holes(slice_)
    return inside


def otsu_threshold(values: NDArray[np.floating]) -> float:
    """Return the threshold that divides a histogram of 256 bins into the two most distinct classes.

    Otsu, IEEE Trans Syst Man Cybern 1979;9:62-66: the largest variance between the classes.

    Args:
        values: Any shape; at least two different values.

    Returns:
        The upper edge of the last bin of the lower class.

    Example:
        >>> 1 < otsu_threshold(np.array([0.0, 0.1, 1.0, 9.0, 9.5, 10.0])) < 9
        True
    """
    counts, edges = np.histogram(values, bins=_BINS)
    centers = (edges[:-1] + edges[1:]) / 2
    lower, sums = np.cumsum(counts)[:-1], np.cumsum(counts * centers)
    upper = counts.sum() - lower
    apart = sums[:-1] / np.maximum(lower, 1) - (sums[-1] - sums[:-1]) / np.maximum(upper, 1)
    between = lower.astype(np.float64) * upper * apart**2
    # Empty bins between the classes tie; their middle is the fairest threshold.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float(edges[1:-1][best].mean())


def _some(voxels: Voxels, problem: str) -> Voxels:
    if not voxels.any():
        raise CohortError(f"{problem}, so there is no foreground")
    return voxels
