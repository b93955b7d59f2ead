"""Back from the network's grid to the scan's own: shape and affine of the scan, exactly.

Along an axis on which the preprocessed voxels are no larger than the scan's, each voxel of the scan takes the
preprocessed voxel whose centre is nearest; that one was taken from this very voxel, so a mask comes back
voxel for voxel as it went in. Along an axis on which they are larger, shares are interpolated linearly before
the largest is chosen, so that an outline does not inherit the steps of the coarser grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medvision.imaging import Geometry, resample_array


def shares_in_scan(
    shares: NDArray[np.float32], affine: NDArray[np.float64], scan: Geometry
) -> NDArray[np.float32]:
    """Bring the share (probability) of each structure to the scan's grid; outside the crop it is 0.

    Args:
        shares: (structures, i, j, k) on the preprocessed grid, without the background.
        affine: The preprocessed voxels to RAS millimetres.
        scan: The scan's own grid.

    Returns:
        (structures, *scan.shape).
    """
    i, j, k = shares.shape[1:]
    own = Geometry(shape=(i, j, k), affine=affine)
    return np.stack([resample_array(share, own, scan, order="faithful") for share in shares])


def largest_share(shares: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the structure (1, 2, …) with the largest share, 0 where the background has it.

    Args:
        shares: (structures, i, j, k); what they leave of 1 is the background.

    Example:
        >>> largest_share(np.array([[[[0.2, 0.6]]], [[[0.3, 0.4]]]], np.float32)).tolist()
        [[[0, 1]]]
    """
    background = 1 - shares.sum(0)
    winner: NDArray[np.intp] = np.concatenate([background[None], shares]).argmax(0)
    return winner


def mask_in_scan_grid(
    mask: NDArray[np.uint8], affine: NDArray[np.float64], scan: Geometry
) -> NDArray[np.uint8]:
    """Bring a mask of the preprocessed grid back to the scan's.

    Exact, voxel for voxel, for everything inside the crop if the mask was resampled with `nearest`, the
    scan's axes are perpendicular, and no preprocessed voxel is longer than the scan's along any axis.

    Args:
        mask: (i, j, k), 0 background, 1, 2, … structures.
        affine: The preprocessed voxels to RAS millimetres.
        scan: The scan's own grid.

    Example:
        >>> scan = Geometry((4, 1, 1), np.diag([1.0, 1, 1, 1]))
        >>> mask = np.array([1, 1, 0, 2, 2], np.uint8)[:, None, None]
        >>> mask_in_scan_grid(mask, np.diag([0.75, 1.0, 1.0, 1.0]), scan).ravel().tolist()
        [1, 1, 2, 2]
    """
    values = np.arange(1, int(mask.max(initial=0)) + 1)
    if not len(values):
        return np.zeros(scan.shape, np.uint8)
    shares = (mask[None] == values[:, None, None, None]).astype(np.float32)
    return largest_share(shares_in_scan(shares, affine, scan)).astype(np.uint8)
