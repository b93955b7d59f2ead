"""The stored values of one DICOM image, whatever its transfer syntax."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from medvision.errors import SeriesError
from medvision.imaging.codestream import refuse_other_size

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_TRANSCODE = "rewrite it uncompressed, such as with `gdcmconv --raw` or `dcmdjpeg`"


def unreadable() -> tuple[type[Exception], ...]:
    """What pydicom and the decoders raise on damaged files; they share no base class below Exception."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    damaged = (InvalidDicomError, BytesLengthException, EOFError, struct.error, zlib.error, OSError)
    wrong = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, AssertionError)
    return (*damaged, *wrong, RuntimeError, NotImplementedError, MemoryError)


def in_short(error: Exception) -> str:
    """The first line of another package's error, cut after 120 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def transfer_syntax(dataset: Dataset) -> UID:
    """The file's transfer syntax; for a file without meta header, the one it was read with."""
    from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    stated = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if stated:
        return UID(stated)
    implicit, little_endian = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian


def undecodable(dataset: Dataset) -> str:
    """Why the pixels of a data set cannot be decoded here, and what to do; "" where they can.

    Needs the header only.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import JPEGExtended12Bit

    syntax = transfer_syntax(dataset)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return f"its transfer syntax {syntax.name} ({syntax}) has no decoder in pydicom; {_TRANSCODE}"
    if syntax == JPEGExtended12Bit and int(dataset.get("BitsStored") or 0) != 8:
        missing = ["pylibjpeg-libjpeg (GPL, not installed with medvision)"]
    elif decoder.is_encapsulated and not decoder.is_available:
        missing = list(decoder.missing_dependencies)
    else:
        return ""
    wanted = " or ".join(missing)
    return f"its transfer syntax {syntax.name} ({syntax}) needs the package {wanted}; {_TRANSCODE}"


def stored_values(path: Path) -> npt.NDArray[Any]:
    """Decode the pixels of a single-frame grey-scale image.

    Bits outside BitsStored are masked (old files keep overlays there) and the sign is extended from
    the highest stored bit, DICOM PS3.5 8.1.1. MONOCHROME1 is not inverted: the values stay as stored.

    Args:
        path: A DICOM file.

    Returns:
        (rows, columns), the integers (or floats) as stored, before rescaling.

    Raises:
        SeriesError: The pixels cannot be decoded; names the transfer syntax.
    """
    from pydicom import dcmread
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        try:
            dataset = dcmread(path, force=True, specific_tags=list(_PIXEL_TAGS))
            with _panics_are_errors():
                return _decode(dataset)
        except unreadable() as error:
            found = f"{path}: its pixels cannot be decoded{_syntax_of(path)}: {in_short(error)}"
            raise SeriesError(found) from error


_PIXEL_TAGS = [
    "SOPClassUID", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelData", "FloatPixelData", "DoubleFloatPixelData",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
]  # fmt: skip


@contextmanager
def _panics_are_errors() -> Iterator[None]:
    """Decoders written in Rust panic on damaged data, with an exception that is no Exception."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(str(error)) from error


def _decode(dataset: Dataset) -> npt.NDArray[Any]:
    from pydicom.pixels.decoders.base import get_decoder

    stored, allocated = int(dataset.get("BitsStored") or 0), int(dataset.get("BitsAllocated") or 0)
    high = dataset.get("HighBit")
    shift = 0 if high is None else int(high) + 1 - stored
    syntax = transfer_syntax(dataset)
    decoder = get_decoder(syntax)
    if syntax.is_encapsulated:
        refuse_other_size(dataset)
    if shift == 0 or syntax.is_encapsulated:
        return decoder.as_array(dataset, raw=True)[0]
    # pydicom takes the lowest bits; here the value stands higher in its cell.
    if not 0 < shift <= allocated - stored:
        raise ValueError(f"HighBit {high} does not fit BitsStored {stored} of {allocated}")
    as_stored: dict[str, Any] = {"correct_unused_bits": False}
    cells = decoder.as_array(dataset, raw=True, **as_stored)[0]
    above = allocated - stored - shift
    values: npt.NDArray[Any] = np.right_shift(np.left_shift(cells, above), above + shift)
    return values


def _syntax_of(path: Path) -> str:
    from pydicom import dcmread

    try:
        meta = dcmread(path, force=True, specific_tags=["SOPClassUID"])
    except unreadable():
        return ""
    syntax = transfer_syntax(meta)
    return f" (transfer syntax {syntax.name}, {syntax})"
