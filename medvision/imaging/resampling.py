"""Move voxels to another grid: reorient, resample, resample onto a given geometry.

Convention: a voxel is a box around its centre. A change of spacing keeps the outer face of the first
voxel along each axis where it was, so the physical extent is kept up to half a new voxel at the far end
(MONAI's ``Spacing`` keeps the *centre* of the first voxel instead). Inside the extent but beyond the
outermost centres the outermost value is continued; outside the extent there is ``fill``.

No smoothing: going to coarser voxels, linear interpolation samples and does not average. Smooth
before, if aliasing matters.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError
from medvision.imaging.geometry import Geometry, orientation_change
from medvision.imaging.interpolation import Order, interpolate
from medvision.imaging.volume import Volume


def reorient(volume: Volume, axcodes: str = "RAS") -> Volume:
    """Permute and flip the axes of a volume; no voxel value changes, every voxel stays in its place.

    Args:
        volume: Any volume.
        axcodes: Where (i, j, k) shall grow to, such as ``"RAS"`` or ``"LPS"``.

    Raises:
        GeometryError: ``axcodes`` does not name one of L/R, P/A and I/S each.

    Example:
        >>> scan = Volume(np.arange(4).reshape(4, 1, 1), Geometry((4, 1, 1), np.diag([-1.0, 1, 1, 1])))
        >>> reorient(scan, "RAS").array.ravel().tolist()
        [3, 2, 1, 0]
    """
    nibabel: Any = import_module("nibabel.orientations")
    array = nibabel.apply_orientation(volume.array, orientation_change(volume.geometry, axcodes))
    return volume.with_voxels(array, volume.geometry.reoriented(axcodes))


def resample(
    volume: Volume, spacing_mm: float | tuple[float, float, float], order: Order = "linear"
) -> Volume:
    """Change the voxel size; the axes keep their directions, the box its first outer corner.

    Args:
        volume: Any volume.
        spacing_mm: New spacing along (i, j, k) in mm; one number for all three. It is met exactly, and
            the number of voxels is the extent divided by it, rounded (at least 1).
        order: ``"linear"`` gives float32; ``"nearest"`` keeps type and values, for masks.

    Raises:
        GeometryError: A spacing that is not positive.

    Example:
        >>> scan = Volume(np.zeros((10, 10, 5), "i2"), Geometry((10, 10, 5), np.diag([1.0, 1, 2, 1])))
        >>> resample(scan, 2.0).shape
        (5, 5, 5)
    """
    target = resampled_geometry(volume.geometry, spacing_mm)
    # A voxel more than twice as long as the volume has its centre outside: the last value goes on there.
    array = resample_array(volume.array, volume.geometry, target, order, fill=None)
    return volume.with_voxels(array, target)


def resampled_geometry(geometry: Geometry, spacing_mm: float | tuple[float, float, float]) -> Geometry:
    """The grid that :func:`resample` moves to, without the voxels.

    Example:
        >>> resampled_geometry(Geometry((4, 4, 4), np.eye(4)), 2.0).affine[:3, 3].tolist()
        [0.5, 0.5, 0.5]
    """
    wanted = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), (3,))
    if not (np.isfinite(wanted).all() and wanted.min() > 0):
        raise GeometryError(f"a spacing is positive mm, not {np.asarray(spacing_mm).tolist()}")
    i, j, k = (max(1, round(mm / new)) for mm, new in zip(geometry.extent_mm, wanted, strict=True))
    scale = wanted / np.asarray(geometry.spacing_mm)
    affine = geometry.affine @ np.diag([*scale, 1.0])
    affine[:3, 3] = geometry.index_to_mm(scale / 2 - 0.5)
    return Geometry((i, j, k), affine)


def resample_to(
    volume: Volume, geometry: Geometry, order: Order = "linear", fill: float | None = None
) -> Volume:
    """Put a volume onto another grid, through patient space.

    Brings a prediction back into the scan's own geometry, or two scans of one patient onto one grid.

    Args:
        volume: Where the values come from.
        geometry: The grid to fill, of any orientation, spacing and shape.
        order: ``"linear"`` gives float32; ``"nearest"`` keeps type and values, for masks.
        fill: Value outside the volume's extent; default 0 for nearest and the volume's lowest value for
            linear (air, as the scanner stores it).

    Example:
        >>> scan = Volume(np.array([[[0.0]], [[4.0]]]), Geometry((2, 1, 1), np.eye(4)))
        >>> finer = Geometry((3, 1, 1), np.diag([0.5, 1.0, 1.0, 1.0]))
        >>> resample_to(scan, finer).array.ravel().tolist()
        [0.0, 2.0, 4.0]
    """
    if fill is None:
        fill = 0.0 if order == "nearest" else float(volume.array.min())
    array = resample_array(volume.array, volume.geometry, geometry, order, fill)
    return volume.with_voxels(array, geometry)


def resample_array(
    array: npt.NDArray[Any],
    source: Geometry,
    target: Geometry,
    order: Order = "linear",
    fill: float | None = 0.0,
) -> npt.NDArray[Any]:
    """Put an array that lies on one grid onto another, through patient space.

    Args:
        array: (i, j, k) on ``source``: an image, a mask, one structure's probabilities.
        source: Where the array lies.
        target: The grid to fill.
        order: ``"linear"`` gives float32; ``"nearest"`` keeps type and values; ``"faithful"`` gives float32,
            nearest along axes on which the source's voxels are no longer than the target's, else linear.
        fill: Value outside the source's extent; None continues the outermost values.

    Returns:
        An array of the target's shape, read-only.

    Raises:
        GeometryError: The array's shape is not the source's.

    Example:
        >>> grid, half = Geometry((2, 1, 1), np.eye(4)), Geometry((3, 1, 1), np.diag([0.5, 1, 1, 1]))
        >>> resample_array(np.array([[[1]], [[2]]]), grid, half, "nearest").ravel().tolist()
        [1, 1, 2]
    """
    if array.shape != source.shape:
        raise GeometryError(f"array of shape {array.shape} on a grid of shape {source.shape}")
    if source.is_close(target, 1e-6):
        result = array.astype(array.dtype if order == "nearest" else np.float32)
    else:
        result = interpolate(array, np.linalg.inv(source.affine) @ target.affine, target.shape, order, fill)
    result.setflags(write=False)
    return result
