"""Cached cases as batches of plain tensors; what is drawn depends on seed, epoch and position alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from medvision.training.seeds import generator, stream
from medvision.transforms.cache import CachedCase

Size = tuple[int, int, int]
Draw = tuple[int, int]
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class PatchSettings:
    """Where a training patch is cut.

    Args:
        size: Sides in voxels.
        foreground_fraction: Share of patches centred on a structure.
    """

    size: Size
    foreground_fraction: float = 0.0


class CaseDataset(Dataset[dict[str, Tensor]]):
    """Cached cases as tensors: "image" (1, i, j, k), and "mask" (i, j, k), bytes, or "label".

    Args:
        cases: The preprocessed cases.
        labels: 0 or 1 a case for classification, or None.
        with_mask: Whether the mask is wanted.
        patch: Cut a patch at a place drawn from the second part of the index; None gives whole volumes.
    """

    def __init__(
        self,
        cases: Sequence[CachedCase],
        *,
        labels: Sequence[int] | None = None,
        with_mask: bool = False,
        patch: PatchSettings | None = None,
    ) -> None:
        self.cases = list(cases)
        self.labels = None if labels is None else [int(label) for label in labels]
        self.with_mask = with_mask
        self.patch = patch

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        """Return the case `draw[0]`; `draw[1]` seeds where its patch is cut."""
        index, seed = draw
        case = self.cases[index]
        partly = self.patch is not None
        image = case.stored_image(mapped=partly)
        mask = case.mask(mapped=partly) if self.with_mask else None
        if self.patch is not None:
            start = self._start(case, image.shape[1:], np.random.default_rng(seed))
            image = cut(image, (0, *start), (1, *self.patch.size))
            mask = None if mask is None else cut(mask, start, self.patch.size, value=0)
        # Only what was cut is brought to a fold's standard histogram; padding follows the lowest value.
        item = {"image": torch.from_numpy(np.require(case.standardised(image), requirements="W"))}
        if mask is not None:
            item["mask"] = torch.from_numpy(np.require(mask, requirements="W"))
        if self.labels is not None:
            item["label"] = torch.tensor(self.labels[index])
        return item

    def _start(self, case: CachedCase, shape: Sequence[int], draws: np.random.Generator) -> tuple[int, ...]:
        """First voxel of the patch; below 0 where the volume is smaller than the patch."""
        patch = self.patch or PatchSettings((1, 1, 1))
        spare = [side - size for side, size in zip(shape, patch.size, strict=True)]
        foreground = case.foreground() if self.with_mask else ()
        if len(foreground) and draws.random() < patch.foreground_fraction:
            center = foreground[draws.integers(len(foreground))]
            wanted = [int(c) - size // 2 for c, size in zip(center, patch.size, strict=True)]
            return tuple(
                int(np.clip(w, min(0, more), max(0, more))) for w, more in zip(wanted, spare, strict=True)
            )
        return tuple(int(draws.integers(min(0, more), max(0, more) + 1)) for more in spare)


def cut(
    array: NDArray[Number], start: Sequence[int], size: Sequence[int], *, value: float | None = None
) -> NDArray[Number]:
    """Cut a box that may leave the array; what lies outside is `value`, by default the lowest there is.

    Example:
        >>> cut(np.arange(4), [-1], [3], value=9).tolist()
        [9, 0, 1]
    """
    low = [min(max(0, begin), side) for side, begin in zip(array.shape, start, strict=True)]
    ends = zip(array.shape, start, size, low, strict=True)
    high = [max(first, min(side, begin + n)) for side, begin, n, first in ends]
    inside = array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    if inside.shape == tuple(size):
        return inside
    box = np.full(tuple(size), array.min() if value is None else value, dtype=array.dtype)
    box[tuple(slice(a - begin, b - begin) for a, b, begin in zip(low, high, start, strict=True))] = inside
    return box


class EpochSampler(Sampler[Draw]):
    """The cases of one epoch in a drawn order, each with a seed for its patch.

    Every case comes once before any comes again.

    Args:
        cases: Number of cases.
        draws: Cases in one epoch.
        seed: The study's seed.
        purpose: Names the member.
    """

    def __init__(self, cases: int, draws: int, *, seed: int, purpose: tuple[str | int, ...]) -> None:
        self.cases = cases
        self.draws = draws
        self.seed = seed
        self.purpose = purpose
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls this before it asks for the first batch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[Draw]:
        order = generator(self.seed, *self.purpose, "order", self.epoch)
        rounds = -(-self.draws // self.cases)
        indices = torch.cat([torch.randperm(self.cases, generator=order) for _ in range(rounds)])
        for position, index in enumerate(indices[: self.draws].tolist()):
            yield index, stream(self.seed, *self.purpose, "patch", self.epoch, position)


class EveryCase(Sampler[Draw]):
    """Each case once, in order."""

    def __init__(self, cases: int) -> None:
        self.cases = cases

    def __len__(self) -> int:
        return self.cases

    def __iter__(self) -> Iterator[Draw]:
        return ((index, 0) for index in range(self.cases))


def loader(
    dataset: CaseDataset, sampler: Sampler[Draw], *, batch_size: int, workers: int
) -> DataLoader[dict[str, Tensor]]:
    """Return batches; the number of worker processes changes the speed and nothing else."""
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        # Its own, so that starting to read draws nothing from the generator that dropout uses.
        generator=torch.Generator(),
    )
