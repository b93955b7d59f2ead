"""Masks on another grid: no class is made that was not there."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from medvision.transforms.crops import as_meta_tensor
from medvision.transforms.voxel_size import SpacingMm, ToVoxelSized


class ResampleLabelsd(MapTransform):
    """Bring masks to a voxel size: each voxel gets the class with the largest linearly interpolated share.

    The interpolated numbers are shares of one class, never a mean of class numbers: between a 1 and a 3
    there is no 2. Where shares are equal, the lower class wins, background first.

    Args:
        keys: Keys of masks, (1, i, j, k), whole numbers.
        spacing_mm: Voxel size to reach.
    """

    def __init__(self, keys: tuple[str, ...], *, spacing_mm: SpacingMm) -> None:
        super().__init__(keys)
        self.voxels = ToVoxelSized(keys, spacing_mm=spacing_mm, mode="bilinear", padding_mode="border")

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Return the masks on the new grid, affines moved along."""
        resampled = dict(data)
        for key in self.key_iterator(resampled):
            resampled[key] = self._largest(data[key])
        return resampled

    def _largest(self, mask: MetaTensor) -> MetaTensor:
        # One class at a time: memory does not grow with their number.
        best: MetaTensor | None = None
        winner: MetaTensor | None = None
        for value in torch.unique(torch.as_tensor(mask)).tolist():
            share = self.voxels.resampled(as_meta_tensor((mask == value).float()))
            if best is None or winner is None:
                best, winner = share, as_meta_tensor(torch.full_like(share, value))
                continue
            # Rounding must not let a tie depend on the class.
            larger = share > best + 1e-6
            winner = as_meta_tensor(torch.where(larger, value, winner))
            best = as_meta_tensor(torch.where(larger, share, best))
        return as_meta_tensor(mask) if winner is None else winner
