"""DICOM tags by keyword, and what must be read beside an element to understand it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import pydicom.pixels.decoders  # noqa: F401 (here, because two threads that import it at once see half of it)

CHARACTER_SET, PIXEL_REPRESENTATION, SYNTAX = 0x00080005, 0x00280103, 0x00020010
FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
PIXELS = (*FLOAT_PIXELS, 0x7FE00010)


@dataclass(frozen=True)
class Wanted:
    """Elements to read, found by the four bytes of their tags.

    Attributes:
        tags: What was asked for.
        little: All that is read, by the tag's bytes as one little-endian number.
        big: The same by the tag's bytes as one big-endian number.
    """

    tags: frozenset[int]
    little: Mapping[int, int]
    big: Mapping[int, int]


@cache
def number(name: str | int) -> int:
    """The tag of a keyword.

    Raises:
        ValueError: DICOM knows no such keyword.
    """
    from pydicom.tag import Tag

    return int(Tag(name))


@cache
def wanted(names: tuple[str | int, ...]) -> Wanted:
    """Look tags up once for all files."""
    asked = frozenset(number(name) for name in names)
    read = {*asked, *PIXELS, *(creator(tag) for tag in asked), CHARACTER_SET, PIXEL_REPRESENTATION, SYNTAX}
    turned = {(tag & 0xFFFF) << 16 | tag >> 16: tag for tag in read}
    return Wanted(asked, turned, {tag: tag for tag in read})


def creator(tag: int) -> int:
    """The element that says whose a private element is (PS3.5 7.8.1); of another one, itself."""
    private = tag >> 16 & 1 and tag & 0xFF00
    return (tag & 0xFFFF0000) | (tag >> 8 & 0xFF) if private else tag


def resolved_vr(tag: int, stated: bytes, raw: Mapping[int, tuple[bytes, bytes]]) -> bytes:
    """The VR of an element, from the dictionaries where its file does not say it or says UN.

    Args:
        tag: The element.
        stated: Its VR in the file; empty where it is implicit.
        raw: VR and bytes of the elements that were read.
    """
    if stated not in (b"", b"UN"):
        return stated
    if tag >> 16 & 1:
        return _private_vr(tag, raw.get(creator(tag), (b"", b""))[1])
    if stated == b"UN" and len(raw[tag][1]) >= 0xFFFF:  # stored as UN because it is longer than its VR can be
        return stated
    vr = _dictionary_vr(tag) or stated or (b"UN" if tag & 0xFFFF else b"UL")
    if vr == b"US or SS":
        return b"SS" if any(raw.get(PIXEL_REPRESENTATION, (b"", b""))[1]) else b"US"
    return b"OB" if b" or " in vr else vr


@cache
def _dictionary_vr(tag: int) -> bytes:
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag).encode()
    except KeyError:
        return b""


@lru_cache(maxsize=1024)
def _private_vr(tag: int, owner: bytes) -> bytes:
    from pydicom.datadict import private_dictionary_VR

    if creator(tag) == tag and tag & 0xFFFF >= 0x10:
        return b"LO"
    try:
        return private_dictionary_VR(tag, owner.decode("iso8859-1").rstrip(" \0")).encode()
    except KeyError:
        return b"UN"
