"""The bytes of a file by offset, a block at a time; plain, or inflated on the way."""

from __future__ import annotations

import os
import zlib

FIRST_BLOCK = 32 * 1024
NEXT_BLOCK = 8 * 1024
INFLATED_LIMIT = 64 * 1024 * 1024
COUNTED_LIMIT = 1024 * 1024 * 1024


class ElementsError(ValueError):
    """A DICOM header that cannot be read: says what was found, and at which byte."""


class NotDicomError(ElementsError):
    """A file that does not begin as DICOM does."""


class Blocks:
    """A file's bytes by offset; holds one block of them.

    Attributes:
        size: Length of the file in bytes.
        buffer: The block that was read last.
        start: Offset of its first byte.
    """

    def __init__(self, descriptor: int, first: int = FIRST_BLOCK) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.start = 0
        self.buffer = os.pread(descriptor, first, 0)

    def seek(self, offset: int) -> bool:
        """Hold the bytes from an offset on; False where fewer than 8 are left."""
        self.start, self.buffer = offset, os.pread(self._descriptor, NEXT_BLOCK, offset)
        return len(self.buffer) >= 8

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file, from the block where it holds them.

        Raises:
            ElementsError: They run past the end of the file.
        """
        index = offset - self.start
        if 0 <= index <= len(self.buffer) - length:
            return self.buffer[index : index + length]
        found = os.pread(self._descriptor, length, offset) if offset + length <= self.size else b""
        if len(found) < length:
            raise ElementsError(f"{length} bytes at byte {offset} run past the end of the file, {self.size}")
        return found


class InflatedBlocks(Blocks):
    """The bytes of a deflated data set, inflated as far as they are asked for.

    At most ``INFLATED_LIMIT`` of them, so that a file which inflates without end is refused.
    """

    def __init__(self, descriptor: int, offset: int) -> None:
        super().__init__(descriptor, 0)
        self._next = offset
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._ended = False
        self._inflated = bytearray()
        self.size = 2**63  # not known before its end
        self.seek(0)

    def seek(self, offset: int) -> bool:
        """Hold the bytes from an offset on; False where fewer than 8 are left."""
        self._inflate(offset + NEXT_BLOCK)
        self.start, self.buffer = offset, bytes(self._inflated[offset : offset + NEXT_BLOCK])
        return len(self.buffer) >= 8

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the data set.

        Raises:
            ElementsError: They run past its end, or beyond what is inflated of one file.
        """
        self._inflate(offset + length)
        if offset + length > len(self._inflated):
            raise ElementsError(f"{length} bytes at byte {offset} run past the end of the deflated data set")
        return bytes(self._inflated[offset : offset + length])

    def reaches(self, length: int) -> bool:
        """Whether the data set is whole and of at least so many bytes; they are counted, not kept.

        Raises:
            ElementsError: There are more than ``COUNTED_LIMIT``, or they cannot be inflated.
        """
        counted = len(self._inflated)
        while not self._ended:
            counted += len(self._more())
            if counted > COUNTED_LIMIT:
                raise ElementsError(
                    f"it inflates to more than {COUNTED_LIMIT >> 20} MiB; save it uncompressed"
                )
        return self._stream.eof and counted >= length

    def _inflate(self, wanted: int) -> None:
        while len(self._inflated) < wanted and not self._ended:
            if len(self._inflated) >= INFLATED_LIMIT:
                raise ElementsError(
                    f"its header inflates to more than {INFLATED_LIMIT >> 20} MiB, which no DICOM header does"
                )
            self._inflated += self._more()

    def _more(self) -> bytes:
        """The next bytes, never many at once: what is not yet inflated waits in the stream."""
        packed = self._stream.unconsumed_tail
        if not packed:
            packed = os.pread(self._descriptor, FIRST_BLOCK, self._next)
            self._next += len(packed)
        try:
            found = self._stream.decompress(packed, 8 * FIRST_BLOCK)
        except zlib.error as error:
            raise ElementsError(f"its deflated data set is damaged near byte {self._next}") from error
        self._ended = self._stream.eof or (not packed and not found)
        if self._ended:
            self.size = len(self._inflated) + len(found)
        return found
