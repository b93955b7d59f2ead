"""Gantry tilt: slices that are shifted in their plane, each against the one before."""

from __future__ import annotations

import numpy as np

from medvision.imaging.geometry import Geometry


def upright(geometry: Geometry) -> Geometry:
    """The grid of the same slices whose stack no longer leans, large enough for all of them.

    Args:
        geometry: Its first two axes perpendicular; k leans.

    Returns:
        Rows, columns and places of the slices along their normal as before; more columns or rows, since
        every slice is shifted against the first.

    Example:
        >>> leaning = Geometry((4, 4, 3), [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 2, 0], [0, 0, 0, 1]])
        >>> upright(leaning).shape, upright(leaning).is_orthogonal
        ((4, 6, 3), True)
    """
    i, j, k = geometry.affine[:3, :3].T
    normal = np.cross(i, j)
    normal = normal / np.linalg.norm(normal)
    step = normal * (normal @ k)
    lean = k - step
    last = geometry.shape[2] - 1
    shift = np.array([lean @ axis / (axis @ axis) * last for axis in (i, j)])
    before, after = np.floor(np.minimum(shift, 0) + 1e-6), np.ceil(np.maximum(shift, 0) - 1e-6)
    affine = geometry.affine.copy()
    affine[:3, 2] = step
    affine[:3, 3] += before[0] * i + before[1] * j
    columns, rows = (int(n + b - a) for n, a, b in zip(geometry.shape[:2], before, after, strict=True))
    return Geometry((columns, rows, geometry.shape[2]), affine)
