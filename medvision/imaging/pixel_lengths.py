"""Whether the pixels of a DICOM file are all there, from lengths alone."""

from __future__ import annotations

import os
from pathlib import Path

from medvision.imaging.blocks import Blocks, ElementsError, InflatedBlocks
from medvision.imaging.element_walk import CODINGS, Walk
from medvision.imaging.elements import Elements

_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD


def pixels_complete(path: Path, elements: Elements, expected_bytes: int, frames: int = 1) -> bool:
    """Compare lengths, without reading pixels (a deflated file has to be inflated).

    Args:
        path: The file that the elements were read from.
        elements: From :func:`medvision.imaging.elements.read_elements`, whatever tags were asked for.
        expected_bytes: Bytes of the pixels when they are not compressed, by the header.
        frames: Images in the file.

    Returns:
        Whether the value lies within the file and is long enough; for compressed pixels, whether there
        are fragments for each frame and their delimiter.

    Raises:
        ElementsError: A deflated file that cannot be inflated.
        OSError: The file cannot be opened.
    """
    pixels = elements.pixels
    if pixels is None:
        return False
    if pixels.length is not None and pixels.length < expected_bytes:
        return False
    if pixels.length is not None and elements.deflated_from is None:
        return pixels.offset + pixels.length <= elements.size
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if elements.deflated_from is not None:
            blocks = InflatedBlocks(descriptor, elements.deflated_from)
            return blocks.reaches(pixels.offset + (pixels.length or expected_bytes))
        return _fragments(Blocks(descriptor, 0), pixels.offset) >= frames
    finally:
        os.close(descriptor)


def _fragments(blocks: Blocks, at: int) -> int:
    """Fragments of encapsulated pixels (PS3.5 A.4, always little endian); 0 where their end is missing."""
    walk, coding, items = Walk(blocks), CODINGS[True, True], 0
    try:
        while (header := walk.header(coding, at)) is not None:
            key, _, size, length = header
            if coding.key(key) == _SEQUENCE_END:
                return items - 1  # the first item is the table of offsets
            if coding.key(key) != _ITEM:
                return 0
            at, items = at + size + length, items + 1
    except ElementsError:
        return 0
    return 0
