"""Lung nodules: one shape and size distribution for both labels, and a look that tells them apart.

What a nodule is (its label) moves only its *suspicion*, and suspicion moves edge, spicules, texture, solid
core and calcification. Size, shape and place come from another stream of random numbers, so the same seed
with another label has the same mask, voxel for voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medvision.testing.fields import draw_strand, smooth_field
from medvision.testing.phantom import FloatArray, Grid, Label, Point

GROUND_GLASS_HU = -480.0
SPICULE_HU = -20.0
_LATENT_SPREAD = 0.13
_FEATURE_SPREAD = 0.12


@dataclass(frozen=True)
class Shape:
    """Where a nodule lies and its form, drawn without knowledge of its label.

    Attributes:
        centre_mm: Centre in RAS+ millimetres.
        diameter_mm: Diameter of the sphere with the same volume.
        bumps: Directions (n, 3) of the lobulations, unit vectors.
        heights: How far each lobulation rises, as a part of the radius.
    """

    centre_mm: Point
    diameter_mm: float
    bumps: npt.NDArray[np.float64]
    heights: npt.NDArray[np.float64]

    def radius_mm(self, directions: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Distance from the centre to the surface in each direction (…, 3), unit vectors."""
        mean_cube = float(np.mean(self._relief(_sphere(400)) ** 3))
        return np.asarray(self._relief(directions) * (self.diameter_mm / 2 / mean_cube ** (1 / 3)))

    def _relief(self, directions: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        facing = np.clip(directions @ self.bumps.T, 0, 1)
        return np.asarray(1 + (facing**3) @ self.heights)


@dataclass(frozen=True)
class Look:
    """How a nodule appears; the attributes are those of `Lesion`."""

    suspicion: float
    edge_mm: float
    spicules: int
    texture_hu: float
    solid_fraction: float
    calcification_hu: float


def draw_shape(random: np.random.Generator, centre_mm: Point, diameter_mm: float) -> Shape:
    """A lobulated body: a sphere with five broad bumps or dents."""
    bumps = random.standard_normal((5, 3))
    bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)
    return Shape(centre_mm, diameter_mm, bumps, random.uniform(-0.15, 0.3, 5))


def draw_look(random: np.random.Generator, label: Label, separation: float) -> Look:
    """Features that all follow one latent suspicion, each with its own deviation.

    Args:
        random: Source of random numbers.
        label: What the nodule is.
        separation: Distance between the mean suspicion of the two labels; 0 makes them alike.
    """
    side = 0.5 if label == "malignant" else -0.5
    deviations = random.standard_normal(6)
    suspicion = float(np.clip(0.5 + side * separation + _LATENT_SPREAD * deviations[0], 0, 1))
    edge, spicules, texture, core, calcium = np.clip(suspicion + _FEATURE_SPREAD * deviations[1:], 0, 1)
    calcified = random.random() < 0.6 and calcium < 0.35
    return Look(
        suspicion=suspicion,
        edge_mm=float(0.8 + 3.0 * edge),
        spicules=round(40 * max(spicules - 0.2, 0.0)),
        texture_hu=float(10 + 260 * texture**1.5),
        solid_fraction=float(1 - 0.55 * max(core - 0.4, 0.0) / 0.6),
        calcification_hu=float(250 + 450 * random.random()) if calcified else 0.0,
    )


def draw_nodule(
    hu: FloatArray, mask: npt.NDArray[np.uint8], grid: Grid, shape: Shape, look: Look, number: int, seed: int
) -> None:
    """Draw one nodule into ``hu`` (Hounsfield units) and its body into ``mask``, both in place."""
    random = np.random.default_rng(seed)
    reach = shape.diameter_mm * 1.4 + 4
    box = grid.box(np.subtract(shape.centre_mm, reach), np.add(shape.centre_mm, reach))
    i, j, k = (s.stop - s.start for s in box)
    local = Grid((i, j, k), _shifted(grid, box))
    distance, surface = _polar(local, shape)
    mask[box][distance <= surface] = number
    region = hu[box]
    _draw_spicules(region, local, shape, look, random)
    inner = _inner_hu(local, distance, surface, look, random)
    edge = np.clip(0.5 - (distance - surface) / max(look.edge_mm, local.voxel_mm), 0, 1)
    edge = edge * edge * (3 - 2 * edge)
    region += (inner - region) * edge


def _polar(local: Grid, shape: Shape) -> tuple[FloatArray, FloatArray]:
    offsets = np.stack(
        [c - np.float32(m) for c, m in zip(local.coordinates, shape.centre_mm, strict=True)], axis=-1
    )
    distance = np.linalg.norm(offsets, axis=-1)
    directions = offsets / np.maximum(distance, 1e-3)[..., None]
    return distance, shape.radius_mm(directions).astype(np.float32)


def _inner_hu(
    local: Grid, distance: FloatArray, surface: FloatArray, look: Look, random: np.random.Generator
) -> FloatArray:
    """Soft tissue with its texture; a ground-glass rim where the core is small; calcium in the middle."""
    spacing = tuple(float(s) for s in np.linalg.norm(local.affine[:3, :3], axis=0))
    texture = smooth_field(random, local.shape, spacing, 3.0) * np.float32(look.texture_hu)
    solid = random.uniform(-120, 60)  # whatever the label: density alone must not give it away
    core = np.clip(0.5 - (distance - surface * np.float32(look.solid_fraction)) / 1.5, 0, 1)
    if look.solid_fraction >= 1:
        core = np.ones_like(core)
    calcium = np.clip(0.5 - (distance - 0.4 * surface) / 2.0, 0, 1) * np.float32(look.calcification_hu)
    return (GROUND_GLASS_HU + (solid - GROUND_GLASS_HU) * core + texture + calcium).astype(np.float32)


def _draw_spicules(
    region: FloatArray, local: Grid, shape: Shape, look: Look, random: np.random.Generator
) -> None:
    strands = np.zeros_like(region)
    directions = random.standard_normal((look.spicules, 3)) * (1, 1, 0.7)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-6)
    for direction in directions:
        surface = float(shape.radius_mm(direction[None])[0])
        length = surface * random.uniform(0.35, 0.9) + 1.5
        start = shape.centre_mm + direction * surface * 0.8
        end = shape.centre_mm + direction * (surface + length)
        draw_strand(strands, local, start, end, (random.uniform(1.1, 1.7), 0.5))
    region += np.maximum(SPICULE_HU - region, 0) * strands


def _shifted(grid: Grid, box: tuple[slice, slice, slice]) -> npt.NDArray[np.float64]:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.affine[:3, :3] @ [s.start for s in box] + grid.affine[:3, 3]
    return affine


def _sphere(n: int) -> npt.NDArray[np.float64]:
    """Evenly spread directions (n, 3) after Fibonacci."""
    turn = np.arange(n) + 0.5
    height = 1 - 2 * turn / n
    angle = np.pi * (1 + 5**0.5) * turn
    ring = np.sqrt(1 - height**2)
    return np.column_stack([ring * np.cos(angle), ring * np.sin(angle), height])
