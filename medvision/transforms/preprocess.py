"""The deterministic steps that every case goes through once, as MONAI transforms."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import assert_never

import torch
from monai.data import MetaTensor
from monai.transforms import (
    BorderPad,
    Compose,
    CropForegroundd,
    MapTransform,
    NormalizeIntensityd,
    Orientationd,
    ScaleIntensityRanged,
    ScaleIntensityRangePercentilesd,
    Spacingd,
    SpatialCrop,
    Transform,
)

from medvision.config.pixels import (
    CenterCrop,
    ForegroundCrop,
    Intensity,
    NoCrop,
    PercentileIntensity,
    Preprocessing,
    RawIntensity,
    WindowIntensity,
    ZscoreIntensity,
)
from medvision.errors import CohortError
from medvision.transforms.load import LoadVolumed

# Raised whenever a step here changes what comes out, so that no cache of an older version is read.
VERSION = 1

IMAGE, MASK = "image", "mask"


def preprocessing_transforms(settings: Preprocessing, *, with_mask: bool) -> Compose:
    """Build the steps of a study: load, orient, resample, crop, scale, in this order.

    Args:
        settings: The `preprocessing:` part of a study.
        with_mask: Whether the dictionary has a "mask" beside its "image".

    Returns:
        A transform from {"image": path, "mask": path} to MetaTensors of shape (1, i, j, k), the image
        as float32; their affines map voxels to RAS millimetres.
    """
    keys = (IMAGE, MASK) if with_mask else (IMAGE,)
    return Compose([LoadVolumed(keys, ensure_channel_first=True), *spatial_and_intensity(settings, keys)])


def spatial_and_intensity(settings: Preprocessing, keys: tuple[str, ...] = (IMAGE,)) -> list[Transform]:
    """Build the steps after loading, for images that are already in memory.

    Args:
        settings: The `preprocessing:` part of a study.
        keys: ("image",) or ("image", "mask").
    """
    steps: list[Transform] = [Orientationd(keys, axcodes=settings.orientation, labels=None)]
    if settings.spacing_mm is not None:
        modes = ["bilinear", "nearest"][: len(keys)]
        steps.append(Spacingd(keys, pixdim=settings.spacing_mm, mode=modes, padding_mode="border"))
    steps += _crop(settings, keys)
    steps += _intensity(settings.intensity)
    return steps


def _crop(settings: Preprocessing, keys: tuple[str, ...]) -> list[Transform]:
    crop = settings.crop
    match crop:
        case NoCrop():
            return []
        case ForegroundCrop():
            return [_CropForeground(keys, above=crop.above, margin_mm=crop.margin_mm)]
        case CenterCrop():
            return [CropAroundd(keys, size=crop.size_voxels, around=crop.around)]
        case _:
            assert_never(crop)


def _intensity(settings: Intensity) -> list[Transform]:
    match settings:
        case WindowIntensity():
            low, high = settings.window_hu
            return [ScaleIntensityRanged(IMAGE, low, high, -1.0, 1.0, clip=True)]
        case ZscoreIntensity():
            return [NormalizeIntensityd(IMAGE, nonzero=settings.nonzero)]
        case PercentileIntensity():
            lower, upper = settings.percentiles
            return [ScaleIntensityRangePercentilesd(IMAGE, lower, upper, -1.0, 1.0, clip=True)]
        case RawIntensity():
            return []
        case _:
            assert_never(settings)


class CropAroundd(MapTransform):
    """Cut a box of fixed size around the centre of the image or of its mask's bounding box.

    Where the box leaves the volume, the image is padded with its lowest value and the mask with 0.

    Args:
        keys: ("image",) or ("image", "mask").
        size: Sides of the box in voxels.
        around: "image" or "mask".
    """

    def __init__(self, keys: tuple[str, ...], *, size: tuple[int, int, int], around: str) -> None:
        super().__init__(keys)
        self.size = size
        self.around = around

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Return the cropped image and mask, their affines moved along."""
        cropped = dict(data)
        center = self._center(data)
        for key in self.key_iterator(cropped):
            cropped[key] = self._cut(data[key], center, lowest=key == IMAGE)
        return cropped

    def _center(self, data: Mapping[Hashable, MetaTensor]) -> list[int]:
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


class _CropForeground(MapTransform):
    """Crop to voxels above a threshold, with a margin in millimetres."""

    def __init__(self, keys: tuple[str, ...], *, above: float, margin_mm: float) -> None:
        super().__init__(keys)
        self.above = above
        self.margin_mm = margin_mm

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        image = data[IMAGE]
        if not bool((image > self.above).any()):
            raise CohortError(f"no voxel is above {self.above:g}, so there is no foreground to crop to")
        margin = [math.ceil(self.margin_mm / float(side)) for side in image.pixdim]
        crop = CropForegroundd(
            self.keys,
            source_key=IMAGE,
            select_fn=lambda values: values > self.above,
            margin=margin,
            allow_smaller=True,
        )
        cropped = crop(dict(data))
        return {key: as_meta_tensor(cropped[key]) for key in self.key_iterator(cropped)}


def as_meta_tensor(tensor: torch.Tensor) -> MetaTensor:
    """Say to the type checker what MONAI's transforms return when they are given a MetaTensor."""
    if not isinstance(tensor, MetaTensor):
        raise TypeError(f"expected a MetaTensor with its affine, not a {type(tensor).__name__}")
    return tensor
