"""Where a grid of voxels lies in another one: which box of it, with axes permuted and flipped.

Only grids whose voxels coincide can be placed; nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError
from medvision.imaging.geometry import FloatArray, Geometry, times

Box: TypeAlias = tuple[slice, slice, slice]
_SAME_SIZE = 0.01  # relative difference of two spacings that is called another spacing
_AXES = "ijk"


@dataclass(frozen=True)
class Placement:
    """How an array goes into another grid.

    Attributes:
        axes: For each axis of the target the axis of the array.
        flips: For each axis of the target whether the array's axis runs against it.
        box: The voxels of the target that the array fills.
        off_mm: How far apart a voxel lies in the two grids, at worst.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    box: Box
    off_mm: float

    def turn(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array with the target's axes; a view."""
        turned = np.transpose(array, self.axes)
        view: npt.NDArray[Any] = turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]
        return view


def place(source: Geometry, target: Geometry, *, tolerance_mm: float, source_name: str) -> Placement:
    """Find the box of one grid that another one fills, voxel on voxel.

    Args:
        source: The grid to place, such as a mask's; an axis of one voxel may point anywhere.
        target: The grid of the image.
        tolerance_mm: How far apart the same voxel may lie in the two.
        source_name: What an error calls the source.

    Raises:
        GeometryError: Another spacing or direction, a shift by part of a voxel, or voxels outside the
            target; says along which axis, by how many mm and voxels.

    Example:
        >>> crop = Geometry((2, 3, 1), np.array([[-1.0, 0, 0, 5], [0, 1, 0, 1], [0, 0, 2, 4], [0, 0, 0, 1]]))
        >>> image = Geometry((9, 9, 9), np.diag([1.0, 1, 2, 1]))
        >>> found = place(crop, image, tolerance_mm=0.01, source_name="crop")
        >>> found.flips, found.box
        ((True, False, False), (slice(4, 6, None), slice(1, 4, None), slice(2, 3, None)))
    """
    steps = np.linalg.inv(target.affine)[:3, :3] @ source.affine[:3, :3]
    steps[:, [n == 1 for n in source.shape]] *= 1e-6  # the last to choose: its direction says nothing
    axes = _matched(np.abs(steps))
    whole = np.zeros((3, 3))
    for towards, axis in enumerate(axes):
        whole[towards, axis] = np.sign(steps[towards, axis]) or 1.0
    start = target.mm_to_index(source.affine[:3, 3])
    last = np.asarray(source.shape) - 1
    corners = np.array(list(product(*((0, n) for n in last))), dtype=np.float64)
    placed = corners @ whole.T + np.rint(start)
    off_mm = float(np.linalg.norm(source.index_to_mm(corners) - target.index_to_mm(placed), axis=1).max())
    if off_mm > tolerance_mm:
        raise GeometryError(_why_off(source, target, axes, start, off_mm, source_name))
    low, high = placed.min(axis=0).astype(int), placed.max(axis=0).astype(int)
    _check_inside(low, high, target, source_name)
    i, j, k = (slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    flips = [bool(whole[towards, axis] < 0) for towards, axis in enumerate(axes)]
    return Placement((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]), (i, j, k), off_mm)


def plane_distance_mm(geometry: Geometry, axis: int) -> float:
    """Distance between neighbouring planes across an axis; less than the spacing where axes are sheared."""
    return float(1 / np.linalg.norm(np.linalg.inv(geometry.affine)[axis, :3]))


def common_step(planes: Sequence[int]) -> int:
    """How many planes apart every used one stands from the next, as where every second slice is drawn.

    Args:
        planes: Indices in ascending order.

    Returns:
        The greatest common divisor of the distances; 1 where too few planes are used to tell: fewer than
        three, or three at unequal distances.

    Example:
        >>> common_step([2, 4, 6, 10]), common_step([2, 5, 7, 8]), common_step([2, 8])
        (2, 1, 1)
    """
    steps = np.diff(planes)
    if len(steps) < 2 or (len(steps) == 2 and steps[0] != steps[1]):
        return 1
    return int(np.gcd.reduce(steps))


def _matched(sizes: FloatArray) -> list[int]:
    """For each target axis the source axis that runs along it, the clearest pairs first."""
    left, found = sizes.copy(), [0, 0, 0]
    for _ in range(3):
        towards, axis = np.unravel_index(int(left.argmax()), left.shape)
        found[int(towards)] = int(axis)
        left[towards, :], left[:, axis] = -1, -1
    return found


def _why_off(
    source: Geometry, target: Geometry, axes: list[int], start: FloatArray, off_mm: float, name: str
) -> str:
    many = [(towards, axis) for towards, axis in enumerate(axes) if source.shape[axis] > 1]
    mine = [source.spacing_mm[axis] for _, axis in many]
    theirs = [target.spacing_mm[towards] for towards, _ in many]
    if any(abs(a - b) > _SAME_SIZE * b for a, b in zip(mine, theirs, strict=True)):
        found = f"has voxels of {times(mine)} mm where the image has {times(theirs)} mm"
    elif (angle := _largest_angle(source, target, many)) > 0.1:
        found = f"is turned against the image by {angle:.1f}°"
    else:
        found = _shift(start - np.rint(start), target, off_mm)
    return (
        f"{name} {found}, so its voxels are not the image's; use the mask that was drawn on this image, "
        f"or resample_to(mask, image.geometry, order='nearest') if both are right"
    )


def _shift(parts: FloatArray, target: Geometry, off_mm: float) -> str:
    shifts = [
        f"{abs(part) * mm:.3g} mm ({abs(part):.2f} voxel) along {axis}"
        for part, mm, axis in zip(parts, target.spacing_mm, _AXES, strict=True)
        if abs(part) * mm > 1e-3
    ]
    told = f"is shifted by {' and '.join(shifts)}" if shifts else "drifts"
    return f"{told} against the nearest voxels of the image (up to {off_mm:.3g} mm)"


def _largest_angle(source: Geometry, target: Geometry, many: list[tuple[int, int]]) -> float:
    cosines = [
        abs(float(target.directions[:, towards] @ source.directions[:, axis])) for towards, axis in many
    ]
    return float(np.degrees(np.arccos(min([*cosines, 1.0]))))


def _check_inside(low: npt.NDArray[np.int_], high: npt.NDArray[np.int_], target: Geometry, name: str) -> None:
    if (high < 0).any() or (low >= target.shape).any():
        gaps = np.maximum(-high, low - np.asarray(target.shape) + 1)
        axis = int((gaps * np.asarray(target.spacing_mm)).argmax())
        raise GeometryError(
            f"{name} lies outside the image, {gaps[axis] * target.spacing_mm[axis]:.1f} mm beyond its last "
            f"voxel along {_AXES[axis]}; use the mask that was drawn on this image"
        )
    beyond = np.maximum(-low, high - np.asarray(target.shape) + 1)
    if beyond.max() > 0:
        told = [
            f"{n} voxels ({n * mm:.1f} mm) along {axis}"
            for n, mm, axis in zip(beyond, target.spacing_mm, _AXES, strict=True)
            if n > 0
        ]
        raise GeometryError(
            f"{name} reaches outside the image by {' and '.join(told)}; use the scan on which it was drawn, "
            f"not a part of it"
        )
