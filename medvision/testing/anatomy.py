"""The background of a chest CT as a function of space: body, ribs, spine, mediastinum, lung, vessels."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medvision.testing.fields import draw_strand, smooth_field, total
from medvision.testing.phantom import FloatArray, Grid, Point, coverage

AIR_HU = -1000.0
_RIB_PITCH_MM = 25.0
_VERTEBRA_MM = 27.0
_GENERATIONS = 5


@dataclass(frozen=True)
class Body:
    """One patient's measures in millimetres and Hounsfield units.

    Attributes:
        width_mm: Half the inner width of the rib cage.
        depth_mm: Half its inner depth.
        fat_mm: Thickness of the fat under the skin.
        muscle_mm: Thickness of the muscle outside the ribs.
        heart: Size of the heart relative to the average.
        lung_hu: Mean density of the lung.
        blood_hu: Density of blood, higher after contrast medium.
        phase: Where ribs and vertebrae start, in radians.
        rib_slope: How steeply the ribs fall towards the front.
    """

    width_mm: float
    depth_mm: float
    fat_mm: float
    muscle_mm: float
    heart: float
    lung_hu: float
    blood_hu: float
    phase: float
    rib_slope: float


def draw_body(random: np.random.Generator) -> Body:
    """The measures of a random small adult."""
    return Body(
        width_mm=random.uniform(106, 120),
        depth_mm=random.uniform(72, 82),
        fat_mm=random.uniform(6, 20),
        muscle_mm=random.uniform(8, 14),
        heart=random.uniform(0.85, 1.1),
        lung_hu=random.uniform(-885, -835),
        blood_hu=float(random.choice([40, 150, 220])),
        phase=random.uniform(0, 2 * np.pi),
        rib_slope=random.uniform(0.3, 0.5),
    )


def draw_anatomy(grid: Grid, body: Body, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Everything but vessels and nodules.

    Returns:
        Hounsfield units, and the signed distance to the surface of the lung in mm (negative inside).
    """
    wall = _wall_distance(grid, body)
    hu = _wall_hu(grid, body, wall, random)
    mediastinum, heart = _mediastinum_distance(grid, body)
    _fill_mediastinum(hu, grid, body, heart, mediastinum, random)
    _draw_spine(hu, grid, body)
    lung = np.maximum(wall + 2, -mediastinum)
    inner = coverage(lung, grid.voxel_mm)
    hu += (_lung_hu(grid, body, random) - hu) * inner
    return hu, lung


def _ellipsoid(c: Sequence[FloatArray], centre: Sequence[float], semi: Sequence[float]) -> FloatArray:
    """Signed distance along rays from the centre of an ellipsoid, or of a tube if given two coordinates."""
    offsets = [axis - np.float32(m) for axis, m in zip(c, centre, strict=True)]
    q = np.sqrt(total((o / np.float32(s)) ** 2 for o, s in zip(offsets, semi, strict=True)))
    radius = np.sqrt(total(o * o for o in offsets))
    return radius - radius / np.maximum(q, np.float32(1e-3))


def _blend(hu: FloatArray, value: float | FloatArray, distance: FloatArray, grid: Grid) -> None:
    hu += (value - hu) * coverage(distance, grid.voxel_mm)


def _wall_distance(grid: Grid, body: Body) -> FloatArray:
    """Distance to the inside of the chest wall; the cage narrows towards the apex."""
    x, y, z = grid.axes
    scale = np.sqrt(np.clip(1 - (np.clip(z + 20, 0, None) / 190) ** 2, 0.05, 1))
    # A cage is flatter at the sides than an ellipse: the fourth power of x rounds its corners outward.
    u, v = x / (scale * np.float32(body.width_mm)), y / (scale * np.float32(body.depth_mm))
    q = np.sqrt(u * u + v * v - np.float32(0.35) * u * u * v * v)
    radius = np.hypot(x, y)
    return radius - radius / np.maximum(q, np.float32(1e-3))


def _wall_hu(grid: Grid, body: Body, wall: FloatArray, random: np.random.Generator) -> FloatArray:
    x, y, z = grid.axes
    hu = np.full(grid.shape, AIR_HU, np.float32)
    ripple = smooth_field(random, grid.shape, _spacing(grid), 16.0)
    skin = wall - np.float32(10 + body.muscle_mm + body.fat_mm)
    _blend(hu, 30.0, skin, grid)
    _blend(hu, -105.0, skin + 2, grid)
    _blend(hu, 55.0 + 8 * ripple, wall - (10 + np.float32(body.muscle_mm)) + 2.5 * ripple, grid)
    _blend(hu, -90.0, np.abs(wall - 11 - ripple) - 0.9, grid)
    height = z + np.float32(body.rib_slope) * (y + np.float32(body.depth_mm))
    height = height + np.float32(body.phase * 4) + np.where(x > 0, np.float32(3), np.float32(0))
    across = np.abs(np.mod(height, _RIB_PITCH_MM) - _RIB_PITCH_MM / 2)
    rib = (np.hypot((wall - 5) / 4.2, across / 6.5) - 1) * 4.2
    cartilage = np.clip((y - 0.55 * body.depth_mm) / 8, 0, 1)
    _blend(hu, 620 - 500 * cartilage, rib, grid)
    _blend(hu, 230 - 110 * cartilage, rib + 1.7, grid)
    return hu


def _mediastinum_distance(grid: Grid, body: Body) -> tuple[FloatArray, FloatArray]:
    """Distances to all that stands between and below the lungs, and to the heart."""
    x, y, z = grid.axes
    depth = body.depth_mm
    heart = _ellipsoid((x, y, z), (-20, 20, -32), tuple(np.array([50, 42, 56]) * body.heart))
    parts = [
        heart,
        _ellipsoid((x, y), (0, 8), (25, 58)),
        _ellipsoid((x, y), (0, 12 - depth), (24, 27)),
        _ellipsoid((x, y), (-19, -34), (14, 14)),
        _ellipsoid((np.abs(x), y, z), (31, -4, -4), (14, 12, 17)),
        _ellipsoid((np.abs(x), y, z), (62, 0, -180), (85, 85, 112)),
    ]
    return functools.reduce(np.minimum, parts), heart


def _fill_mediastinum(
    hu: FloatArray, grid: Grid, body: Body, heart: FloatArray, outer: FloatArray, random: np.random.Generator
) -> None:
    x, y, z = grid.axes
    tissue = -25 + 45 * smooth_field(random, grid.shape, _spacing(grid), 9.0)
    _blend(hu, np.clip(tissue, -100, 55), np.maximum(outer - 2, _ellipsoid((x, y), (0, 0), (62, 76))), grid)
    _blend(hu, 50.0, _ellipsoid((np.abs(x), y, z), (62, 0, -180), (83, 83, 110)), grid)
    _blend(hu, 48.0, heart + 3, grid)
    _blend(hu, body.blood_hu, heart + 12, grid)
    above = np.clip(15 - z, -5, 40)
    for centre, semi in (((-19, -34), 10.5), ((8, 22), 13.0), ((24, 14), 7.5)):
        tube = _ellipsoid((x, y), centre, (semi, semi))
        _blend(hu, body.blood_hu, tube if centre[0] < 0 else np.maximum(tube, above), grid)
    trachea = np.maximum(_ellipsoid((x, y), (2, -12), (8, 9)), 20 - z)
    _blend(hu, 30.0, trachea - 1.5, grid)
    _blend(hu, AIR_HU, trachea, grid)
    air, carina = np.zeros_like(hu), np.array([2, -12, 21.0])
    for side in (1, -1):
        draw_strand(air, grid, carina, (side * 40, -6, -2), (6.0, 4.0))
    hu += (AIR_HU - hu) * air


def _draw_spine(hu: FloatArray, grid: Grid, body: Body) -> None:
    x, y, z = grid.axes
    depth = body.depth_mm
    ring = _ellipsoid((x, y), (0, -depth - 9), (13, 12))
    _blend(hu, 420.0, ring, grid)
    spinous = np.maximum(np.abs(x) - 3, np.abs(y + depth + 32) - 15)
    wings = np.maximum(np.abs(np.abs(x) - 20) - 13, np.abs(y + depth + 8) - 4)
    level = np.abs(np.mod(z + np.float32(body.phase * 4), _VERTEBRA_MM) - _VERTEBRA_MM / 2)
    for process in (spinous, wings):
        _blend(hu, 380.0, np.maximum(process, level - 8), grid)
    _blend(hu, 30.0, _ellipsoid((x, y), (0, -depth - 9), (8, 8)), grid)
    vertebra = _ellipsoid((x, y), (0, 11 - depth), (18, 15))
    disc = np.clip(level - 10, 0, 1.5) / 1.5
    _blend(hu, 480 - 380 * disc, vertebra, grid)
    _blend(hu, 190 - 90 * disc, vertebra + 2, grid)


def _lung_hu(grid: Grid, body: Body, random: np.random.Generator) -> FloatArray:
    """Parenchyma: denser towards the back, where blood gathers in a patient who lies on it."""
    _, y, _ = grid.axes
    spacing = _spacing(grid)
    fine = smooth_field(random, grid.shape, spacing, 4.0)
    coarse = smooth_field(random, grid.shape, spacing, 18.0)
    return np.asarray(body.lung_hu - 0.35 * y + 16 * fine + 12 * coarse, dtype=np.float32)


def draw_vessels(
    hu: FloatArray, lung: FloatArray, grid: Grid, body: Body, side: int, random: np.random.Generator
) -> None:
    """A tree of vessels from the hilum of one side (1 right, −1 left), drawn into the lung in place."""
    tree = np.zeros_like(hu)
    for _ in range(11):
        direction = random.standard_normal(3) * (0.7, 1.0, 1.0) + (side * 0.6, 0, 0)
        start = np.array([side * 36.0, -4.0, -4.0]) + random.uniform(-9, 9, 3)
        _grow(
            tree, grid, random, start, _unit(direction), random.uniform(22, 34), random.uniform(2.6, 4.2), 0
        )
    tree *= coverage(lung, grid.voxel_mm)
    hu += np.maximum(min(body.blood_hu, 120.0) - hu, 0) * tree


def _grow(
    tree: FloatArray,
    grid: Grid,
    random: np.random.Generator,
    start: npt.NDArray[np.float64],
    direction: npt.NDArray[np.float64],
    length: float,
    radius: float,
    generation: int,
) -> None:
    end = start + direction * length
    draw_strand(tree, grid, start, end, (radius, radius * 0.8))
    if generation == _GENERATIONS:
        return
    for _ in range(2):
        turned = _unit(direction + 0.55 * random.standard_normal(3))
        _grow(
            tree, grid, random, end, turned, length * random.uniform(0.65, 0.95),
            radius * random.uniform(0.6, 0.78), generation + 1,
        )  # fmt: skip


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))


def _spacing(grid: Grid) -> Point:
    i, j, k = (float(s) for s in np.linalg.norm(grid.affine[:3, :3], axis=0))
    return i, j, k
