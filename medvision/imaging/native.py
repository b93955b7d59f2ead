"""Pixels that are stored as they are: read at their place in the file, without a decoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from medvision.imaging.coding import PixelCoding

if TYPE_CHECKING:
    from medvision.imaging.elements import Elements

_PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True)
class NativePixels:
    """Where the cells of the first frame begin.

    Attributes:
        offset: Byte of the file.
        coding: How they are stored.
    """

    offset: int
    coding: PixelCoding

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a cell, little endian."""
        return np.dtype(f"<{'i' if self.coding.signed else 'u'}{self.coding.allocated // 8}")


def native_pixels(elements: Elements, coding: PixelCoding) -> NativePixels | None:
    """Find pixels that can be read without a decoder; None where they cannot.

    They can where whole cells of integers stand in the file one after the other, low byte first: not in
    colour, not compressed, not deflated, not big endian (whose rules for single bytes are pydicom's).
    """
    pixels = elements.pixels
    if pixels is None or pixels.tag != _PIXEL_DATA or pixels.length is None or coding.colour:
        return None
    plain = elements.deflated_from is None and elements.little_endian and coding.allocated in (8, 16, 32)
    return NativePixels(pixels.offset, coding) if plain else None


def read_native(path: Path, native: NativePixels, frames: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    """Read the stored values of frames, as `stored_frames` does.

    Yields:
        (rows, columns), bits outside BitsStored masked and the sign extended.
    """
    coding, dtype = native.coding, native.dtype
    count = coding.rows * coding.columns
    with path.open("rb", buffering=0) as file:
        for frame in frames:
            file.seek(native.offset + frame * count * dtype.itemsize)
            cells = np.fromfile(file, dtype=dtype, count=count)
            if cells.size < count:
                raise EOFError(f"{cells.size} of {count} pixels")
            yield values_of(cells.reshape(coding.rows, coding.columns), coding)


def values_of(cells: npt.NDArray[Any], coding: PixelCoding) -> npt.NDArray[Any]:
    """Take the stored values out of their cells (PS3.5 8.1.1).

    Args:
        cells: Of the coding's `allocated` bits and sign; may be changed.
        coding: Which bits hold the value.

    Raises:
        ValueError: HighBit does not fit BitsStored.

    Example:
        >>> from medvision.imaging.coding import pixel_coding
        >>> coding = pixel_coding({"BitsAllocated": 16, "BitsStored": 12, "PixelRepresentation": 1})
        >>> values_of(np.array([0x7FFF, 0xF7FF], "u2").view("i2"), coding).tolist()
        [-1, 2047]
    """
    below, above = coding.high_bit + 1 - coding.stored, coding.allocated - 1 - coding.high_bit
    if below < 0 or above < 0:
        raise ValueError(
            f"HighBit {coding.high_bit} does not fit BitsStored {coding.stored} of {coding.allocated}"
        )
    if above:
        cells = np.left_shift(cells, above, out=cells)
    if above or below:
        cells = np.right_shift(cells, above + below, out=cells)
    return cells
