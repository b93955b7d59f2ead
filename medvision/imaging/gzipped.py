"""Files that may be gzip: opened fast, measured before they are unpacked, refused where they are bombs.

Unpacking is ISA-L's (package ``isal``), which checks gzip's checksum as zlib does and takes less than half
of its time.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip, isal_zlib

from medvision.errors import SeriesError

# isal's own annotations say less than what it is.
GzipFile: Callable[..., gzip.GzipFile] = igzip.GzipFile
IsalError = cast("type[Exception]", isal_zlib.error)

DAMAGED = (EOFError, OSError, zlib.error, IsalError)
"""What a damaged or truncated gzip file raises when it is read."""

MOST_DEFLATE_CAN = 1032
"""Deflate's highest ratio: a block of 258 equal bytes takes two bits (zlib's "Technical details")."""

BOMB_BYTES = 1 << 30
SLICE_BOMB_BYTES = 1 << 26
BOMB_RATIO = 500

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20
_READ = 1 << 16


def is_gzip(path: Path) -> bool:
    """Whether a file is gzip by its first two bytes, whatever its name."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    """Open a file for reading, unpacked where it is gzip by content, whatever its name."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with GzipFile(fileobj=file, mode="rb") as unpacked:
            yield unpacked


def holds(path: Path, expected: int) -> bool:
    """Whether a file holds so many bytes once it is unpacked; little is read where that can be known.

    Args:
        path: Plain or gzip.
        expected: Bytes that must be there; more may follow.

    Raises:
        SeriesError: A decompression bomb.
    """
    size = path.stat().st_size
    if not is_gzip(path):
        return size >= expected
    if expected > size * MOST_DEFLATE_CAN:
        return False
    refuse_bomb(path, size, expected)
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        stated = int.from_bytes(file.read(4), "little")
    # Anything but the exact length (modulo 2³²) is rare and worth a look at the whole file: bytes
    # behind the voxels, several gzip members, or a file cut short, whose last bytes are chance.
    return stated == expected % 2**32 or _unpacks_to(path, expected)


def refuse_bomb(name: Path | str, packed: int, unpacked: int, least: int = BOMB_BYTES) -> None:
    """Refuse what becomes very large and more than 500 times its size when it is unpacked.

    Scans shrink to a half or a fifth, masks to a hundredth.

    Args:
        name: What an error calls it.
        packed: Its bytes.
        unpacked: The bytes that it would become.
        least: Where "very large" begins.

    Raises:
        SeriesError: Says how large it would become and what to do if it is meant.
    """
    if unpacked > least and unpacked > BOMB_RATIO * packed:
        raise SeriesError(
            f"{name}: unpacks to {unpacked / 2**30:.2g} GiB or more, {unpacked // max(packed, 1)} times its "
            f"size, as decompression bombs do; unpack it yourself and give that if you trust it"
        )


def refuse_deflated_bomb(path: Path) -> None:
    """Refuse a deflated DICOM file that is a bomb; pydicom unpacks such files whole.

    Raises:
        SeriesError: It becomes more than 64 MiB and more than 500 times what was read of it, or more than
            64 MiB lie behind its end.
    """
    with path.open("rb") as file:
        head = file.read(1024)
        if _DEFLATED not in head:
            return
        # PS3.10 7.1: 128 bytes, "DICM", then the length of the meta header as element (0002,0000).
        file.seek(144 + int.from_bytes(head[140:144], "little"))
        unpacker, size = isal_zlib.decompressobj(-15), 0
        try:
            while not unpacker.eof and (block := unpacker.unconsumed_tail or file.read(_READ)):
                size += len(unpacker.decompress(block, _BLOCK))
                refuse_bomb(path, file.tell(), size, SLICE_BOMB_BYTES)
        except IsalError:
            return  # pydicom will say what is wrong with it
        behind = path.stat().st_size - file.tell()
    if behind > SLICE_BOMB_BYTES:
        raise SeriesError(f"{path}: {behind >> 20} MiB lie behind the end of its data; export it again")


def _unpacks_to(path: Path, expected: int) -> bool:
    size = 0
    try:
        with open_unpacked(path) as file:
            while size < expected and (block := file.read(min(_BLOCK, expected - size))):
                size += len(block)
    except DAMAGED:
        return False
    return size >= expected
