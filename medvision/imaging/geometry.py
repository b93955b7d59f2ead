"""Where a grid of voxels lies in the patient: shape, affine, and what follows from them.

Frame: arrays are indexed (i, j, k); an affine maps an index to millimetres in **RAS+**, whose axes grow
towards the patient's Right, Anterior and Superior, as in NIfTI. DICOM's grow towards Left, Posterior
and Superior; :func:`lps_to_ras` is the only place where the one becomes the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError

FloatArray: TypeAlias = npt.NDArray[np.float64]


def lps_to_ras(affine: npt.ArrayLike) -> FloatArray:
    """Turn an affine into DICOM's LPS millimetres into one into RAS+ millimetres (and back).

    Args:
        affine: 4×4, index → LPS mm.

    Returns:
        4×4, index → RAS+ mm: the first two rows change their sign.

    Example:
        >>> lps_to_ras(np.diag([0.5, 0.5, 2.0, 1.0])).diagonal().tolist()
        [-0.5, -0.5, 2.0, 1.0]
    """
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(affine, dtype=np.float64)


def dicom_affine(
    position: npt.ArrayLike, orientation: npt.ArrayLike, pixel_spacing: npt.ArrayLike, step: npt.ArrayLike
) -> FloatArray:
    """Build the affine of a stack of DICOM slices.

    DICOM PS3.3 C.7.6.2.1.1: the first three numbers of ImageOrientationPatient are the direction in
    which the *column index* grows, the first of PixelSpacing is the distance between *rows*.

    Args:
        position: ImagePositionPatient of the first slice, LPS mm, centre of its first pixel.
        orientation: ImageOrientationPatient, six direction cosines, LPS.
        pixel_spacing: PixelSpacing, mm: between rows, between columns.
        step: From one slice to the next, LPS mm.

    Returns:
        4×4, (column i, row j, slice k) → RAS+ mm.

    Example:
        >>> dicom_affine([10, 20, 30], [1, 0, 0, 0, 1, 0], [0.7, 0.6], [0, 0, 5]).tolist()[0]
        [-0.6, 0.0, 0.0, -10.0]
    """
    between_rows, between_columns = np.asarray(pixel_spacing, dtype=np.float64)
    along_row, along_column = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    affine = np.eye(4)
    affine[:3, 0] = along_row / np.linalg.norm(along_row) * between_columns
    affine[:3, 1] = along_column / np.linalg.norm(along_column) * between_rows
    affine[:3, 2] = step
    affine[:3, 3] = position
    return lps_to_ras(affine) + 0.0  # + 0.0 turns −0.0 into 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Geometry:
    """A grid of voxels in patient space, without the voxels.

    Attributes:
        shape: Number of voxels along (i, j, k).
        affine: 4×4 float64, read-only, (i, j, k) → RAS+ mm; an integer index is a voxel's centre.

    Raises:
        GeometryError: The shape is not three positive numbers, or the affine is not finite, not 4×4,
            has no (0, 0, 0, 1) as last row, or squashes the grid (an axis without length, two axes
            in one direction).

    Example:
        >>> ct = Geometry((512, 512, 200), np.diag([-0.7, -0.7, 1.25, 1.0]))
        >>> ct.spacing_mm, ct.axcodes
        ((0.7, 0.7, 1.25), 'LPS')
        >>> ct
        Geometry(512×512×200 · 0.70×0.70×1.25 mm · LPS)
    """

    shape: tuple[int, int, int]
    affine: FloatArray

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"a volume needs three axes with at least one voxel each, not shape {shape}")
        affine = np.array(self.affine, dtype=np.float64)
        _check_affine(affine)
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (i, j, k) in mm: the lengths of the affine's columns."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def directions(self) -> FloatArray:
        """3×3, its columns the unit vectors in RAS+ along which i, j and k grow."""
        return np.asarray(self.affine[:3, :3] / np.asarray(self.spacing_mm), dtype=np.float64)

    @property
    def axcodes(self) -> str:
        """Where i, j and k (nearly) grow to, such as ``"LPS"``: Left, Posterior, Superior."""
        return "".join(_orientations().aff2axcodes(self.affine))

    @property
    def is_orthogonal(self) -> bool:
        """Whether the axes are perpendicular (within 0.1°); not so under a kept gantry tilt."""
        gram = self.directions.T @ self.directions
        return bool(np.abs(gram - np.eye(3)).max() < np.sin(np.deg2rad(0.1)))

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Size of the whole box along (i, j, k) in mm, from outer voxel face to outer voxel face."""
        i, j, k = (n * mm for n, mm in zip(self.shape, self.spacing_mm, strict=True))
        return i, j, k

    @property
    def centre_mm(self) -> FloatArray:
        """Centre of the box, shape (3,), RAS+ mm."""
        return self.index_to_mm((np.asarray(self.shape) - 1) / 2)

    @property
    def corners_mm(self) -> FloatArray:
        """The eight outer corners of the box (half a voxel outside the centres), (8, 3), RAS+ mm."""
        return self.index_to_mm(list(product(*((-0.5, n - 0.5) for n in self.shape))))

    def index_to_mm(self, index: npt.ArrayLike) -> FloatArray:
        """Map indices (…, 3), fractions allowed, to RAS+ mm (…, 3).

        Example:
            >>> Geometry((2, 2, 2), np.diag([1.0, 2.0, 3.0, 1.0])).index_to_mm([1, 1, 1]).tolist()
            [1.0, 2.0, 3.0]
        """
        points: FloatArray = np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return points

    def mm_to_index(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Map RAS+ mm (…, 3) to fractional indices (…, 3); the inverse of :meth:`index_to_mm`."""
        inverse = np.linalg.inv(self.affine)
        index: FloatArray = np.asarray(points_mm, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]
        return index

    def distance_mm(self, other: Geometry) -> float:
        """How far apart the two grids put the same voxel, at worst, in mm; both of one shape.

        The difference of two affines is itself affine, so its largest length lies at a corner voxel.
        """
        corners = np.array(list(product(*((0, n - 1) for n in self.shape))), dtype=np.float64)
        apart = self.index_to_mm(corners) - other.index_to_mm(corners)
        return float(np.linalg.norm(apart, axis=1).max())

    def is_close(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have one shape and put every voxel in the same place.

        Args:
            other: The other grid.
            tolerance_mm: The largest distance allowed between the two places of a voxel.

        Example:
            >>> grid = Geometry((9, 9, 9), np.eye(4))
            >>> grid.is_close(Geometry((9, 9, 9), np.diag([1.0001, 1, 1, 1])))
            True
            >>> grid.is_close(Geometry((9, 9, 9), np.diag([1.001, 1, 1, 1])))
            False
        """
        return self.shape == other.shape and self.distance_mm(other) <= tolerance_mm

    def reoriented(self, axcodes: str = "RAS") -> Geometry:
        """The same voxels in the same places, with axes permuted and flipped towards ``axcodes``.

        Raises:
            GeometryError: ``axcodes`` does not name one of L/R, P/A and I/S each.

        Example:
            >>> Geometry((4, 5, 6), np.diag([-1.0, -1.0, 2.0, 1.0])).reoriented("RAS").affine[0].tolist()
            [1.0, 0.0, 0.0, -3.0]
        """
        change = orientation_change(self, axcodes)
        shape = tuple(n for _, n in sorted(zip(change[:, 0], self.shape, strict=True)))
        turned = self.affine @ _orientations().inv_ornt_aff(change, self.shape)
        return Geometry((shape[0], shape[1], shape[2]), turned + 0.0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Geometry):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(self.affine, other.affine)

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))

    def __reduce__(self) -> tuple[object, ...]:
        return Geometry, (self.shape, np.array(self.affine))

    def __repr__(self) -> str:
        return f"Geometry({times(self.shape)} · {times(self.spacing_mm)} mm · {self.axcodes})"


def orientation_change(geometry: Geometry, axcodes: str) -> npt.NDArray[Any]:
    """The permutation and flips (nibabel's orientation array, 3×2) that turn a grid towards ``axcodes``.

    Raises:
        GeometryError: ``axcodes`` does not name one of L/R, P/A and I/S each.
    """
    letters = axcodes.upper()
    if sorted("LPI".find(c) if c in "LPI" else "RAS".find(c) for c in letters) != [0, 1, 2]:
        raise GeometryError(
            f"an orientation names one of L/R, P/A and I/S each, such as RAS or LPS; not {axcodes!r}"
        )
    nibabel = _orientations()
    have, want = nibabel.io_orientation(geometry.affine), nibabel.axcodes2ornt(letters)
    change: npt.NDArray[Any] = nibabel.ornt_transform(have, want)
    return change


def times(numbers: Sequence[float]) -> str:
    """Write numbers as radiologists do.

    Example:
        >>> times((512, 512, 20)), times((0.7, 0.7, 1.25))
        ('512×512×20', '0.70×0.70×1.25')
    """
    return "×".join(str(n) if isinstance(n, int) else f"{n:.2f}" for n in numbers)


def _orientations() -> Any:  # noqa: ANN401 (NiBabel's functions are untyped)
    """NiBabel's orientation functions, loaded when first needed."""
    return import_module("nibabel.orientations")


def _check_affine(affine: FloatArray) -> None:
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise GeometryError(f"an affine is 4×4 finite numbers, not {affine.tolist()}")
    if not np.allclose(affine[3], [0, 0, 0, 1], atol=1e-6):
        raise GeometryError(f"the last row of an affine is (0, 0, 0, 1), not {affine[3].tolist()}")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.min() <= 0 or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
        raise GeometryError(f"the affine squashes the volume to a plane: {affine[:3, :3].tolist()}")
