"""Synthetic patients: pixels, their place in space, and the truth about what was drawn into them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.floating[Any]]
Point = tuple[float, float, float]
Orientation = Literal["axial", "coronal", "sagittal"]
PatientPosition = Literal["HFS", "HFP", "FFS", "FFP"]
Label = Literal["benign", "malignant"]

# Directions of the array axes i and j in DICOM's LPS; k is their cross product: every frame is right-handed.
_LPS_AXES: dict[Orientation, tuple[Point, Point]] = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
}
# How a patient lies turns the axes of an axial image: prone by half a turn about the table, feet first
# by half a turn about the vertical.
_TURNS: dict[PatientPosition, Point] = {
    "HFS": (1, 1, 1),
    "HFP": (-1, -1, 1),
    "FFS": (-1, 1, -1),
    "FFP": (1, -1, -1),
}


@dataclass(frozen=True)
class Lesion:
    """One nodule, as it was drawn.

    Attributes:
        number: Its value in the phantom's mask, from 1.
        label: What it is; decides texture and edge, never size, shape or place.
        centre_mm: Centre in RAS+ millimetres.
        centre_ijk: The same centre as a (fractional) array index.
        diameter_mm: Diameter of the sphere that has the volume of its mask.
        suspicion: From 0 (looks harmless) to 1 (looks malignant); overlaps between the labels.
        edge_mm: Width of the transition from nodule to lung.
        spicules: Number of strands that radiate from the surface, outside the mask.
        texture_hu: Standard deviation of the inner texture in Hounsfield units.
        solid_fraction: Radius of the solid core as a part of the whole; the rest is ground glass.
        calcification_hu: What a calcified centre adds in Hounsfield units; 0 for none.
    """

    number: int
    label: Label
    centre_mm: Point
    centre_ijk: Point
    diameter_mm: float
    suspicion: float
    edge_mm: float
    spicules: int
    texture_hu: float
    solid_fraction: float
    calcification_hu: float


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic scan with its truth.

    Attributes:
        modality: ``CT`` (``array`` in Hounsfield units) or ``MR`` (arbitrary units, not negative).
        array: Intensities, int16, indexed (i, j, k).
        affine: 4×4, from index to RAS+ millimetres; its axes are orthogonal and right-handed.
        mask: uint8, same shape; 0 is background, see ``structures``.
        structures: Name and value of everything in the mask.
        lesions: The nodules of a CT; empty for MR.
        patient_position: DICOM's code for how the patient lay, such as ``HFS``.
        seed: The number that made all this.

    Example:
        >>> from medvision.testing import thorax_phantom
        >>> phantom = thorax_phantom(1, shape=(48, 48, 16), lesions=1)
        >>> phantom.array.shape, phantom.spacing_mm, phantom.structures
        ((48, 48, 16), (1.2, 1.2, 2.0), {'nodule 1': 1})
    """

    modality: Literal["CT", "MR"]
    array: npt.NDArray[np.int16]
    affine: npt.NDArray[np.float64]
    mask: npt.NDArray[np.uint8]
    structures: dict[str, int]
    lesions: tuple[Lesion, ...]
    patient_position: PatientPosition
    seed: int

    @property
    def spacing_mm(self) -> Point:
        """Distance between voxel centres along i, j and k in millimetres."""
        lengths = np.round(np.linalg.norm(self.affine[:3, :3], axis=0), 9)
        return float(lengths[0]), float(lengths[1]), float(lengths[2])

    def table(self) -> pd.DataFrame:
        """The lesions as a table, one row each; the columns are those of `Lesion`."""
        import pandas as pd

        return pd.DataFrame([asdict(lesion) for lesion in self.lesions])


def affine_of(
    shape: Sequence[int],
    spacing_mm: Point,
    *,
    centre_mm: Point = (0.0, 0.0, 0.0),
    orientation: Orientation = "axial",
    patient_position: PatientPosition = "HFS",
    oblique_deg: float = 0.0,
) -> npt.NDArray[np.float64]:
    """The 4×4 affine, index to RAS+ millimetres, of a scan as a scanner would make it.

    Args:
        shape: Voxels along i (columns of a slice), j (rows) and k (slices).
        spacing_mm: Distance of voxel centres along i, j and k.
        centre_mm: Where the middle of the volume lies, RAS+.
        orientation: Plane of the slices.
        patient_position: HFS, HFP, FFS or FFP: turns i and j as a scanner does.
        oblique_deg: Rotation of the whole frame about the patient's right-left axis and, by half as much,
            about the superior axis.

    Raises:
        GeometryError: A spacing that is not positive.

    Example:
        >>> affine_of((4, 4, 2), (1.0, 1.0, 2.0))[:3, :3].diagonal()
        array([-1., -1.,  2.])
    """
    if len(spacing_mm) != 3 or min(spacing_mm) <= 0:
        raise GeometryError(f"spacing_mm must be three positive numbers, not {tuple(spacing_mm)}")
    turn = np.asarray(_TURNS[patient_position])
    i_axis, j_axis = (np.asarray(axis, dtype=float) * turn for axis in _LPS_AXES[orientation])
    lps = np.column_stack([i_axis, j_axis, np.cross(i_axis, j_axis)])
    ras = _rotation(oblique_deg) @ np.diag([-1.0, -1.0, 1.0]) @ lps
    affine = np.eye(4)
    affine[:3, :3] = ras * np.asarray(spacing_mm)
    affine[:3, 3] = np.asarray(centre_mm) - affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return affine + 0.0  # no negative zeros


def _rotation(degrees: float) -> npt.NDArray[np.float64]:
    a, b = np.deg2rad([degrees, degrees / 2])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x)


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxel centres of a volume, or of a box in it, in RAS+ millimetres."""

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]

    @cached_property
    def axes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Three arrays: x (right), y (anterior) and z (superior); they broadcast to the grid's shape.

        A coordinate that does not change along an array axis has length 1 there, so that what depends on
        x and y alone costs one slice of a straight volume and not all of it.
        """
        indices = np.ix_(*(np.arange(n, dtype=np.float64) for n in self.shape))
        x, y, z = (
            np.asarray(sum((r * n for r, n in zip(row[:3], indices, strict=True) if r != 0), row[3]))
            for row in self.affine[:3]
        )
        return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32)

    @cached_property
    def coordinates(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The same, each of the grid's shape."""
        x, y, z = (np.broadcast_to(axis, self.shape) for axis in self.axes)
        return x, y, z

    @cached_property
    def voxel_mm(self) -> float:
        """Edge of a cube with the volume of one voxel: the width of an antialiased border."""
        return float(abs(np.linalg.det(self.affine[:3, :3])) ** (1 / 3))

    def index_of(self, point_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Fractional array indices of points (…, 3) in RAS+ millimetres."""
        offset = np.asarray(point_mm, dtype=float) - self.affine[:3, 3]
        return np.asarray(offset @ self._inverse.T)

    def box(self, low_mm: npt.ArrayLike, high_mm: npt.ArrayLike) -> tuple[slice, slice, slice]:
        """The smallest index box around an axis-aligned box in space; empty where they do not meet."""
        low, high = np.asarray(low_mm, dtype=float), np.asarray(high_mm, dtype=float)
        middle = self._inverse @ ((low + high) / 2 - self.affine[:3, 3])
        half = np.abs(self._inverse) @ ((high - low) / 2)
        return self._span(0, middle, half), self._span(1, middle, half), self._span(2, middle, half)

    def _span(self, axis: int, middle: npt.NDArray[np.float64], half: npt.NDArray[np.float64]) -> slice:
        start = max(math.floor(middle[axis] - half[axis]), 0)
        stop = min(math.ceil(middle[axis] + half[axis]) + 1, self.shape[axis])
        return slice(start, max(start, stop))

    @cached_property
    def _inverse(self) -> npt.NDArray[np.float64]:
        return np.asarray(np.linalg.inv(self.affine[:3, :3]))


def coverage(distance_mm: FloatArray, width_mm: float) -> FloatArray:
    """How much of a voxel lies inside a surface, 0 to 1, from its signed distance (negative inside)."""
    return np.asarray(np.clip(np.float32(0.5) - distance_mm / np.float32(width_mm), 0, 1))
