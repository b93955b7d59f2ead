"""One affine map of a small volume on a processor, several times as fast as torch's `grid_sample`.

Images are interpolated linearly and continue with their outermost values; masks take the nearest voxel and
are 0 outside. The result is that of `grid_sample` up to rounding (and, for masks, at ties). It is faster
because coordinates are sums of what each axis adds, because NumPy gathers voxels without bounds checks, and
because a turn within the planes of one axis moves whole rows.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def moved(image: Tensor, mask: Tensor | None, linear: Tensor, shift: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return an image and its mask under an affine map about the centre of the volume.

    Args:
        image: (i, j, k), float32, two voxels or more along each axis.
        mask: (i, j, k), or None.
        linear: (3, 3), from an offset in the output to one in the input, in voxels.
        shift: (3,), added to it, in voxels.

    Example:
        >>> image = torch.arange(8.0).reshape(2, 2, 2)
        >>> moved(image, None, torch.eye(3), torch.tensor([0.5, 0, 0]))[0][:, 0, 0].tolist()
        [2.0, 4.0]
    """
    points = _points(linear, shift, image.shape)
    outlines = None if mask is None else _nearest(mask, points)
    inside = [point.clamp(0, side - 1) for point, side in zip(points, image.shape, strict=True)]
    lower = [point.floor().clamp_(max=side - 2) for point, side in zip(inside, image.shape, strict=True)]
    weights = [point.sub_(low) for point, low in zip(inside, lower, strict=True)]
    by_rows = lower[0].shape[2] == lower[1].shape[2] == 1 and lower[2].shape[:2] == (1, 1)
    done = (_rows if by_rows else _voxels)(image.contiguous(), lower, weights)
    return done.expand(image.shape), outlines


def _points(linear: Tensor, shift: Tensor, shape: torch.Size) -> list[Tensor]:
    """Input coordinates of the output voxels, as small as broadcasting allows."""
    axes = []
    for axis, side in enumerate(shape):
        offsets = torch.arange(side, dtype=torch.float32) - (side - 1) / 2
        axes.append(offsets.reshape([-1 if other == axis else 1 for other in range(3)]))
    points = []
    for row, more, side in zip(linear.tolist(), shift.tolist(), shape, strict=True):
        point = torch.full((1, 1, 1), more + (side - 1) / 2)
        for factor, offsets in zip(row, axes, strict=True):
            if factor:
                point = point + factor * offsets
        points.append(point)
    return points


def _voxels(image: Tensor, lower: list[Tensor], weights: list[Tensor]) -> Tensor:
    _, j, k = image.shape
    first = _flat(lower, j, k)
    values = image.reshape(-1)

    def edge(start: int) -> Tensor:
        return _mix(_take(values[start:], first), _take(values[start + 1 :], first), weights[2])

    planes = [_mix(edge(start), edge(start + k), weights[1]) for start in (0, j * k)]
    return _mix(planes[0], planes[1], weights[0])


def _rows(image: Tensor, lower: list[Tensor], weights: list[Tensor]) -> Tensor:
    _, j, k = image.shape
    first = _flat([lower[0], lower[1]], j)[..., 0]
    rows = image.reshape(-1, k)

    def edge(start: int) -> Tensor:
        return _mix(_take(rows[start:], first), _take(rows[start + 1 :], first), weights[1])

    plane = _mix(edge(0), edge(j), weights[0])
    along = lower[2].flatten().long()
    return _mix(plane.index_select(2, along), plane.index_select(2, along + 1), weights[2])


def _nearest(mask: Tensor, points: list[Tensor]) -> Tensor:
    nearest = [point.round() for point in points]
    _, j, k = mask.shape
    taken = _take(mask.reshape(-1), _flat(nearest, j, k))
    for point, side in zip(nearest, mask.shape, strict=True):
        corners = point[:: point.shape[0] - 1 or 1, :: point.shape[1] - 1 or 1, :: point.shape[2] - 1 or 1]
        if corners.amin() < 0 or corners.amax() >= side:
            taken = taken * ((point >= 0) & (point < side))
    return taken.expand(mask.shape)


def _flat(places: list[Tensor], *sides: int) -> Tensor:
    """Places along the axes as one index."""
    largest = 2 * places[0].abs().amax().item() + 2
    # Whole numbers are exact in 32 bits up to 2**24.
    index = places[0].double() if largest * math.prod(sides) > 2**24 else places[0]
    for place, side in zip(places[1:], sides, strict=True):
        index = index * side + place
    return index.long()


def _take(values: Tensor, index: Tensor) -> Tensor:
    return torch.from_numpy(values.numpy().take(index.numpy(), axis=0, mode="clip"))


def _mix(low: Tensor, high: Tensor, weight: Tensor) -> Tensor:
    return high.sub_(low).mul_(weight).add_(low)
