"""The surface of a mask as small pieces, each with a place and an area in mm²."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medvision.evaluation.inputs import Booleans, Floats

Corner = tuple[int, ...]
Edge = tuple[Corner, Corner]

_ROUNDING = 1e-9

_CORNERS: tuple[Corner, ...] = tuple(itertools.product((0, 1), repeat=3))


@dataclass(frozen=True)
class SurfaceDistances:
    """How far each piece of one surface lies from the other surface, both ways.

    Attributes:
        reference_mm: From each piece of the reference to the prediction, in mm, ascending.
        reference_area: Area of each of those pieces in mm² (length in mm for two dimensions).
        prediction_mm: From each piece of the prediction to the reference, in mm, ascending.
        prediction_area: Area of each of those pieces.

    Example:
        >>> mask = np.zeros((4, 4, 4), dtype=bool); mask[1:3, 1:3, 1:3] = True
        >>> surface_distances(mask, mask, (1.0, 1.0, 1.0)).percentile(95)
        0.0
    """

    reference_mm: Floats
    reference_area: Floats
    prediction_mm: Floats
    prediction_area: Floats

    def percentile(self, percent: float) -> float:
        """The larger of the two directed percentiles by area, in mm: 100 is the Hausdorff distance.

        Example:
            >>> one = np.array([1.0])
            >>> SurfaceDistances(np.array([0.0, 2.0]), np.array([9.0, 1.0]), one, one).percentile(95)
            2.0
        """
        both = ((self.reference_mm, self.reference_area), (self.prediction_mm, self.prediction_area))
        return max(_directed(distances, areas, percent) for distances, areas in both)

    def within(self, tolerance_mm: float) -> float:
        """The share of both surfaces that lies within a tolerance of the other one: the NSD.

        Example:
            >>> one = np.array([1.0])
            >>> SurfaceDistances(np.array([0.0, 2.0]), np.array([9.0, 1.0]), one, 10 * one).within(1.0)
            0.95
        """
        # Three voxels of 0.1 mm are 0.3 mm apart, whatever rounding makes of it.
        reach = tolerance_mm * (1 + _ROUNDING)
        inside = self.reference_area[self.reference_mm <= reach].sum()
        inside += self.prediction_area[self.prediction_mm <= reach].sum()
        return float(inside / (self.reference_area.sum() + self.prediction_area.sum()))

    def average(self) -> float:
        """The mean distance over the area of both surfaces together, in mm: the ASSD.

        Example:
            >>> one = np.array([1.0])
            >>> SurfaceDistances(np.array([0.0, 2.0]), np.array([1.0, 1.0]), one, 2 * one).average()
            1.0
        """
        total = self.reference_mm @ self.reference_area + self.prediction_mm @ self.prediction_area
        return float(total / (self.reference_area.sum() + self.prediction_area.sum()))


def surface_distances(
    reference: Booleans, prediction: Booleans, spacing_mm: Sequence[float]
) -> SurfaceDistances:
    """Distances between the surfaces of two masks, each piece of surface weighted by its area.

    The surface runs between voxel centres, as in marching cubes; the definitions are those of Nikolov et
    al. (J Med Internet Res 2021;23:e26151, doi:10.2196/26151) and of the program that came with it,
    surface-distance. A mask that touches the border of the image is closed there.

    Args:
        reference: Shape ``(i, j, k)`` or ``(i, j)``, not empty.
        prediction: The same shape, not empty.
        spacing_mm: Distance between voxel centres along each axis, in mm.

    Returns:
        The distances of the pieces of each surface to the nearest piece of the other.

    Example:
        >>> reference, prediction = np.zeros((2, 9, 9, 9), dtype=bool)
        >>> reference[4, 4, 2] = prediction[4, 4, 4] = True
        >>> surface_distances(reference, prediction, (3.0, 2.0, 1.0)).within(1.0)
        0.5
    """
    box = bounding_box(reference | prediction)
    codes = [_corner_codes(mask[box]) for mask in (reference, prediction)]
    areas = _areas(tuple(float(size) for size in spacing_mm))
    surfaces = [(code > 0) & (code < len(areas) - 1) for code in codes]
    directed = []
    for own, other in ((0, 1), (1, 0)):
        distances = _distances(surfaces[own], surfaces[other], spacing_mm)
        order = np.argsort(distances, kind="stable")
        directed += [distances[order], areas[codes[own][surfaces[own]]][order]]
    return SurfaceDistances(*directed)


def _distances(points: Booleans, surface: Booleans, spacing_mm: Sequence[float]) -> Floats:
    """From each point to the nearest one of a surface, in mm; the rest of the box is not measured."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(
        ~surface, sampling=spacing_mm, return_distances=False, return_indices=True
    )
    own = np.flatnonzero(points)
    there, here = nearest.reshape(points.ndim, -1)[:, own], np.stack(np.unravel_index(own, points.shape))
    offsets = (there - here) * np.asarray(spacing_mm, dtype=np.float64)[:, None]
    return np.asarray(np.sqrt((offsets**2).sum(axis=0)))


def _directed(distances: Floats, areas: Floats, percent: float) -> float:
    share = np.cumsum(areas) / areas.sum()
    # 19 of 20 equal pieces are 95%, whatever rounding makes of their sum.
    place = int(np.searchsorted(share, percent / 100 * (1 - _ROUNDING)))
    return float(distances[min(place, len(distances) - 1)])


def bounding_box(mask: Booleans) -> tuple[slice, ...]:
    """The smallest box that holds a mask, which is not empty.

    Example:
        >>> bounding_box(np.array([[False, False], [False, True]]))
        (slice(1, 2, None), slice(1, 2, None))
    """
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        used = np.flatnonzero(mask.any(axis=others))
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(box)


def _corner_codes(mask: Booleans) -> NDArray[np.uint8]:
    """For each point between voxel centres, which of the voxels round it belong to the mask, as bits."""
    padded = np.pad(mask, 1).astype(np.uint8)
    corners = list(itertools.product((0, 1), repeat=mask.ndim))
    codes = np.zeros([size - 1 for size in padded.shape], dtype=np.uint8)
    for bit, corner in enumerate(corners):
        part = tuple(slice(offset, offset + size) for offset, size in zip(corner, codes.shape, strict=True))
        codes |= padded[part] << bit
    return codes


@lru_cache(maxsize=64)
def _areas(spacing_mm: tuple[float, ...]) -> Floats:
    """The area of surface for every code, in mm² (in two dimensions its length in mm)."""
    if len(spacing_mm) == 2:
        return _contour_lengths(spacing_mm)
    sides = np.array(
        [spacing_mm[1] * spacing_mm[2], spacing_mm[0] * spacing_mm[2], spacing_mm[0] * spacing_mm[1]]
    )
    return np.array([float(np.linalg.norm(normals * sides, axis=1).sum()) for normals in _surface_normals()])


def _contour_lengths(spacing_mm: tuple[float, ...]) -> Floats:
    diagonal = math.hypot(*spacing_mm) / 2
    lengths = np.zeros(16)
    for code in range(1, 15):
        corners = [
            corner for bit, corner in enumerate(itertools.product((0, 1), repeat=2)) if code >> bit & 1
        ]
        same = [axis for axis in (0, 1) if len({corner[axis] for corner in corners}) == 1]
        if len(corners) != 2:
            lengths[code] = diagonal
        elif same:  # two neighbours share a coordinate; the contour runs along the other axis
            lengths[code] = spacing_mm[1 - same[0]]
        else:
            lengths[code] = 2 * diagonal
    return lengths


@lru_cache(maxsize=1)
def _surface_normals() -> tuple[Floats, ...]:
    """For every code of a cube of eight voxels, the normals of its triangles; their length is the area.

    The surface cuts each edge of the cube with one end inside the mask in its middle. The cuts form closed
    polygons, and a polygon is divided into triangles. Where it is not flat the division matters; the one of
    largest area is taken, which is that of the published tables for all 256 codes.
    """
    table = [np.zeros((1, 3))]
    for code in range(1, 255):
        # A code and its complement have the same surface; the rarer voxels decide which corners are cut off.
        rarer = code if code.bit_count() <= 4 else 255 - code
        inside = {corner for bit, corner in enumerate(_CORNERS) if rarer >> bit & 1}
        table.append(np.concatenate([_triangles(polygon) for polygon in _polygons(inside)]))
    return (*table, np.zeros((1, 3)))


def _polygons(inside: set[Corner]) -> list[list[Edge]]:
    """Closed chains of the cube's cut edges, from the segments that the surface leaves on its six faces."""
    neighbours: dict[Edge, list[Edge]] = {}
    for face in _faces():
        for start, end in _segments(face, inside):
            neighbours.setdefault(start, []).append(end)
            neighbours.setdefault(end, []).append(start)
    polygons, seen = [], set[Edge]()
    for edge in neighbours:
        if edge not in seen:
            chain: list[Edge] = []
            ahead: Edge | None = edge
            while ahead is not None:
                chain.append(ahead)
                seen.add(ahead)
                ahead = next((other for other in neighbours[chain[-1]] if other not in seen), None)
            polygons.append(chain)
    return polygons


def _faces() -> list[list[Corner]]:
    faces = []
    for axis, side in itertools.product(range(3), (0, 1)):
        flat = [corner for corner in _CORNERS if corner[axis] == side]
        faces.append([flat[0], flat[1], flat[3], flat[2]])  # round the square
    return faces


def _segments(face: list[Corner], inside: set[Corner]) -> list[tuple[Edge, Edge]]:
    round_face = [(face[i - 1], face[i]) for i in range(4)]
    cut = [_edge(a, b) for a, b in round_face if (a in inside) != (b in inside)]
    if len(cut) < 4:
        return [(cut[0], cut[1])] if cut else []
    # Two corners across from each other: each is cut off by itself.
    return [
        (_edge(face[i - 1], face[i]), _edge(face[i], face[(i + 1) % 4]))
        for i in range(4)
        if face[i] in inside
    ]


def _edge(a: Corner, b: Corner) -> Edge:
    return (a, b) if a < b else (b, a)


def _triangles(polygon: list[Edge]) -> Floats:
    middles = np.array([np.add(a, b) / 2 for a, b in polygon])
    best = np.zeros((0, 3))
    for division in _divisions(0, len(polygon) - 1):
        i, j, k = np.array(division).T
        normals = np.cross(middles[j] - middles[i], middles[k] - middles[i]) / 2
        if np.linalg.norm(normals, axis=1).sum() > np.linalg.norm(best, axis=1).sum() + 1e-9:
            best = normals
    return best


def _divisions(first: int, last: int) -> list[list[tuple[int, int, int]]]:
    """All ways to divide the polygon with these corners into triangles."""
    if last - first < 2:
        return [[]]
    return [
        [*left, *right, (first, middle, last)]
        for middle in range(first + 1, last)
        for left in _divisions(first, middle)
        for right in _divisions(middle, last)
    ]
