"""A small picture of a scan that survives what people do to copies: other grey values, another grid.

The picture of a volume covers its whole extent with 32 cells an axis, whatever its voxels, and holds grey
values after an equalisation that a monotone change of intensities (a window, a gamma, 8 bits, another unit)
hardly alters. :mod:`~medvision.imaging.lookalikes` compares pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 32
"""Cells of a picture along each axis that has more than one voxel."""

_BINS = 512
# A slope of at most so many times that of a straight line: a flat background keeps its noise small.
_STEEPEST = 3.0
_SAMPLED = 2**20
_TAILS = (0.005, 0.995)


def picture(array: npt.NDArray[Any]) -> Picture:
    """Shrink a volume to its picture.

    Args:
        array: Voxels (i, j, k) in a canonical orientation such as RAS; what is not finite counts as the
            lowest value.

    Returns:
        Shape (32, 32, 32), 1 along an axis of one voxel; 0 to 255.

    Example:
        >>> ramp = np.arange(64.0).reshape(4, 4, 4)
        >>> small = picture(ramp)
        >>> small.shape, bool(np.abs(small.astype(int) - picture(ramp**1.5)).max() < 32)
        ((32, 32, 32), True)
    """
    values = np.asarray(array)
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.all():
            lowest = values[finite].min() if finite.any() else 0.0
            values = np.where(finite, values, lowest)
    small = apply_axes(_equalised(values), [_averaging(n) for n in values.shape])
    return np.asarray(np.rint(small * 255).clip(0, 255), dtype=np.uint8)


def apply_axes(array: Floats, matrices: Sequence[Floats]) -> Floats:
    """Multiply each axis of a volume with a matrix.

    Args:
        array: Shape (i, j, k).
        matrices: Three, of shapes (p, i), (q, j) and (r, k).

    Returns:
        Shape (p, q, r).
    """
    first, second, third = matrices
    across = (first @ array.reshape(len(array), -1)).reshape(len(first), *array.shape[1:])
    return np.asarray((second @ across) @ third.T, dtype=np.float32)


def linear(points: npt.ArrayLike, n: int) -> Floats:
    """The matrix that reads an axis of n cells at points between 0 and 1 (its outer faces), linearly.

    Beyond the outermost centres the outermost value goes on.

    Example:
        >>> linear([0.5, 0.0], 2).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    place = np.clip(np.asarray(points, dtype=np.float64) * n - 0.5, 0, n - 1)
    lower = np.minimum(np.floor(place), max(n - 2, 0)).astype(np.intp)
    matrix = np.zeros((len(place), n), dtype=np.float32)
    rows = np.arange(len(place))
    matrix[rows, lower] = 1 - (place - lower)
    if n > 1:
        matrix[rows, lower + 1] = place - lower
    return matrix


def _averaging(n: int) -> Floats:
    """The matrix that brings an axis of n voxels to the picture: means of what each cell covers."""
    if n == 1:
        return np.ones((1, 1), dtype=np.float32)
    if n <= SIDE:
        return linear((np.arange(SIDE) + 0.5) / SIDE, n)
    edges, voxels = np.linspace(0, n, SIDE + 1), np.arange(n)
    overlap = np.minimum(edges[1:, None], voxels + 1) - np.maximum(edges[:-1, None], voxels)
    covered = np.maximum(overlap, 0)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True), dtype=np.float32)


def _equalised(values: npt.NDArray[Any]) -> Floats:
    """Grey values from 0 to 1, each of them about as frequent as the others (plateau equalisation)."""
    step = max(1, math.ceil(values.size / _SAMPLED))
    sample = np.sort(values.ravel()[::step].astype(np.float64))
    low, high = (float(np.quantile(sample, tail)) for tail in _TAILS)
    if not high > low:  # a mask of a small structure: nearly all voxels are background
        low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.full(values.shape, 0.5, dtype=np.float32)
    counts, _ = np.histogram(np.clip(sample, low, high), bins=_BINS, range=(low, high))
    limited = np.minimum(counts, _STEEPEST * len(sample) / _BINS)
    limited = limited + (len(sample) - limited.sum()) / _BINS
    curve = np.concatenate([[0.0], np.cumsum(limited)]) / len(sample)
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(_BINS / (high - low))
    flattened: Floats = np.interp(scaled, np.arange(_BINS + 1), curve).astype(np.float32)
    return flattened
