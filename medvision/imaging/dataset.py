"""The elements of one DICOM file up to its pixels, and whether the pixels are all there."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from medvision.errors import SeriesError
from medvision.imaging.decoding import in_short, unreadable
from medvision.imaging.gzipped import SLICE_BOMB_BYTES, refuse_bomb, refuse_deflated_bomb

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.tag import BaseTag


CUT_SHORT = "cut short or damaged, not all of it is there; copy or export it again"


def looks_like_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: "DICM" at byte 128, or a bare data set of group 2 or 8.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as f:
        ...     looks_like_dicom(Path(f.name))
        False
    """
    with path.open("rb") as file:
        start = file.read(132)
    if start[128:132] == b"DICM":
        return True
    return len(start) == 132 and start[:2] in (b"\x08\x00", b"\x02\x00", b"\x00\x08")


def read_dataset(path: Path, tags: tuple[str | int, ...]) -> tuple[Dataset, bool] | None:
    """Read some elements up to the pixels, and check from the lengths alone that these are complete.

    Args:
        path: The file.
        tags: The elements' keywords or tags.

    Returns:
        The elements, and whether all pixels are there; None for an object without pixels by its nature.

    Raises:
        SeriesError: Not DICOM, or a header that is damaged or cut short.
    """
    from pydicom import dcmread
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    if not looks_like_dicom(path):
        raise SeriesError(f"{path}: not a DICOM file; take it out of the folder, or export it again")
    refuse_deflated_bomb(path)
    try:
        with path.open("rb") as file:
            dataset = dcmread(file, stop_before_pixels=True, specific_tags=_numbered(tags), force=True)
            deflated = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
            if deflated == DeflatedExplicitVRLittleEndian:
                # It has to be unpacked whole; zlib itself notices when it is cut short.
                dataset = dcmread(path)
            if "Rows" not in dataset or "Columns" not in dataset:
                _without_matrix(dataset, path)
                return None
            refuse_bomb(path, path.stat().st_size, _expected_bytes(dataset), SLICE_BOMB_BYTES)
            if deflated == DeflatedExplicitVRLittleEndian:
                return dataset, len(dataset.get("PixelData") or b"") >= _expected_bytes(dataset)
            return dataset, _pixels_complete(file, dataset, path.stat().st_size)
    except unreadable() as error:
        raise SeriesError(f"{path}: {CUT_SHORT} ({in_short(error)})") from error


@cache
def _numbered(tags: tuple[str | int, ...]) -> list[BaseTag]:
    """Tags by number, looked up once for all files."""
    from pydicom.tag import Tag

    return [Tag(tag) for tag in tags]


def _without_matrix(dataset: Dataset, path: Path) -> None:
    """An object without Rows is no image by its nature, unless its kind says that it is one."""
    meta = getattr(dataset, "file_meta", {})
    kind = dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    if not kind or "Image Storage" in getattr(kind, "name", ""):
        raise SeriesError(f"{path}: {CUT_SHORT}")


def _expected_bytes(dataset: Dataset) -> int:
    pixels = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel") or 1)
    return pixels * int(dataset.get("NumberOfFrames") or 1) * int(dataset.BitsAllocated) // 8


def _pixels_complete(file: BinaryIO, dataset: Dataset, size: int) -> bool:
    """Compare the length of the pixel data with the length of the file, without reading it.

    The file stands where pydicom stopped: at the tag of the pixel data, or behind the end.
    """
    implicit, little_endian = dataset.original_encoding
    order = "<" if little_endian else ">"
    start = file.read(8 if implicit else 12)
    if len(start) < (8 if implicit else 12) or struct.unpack(order + "H", start[:2])[0] != 0x7FE0:
        return False
    (length,) = struct.unpack(order + "L", start[-4:])
    if length == 0xFFFFFFFF:
        return _fragments_complete(file, size)
    return bool(file.tell() + length <= size and length >= _expected_bytes(dataset))


def _fragments_complete(file: BinaryIO, size: int) -> bool:
    """Step over the items of encapsulated pixel data (always little endian) to their delimiter."""
    while len(item := file.read(8)) == 8:
        group, element, length = struct.unpack("<HHL", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            return True
        if (group, element) != (0xFFFE, 0xE000) or file.tell() + length > size:
            return False
        file.seek(length, 1)
    return False
