"""Step from element to element of a DICOM data set, over values that nobody asked for (PS3.5 7.1).

As pydicom reads it: an explicit VR that is no two capital letters means an implicit element, an unknown
one has a length of two bytes, UN of undefined length is a sequence, and the items of a sequence may be
implicit in an explicit data set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct, error
from typing import TypeAlias

from medvision.imaging.blocks import Blocks, ElementsError
from medvision.imaging.element_tags import PIXELS

UNDEFINED = 0xFFFFFFFF
MOST_STEPS = 2_000_000
DEEPEST = 64

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_SIZES = dict.fromkeys(_LONG, 12) | dict.fromkeys(_SHORT, 8)
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

Header: TypeAlias = tuple[int, bytes, int, int]
"""Group and element as one number in the file's byte order, VR, size of the header, length of the value."""
Raw: TypeAlias = dict[int, tuple[bytes, bytes]]
"""VR and bytes of the values that were read, by tag."""
Finding: TypeAlias = tuple[int, int, Header | None]
"""Where a search in a block ended, how many elements it stepped over, and the element that it found there."""
Find: TypeAlias = Callable[[bytes, int, Mapping[int, int], Raw], Finding]

_SMALL = 256
"""Values of fewer bytes are kept on the way: they weigh nothing, and turning round for each costs most."""


@dataclass(frozen=True)
class Coding:
    """How elements are written.

    Attributes:
        implicit: Without a VR.
        little_endian: The order of bytes.
    """

    implicit: bool
    little_endian: bool
    header: Callable[[bytes, int], Header] = field(init=False, compare=False)
    find: Find = field(init=False, compare=False)

    def __post_init__(self) -> None:
        order = "<" if self.little_endian else ">"
        object.__setattr__(self, "header", _implicit(order) if self.implicit else _explicit(order))
        object.__setattr__(self, "find", _find_implicit(order) if self.implicit else _find_explicit(order))

    def key(self, tag: int) -> int:
        """A tag as its four bytes read as one number of the file's byte order; the inverse of itself."""
        return (tag & 0xFFFF) << 16 | tag >> 16 if self.little_endian else tag


def _implicit(order: str) -> Callable[[bytes, int], Header]:
    unpack = Struct(order + "LL").unpack_from

    def header(buffer: bytes, index: int) -> Header:
        key, length = unpack(buffer, index)
        return key, b"", 8, length

    return header


def _explicit(order: str) -> Callable[[bytes, int], Header]:
    unpack, long = Struct(order + "L2sH").unpack_from, Struct(order + "L").unpack_from
    sizes = _SIZES.get

    def header(buffer: bytes, index: int) -> Header:
        key, vr, length = unpack(buffer, index)
        size = sizes(vr)
        if size == 8:
            return key, vr, 8, length
        if size == 12:
            return key, vr, 12, long(buffer, index + 8)[0]
        if b"AA" <= vr <= b"ZZ":
            return key, vr, 8, length
        return key, b"", 8, long(buffer, index + 4)[0]

    return header


def _find_implicit(order: str) -> Find:
    """Step over elements that nobody asked for, as fast as it goes; see :meth:`Walk.find`."""
    unpack = Struct(order + "LL").unpack_from

    def find(buffer: bytes, index: int, wanted: Mapping[int, int], raw: Raw) -> Finding:
        steps, held = 0, len(buffer)
        try:
            while True:
                key, length = unpack(buffer, index)
                end = index + 8 + length
                if key in wanted or length == UNDEFINED:
                    tag = wanted.get(key)
                    if tag is None or length >= _SMALL or end > held or tag in PIXELS:
                        return index, steps, (key, b"", 8, length)
                    raw[tag] = b"", buffer[index + 8 : end]
                index = end
                steps += 1
        except error:
            return index, steps, None  # the block ends here

    return find


def _find_explicit(order: str) -> Find:
    unpack, long = Struct(order + "L2sH").unpack_from, Struct(order + "L").unpack_from

    def find(buffer: bytes, index: int, wanted: Mapping[int, int], raw: Raw) -> Finding:
        steps, held = 0, len(buffer)
        try:
            while True:
                key, vr, length = unpack(buffer, index)
                if vr in _SHORT:
                    end = index + 8 + length
                    if key in wanted:
                        tag = wanted[key]
                        if length >= _SMALL or end > held or tag in PIXELS:
                            return index, steps, (key, vr, 8, length)
                        raw[tag] = vr, buffer[index + 8 : end]
                    index = end
                elif vr in _LONG:
                    length = long(buffer, index + 8)[0]
                    if key in wanted or length == UNDEFINED:
                        return index, steps, (key, vr, 12, length)
                    index += 12 + length
                else:
                    return index, steps, None
                steps += 1
        except error:
            return index, steps, None

    return find


CODINGS = {(i, e): Coding(i, e) for i in (False, True) for e in (False, True)}


class Walk:
    """Steps over the elements of one file, and counts its steps.

    Args:
        blocks: The file.
    """

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self._left = MOST_STEPS

    def header(self, coding: Coding, at: int) -> Header | None:
        """The header of the element at a byte; None where the file ends.

        Raises:
            ElementsError: More steps than any header needs, or the place lies beyond the file.
        """
        self._left -= 1
        if self._left < 0:
            raise ElementsError(f"more than {MOST_STEPS} elements before byte {at}")
        blocks = self.blocks
        index = at - blocks.start
        try:
            if index >= 0:
                return coding.header(blocks.buffer, index)
        except error:
            pass  # the block ends here
        if not blocks.seek(at):
            if at > blocks.size:
                raise ElementsError(f"a value ends at byte {at}, past the end of the file, {blocks.size}")
            return None
        try:
            return coding.header(blocks.buffer, 0)
        except error as cut:
            raise ElementsError(f"the file ends within the element at byte {at}") from cut

    def find(self, coding: Coding, at: int, wanted: Mapping[int, int], raw: Raw) -> tuple[int, Header | None]:
        """The next element that is wanted or that needs a closer look, at or after a byte.

        Args:
            coding: How the data set is written.
            at: The byte.
            wanted: The tags that are wanted, by their keys.
            raw: Where small values that are wanted are put on the way; these are not returned.

        Returns:
            Its first byte and its header; None where the file ends.
        """
        index = at - self.blocks.start
        if index >= 0:
            index, steps, header = coding.find(self.blocks.buffer, index, wanted, raw)
            self._left -= steps
            at = self.blocks.start + index
            if header is not None:
                return at, header
        return at, self.header(coding, at)

    def after_items(self, coding: Coding, at: int) -> int:
        """The byte after a sequence of undefined length.

        Args:
            coding: How the data set around the sequence is written.
            at: First byte of its first item.

        Raises:
            ElementsError: No item where one should be, no end, or sequences nested too deeply.
        """
        levels = [(True, coding)]
        while levels:
            among_items, inside = levels[-1]
            if len(levels) > 2 * DEEPEST:
                raise ElementsError(f"sequences nested {DEEPEST} deep at byte {at}")
            header = self.header(CODINGS[True, inside.little_endian] if among_items else inside, at)
            if header is None:
                raise ElementsError(f"the file ends within a sequence at byte {at}")
            key, _, size, length = header
            tag = inside.key(key)
            if tag == (_SEQUENCE_END if among_items else _ITEM_END):
                levels.pop()
                at += 8
            elif among_items and tag != _ITEM:
                raise ElementsError(f"no item of a sequence at byte {at}")
            elif length == UNDEFINED:
                at += size
                levels.append((False, self.coding_at(inside, at)) if among_items else (True, inside))
            else:
                at += size + length
        return at

    def coding_at(self, assumed: Coding, at: int) -> Coding:
        """How an item is written: implicit in an implicit data set; else as its first VR shows."""
        if assumed.implicit:
            return assumed
        return self.detected(assumed, at)

    def detected(self, assumed: Coding, at: int) -> Coding:
        """Implicit or explicit, by the two bytes where the first element's VR would stand."""
        if self.header(CODINGS[True, assumed.little_endian], at) is None:
            return assumed
        vr = self.blocks.read(at + 4, 2)
        implicit = not (0x40 < vr[0] < 0x5B and 0x40 < vr[1] < 0x5B)
        return CODINGS[implicit, assumed.little_endian]
