"""Checks of sizes in voxels: what a network can take and what fits into what."""

from __future__ import annotations

from collections.abc import Iterator

from medvision.config.crop import CenterCrop
from medvision.config.model import DenseNetModel, DynUNetModel, Model, UNetModel
from medvision.config.pixels import Preprocessing
from medvision.config.problem import KeyPath
from medvision.config.training import Prediction, Training

Findings = Iterator[tuple[KeyPath, str]]
Sizes = Iterator[tuple[KeyPath, tuple[int, ...]]]

_PATCH: KeyPath = ("training", "patch_voxels")
_WINDOW: KeyPath = ("prediction", "window_voxels")
_CROP: KeyPath = ("preprocessing", "crop", "size_voxels")


def _network_inputs(preprocessing: Preprocessing, training: Training, prediction: Prediction) -> Sizes:
    """The sizes that a segmentation network meets, as far as the study fixes them."""
    patch, window, crop = training.patch_voxels, prediction.window_voxels, preprocessing.crop
    if patch is not None:
        yield _PATCH, patch
    if window is not None:
        yield _WINDOW, window
    if isinstance(crop, CenterCrop) and (patch is None or window is None):
        yield _CROP, crop.size_voxels


def stride_divides(
    model: Model, preprocessing: Preprocessing, training: Training, prediction: Prediction
) -> Findings:
    """Refuse sizes that a U-Net cannot halve as often as it has levels."""
    if not isinstance(model, UNetModel | DynUNetModel):
        return
    stride = 2 ** (len(model.channels) - 1)
    for path, size in _network_inputs(preprocessing, training, prediction):
        if any(side % stride for side in size):
            nearest = [max(stride, (side + stride // 2) // stride * stride) for side in size]
            which = f"{model.kind} with {len(model.channels)} levels"
            yield path, f"{list(size)} must be divisible by {stride} ({which}); the nearest is {nearest}"


def lowest_level(model: Model, preprocessing: Preprocessing, training: Training) -> Findings:
    """Refuse a training size of which one voxel is left at the lowest level of a U-Net."""
    if not isinstance(model, UNetModel | DynUNetModel) or model.norm != "instance":
        return
    path, size = _PATCH, training.patch_voxels
    if size is None and isinstance(preprocessing.crop, CenterCrop):
        path, size = _CROP, preprocessing.crop.size_voxels
    stride = 2 ** (len(model.channels) - 1)
    if size is not None and all(side == stride for side in size):
        why = "leaves one voxel at the lowest level, whose instance norm is undefined"
        yield path, f"{list(size)} {why}; make it larger or the network shallower"


def densenet_input(model: Model, preprocessing: Preprocessing) -> Findings:
    """Refuse images that a DenseNet's pooling shrinks to nothing.

    A strided convolution and a strided pooling halve a side rounding up, each transition between two
    blocks halves it rounding down.
    """
    crop = preprocessing.crop
    if not isinstance(model, DenseNetModel) or not isinstance(crop, CenterCrop):
        return
    halvings = len(model.blocks) - 1
    least = 4 * (2**halvings - 1) + 1
    if any(side < least for side in crop.size_voxels):
        which = f"densenet with {len(model.blocks)} blocks"
        yield _CROP, f"{list(crop.size_voxels)} is too small for a {which}: every side needs {least} or more"


def patch_in_crop(preprocessing: Preprocessing, training: Training) -> Findings:
    """Refuse patches that are larger than the crop they are taken from."""
    crop, patch = preprocessing.crop, training.patch_voxels
    if not isinstance(crop, CenterCrop) or patch is None or training.pad_small:
        return
    if any(side > whole for side, whole in zip(patch, crop.size_voxels, strict=True)):
        yield _PATCH, f"{list(patch)} is larger than preprocessing.crop.size_voxels {list(crop.size_voxels)}"
