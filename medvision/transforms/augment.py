"""Random changes of whole batches of plain tensors, on the device where training runs.

Rotation, scale, shift and flips are one resampling: each case gets one affine map, so that intensities
are interpolated once. Everything random is drawn from one generator on the CPU, so the same seed gives
the same changes on every device and with every number of loader workers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from medvision.config.pixels import Augmentation
from medvision.transforms.moving import moved


@dataclass(frozen=True)
class Augmenter:
    """Apply the `augmentation:` part of a study to a batch.

    Args:
        settings: Which changes, and how large.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> images = torch.zeros(2, 1, 8, 8, 8)
        >>> changed, masks = Augmenter(Augmentation(flip_axes=(0,)))(images, None, generator=generator)
        >>> changed.shape, masks is None
        (torch.Size([2, 1, 8, 8, 8]), True)
    """

    settings: Augmentation

    def __call__(
        self, images: Tensor, masks: Tensor | None, *, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return changed images and masks.

        Args:
            images: (batch, channel, i, j, k), float, scaled intensities.
            masks: (batch, i, j, k), integer, or None; they move with their images.
            generator: Source of all random numbers, on the CPU.
        """
        images, masks = self._flip(images, masks, generator)
        if self._moves:
            images, masks = self._move(images, masks, generator)
        return self._shade(images, generator), masks

    @property
    def _moves(self) -> bool:
        return bool(any(self.settings.rotate_deg) or self.settings.scale or self.settings.translate_voxels)

    def _flip(
        self, images: Tensor, masks: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        axes = self.settings.flip_axes
        if not axes:
            return images, masks
        chosen = torch.stack([torch.rand(len(images), generator=generator) < 0.5 for _ in axes], dim=1)
        sides = [[axis for axis, flips in zip(axes, row, strict=True) if flips] for row in chosen.tolist()]

        def mirrored(batch: Tensor, first: int) -> Tensor:
            pairs = zip(batch, sides, strict=True)
            return torch.stack([case.flip([first + axis for axis in which]) for case, which in pairs])

        return mirrored(images, 1), None if masks is None else mirrored(masks, 0)

    def _move(
        self, images: Tensor, masks: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        linear, shift = self._affine(len(images), generator)
        if images.device.type == "cpu" and min(images.shape[2:]) > 1:
            return _move_each(images, masks, linear, shift)
        shape = images.shape[2:]
        theta = _normalised(linear, shift, shape).to(images.device)
        grid = F.affine_grid(theta, [len(images), 1, *shape], align_corners=False)
        moved = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
        if masks is None:
            return moved, None
        outlines = F.grid_sample(
            masks[:, None].float(), grid, mode="nearest", padding_mode="zeros", align_corners=False
        )
        return moved, outlines[:, 0].to(masks.dtype)

    def _affine(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """One map a case from output to input in voxels about the centre: (count, 3, 3) and (count, 3)."""
        settings = self.settings
        change = (torch.rand(count, generator=generator) < settings.probability).float()
        largest = torch.tensor(settings.rotate_deg) * math.pi / 180
        angles = _symmetric(count, 3, generator) * largest * change[:, None]
        scale = 1 + _symmetric(count, 1, generator)[:, 0] * settings.scale * change
        shift = _symmetric(count, 3, generator) * settings.translate_voxels * change[:, None]
        return _rotations(angles) / scale[:, None, None], shift

    def _shade(self, images: Tensor, generator: torch.Generator) -> Tensor:
        settings = self.settings
        count = len(images)
        change = (torch.rand(count, 4, generator=generator) < settings.probability).float()
        draws = (_symmetric(count, 4, generator) * change).to(images.device)[:, :, None, None, None, None]
        if settings.contrast:
            mean = images.mean(dim=(1, 2, 3, 4), keepdim=True)
            images = (images - mean) * (1 + settings.contrast * draws[:, 0]) + mean
        if settings.brightness:
            images = images + settings.brightness * draws[:, 1]
        bent = torch.nonzero(draws[:, 2].flatten()).flatten()
        if settings.gamma and len(bent):
            powers = _power_law(images[bent], 1 + settings.gamma * draws[bent, 2])
            images = powers if len(bent) == count else images.index_copy(0, bent, powers)
        if settings.noise_std:
            noise = torch.randn(images.shape, generator=generator).to(images.device)
            images = torch.addcmul(images, noise, settings.noise_std * draws[:, 3].abs())
        return images


def _move_each(
    images: Tensor, masks: Tensor | None, linear: Tensor, shift: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Move case by case; a case whose map changes nothing stays as it is."""
    result, outlines = images.float().clone(), None if masks is None else masks.clone()
    still = torch.eye(3)
    for case, (turn, step) in enumerate(zip(linear, shift, strict=True)):
        if torch.equal(turn, still) and not step.any():
            continue
        for channel, values in enumerate(images[case].float()):
            mask = masks[case] if masks is not None and channel == 0 else None
            result[case, channel], outline = moved(values, mask, turn, step)
            if outlines is not None and outline is not None:
                outlines[case] = outline
    return result, outlines


def _normalised(linear: Tensor, shift: Tensor, shape: torch.Size) -> Tensor:
    """The same maps, (count, 3, 4), in torch's normalised (x, y, z) = (k, j, i) frame.

    Voxel offsets from the centre become normalised ones by half the side of each axis, so a rotation stays
    a rotation when the sides differ.
    """
    half = torch.tensor(shape, dtype=torch.float32) / 2
    theta = torch.cat([linear * half[None, None, :] / half[None, :, None], (shift / half)[:, :, None]], dim=2)
    return theta.flip(1)[:, :, [2, 1, 0, 3]]


def mixup(
    images: Tensor, targets: Tensor, *, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mix each case with another of its batch (Zhang et al. 2018, arXiv:1710.09412).

    Args:
        images: (batch, channel, i, j, k).
        targets: (batch,), 0 to 1.
        alpha: Both parameters of the Beta distribution of the weight.
        generator: Source of all random numbers, on the CPU.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> images = torch.arange(2.0).reshape(2, 1, 1, 1, 1)
        >>> mixed, targets = mixup(images, torch.tensor([0.0, 1.0]), alpha=0.4, generator=generator)
        >>> bool(torch.equal(mixed.flatten(), targets))
        True
    """
    count = len(images)
    # torch draws no Beta variates from a generator, numpy does.
    draws = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    weight = torch.as_tensor(draws.beta(alpha, alpha, count), dtype=images.dtype).to(images.device)
    weight = torch.maximum(weight, 1 - weight)
    partner = torch.randperm(count, generator=generator).to(images.device)
    broad = weight[:, None, None, None, None]
    return broad * images + (1 - broad) * images[partner], weight * targets + (1 - weight) * targets[partner]


def _symmetric(count: int, columns: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, columns, generator=generator) * 2 - 1


def _rotations(angles: Tensor) -> Tensor:
    """Rotation matrices about the axes i, j, k, in turn; angles in radians, (batch, 3)."""
    product = torch.eye(3).expand(len(angles), 3, 3)
    for axis in range(3):
        first, second = [other for other in range(3) if other != axis]
        turn = torch.eye(3).repeat(len(angles), 1, 1)
        turn[:, first, first] = turn[:, second, second] = torch.cos(angles[:, axis])
        turn[:, first, second] = -torch.sin(angles[:, axis])
        turn[:, second, first] = torch.sin(angles[:, axis])
        product = product @ turn
    return product


def _power_law(images: Tensor, exponent: Tensor) -> Tensor:
    low = images.amin(dim=(1, 2, 3, 4), keepdim=True)
    span = (images.amax(dim=(1, 2, 3, 4), keepdim=True) - low).clamp_min(1e-6)
    return ((images - low) / span).clamp(0, 1) ** exponent * span + low
