"""The structures of a mask: their names, which ones are wanted, and how they become one array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from medvision.errors import SeriesError
from medvision.imaging.placing import Box
from medvision.wording import did_you_mean, listed

Labels: TypeAlias = Mapping[str, int] | Mapping[int, int] | Mapping[str | int, int]
Overlap: TypeAlias = Literal["refuse", "first"]
Region: TypeAlias = tuple[int, Box, npt.NDArray[np.bool_]]
"""A structure's number, a box of the image, and which of its voxels belong to the structure."""


class Code(NamedTuple):
    """A coded term, such as ``Code("10200004", "SCT", "Liver")`` of SNOMED CT."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Segment:
    """One structure of a mask.

    Attributes:
        number: Segment number of a DICOM SEG, ROI number of an RTSTRUCT, value in a NIfTI.
        label: What the file calls it; "" in a NIfTI.
        category: Its kind, such as Anatomical Structure; None where the file says nothing.
        type: What it is, such as Liver; None where the file says nothing.
        algorithm: MANUAL, SEMIAUTOMATIC or AUTOMATIC; "" where the file says nothing.
        algorithm_name: Which algorithm.
    """

    number: int
    label: str = ""
    category: Code | None = None
    type: Code | None = None
    algorithm: str = ""
    algorithm_name: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be asked for by: its label, and the meaning of its type."""
        return tuple(name for name in (self.label, self.type.meaning if self.type else "") if name)

    def __str__(self) -> str:
        return f"{self.number} {self.label!r}" if self.label else str(self.number)


def chosen_values(segments: Sequence[Segment], labels: Labels | None, where: str) -> dict[int, int]:
    """Which structures of a file are wanted, and as which value.

    A name is looked for among the labels, then among the meanings of the types; capitals do not matter
    and an underscore is a blank. A whole number is a structure's number. Structures that are not asked
    for are left out. A structure that the file does not have is taken as absent in this patient only
    where every structure of the file is asked for: otherwise it may be there under another name.

    Args:
        segments: What the file has.
        labels: Value by name or number; None for all, each with its number as value.
        where: What an error calls the file.

    Returns:
        Value by number, in the order asked for.

    Raises:
        SeriesError: A structure that is not there, or a name that several structures bear.

    Example:
        >>> file = [Segment(1, "Liver"), Segment(4, "Spleen")]
        >>> chosen_values(file, {"spleen": 1}, "seg.dcm")
        {4: 1}
    """
    if labels is None:
        return {segment.number: segment.number for segment in segments}
    values: dict[int, int] = {}
    absent: list[str | int] = []
    for wanted, value in labels.items():
        found = _found(segments, wanted, where)
        if found is None:
            absent.append(wanted)
        elif values.setdefault(found, value) != value:
            raise SeriesError(f"{where}: segment {found} is asked for as {values[found]} and as {value}")
    others = [segment for segment in segments if segment.number not in values]
    if absent and (others or not segments):
        raise SeriesError(_not_there(absent, segments, where))
    return values


def check_values(labels: Labels | None, where: str) -> None:
    """Refuse values that a mask cannot have: 0 is where nothing is.

    Raises:
        SeriesError: A value outside of 1 to 65535.
    """
    wrong = {name: value for name, value in (labels or {}).items() if not 0 < value < 2**16}
    if wrong:
        name, value = next(iter(wrong.items()))
        raise SeriesError(f"{where}: {name!r} cannot have the value {value}; give it one from 1 to 65535")


def _found(segments: Sequence[Segment], wanted: str | int, where: str) -> int | None:
    if isinstance(wanted, str):
        numbers = _named(segments, wanted)
    else:
        numbers = [segment.number for segment in segments if segment.number == wanted]
    if len(numbers) > 1:
        raise SeriesError(
            f"{where}: {len(numbers)} segments are called {wanted!r} (numbers {listed(numbers)}); "
            f"choose by number, two numbers with one value join them"
        )
    return numbers[0] if numbers else None


def _named(segments: Sequence[Segment], wanted: str) -> list[int]:
    asked = _plain(wanted)
    by_label = [segment.number for segment in segments if _plain(segment.label) == asked]
    by_type = [s.number for s in segments if s.type and _plain(s.type.meaning) == asked]
    return by_label or by_type


def _plain(name: str) -> str:
    """A name without its capitals, an underscore as a blank."""
    return " ".join(name.lower().replace("_", " ").split())


def _not_there(absent: Sequence[str | int], segments: Sequence[Segment], where: str) -> str:
    known = [name for segment in segments for name in segment.names]
    told = [f"{wanted!r}{did_you_mean(str(wanted), known)}" for wanted in absent]
    return (
        f"{where} has no segment {' and no '.join(told)}; it has "
        f"{listed(segments, 40) or 'none at all'}; ask for them by these names or numbers"
    )


def smallest_type(values: Iterable[int]) -> np.dtype[Any]:
    """The smallest unsigned integer type for some values, none negative."""
    return np.min_scalar_type(max(values, default=0))


def combine(
    regions: Iterable[Region],
    segments: Sequence[Segment],
    values: Mapping[int, int],
    shape: tuple[int, int, int],
    *,
    overlap: Overlap,
    where: str,
) -> npt.NDArray[Any]:
    """Put structures into one array.

    Args:
        regions: Where each structure is; several regions of one structure add up. With
            ``overlap="first"`` those of an earlier structure come before those of a later one.
        segments: What an error calls them.
        values: The value of each structure by its number.
        shape: Of the array.
        overlap: ``"refuse"`` voxels that belong to several values, or give them to the ``"first"``.
        where: What an error calls the file.

    Raises:
        SeriesError: Structures overlap; names them and the number of voxels.
    """
    array = np.zeros(shape, dtype=smallest_type(values.values()))
    shared: Counter[tuple[int, int]] = Counter()
    for number, box, inside in regions:
        view, value = array[box], values[number]
        taken = inside & (view != 0) & (view != value)
        if overlap == "refuse" and taken.any():
            found, counts = np.unique(view[taken], return_counts=True)
            shared.update({(int(v), value): int(n) for v, n in zip(found, counts, strict=True)})
        view[inside & ~taken] = value
    if shared:
        raise SeriesError(_overlapping(shared, segments, values, where))
    array.setflags(write=False)
    return array


def _overlapping(
    shared: Mapping[tuple[int, int], int], segments: Sequence[Segment], values: Mapping[int, int], where: str
) -> str:
    by_value = {values[s.number]: s for s in reversed(segments) if s.number in values}
    pairs = [f"{by_value[a]} and {by_value[b]} share {n} voxels" for (a, b), n in shared.items()]
    return (
        f"{where}: segments overlap, and one array has one value a voxel: {listed(pairs)}; take one of "
        f"them, overlap='first' to give shared voxels to the one named first, or load_mask_stack for one "
        f"channel each"
    )
