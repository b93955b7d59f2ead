"""Random fields: smooth variation, noise, and strands such as vessels and spicules."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medvision.testing.phantom import FloatArray, Grid, coverage


def total(terms: Iterable[FloatArray]) -> FloatArray:
    """The sum of arrays that broadcast to one shape."""
    return functools.reduce(np.add, terms)


def smooth_field(
    random: np.random.Generator, shape: tuple[int, ...], spacing_mm: tuple[float, ...], scale_mm: float
) -> FloatArray:
    """A Gaussian random field of mean 0 and standard deviation 1 whose lumps are about ``scale_mm`` wide.

    Drawn on a coarse grid and interpolated, so that its cost does not rise with ``scale_mm``.
    """
    knots = scale_mm / 1.6
    coarse = [int(np.ceil(n * s / knots)) + 4 for n, s in zip(shape, spacing_mm, strict=True)]
    field: FloatArray = random.standard_normal(coarse, dtype=np.float32)
    for axis, (n, s) in enumerate(zip(shape, spacing_mm, strict=True)):
        position = np.arange(n) * (s / knots) + random.random()
        low = position.astype(int)
        t = (position - low).astype(np.float32)
        # Weights of the quadratic B-spline: round lumps, where linear interpolation would show its grid.
        weights = ((1 - t) ** 2 / 2, t * (1 - t) + np.float32(0.5), t**2 / 2)
        along = [-1 if other == axis else 1 for other in range(len(shape))]
        field = total(np.take(field, low + m, axis) * w.reshape(along) for m, w in enumerate(weights))
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6))


def correlated_noise(random: np.random.Generator, shape: tuple[int, int, int], sigma: float) -> FloatArray:
    """Noise of standard deviation 1, blurred by ``sigma`` voxels in the slice as a CT kernel does."""
    noise = random.standard_normal(shape, dtype=np.float32)
    if sigma > 0:
        noise = ndimage.gaussian_filter(noise, (sigma, sigma, 0), mode="wrap", truncate=2.5)
    return noise / max(float(noise.std()), 1e-6)


def draw_strand(
    canvas: FloatArray,
    grid: Grid,
    start_mm: npt.ArrayLike,
    end_mm: npt.ArrayLike,
    radius_mm: tuple[float, float],
) -> None:
    """Draw a tapering strand into ``canvas`` (coverage, 0 to 1) in place; thin strands fade with their area.

    Args:
        canvas: Array of the grid's shape; takes the larger of what it holds and the strand.
        grid: Where the canvas lies.
        start_mm: One end, RAS+.
        end_mm: The other.
        radius_mm: Radius at the two ends.
    """
    start, end = np.asarray(start_mm, dtype=float), np.asarray(end_mm, dtype=float)
    reach = max(radius_mm) + grid.voxel_mm
    box = grid.box(np.minimum(start, end) - reach, np.maximum(start, end) + reach)
    region = canvas[box]
    if not region.size:
        return
    distance, along = _distance_to_segment([c[box] for c in grid.coordinates], start, end)
    radius = np.float32(radius_mm[0]) + np.float32(radius_mm[1] - radius_mm[0]) * along
    width = grid.voxel_mm
    fade = np.minimum(1, (2 * radius / np.float32(width)) ** 2)
    np.maximum(region, coverage(distance - np.maximum(radius, width / 2), width) * fade, out=region)


def _distance_to_segment(
    coordinates: list[FloatArray], start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]
) -> tuple[FloatArray, FloatArray]:
    """Distance of every voxel to a segment, and where along it (0 to 1) the nearest point lies."""
    direction = (end - start).astype(np.float32)
    offsets = [c - np.float32(s) for c, s in zip(coordinates, start, strict=True)]
    length2 = max(float(direction @ direction), 1e-6)
    along = total(o * d for o, d in zip(offsets, direction, strict=True)) / np.float32(length2)
    along = np.clip(along, 0, 1)
    square = total((o - along * d) ** 2 for o, d in zip(offsets, direction, strict=True))
    return np.sqrt(square), along
