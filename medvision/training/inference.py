"""Apply a trained network to one preprocessed volume or a batch of equal ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from monai.inferers import sliding_window_inference
from torch import Tensor
from torch.nn import functional as F

from medvision.config.training import Prediction

Network = Callable[[Tensor], Tensor]


@torch.no_grad()
def predict_logits(network: Network, images: Tensor, settings: Prediction, *, stride: int = 1) -> Tensor:
    """Return logits, averaged over mirrorings where the study asks for them.

    Args:
        network: A module in evaluation mode.
        images: (batch, channel, i, j, k).
        settings: Window, overlap and mirror axes.
        stride: Every side is padded to a multiple of this and cut back.

    Returns:
        (batch, classes) of a classification network, (batch, classes, i, j, k) of a segmentation one.
    """
    mirrored = [
        _mirror(_windowed(network, _mirror(images, axes), settings, stride), axes)
        for axes in _mirrorings(settings.mirror_axes)
    ]
    return torch.stack(mirrored).mean(0)


def _mirrorings(axes: Sequence[int]) -> list[tuple[int, ...]]:
    unique = sorted(set(axes))
    return [chosen for size in range(len(unique) + 1) for chosen in itertools.combinations(unique, size)]


def _mirror(tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
    if not axes or tensor.ndim < 5:
        return tensor
    return tensor.flip([axis + 2 for axis in axes])


def _windowed(network: Network, images: Tensor, settings: Prediction, stride: int) -> Tensor:
    if settings.window_voxels is None:
        return _padded(network, images, stride)
    output = sliding_window_inference(
        images,
        roi_size=settings.window_voxels,
        sw_batch_size=settings.batch_size,
        predictor=lambda window: network(window).float(),
        overlap=settings.overlap,
        mode="gaussian",
        padding_mode="constant",
        cval=float(images.min()),
    )
    return torch.as_tensor(output)


def _padded(network: Network, images: Tensor, stride: int) -> Tensor:
    shape = images.shape[2:]
    extra = [-side % stride for side in shape]
    if not any(extra):
        return network(images).float()
    # torch pads the last axis first; the low value is what preprocessing pads with.
    pads = [pad for more in reversed(extra) for pad in (more // 2, more - more // 2)]
    output = network(F.pad(images, pads, value=float(images.min()))).float()
    starts = [more // 2 for more in extra]
    inner = tuple(slice(start, start + side) for start, side in zip(starts, shape, strict=True))
    return output[:, :, inner[0], inner[1], inner[2]]
