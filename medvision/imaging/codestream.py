"""What a compressed image says of its own size, before a decoder makes room for it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset

_J2K_SIZE = b"\xff\x4f\xff\x51"  # ITU-T T.800 A.4.1 and A.5.1: start, then size
_NOT_FRAMES = (0xC4, 0xC8, 0xCC)  # ITU-T T.81 table B.1: DHT, JPG and DAC lie among the SOF markers
_JPEG, _HUFFMAN, _DATA = b"\xff\xd8", 0xC4, 0xDA  # SOI, DHT and SOS of the same table
_JPEG_LS_FRAME = 0xF7  # ITU-T T.87 C.1.1
_LOOKED_AT = 1 << 16


def refuse_other_size(dataset: Dataset) -> None:
    """Refuse an encapsulated image whose codestream is of another size than the header says.

    A decoder would trust the codestream and make room for it, gigabytes where bytes are damaged.

    Args:
        dataset: One frame, encapsulated, with its matrix and number of samples.

    Raises:
        ValueError: Says both sizes. Where no size is found, the decoder will say what is wrong.
    """
    found = _size(_first_fragment(dataset.PixelData))
    wanted = int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel") or 1)
    if found is not None and found != wanted:
        raise ValueError(
            f"the compressed image has {found[0]} rows, {found[1]} columns and {found[2]} samples, "
            f"the header says {wanted[0]}, {wanted[1]} and {wanted[2]}"
        )


def refuse_damaged_jpeg(dataset: Dataset) -> None:
    """Refuse a JPEG image on whose damage GDCM would end the whole process instead of raising an error.

    Args:
        dataset: One frame, encapsulated.

    Raises:
        ValueError: It has more bits than the header says, or no Huffman table before its data.
    """
    frame = _first_fragment(dataset.PixelData)
    segments = dict(_jpeg_segments(frame))
    start = next((place for marker, place in segments.items() if _is_frame(marker)), None)
    if not frame.startswith(_JPEG) or _JPEG_LS_FRAME in segments:
        return
    if start is None or _HUFFMAN not in segments:
        raise ValueError("the compressed image has no frame header or no Huffman table before its data")
    bits, allocated = frame[start + 4], int(dataset.BitsAllocated)
    if bits > allocated:
        raise ValueError(f"the compressed image has {bits} bits a sample, the header says {allocated}")


def _first_fragment(pixel_data: bytes) -> bytes:
    """The beginning of the first fragment: behind the item of the offset table (PS3.5 A.4)."""
    start = 8 + int.from_bytes(pixel_data[4:8], "little") + 8
    return pixel_data[start : start + _LOOKED_AT]


def _size(frame: bytes) -> tuple[int, int, int] | None:
    r"""Rows, columns and components of a JPEG, JPEG-LS or JPEG 2000 image; None where it does not say.

    Example:
        >>> _size(b"\xff\xd8\xff\xc3\x00\x0b\x10\x00\x24\x00\x28\x01")
        (36, 40, 1)
    """
    place = frame.find(_J2K_SIZE)
    try:
        if place >= 0:
            right, bottom, left, top = struct.unpack_from(">4L", frame, place + 8)
            return bottom - top, right - left, struct.unpack_from(">H", frame, place + 40)[0]
        return _jpeg_size(frame)
    except struct.error:
        return None


def _jpeg_size(frame: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and components of the frame header."""
    for marker, place in _jpeg_segments(frame):
        if _is_frame(marker):
            rows, columns, samples = struct.unpack_from(">2HB", frame, place + 5)
            return rows, columns, samples
    return None


def _is_frame(marker: int) -> bool:
    return (0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES) or marker == _JPEG_LS_FRAME


def _jpeg_segments(frame: bytes) -> Iterator[tuple[int, int]]:
    """Walk from marker to marker up to the data: each marker and where it stands."""
    place = 2
    while frame[place : place + 1] == b"\xff" and place + 4 <= len(frame):
        marker = frame[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        yield marker, place
        if marker == _DATA:
            return
        place += 2 + int(struct.unpack_from(">H", frame, place + 2)[0])
