"""The deterministic steps that every case goes through once, as MONAI transforms.

In this order: orientation, bias field, voxel size, crop, intensity, padding.
"""

from __future__ import annotations

from typing import assert_never

from monai.transforms import Compose, Orientationd, Transform

from medvision.config.pixels import Preprocessing
from medvision.transforms.crops import PadToMultipled, crop_steps
from medvision.transforms.intensity import bias_steps, intensity_steps
from medvision.transforms.labels import ResampleLabelsd
from medvision.transforms.load import LoadVolumed
from medvision.transforms.regions import IMAGE, MASK, REGION
from medvision.transforms.voxel_size import ToVoxelSized

# Raised whenever a step here changes what comes out, so that no cache of an older version is read.
VERSION = 2


def preprocessing_transforms(
    settings: Preprocessing, *, with_mask: bool, with_region: bool = False
) -> Compose:
    """Build the steps of a study: load, orient, take the bias field out, resample, crop, scale, pad.

    Nyúl's standard histogram is learned from a fold, so with it the intensities stay as they are here.

    Args:
        settings: The `preprocessing:` part of a study.
        with_mask: Whether the dictionary has a "mask" beside its "image".
        with_region: Whether it has a "region".

    Returns:
        A transform from {"image": path, "mask": path} to MetaTensors of shape (1, i, j, k), the image
        as float32; their affines map voxels to RAS millimetres.
    """
    keys = (IMAGE, *[MASK] * with_mask, *[REGION] * with_region)
    return Compose(
        [
            LoadVolumed(keys, ensure_channel_first=True, **settings.reading.options()),
            *spatial_and_intensity(settings, keys),
        ]
    )


def spatial_and_intensity(settings: Preprocessing, keys: tuple[str, ...] = (IMAGE,)) -> list[Transform]:
    """Build the steps after loading, for images that are already in memory.

    Args:
        settings: The `preprocessing:` part of a study.
        keys: "image", and "mask" and "region" where they are there.
    """
    return [*up_to_intensity(settings, keys), *padding(settings, keys)]


def up_to_intensity(settings: Preprocessing, keys: tuple[str, ...]) -> list[Transform]:
    """Build the steps but the padding; arguments as for `spatial_and_intensity`."""
    steps: list[Transform] = [Orientationd(keys, axcodes=settings.orientation, labels=None)]
    steps += bias_steps(settings.bias_field)
    steps += _spacing(settings, keys)
    steps += crop_steps(settings.crop, keys)
    steps += intensity_steps(settings.intensity)
    return steps


def padding(settings: Preprocessing, keys: tuple[str, ...]) -> list[Transform]:
    """Build the last step; arguments as for `spatial_and_intensity`."""
    multiple = settings.multiple_of_voxels
    return [] if multiple is None else [PadToMultipled(keys, multiple=multiple)]


def _spacing(settings: Preprocessing, keys: tuple[str, ...]) -> list[Transform]:
    spacing = settings.spacing_mm
    if spacing is None:
        return []
    if isinstance(spacing, str):
        raise TypeError(f"spacing_mm: {spacing} must be replaced by the figures of a fold first")
    masks = tuple(key for key in keys if key != IMAGE)
    steps: list[Transform] = []
    match settings.interpolation:
        case "linear":
            steps.append(ToVoxelSized(IMAGE, spacing_mm=spacing, mode="bilinear", padding_mode="border"))
        case "cubic":
            # An order as a number makes MONAI use scipy's splines, which call the border "nearest".
            steps.append(ToVoxelSized(IMAGE, spacing_mm=spacing, mode=3, padding_mode="nearest"))
        case _:
            assert_never(settings.interpolation)
    match settings.mask_interpolation:
        case _ if not masks:
            pass
        case "nearest":
            steps.append(ToVoxelSized(masks, spacing_mm=spacing, mode="nearest", padding_mode="border"))
        case "linear":
            steps.append(ResampleLabelsd(masks, spacing_mm=spacing))
        case _:
            assert_never(settings.mask_interpolation)
    return steps
