"""The elements of one DICOM file up to its pixels, and whether the pixels are all there."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from medvision.errors import SeriesError
from medvision.imaging.blocks import ElementsError, NotDicomError
from medvision.imaging.coding import CODING_TAGS, PixelCoding, pixel_coding
from medvision.imaging.decoding import in_short
from medvision.imaging.element_tags import FLOAT_PIXELS
from medvision.imaging.elements import Elements, read_elements
from medvision.imaging.gzipped import SLICE_BOMB_BYTES, refuse_bomb, refuse_deflated_bomb
from medvision.imaging.pixel_lengths import pixels_complete

CUT_SHORT = "cut short or damaged, not all of it is there; copy or export it again"

PIXEL_TAGS = (*CODING_TAGS, "SOPClassUID", "MediaStorageSOPClassUID")
"""What `read_header` and `pixels_of` look at."""


def looks_like_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: "DICM" at byte 128, or a bare data set of group 2 or 8.

    One that cannot be read does not; whoever reads it says why.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as f:
        ...     looks_like_dicom(Path(f.name))
        False
    """
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return False
    if start[128:132] == b"DICM":
        return True
    return len(start) == 132 and start[:2] in (b"\x08\x00", b"\x02\x00", b"\x00\x08")


def read_header(path: Path, tags: tuple[str | int, ...]) -> Elements | None:
    """Read some elements up to the pixels.

    Args:
        path: The file.
        tags: The elements' keywords or tags, `PIXEL_TAGS` among them.

    Returns:
        The elements; None for an object without pixels by its nature.

    Raises:
        SeriesError: Not DICOM, or a header that is damaged or cut short.
    """
    try:
        elements = read_elements(path, tags)
        if "Rows" not in elements or "Columns" not in elements:
            _without_matrix(elements, path)
            return None
        return elements
    except NotDicomError:
        raise SeriesError(
            f"{path}: not a DICOM file; take it out of the folder, or export it again"
        ) from None
    except ElementsError as error:
        raise SeriesError(f"{path}: {CUT_SHORT} ({in_short(error)})") from error
    except OSError as error:
        raise SeriesError(f"{path}: cannot be read: {error.strerror}") from error


def pixels_of(path: Path, elements: Elements) -> tuple[PixelCoding, bool]:
    """How the pixels are stored, and whether they are all there, from the lengths alone.

    Raises:
        ValueError: Numbers that cannot be.
        SeriesError: A decompression bomb.
    """
    if elements.deflated_from is not None:
        refuse_deflated_bomb(path)
    coding = pixel_coding(elements)
    if elements.pixels is not None and elements.pixels.tag in FLOAT_PIXELS:
        coding = replace(coding, real=True)
    refuse_bomb(path, elements.size, coding.bytes, SLICE_BOMB_BYTES)
    return coding, pixels_complete(path, elements, coding.bytes, coding.frames)


def _without_matrix(elements: Elements, path: Path) -> None:
    """An object without Rows is no image by its nature, unless its kind says that it is one."""
    kind = elements.get("SOPClassUID") or elements.get("MediaStorageSOPClassUID")
    if not kind or "Image Storage" in kind_of(str(kind)):
        raise SeriesError(f"{path}: {CUT_SHORT}")


@lru_cache(maxsize=1024)
def kind_of(uid: str) -> str:
    """The name of a SOP class."""
    from pydicom.uid import UID

    return UID(uid).name or "unknown kind"
