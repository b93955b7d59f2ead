"""The stored values of one DICOM image, whatever its transfer syntax."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from medvision.errors import SeriesError
from medvision.imaging.codestream import refuse_damaged_jpeg, refuse_other_size
from medvision.imaging.coding import CODING_TAGS, PixelCoding, pixel_coding
from medvision.imaging.native import NativePixels, read_native, values_of

if TYPE_CHECKING:
    from pydicom import Dataset, FileDataset
    from pydicom.pixels.decoders.base import Decoder
    from pydicom.uid import UID

    from medvision.imaging.elements import Elements

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


def whole_dataset(path: Path, tags: Sequence[str] | None = None) -> FileDataset:
    """Read a DICOM file as pydicom does, but not what lies behind its last element.

    Blocks that were never transferred are zeros, which pydicom takes for elements without end.

    Args:
        path: The file.
        tags: Keywords of the elements to keep; by default all.
    """
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    with path.open("rb") as file:
        return read_partial(
            file,
            stop_when=lambda tag, vr, length: tag == 0,
            force=True,
            specific_tags=None if tags is None else [Tag(tag) for tag in tags],
        )


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


def syntax_of(elements: Elements) -> UID:
    """The file's transfer syntax; for a file that does not state it, the one it was read with."""
    from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if elements.syntax:
        return UID(elements.syntax)
    if elements.implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if elements.little_endian else ExplicitVRBigEndian


def undecodable(syntax: UID, coding: PixelCoding) -> str:
    """Why pixels cannot be decoded here, and what to do; "" where they can."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import JPEGExtended12Bit

    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return f"its transfer syntax {syntax.name} ({syntax}) has no decoder in pydicom; {_TRANSCODE}"
    if syntax == JPEGExtended12Bit and coding.stored != 8:
        missing = ["pylibjpeg-libjpeg (GPL, not installed with medvision)"]
    elif decoder.is_encapsulated and not decoder.is_available:
        missing = list(decoder.missing_dependencies)
    else:
        return ""
    wanted = " or ".join(missing)
    return f"its transfer syntax {syntax.name} ({syntax}) needs the package {wanted}; {_TRANSCODE}"


def stored_frames(
    path: Path,
    frames: Sequence[int] = (0,),
    *,
    native: NativePixels | None = None,
    luminance: bool = False,
) -> Iterator[npt.NDArray[Any]]:
    """Decode frames of one file, one after the other.

    Bits outside BitsStored are masked (old files keep overlays there) and the sign is extended from
    the highest stored bit, DICOM PS3.5 8.1.1. MONOCHROME1 is not inverted: the values stay as stored.

    Args:
        path: A DICOM file.
        frames: Which frames, from 0, in the order wanted.
        native: Where the pixels stand, if they can be read without a decoder.
        luminance: Turn colours into grey values (see `luminance_of`).

    Yields:
        (rows, columns), the integers (or floats) as stored, before rescaling.

    Raises:
        SeriesError: The pixels cannot be decoded; names the transfer syntax.
    """
    try:
        if native is not None:
            yield from read_native(path, native, frames)
        else:
            yield from _decoded(path, frames, luminance=luminance)
    except unreadable() as error:
        found = f"{path}: its pixels cannot be decoded{_syntax_of(path)}: {in_short(error)}"
        raise SeriesError(found) from error


def _decoded(path: Path, frames: Sequence[int], *, luminance: bool) -> Iterator[npt.NDArray[Any]]:
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        dataset = whole_dataset(path, _PIXEL_TAGS)
        if transfer_syntax(dataset).is_encapsulated:
            refuse_other_size(dataset)
            refuse_damaged_jpeg(dataset)
        if not luminance:
            yield from decode_frames(dataset, frames)
            return
        with _panics_are_errors():
            yield from _colours(dataset, frames)


_PIXEL_TAGS = [
    "SOPClassUID", *CODING_TAGS, "PlanarConfiguration",
    "PixelData", "FloatPixelData", "DoubleFloatPixelData",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
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


def plugin_of(decoder: Decoder) -> str:
    """Which of a decoder's plugins to use; "" leaves it to pydicom.

    GDCM, pydicom's first choice, ends the whole process on some damaged JPEG-LS data; where pyjpegls or
    pylibjpeg can decode too, they raise an error instead.
    """
    return next((name for name in ("pyjpegls", "pylibjpeg") if name in decoder.available_plugins), "")


def decode_frames(dataset: Dataset, frames: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    """Decode frames of an open data set; what damage raises is one of :func:`unreadable`.

    Args:
        dataset: With its pixels.
        frames: Which frames, from 0, in the order wanted.

    Yields:
        (rows, columns), the integers as stored.
    """
    with _panics_are_errors():
        yield from _decode(dataset, frames)


def _decode(dataset: Dataset, frames: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import RLELossless

    coding, syntax = pixel_coding(dataset), transfer_syntax(dataset)
    decoder = get_decoder(syntax)
    in_cells = not syntax.is_encapsulated or syntax == RLELossless  # others code the value without its cell
    if coding.high_bit + 1 == coding.stored or not in_cells:
        plugin = plugin_of(decoder)
        for values, _ in decoder.iter_array(dataset, raw=True, indices=frames, decoding_plugin=plugin):
            yield values
        return
    # pydicom takes the lowest bits; here the value stands higher in its cell.
    as_stored: dict[str, Any] = {"correct_unused_bits": False}
    for cells, _ in decoder.iter_array(dataset, raw=True, indices=frames, **as_stored):
        yield values_of(cells, coding)


def _colours(dataset: Dataset, frames: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    """The luminance of colours, through their palette where they have one."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.processing import apply_color_lut

    decoder = get_decoder(transfer_syntax(dataset))
    plugin = plugin_of(decoder)
    for values, _ in decoder.iter_array(dataset, raw=False, indices=frames, decoding_plugin=plugin):
        indexed = "PALETTE" in str(dataset.PhotometricInterpretation)
        yield luminance_of(apply_color_lut(values, dataset) if indexed else values)


def luminance_of(colours: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Grey values of RGB colours: exactly the grey where the three are equal, else ITU-R BT.601's luma.

    Args:
        colours: (rows, columns, 3), integers.

    Example:
        >>> luminance_of(np.array([[[7, 7, 7], [255, 0, 0]]], np.uint8)).tolist()
        [[7, 76]]
    """
    luma = colours[..., :3].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    grey: npt.NDArray[Any] = np.rint(luma).astype(colours.dtype)
    return grey


def _syntax_of(path: Path) -> str:
    from pydicom import dcmread

    try:
        meta = dcmread(path, force=True, specific_tags=["SOPClassUID"])
    except unreadable():
        return ""
    syntax = transfer_syntax(meta)
    return f" (transfer syntax {syntax.name}, {syntax})"
