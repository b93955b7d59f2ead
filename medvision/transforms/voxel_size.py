"""Volumes on voxels of another size, along the scan's own axes; the centre of the first voxel stays."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import torch
from monai.data import MetaTensor
from monai.data.utils import zoom_affine
from monai.transforms import MapTransform, SpatialResample
from numpy.typing import NDArray

from medvision.transforms.crops import as_meta_tensor

SpacingMm = tuple[float, float, float]

_SAME_PLACE = 1e-3
"""Fraction of a voxel: axes that are perpendicular but for rounding begin at the first voxel."""


class ToVoxelSized(MapTransform):
    """Resample to a voxel size; affines move along.

    MONAI's `Spacing` has the same voxels, but lets the first one stay only where a scan's axes are
    perpendicular to the eighth decimal. Others, which is most oblique scans, it centres anew, so that their
    outermost voxels may lie outside of the new grid.

    Args:
        keys: Keys of volumes, (1, i, j, k).
        spacing_mm: Voxel size to reach.
        mode: "bilinear", "nearest", or the order of a spline, as for MONAI.
        padding_mode: How the border goes on, as for MONAI.
    """

    def __init__(
        self, keys: str | tuple[str, ...], *, spacing_mm: SpacingMm, mode: str | int, padding_mode: str
    ) -> None:
        super().__init__(keys)
        self.spacing_mm = spacing_mm
        self.resample = SpatialResample(mode=mode, padding_mode=padding_mode, dtype=np.float64)

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Return the volumes on the new grid."""
        resampled = dict(data)
        for key in self.key_iterator(resampled):
            resampled[key] = self.resampled(data[key])
        return resampled

    def resampled(self, volume: MetaTensor) -> MetaTensor:
        """Return one volume, (1, i, j, k), on the new grid."""
        i, j, k = volume.shape[1:]
        affine, shape = grid_of_voxel_size(
            np.asarray(volume.affine, dtype=np.float64), (i, j, k), self.spacing_mm
        )
        return as_meta_tensor(
            self.resample(volume, dst_affine=torch.from_numpy(affine), spatial_size=list(shape))
        )


def grid_of_voxel_size(
    affine: NDArray[np.float64], shape: tuple[int, int, int], spacing_mm: SpacingMm
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Return the grid of another voxel size over the same scan.

    Its axes are those of the scan, made perpendicular where they are not. The centre of its first voxel is
    that of the scan's, and the last centre of each axis lies within half a new voxel of the scan's last.

    Args:
        affine: Of the scan, (4, 4), to RAS millimetres.
        shape: Of the scan.
        spacing_mm: The new voxel size.

    Returns:
        Affine and shape of the new grid.

    Example:
        >>> affine, shape = grid_of_voxel_size(np.diag([1.0, 1, 3, 1]), (5, 5, 4), (2.0, 1.0, 1.0))
        >>> shape, affine.diagonal().tolist()
        ((3, 5, 10), [2.0, 1.0, 1.0, 1.0])
    """
    new: NDArray[np.float64] = zoom_affine(affine, spacing_mm, diagonal=False)
    edges = np.linalg.solve(new[:3, :3], affine[:3, :3]) * (np.asarray(shape) - 1)
    first, last = np.minimum(edges, 0).sum(axis=1), np.maximum(edges, 0).sum(axis=1)
    i, j, k = (int(side) for side in np.round(last - first) + 1)
    first[np.abs(first) < _SAME_PLACE] = 0
    new[:3, 3] = affine[:3, 3] + new[:3, :3] @ first
    return new, (i, j, k)
