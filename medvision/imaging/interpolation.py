"""Values between voxels: trilinear or nearest, on any grid, fast where its axes run along the source's."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, assert_never

import numpy as np
import numpy.typing as npt

from medvision.imaging.geometry import FloatArray

Order: TypeAlias = Literal["linear", "nearest", "faithful"]
Values: TypeAlias = npt.NDArray[Any]

_FINE = 1 - 1e-6
"""Steps of this many source voxels or more go along an axis on which the source is no coarser."""

_EDGE = 1e-4
"""Fraction of a voxel by which rounding may put a point outside the extent."""

_TIE = 1e-6
"""A point midway between two voxels belongs to the one of lower index, whatever the rounding."""

_ALONG = 1e-5
"""Fraction of a voxel by which a row may leave a source axis and still run along it."""

_NEARLY_ALONG = 0.01
"""The same on the way back from a grid that was made from this one: affines in 32 bits are that exact."""


def interpolate(
    array: Values, to_source: FloatArray, shape: tuple[int, int, int], order: Order, fill: float | None
) -> Values:
    """Sample an array at the voxels of another grid.

    Args:
        array: (i, j, k).
        to_source: 4×4, index in the other grid → fractional index in the array.
        shape: Of the other grid.
        order: ``"linear"`` gives float32, computed in float64; ``"nearest"`` keeps the type;
            ``"faithful"`` gives float32, nearest along the axes on which the array's voxels are no longer
            than the other grid's and linear along the others (linear on an oblique grid).
        fill: Value more than half a voxel outside the outermost centres; None continues them.

    Returns:
        An array of ``shape``.

    Example:
        >>> halves = np.diag([0.5, 1.0, 1.0, 1.0])
        >>> interpolate(np.array([[[0]], [[4]]]), halves, (3, 1, 1), "linear", 0.0).ravel().tolist()
        [0.0, 2.0, 4.0]
    """
    axes = _axes(to_source, shape, _NEARLY_ALONG if order == "faithful" else _ALONG)
    if axes is not None:
        return _along_axes(array, to_source, axes, shape, order, fill)
    return _anywhere(np.ascontiguousarray(array), to_source, shape, order, fill)


def _axes(to_source: FloatArray, shape: tuple[int, int, int], most: float) -> tuple[int, int, int] | None:
    """The source axis along which each target axis runs; None where one runs obliquely."""
    reach = np.abs(to_source[:3, :3]) * np.maximum(np.array(shape) - 1, 1)
    i, j, k = (int(axis) for axis in reach.argmax(axis=0))
    if {i, j, k} != {0, 1, 2}:
        return None
    reach[[i, j, k], [0, 1, 2]] = 0
    return (i, j, k) if reach.max() < most else None


def _along_axes(
    array: Values,
    to_source: FloatArray,
    axes: tuple[int, int, int],
    shape: tuple[int, int, int],
    order: Order,
    fill: float | None,
) -> Values:
    """One axis after the other: each coordinate depends on one index alone."""
    turned = array.transpose(axes)
    points = [to_source[s, t] * np.arange(shape[t]) + to_source[s, 3] for t, s in enumerate(axes)]
    match order:
        case "nearest":
            nearest = [_nearest_index(p, n) for p, n in zip(points, turned.shape, strict=True)]
            result = turned[np.ix_(*nearest)]
        case "linear":
            result = _blend_planes(turned, points)
        case "faithful":
            result = _blend_planes(*_picked(turned, points))
        case _:
            assert_never(order)
    if fill is not None:
        for axis, (p, n) in enumerate(zip(points, turned.shape, strict=True)):
            # On the way back a voxel belongs to the array if one of the array's was taken from it.
            reach = abs(p[1] - p[0]) / 2 if order == "faithful" and len(p) > 1 else 0.5
            np.moveaxis(result, axis, 0)[_is_outside(p, n, max(reach, 0.5))] = fill
    return result


def _picked(array: Values, points: list[FloatArray]) -> tuple[Values, list[FloatArray]]:
    """Take the nearest voxels along the axes with steps of a voxel or more; the others stay to be blended."""
    left = list(points)
    for axis, along in enumerate(points):
        if len(along) == 1 or abs(along[1] - along[0]) >= _FINE:
            array = array.take(_nearest_index(along, array.shape[axis]), axis)
            left[axis] = np.arange(len(along), dtype=np.float64)
    return array, left


def _blend_planes(array: Values, points: list[FloatArray]) -> Values:
    """Linear along i, then j, then k, plane by plane in float64."""
    lower, upper, weight = zip(
        *(_neighbours(p, n) for p, n in zip(points, array.shape, strict=True)), strict=True
    )
    result = np.empty([len(p) for p in points], dtype=np.float32)
    for plane, low, high, w in zip(result, lower[0], upper[0], weight[0], strict=True):
        blended = array[low] * (1 - w) + array[high] * w
        blended = blended[lower[1]] * (1 - weight[1])[:, None] + blended[upper[1]] * weight[1][:, None]
        plane[...] = blended[:, lower[2]] * (1 - weight[2]) + blended[:, upper[2]] * weight[2]
    return result


def _neighbours(points: FloatArray, n: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """The voxels on both sides of each point and the weight of the upper one; ends go on."""
    inside = np.clip(points, 0, n - 1)
    lower = np.floor(inside).astype(np.intp)
    return lower, np.minimum(lower + 1, n - 1), np.asarray(inside - lower, dtype=np.float64)


def _anywhere(
    array: Values, to_source: FloatArray, shape: tuple[int, int, int], order: Order, fill: float | None
) -> Values:
    """Plane by plane, so that the coordinates take little memory."""
    result = np.empty(shape, dtype=array.dtype if order == "nearest" else np.float32)
    for i, plane in enumerate(result):
        points = _points(to_source, i, shape)
        match order:
            case "nearest":
                x, y, z = (_nearest_index(p, n) for p, n in zip(points, array.shape, strict=True))
                plane[...] = array[x, y, z]
            case "linear" | "faithful":
                plane[...] = _trilinear(array, points)
            case _:
                assert_never(order)
        if fill is not None:
            outside = [_is_outside(p, n) for p, n in zip(points, array.shape, strict=True)]
            plane[np.logical_or.reduce(outside)] = fill
    return result


def _points(to_source: FloatArray, i: int, shape: tuple[int, int, int]) -> FloatArray:
    """Source indices, (3, J, K), of the target's voxels (i, :, :)."""
    j, k = np.arange(shape[1])[:, None], np.arange(shape[2])[None, :]
    turn, shift = to_source[:3, :3], to_source[:3, 3]
    along_j, along_k = turn[:, 1, None, None] * j, turn[:, 2, None, None] * k
    return np.asarray((turn[:, 0] * i + shift)[:, None, None] + along_j + along_k, dtype=np.float64)


def _trilinear(array: Values, points: FloatArray) -> Values:
    from scipy.ndimage import map_coordinates

    readable = array.astype(np.float32) if array.dtype.name in ("bool", "float16") else array
    return np.asarray(map_coordinates(readable, points, output=np.float64, order=1, mode="nearest"))


def _nearest_index(points: FloatArray, n: int) -> npt.NDArray[np.intp]:
    return np.clip(np.ceil(points - 0.5 - _TIE), 0, n - 1).astype(np.intp)


def _is_outside(points: FloatArray, n: int, reach: float = 0.5) -> npt.NDArray[np.bool_]:
    return np.asarray((points < -reach - _EDGE) | (points > n - 1 + reach + _EDGE))
