"""An MR-like crop of a brain with one organ of two parts, for segmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.transform import Rotation

from medvision.testing.fields import smooth_field, total
from medvision.testing.phantom import (
    FloatArray,
    Grid,
    Orientation,
    PatientPosition,
    Phantom,
    Point,
    affine_of,
    coverage,
)

STRUCTURES = {"anterior": 1, "posterior": 2}
# Intensities before contrast, bias field and gain; white matter is 1, as on a T1-weighted image.
_FLUID, _GREY, _WHITE = 0.28, 0.68, 1.0


@dataclass(frozen=True)
class _Organ:
    """A bent ellipsoid, thicker in front: the frame (rows: its axes), its centre, its size."""

    frame: npt.NDArray[np.float64]
    centre_mm: npt.NDArray[np.float64]
    semi_mm: npt.NDArray[np.float64]
    bend: float
    border_mm: float


def brain_phantom(
    seed: int,
    *,
    shape: tuple[int, int, int] = (40, 48, 40),
    spacing_mm: Point = (1.0, 1.0, 1.0),
    contrast: float = 1.0,
    bias: float = 0.12,
    noise: float = 0.05,
    orientation: Orientation = "axial",
    patient_position: PatientPosition = "HFS",
    oblique_deg: float = 0.0,
) -> Phantom:
    """A T1-like MR crop around an elongated organ with an anterior (1) and a posterior part (2).

    The parts are grey matter of slightly different brightness that end in a plane across the organ. Gain and
    contrast differ from patient to patient, so intensities mean nothing in absolute terms, as in real MR.

    Args:
        seed: Decides everything that the other arguments leave open.
        shape: Voxels along i, j and k.
        spacing_mm: Distance of voxel centres along i, j and k.
        contrast: Difference between the tissues relative to the usual.
        bias: Standard deviation of the logarithm of the bias field.
        noise: Standard deviation of the Rician noise relative to white matter.
        orientation: Plane of the slices.
        patient_position: How the patient lies, as DICOM codes it.
        oblique_deg: Turns the whole frame.

    Example:
        >>> phantom = brain_phantom(1)
        >>> phantom.modality, phantom.array.shape, phantom.structures
        ('MR', (40, 48, 40), {'anterior': 1, 'posterior': 2})
    """
    patient, tissue, scanner = np.random.default_rng(seed).spawn(3)
    affine = affine_of(
        shape,
        spacing_mm,
        orientation=orientation,
        patient_position=patient_position,
        oblique_deg=oblique_deg,
    )
    grid = Grid(shape, affine)
    distance, along = _organ_distance(grid, _draw_organ(patient))
    signal = _tissue(grid, distance, along, tissue)
    mask = np.where(distance <= 0, np.where(along > 0, 1, 2), 0).astype(np.uint8)
    return Phantom(
        modality="MR",
        array=_scan(signal, grid, scanner, contrast, bias, noise),
        affine=affine,
        mask=mask,
        structures=dict(STRUCTURES),
        lesions=(),
        patient_position=patient_position,
        seed=seed,
    )


def _draw_organ(random: np.random.Generator) -> _Organ:
    angles = random.normal(0, 8, 3)
    return _Organ(
        frame=np.asarray(Rotation.from_euler("xyz", angles, degrees=True).as_matrix()),
        centre_mm=random.uniform(-3.5, 3.5, 3),
        semi_mm=np.array([6.5, 17.0, 7.0]) * random.uniform(0.88, 1.12, 3),
        bend=float(random.uniform(1.0, 4.0) * random.choice([-1, 1])),
        border_mm=float(random.normal(1.0, 0.8)),
    )


def _organ_distance(grid: Grid, organ: _Organ) -> tuple[FloatArray, FloatArray]:
    """Approximate distance to the organ's surface, and distance in front of the border of its parts."""
    offsets = [c - np.float32(m) for c, m in zip(grid.coordinates, organ.centre_mm, strict=True)]
    u, v, w = (total(np.float32(a) * o for a, o in zip(axis, offsets, strict=True)) for axis in organ.frame)
    a, b, c = (np.float32(s) for s in organ.semi_mm)
    u = u + np.float32(organ.bend) * (1 - (v / b) ** 2)
    thickness = np.clip(1 + np.float32(0.3) * v / b, 0.5, 1.5)
    q = np.sqrt((u / (a * thickness)) ** 2 + (v / b) ** 2 + (w / (c * thickness)) ** 2)
    radius = np.sqrt(u * u + v * v + w * w)
    return radius - radius / np.maximum(q, np.float32(1e-3)), v - np.float32(organ.border_mm)


def _tissue(grid: Grid, distance: FloatArray, along: FloatArray, random: np.random.Generator) -> FloatArray:
    """White matter with folds of cortex and fluid, then the organ with its capsule of white matter."""
    spacing = tuple(float(s) for s in np.linalg.norm(grid.affine[:3, :3], axis=0))
    folds = smooth_field(random, grid.shape, spacing, 9.0)
    # The folds keep a distance from the organ, but touch it here and there.
    folds = folds - np.exp(-np.maximum(distance, 0) / 4) * 1.8
    signal = np.full(grid.shape, _WHITE, np.float32)
    signal += (_GREY - _WHITE) * np.clip((folds - 0.7) * 3 + 0.5, 0, 1)
    signal += (_FLUID - _GREY) * np.clip((folds - 1.4) * 3 + 0.5, 0, 1)
    inside = coverage(distance, grid.voxel_mm)
    front = np.clip(0.5 + along / 2, 0, 1)
    lumps = smooth_field(random, grid.shape, spacing, 3.0)
    organ = np.float32(_GREY - 0.08) + np.float32(0.16) * front + np.float32(0.02) * lumps
    return np.asarray(signal + (organ - signal) * inside, dtype=np.float32)


def _scan(
    signal: FloatArray, grid: Grid, random: np.random.Generator, contrast: float, bias: float, noise: float
) -> npt.NDArray[np.int16]:
    """Contrast, bias field, blur, Rician noise and the scanner's arbitrary gain."""
    spacing = tuple(float(s) for s in np.linalg.norm(grid.affine[:3, :3], axis=0))
    signal = np.clip(1 - (1 - signal) * np.float32(contrast * random.uniform(0.8, 1.2)), 0.02, None)
    signal = signal * np.exp(np.float32(bias) * smooth_field(random, signal.shape, spacing, 60.0))
    signal = ndimage.gaussian_filter(signal, 0.5, truncate=2.0)
    real, imaginary = (
        random.standard_normal(signal.shape, dtype=np.float32) * np.float32(noise) for _ in "ri"
    )
    gain = np.exp(random.uniform(np.log(200), np.log(1500)))
    scan = np.rint(np.hypot(signal + real, imaginary) * gain)
    return np.asarray(np.clip(scan, 0, 32767), dtype=np.int16)
