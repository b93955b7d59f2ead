"""The volumes of one series: stacks of one plane, split by what tells them apart and at their gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.imaging.consistency import inconsistencies, plane_kinds
from medvision.imaging.decoding import stored_frames
from medvision.imaging.header import SliceHeader
from medvision.imaging.options import Reading
from medvision.imaging.ordering import one_or_many, unbroken_runs
from medvision.imaging.splitting import positions_shared, split_volumes


@dataclass(frozen=True, eq=False)
class Found:
    """The volumes of a series.

    Attributes:
        key: The header field that tells them apart; "" where there is one volume, or none does.
        volumes: The slices of each, in no order.
        where: What an error calls the series, its patient by a pseudonym.
    """

    key: str
    volumes: list[list[SliceHeader]]
    where: str

    def __str__(self) -> str:
        count = len(self.volumes)
        if count == 1:
            return "one volume"
        sizes = sorted({len(volume) for volume in self.volumes})
        told = f"{count} volumes at the same positions, told apart by {self.key}" if self.key else ""
        told = told or f"{count} volumes"
        told += "" if len(sizes) == 1 else f", of {sizes[0]} to {sizes[-1]} slices"
        values = [volume[0].keys.get(self.key, ("none",)) for volume in self.volumes]
        if any(value != ("none",) for value in values):
            told += f" ({', '.join('/'.join(map(_shown, value)) for value in values)})"
        return told


def _shown(value: Hashable) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def find_volumes(slices: Sequence[SliceHeader], where: str, options: Reading) -> Found:
    """Sort the slices of a series into volumes.

    Args:
        slices: In any order.
        where: What an error calls the series.
        options: `on_mixed`, `on_duplicate`, `split_by` and `on_gap` are looked at.

    Raises:
        SeriesError: Slices that cannot be stacked, or that nothing tells apart.
    """
    keys, volumes = [], []
    for stack in _stacks(slices) if options.on_mixed == "split" else [list(slices)]:
        problems = inconsistencies(stack, options)
        if problems:
            raise one_or_many(where, problems)
        if options.on_duplicate == "drop":
            stack = _without_copies(stack)
        key, split = split_volumes(stack, where, options.split_by)
        keys.append(key)
        volumes += split
    if options.on_gap == "split":
        volumes = [run for volume in volumes for run in unbroken_runs(volume)]
    key = keys[0] if len(keys) == 1 and options.on_gap != "split" else ""
    return Found(key, volumes, where)


def _stacks(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Slices that agree in all that must agree, in the order in which they were made."""
    groups: dict[Hashable, list[SliceHeader]] = defaultdict(list)
    patients = {one.same["patient"] for one in slices}
    if len(patients) > 1:
        return [list(slices)]
    for one, plane in zip(slices, plane_kinds(slices), strict=True):
        groups[one.refusal, *one.same.values(), plane].append(one)
    return sorted(groups.values(), key=lambda group: min(one.instance_number or 0 for one in group))


def _without_copies(slices: Sequence[SliceHeader]) -> list[SliceHeader]:
    """Leave out images that are there again at one position: equal pixels, and the same in all else.

    A SOPInstanceUID alone proves nothing: some anonymisers give all files of a series the same one.
    """
    left: list[SliceHeader] = []
    for at in positions_shared(sorted(slices, key=lambda s: (str(s.path), s.frame))):
        here: list[SliceHeader] = []
        for one in at:
            if not any(_is_copy(one, other) for other in here):
                here.append(one)
        left += here
    return left


def _is_copy(one: SliceHeader, other: SliceHeader) -> bool:
    same_object = one.instance_uid != "" and one.instance_uid == other.instance_uid
    if not same_object and dict(one.keys) != dict(other.keys):
        return False
    if (one.frame, one.tile) != (other.frame, other.tile) and same_object:
        return False
    if (one.slope, one.intercept) != (other.slope, other.intercept):
        return False
    return bool(np.array_equal(_pixels(one), _pixels(other)))


def _pixels(one: SliceHeader) -> npt.NDArray[Any]:
    return next(stored_frames(one.path, [one.frame], native=one.native))
