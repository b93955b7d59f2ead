"""The text at the head of a NRRD or MetaImage file, and what in it keeps a file from being read rightly.

SimpleITK reads both formats, but takes a file without orientation for one that lies straight, and returns
voxels of damaged compressed data without an error; both are found here.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isal.isal_zlib import decompressobj

from medvision.errors import GeometryError, SeriesError
from medvision.imaging.gzipped import DAMAGED, MOST_DEFLATE_CAN, GzipFile, refuse_bomb
from medvision.imaging.itk_fields import check_meta_image, check_nrrd

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")

_LONGEST = 1 << 16
_BLOCK = 1 << 20
_SPACES = (
    *("right-anterior-superior", "left-anterior-superior", "left-posterior-superior"),
    *("ras", "las", "lps"),
)
_ELSEWHERE = re.compile(r"[/\\%]|^LIST", re.IGNORECASE)


@dataclass(frozen=True)
class Stored:
    """Where the voxels of a file lie and how they are packed.

    Attributes:
        path: The file of the voxels: the header's own, or one beside it.
        start: Their first byte; 0 in a file of their own.
        packing: "" as they are, "gzip" or "zlib".
        kinds: NRRD's kinds of axes, () where it gives none.
    """

    path: Path
    start: int
    packing: str
    kinds: tuple[str, ...] = ()


def is_itk(path: Path) -> bool:
    """Whether a file is NRRD or MetaImage by its name.

    Example:
        >>> is_itk(Path("scan.NRRD")), is_itk(Path("scan.nii"))
        (True, False)
    """
    return path.name.lower().endswith(SUFFIXES)


def read_text_header(path: Path) -> Stored:
    """Read the text header and find the voxels.

    Raises:
        SeriesError: Not such a file, or one that stores its voxels in a way that is not read.
        GeometryError: It does not say where the scan lies.
    """
    with path.open("rb") as file:
        start = file.read(_LONGEST)
    if path.name.lower().endswith((".nrrd", ".nhdr")):
        return _nrrd(path, start)
    return _meta_image(path, start)


def check_voxels(stored: Stored, expected: int, path: Path) -> None:
    """Unpack the voxels once and check that they are all there and whole, before room is made for them.

    Raises:
        SeriesError: Cut short, damaged, or a decompression bomb.
    """
    there = stored.path.stat().st_size - stored.start
    if not stored.packing:
        complete = there >= expected
    elif expected > there * MOST_DEFLATE_CAN:
        complete = False
    else:
        refuse_bomb(path, there, expected)
        try:
            complete = _unpacked(stored, expected) >= expected
        except DAMAGED as error:
            raise SeriesError(
                f"{path}: its voxels are damaged ({error}); copy or convert it again"
            ) from error
    if not complete:
        raise SeriesError(f"{path}: cut short, its voxels are not all there; copy or convert it again")


def _unpacked(stored: Stored, expected: int) -> int:
    """How many bytes the voxels are, up to one block more than expected; checksums are compared."""
    size = 0
    with stored.path.open("rb") as file:
        file.seek(stored.start)
        if stored.packing == "gzip":
            with GzipFile(fileobj=file, mode="rb") as unpacked:
                while size <= expected and (block := unpacked.read(_BLOCK)):
                    size += len(block)
            return size
        unpacker = decompressobj(zlib.MAX_WBITS)
        while size <= expected and not unpacker.eof:
            if not (block := unpacker.unconsumed_tail or file.read(_BLOCK)):
                raise EOFError("it ends in the middle")
            size += len(unpacker.decompress(block, _BLOCK))
    return size


def _fields(lines: list[str], mark: str, path: Path) -> dict[str, str]:
    """The header's lines ``name mark value``; no name twice."""
    fields: dict[str, str] = {}
    for line in lines:
        name, found, value = line.partition(mark)
        if not found or name.strip() in fields:
            raise SeriesError(f"{path}: a damaged header ({line[:40]!r}); save the scan again")
        fields[name.strip()] = value.strip()
    return fields


def _nrrd(path: Path, start: bytes) -> Stored:
    end = re.search(rb"\r?\n\r?\n", start)
    if not re.match(rb"NRRD000[1-5]\r?\n", start) or (end is None and path.suffix.lower() == ".nrrd"):
        raise SeriesError(f"{path}: not a NRRD file; save the scan again")
    lines = start[: end.start() if end else None].decode("latin-1").splitlines()[1:]
    # Comments and "key:=value" say nothing about the grid.
    lines = [line for line in lines if line.strip() and not line.startswith("#") and ":=" not in line]
    fields = _fields(lines, ":", path)
    check_nrrd(fields, path)
    _refuse_nrrd(fields, path)
    named = fields.get("data file", fields.get("datafile"))
    return Stored(
        path if named is None else _beside(path, named),
        end.end() if named is None and end else 0,
        "" if fields["encoding"].lower() == "raw" else "gzip",
        tuple(fields.get("kinds", "").split()),
    )


def _refuse_nrrd(fields: Mapping[str, str], path: Path) -> None:
    encoding = fields.get("encoding", "none").lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise SeriesError(f"{path}: voxels in {encoding} encoding; save it as raw or gzip")
    for name in ("line skip", "byte skip"):
        if fields.get(name, "0") != "0":
            raise SeriesError(f"{path}: bytes to be passed over ({name}); save it without")
    if fields.get("space", "").lower() not in _SPACES or "space directions" not in fields:
        raise _without_place(path, "space and space directions")
    if "space origin" not in fields:
        raise _without_place(path, "space origin")
    if set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) - {"mm", ""}:
        raise GeometryError(f"{path}: coordinates in {fields['space units']}; save it in mm")


def _meta_image(path: Path, start: bytes) -> Stored:
    last = re.search(rb"^ElementDataFile\s*=[ \t]*([^\r\n]*)\r?\n?", start, re.MULTILINE)
    if last is None:
        raise SeriesError(f"{path}: not a MetaImage file; save the scan again")
    lines = start[: last.start()].decode("latin-1").splitlines()
    fields = _fields([line for line in lines if line.strip()], "=", path)
    check_meta_image(fields, path)
    _refuse_meta_image(fields, path)
    named = last.group(1).decode("latin-1").strip()
    local = named.upper() == "LOCAL"
    return Stored(
        path if local else _beside(path, named),
        last.end() if local else 0,
        "zlib" if _is_true(fields.get("CompressedData", "")) else "",
    )


def _refuse_meta_image(fields: Mapping[str, str], path: Path) -> None:
    if not _is_true(fields.get("BinaryData", "True")) or fields.get("HeaderSize", "0") not in ("0", "-1"):
        raise SeriesError(f"{path}: voxels as text, or behind a header of their own; save it as plain .mha")
    factor = float(fields.get("ElementToIntensityFunctionSlope", "1"))
    offset = float(fields.get("ElementToIntensityFunctionOffset", "0"))
    if (factor, offset) != (1, 0):
        raise SeriesError(f"{path}: values to be scaled by {factor:g} and {offset:g}; save them scaled")
    if not fields.keys() & {"TransformMatrix", "Rotation", "Orientation"}:
        raise _without_place(path, "TransformMatrix")
    if not fields.keys() & {"Offset", "Position", "Origin"}:
        raise _without_place(path, "Offset")
    if fields.get("DistanceUnits", "mm") not in ("mm", "?", ""):
        raise GeometryError(f"{path}: coordinates in {fields['DistanceUnits'][:20]}; save it in mm")


def _is_true(value: str) -> bool:
    return value.lower() in ("true", "t", "1")


def _beside(path: Path, named: str) -> Path:
    """The file of the voxels, which must lie beside its header: no list, no pattern, no other folder."""
    if _ELSEWHERE.search(named) or not (path.parent / named).is_file():
        raise SeriesError(
            f"{path}: its voxels are to be in {named!r}, no file beside it; save all in one .nrrd or .mha"
        )
    return path.parent / named


def _without_place(path: Path, missing: str) -> GeometryError:
    return GeometryError(
        f"{path}: no {missing}: the file does not say where the scan lies or which side is left; "
        f"convert it again from DICOM, or set them if you know them"
    )
