"""Which part of a volume is kept, as MONAI dictionary transforms; affines move along."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import assert_never

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import BorderPad, MapTransform, SpatialCrop, SpatialPad, Transform

from medvision.config.crop import BodyCrop, CenterCrop, Crop, ForegroundCrop, NoCrop, RegionCrop
from medvision.errors import CohortError
from medvision.transforms.regions import IMAGE, MASK, REGION, Voxels, body_voxels

Data = Mapping[Hashable, MetaTensor]


def crop_steps(crop: Crop, keys: tuple[str, ...]) -> list[Transform]:
    """Build the step that crops.

    Args:
        crop: The `preprocessing.crop` part of a study.
        keys: "image", and "mask" and "region" where they are there.
    """
    match crop:
        case NoCrop():
            return []
        case ForegroundCrop(above=above):
            return [CropToBoxd(keys, lambda data: _above(data, above), margin_mm=crop.margin_mm)]
        case BodyCrop(above=threshold):
            return [
                CropToBoxd(keys, lambda data: body_voxels(data[IMAGE], threshold), margin_mm=crop.margin_mm)
            ]
        case RegionCrop():
            return [CropToBoxd(keys, _region, margin_mm=crop.margin_mm)]
        case CenterCrop():
            return [CropAroundd(keys, size=crop.size_voxels, around=crop.around)]
        case _:
            assert_never(crop)


class CropAroundd(MapTransform):
    """Cut a box of fixed size around the centre of the image or of its mask's bounding box.

    Where the box leaves the volume, the image is padded with its lowest value and the mask with 0.

    Args:
        keys: "image", and "mask" and "region" where they are there.
        size: Sides of the box in voxels.
        around: "image" or "mask".
    """

    def __init__(self, keys: tuple[str, ...], *, size: tuple[int, int, int], around: str) -> None:
        super().__init__(keys)
        self.size = size
        self.around = around

    def __call__(self, data: Data) -> dict[Hashable, MetaTensor]:
        """Return the cropped image and mask, their affines moved along."""
        cropped = dict(data)
        center = self._center(data)
        for key in self.key_iterator(cropped):
            cropped[key] = self._cut(data[key], center, lowest=key == IMAGE)
        return cropped

    def _center(self, data: Data) -> list[int]:
        shape = data[IMAGE].shape[1:]
        if self.around == "image":
            return [side // 2 for side in shape]
        inside = torch.nonzero(torch.as_tensor(data[MASK])[0])
        if not len(inside):
            raise CohortError("its mask is empty, so there is no place to crop around")
        middle = (inside.amin(0) + inside.amax(0) + 1) // 2
        return [int(index) for index in middle]

    def _cut(self, volume: MetaTensor, center: list[int], *, lowest: bool) -> MetaTensor:
        # Padding by the whole box keeps every box inside, also one centred on a corner.
        value = float(volume.min()) if lowest else 0.0
        border = [side for side in self.size for _ in range(2)]
        padded = BorderPad(border, mode="constant", value=value)(volume)
        moved = [index + side for index, side in zip(center, self.size, strict=True)]
        return as_meta_tensor(SpatialCrop(roi_center=moved, roi_size=self.size)(padded))


class CropToBoxd(MapTransform):
    """Crop to the box around some voxels, with a margin in millimetres that ends at the volume's border.

    Args:
        keys: "image", and "mask" and "region" where they are there.
        voxels: Finds them, (i, j, k); at least one is True.
        margin_mm: Kept around the box on every side, rounded up to whole voxels.
    """

    def __init__(self, keys: tuple[str, ...], voxels: Callable[[Data], Voxels], *, margin_mm: float) -> None:
        super().__init__(keys)
        self.voxels = voxels
        self.margin_mm = margin_mm

    def __call__(self, data: Data) -> dict[Hashable, MetaTensor]:
        """Return what was cropped, affines moved along."""
        cropped = dict(data)
        image = data[IMAGE]
        inside = self.voxels(data)
        first, last = [], []
        for axis, spacing in enumerate(image.pixdim.tolist()):
            margin = math.ceil(self.margin_mm / spacing)
            others = tuple(other for other in range(3) if other != axis)
            taken = np.flatnonzero(inside.any(axis=others))
            first.append(max(int(taken[0]) - margin, 0))
            last.append(min(int(taken[-1]) + 1 + margin, inside.shape[axis]))
        crop = SpatialCrop(roi_start=first, roi_end=last)
        for key in self.key_iterator(cropped):
            cropped[key] = as_meta_tensor(crop(data[key]))
        return cropped


class PadToMultipled(MapTransform):
    """Pad every side evenly to a multiple, the image with its lowest value and masks with 0.

    Args:
        keys: "image", and "mask" and "region" where they are there.
        multiple: Of which each side becomes a multiple, in voxels.
    """

    def __init__(self, keys: tuple[str, ...], *, multiple: tuple[int, int, int]) -> None:
        super().__init__(keys)
        self.multiple = multiple

    def __call__(self, data: Data) -> dict[Hashable, MetaTensor]:
        """Return what was padded, affines moved along."""
        padded = dict(data)
        shape = data[IMAGE].shape[1:]
        size = [-(-side // unit) * unit for side, unit in zip(shape, self.multiple, strict=True)]
        for key in self.key_iterator(padded):
            value = float(data[key].min()) if key == IMAGE else 0.0
            padded[key] = as_meta_tensor(SpatialPad(size, mode="constant", value=value)(data[key]))
        return padded


def as_meta_tensor(tensor: torch.Tensor) -> MetaTensor:
    """Say to the type checker what MONAI's transforms return when they are given a MetaTensor."""
    if not isinstance(tensor, MetaTensor):
        raise TypeError(f"expected a MetaTensor with its affine, not a {type(tensor).__name__}")
    return tensor


def _above(data: Data, above: float) -> Voxels:
    inside: Voxels = np.asarray(data[IMAGE])[0] > above
    if not inside.any():
        raise CohortError(f"no voxel is above {above:g}, so there is no foreground to crop to")
    return inside


def _region(data: Data) -> Voxels:
    inside: Voxels = np.asarray(data[REGION])[0] != 0
    if not inside.any():
        raise CohortError("its region is empty, so there is no place to crop to")
    return inside
