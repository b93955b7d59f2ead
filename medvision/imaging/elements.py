"""Some elements of a DICOM header, read several times faster than by parsing all of it.

A header is walked from element to element; only the values that were asked for are copied, and they are
decoded when they are looked at. Values equal pydicom's. Sequences are handed to pydicom.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from medvision.imaging.blocks import Blocks, ElementsError, InflatedBlocks, NotDicomError
from medvision.imaging.decoding import unreadable
from medvision.imaging.element_tags import CHARACTER_SET, PIXELS, SYNTAX, Wanted, number, resolved_vr, wanted
from medvision.imaging.element_values import PLAIN_TEXT, Value, decode, encodings
from medvision.imaging.element_walk import CODINGS, UNDEFINED, Coding, Walk

VALUES_LIMIT = 64 * 1024 * 1024
"""Bytes that the values asked for may have together."""

_MAY_HOLD_ITEMS = (b"", b"SQ", b"UN")
_BIG_ENDIAN, _DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"


class PixelData(NamedTuple):
    """Where the pixels of a file lie.

    Attributes:
        tag: Of PixelData, FloatPixelData or DoubleFloatPixelData.
        offset: First byte of the value; in a deflated file, of what it inflates to.
        length: Bytes of the value; None where it is undefined, as for compressed pixels.
    """

    tag: int
    offset: int
    length: int | None


@dataclass(frozen=True, eq=False)
class Elements:
    """Some top-level elements of one DICOM file.

    Attributes:
        syntax: TransferSyntaxUID; "" where the file does not say.
        implicit: Whether its data set is written without VRs.
        little_endian: The data set's order of bytes.
        pixels: Where its pixels lie; None where there are none before the end of the file.
        size: Bytes of the file.
        deflated_from: Byte from which the file is deflated; None where it is not.
    """

    syntax: str
    implicit: bool
    little_endian: bool
    pixels: PixelData | None
    size: int
    deflated_from: int | None
    _asked: frozenset[int]
    _raw: dict[int, tuple[bytes, bytes]]
    _decoded: dict[int, Value] = field(default_factory=dict)

    def get(self, name: str | int, default: Value = None) -> Value:
        """The value of an element.

        Args:
            name: Keyword or number; one of those that were read.
            default: What to return where the element is absent. An empty one is None.

        Returns:
            DS, FL and FD as float; IS and binary integers as int (a float where an IS is no whole
            number); text as str, of the file's character set, without padding; a list where there are
            several; OB, OW and UN as bytes; a sequence as pydicom's data sets.

        Raises:
            ElementsError: The value does not fit its VR.
            KeyError: The element was not asked for.
        """
        tag = number(name)
        found = self._raw.get(tag)
        if found is None:
            if tag not in self._asked:
                raise KeyError(f"{name} was not read: name it among the tags")
            return default
        if tag not in self._decoded:
            self._decoded[tag] = self._value(name, tag, *found)
        return self._decoded[tag]

    def _value(self, name: str | int, tag: int, vr: bytes, raw: bytes) -> Value:
        convert = PLAIN_TEXT.get(vr)
        if convert is not None and raw and b"\\" not in raw and vr != b"AE":  # most of what is asked for
            try:
                return convert(raw.decode("iso8859-1").rstrip(" \0"))
            except (ValueError, OverflowError) as error:
                raise ElementsError(f"{name} cannot be read as its VR says") from error
        in_meta = tag >> 16 == 2
        try:
            return decode(
                resolved_vr(tag, vr, self._raw),
                raw,
                implicit=self.implicit and not in_meta,
                little_endian=self.little_endian or in_meta,
                charset=encodings(self._raw.get(CHARACTER_SET, (b"", b""))[1]),
            )
        except unreadable() as error:
            raise ElementsError(f"{name} cannot be read as its VR says") from error

    def __contains__(self, name: str | int) -> bool:
        return number(name) in self._raw


def read_elements(path: Path, tags: Sequence[str | int]) -> Elements:
    """Read some elements of a DICOM file, none behind its pixels.

    Explicit and implicit VR, both byte orders, deflated, with or without preamble. A file that was
    written otherwise than it says is read as pydicom reads it.

    Args:
        path: The file.
        tags: Keywords or numbers of top-level elements, those of the file meta header included.

    Raises:
        NotDicomError: The file does not begin as DICOM does.
        ElementsError: Damaged or cut short within its header; says at which byte. Or more of it than is
            reasonable: values of over ``VALUES_LIMIT`` bytes, a deflated header of over 64 MiB, two
            million elements, sequences nested 64 deep.
        OSError: The file cannot be opened.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> with TemporaryDirectory() as folder:
        ...     files = write_dicom_series(thorax_phantom(1, shape=(48, 40, 16), lesions=1), folder)
        ...     found = read_elements(files[0], ["Modality", "Rows", "ImageType", "EchoTime"])
        >>> found.get("Modality"), found.get("Rows"), found.get("ImageType"), "EchoTime" in found
        ('CT', 40, ['ORIGINAL', 'PRIMARY', 'AXIAL'], False)
        >>> found.pixels.length
        3840
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe must not wait for its writer
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise NotDicomError("not a regular file")
        return _read(descriptor, wanted(tuple(tags)))
    finally:
        os.close(descriptor)


def _read(descriptor: int, asked: Wanted) -> Elements:
    blocks = Blocks(descriptor)
    walk = Walk(blocks)
    at = _data_begin(blocks)
    raw: dict[int, tuple[bytes, bytes]] = {}
    at = _file_meta(walk, at, asked, raw)
    syntax = raw.get(SYNTAX, (b"", b""))[1].decode("iso8859-1").rstrip("\0 ")
    size, deflated_from = blocks.size, at if syntax == _DEFLATED else None
    if deflated_from is not None:
        walk, at = Walk(InflatedBlocks(descriptor, deflated_from)), 0
    coding = walk.detected(CODINGS[False, _little_endian(walk, at, syntax)], at)
    pixels = _data_set(walk, coding, at, asked, raw)
    return Elements(
        syntax, coding.implicit, coding.little_endian, pixels, size, deflated_from, asked.tags, raw
    )


def _data_begin(blocks: Blocks) -> int:
    """The first byte after the preamble, 0 where there is none."""
    start = blocks.buffer[:132]
    if start[128:] == b"DICM":
        return 132
    if len(start) == 132 and start[:2] in (b"\x08\x00", b"\x02\x00", b"\x00\x08"):
        return 0
    raise NotDicomError("not a DICOM file")


def _file_meta(walk: Walk, at: int, asked: Wanted, raw: dict[int, tuple[bytes, bytes]]) -> int:
    """Read the elements of group 2, always explicit and little endian; returns the byte behind them."""
    coding = CODINGS[False, True]
    while (header := walk.header(coding, at)) is not None and header[0] & 0xFFFF == 2:
        key, vr, size, length = header
        if key in asked.little:
            raw[asked.little[key]] = vr, walk.blocks.read(at + size, length)
        at += size + length
    return at


def _little_endian(walk: Walk, at: int, syntax: str) -> bool:
    """As the transfer syntax says; without one, a group of 1024 or more is a small one turned round."""
    if syntax or walk.detected(CODINGS[False, True], at).implicit:
        return syntax != _BIG_ENDIAN
    header = walk.header(CODINGS[True, True], at)
    return header is None or header[0] & 0xFFFF < 1024


def _data_set(
    walk: Walk, coding: Coding, at: int, asked: Wanted, raw: dict[int, tuple[bytes, bytes]]
) -> PixelData | None:
    """Read the elements up to the pixels."""
    keys = asked.little if coding.little_endian else asked.big
    budget = VALUES_LIMIT
    while True:
        at, header = walk.find(coding, at, keys, raw)
        if header is None:
            return None
        key, vr, size, length = header
        tag, start, at = keys.get(key), at + size, at + size + length
        if tag in PIXELS:
            return PixelData(tag, start, None if length == UNDEFINED else length)
        if length == UNDEFINED:
            at = walk.after_items(coding, start)
            vr, length = b"SQ" if vr in _MAY_HOLD_ITEMS else vr, at - start - 8  # without its delimiter
        if tag is not None:
            budget -= length
            if budget < 0 and at <= walk.blocks.size:
                raise ElementsError(f"values of more than {VALUES_LIMIT >> 20} MiB up to byte {at}")
            raw[tag] = vr, walk.blocks.read(start, length)
