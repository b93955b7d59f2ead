"""Recognise one scan that is stored twice, as DICOM and as NIfTI say."""

from __future__ import annotations

import hashlib

import numpy as np

from medvision.imaging.resampling import reorient
from medvision.imaging.volume import Volume

# Two readers of one scan differ by rounding. Cells that begin at an odd offset keep values that people and
# scanners write (0, 0.5, −17.6875) away from their borders.
_DIRECTION_CELL_MM = 0.01
_ORIGIN_CELL_MM = 0.1
_OFFSET = 0.123456789


def content_hash(volume: Volume) -> str:
    """Hash what a scan shows and where it lies, not how it is stored.

    SHA-256 over the voxels as float32 after reorienting to RAS+, their shape, and the affine rounded to
    0.01 mm a voxel and 0.1 mm of origin. The same scan has the same hash whatever its container, file
    names, axis order and number type; a duplicate under another patient's name is found.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> from medvision.imaging import Geometry, reorient
        >>> scan = Volume(np.arange(8, dtype="u2").reshape(2, 2, 2), Geometry((2, 2, 2), np.eye(4)))
        >>> content_hash(scan) == content_hash(reorient(scan.with_voxels(scan.array * 1.0), "LPI"))
        True
    """
    canonical = reorient(volume, "RAS")
    cell = np.array([_DIRECTION_CELL_MM] * 3 + [_ORIGIN_CELL_MM])
    rounded = np.floor(canonical.affine[:3] / cell + 0.5 + _OFFSET).astype("<i8")
    return _digest(canonical, rounded.tobytes())


def voxels_hash(volume: Volume) -> str:
    """Hash what a scan shows, wherever it is said to lie: the same pixels under another affine are found too.

    SHA-256 over shape and voxels as float32 after reorienting to RAS+, as in :func:`content_hash`. Every NaN
    is the same.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> from medvision.imaging import Geometry
        >>> here = Volume(np.ones((2, 2, 2)), Geometry((2, 2, 2), np.eye(4)))
        >>> there = Geometry((2, 2, 2), np.diag([3.0, 3.0, 3.0, 1.0]))
        >>> voxels_hash(here) == voxels_hash(here.with_voxels(here.array, there))
        True
    """
    return _digest(reorient(volume, "RAS"))


def _digest(canonical: Volume, place: bytes = b"") -> str:
    digest = hashlib.sha256(np.array(canonical.shape, dtype="<i8").tobytes())
    digest.update(place)
    for plane in canonical.array:
        values = np.ascontiguousarray(plane, dtype="<f4") + np.float32(0)  # −0.0 is 0.0
        values[np.isnan(values)] = np.nan
        digest.update(values.tobytes())
    return digest.hexdigest()
