"""Text that a NIfTI file or its JSON sidecar carries along: names and dates may stand in it."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from medvision.imaging.confidentiality import Element, ProfileEntry, basic_profile
from medvision.imaging.nifti import nibabel_class

_FIELDS = ("descrip", "aux_file", "intent_name", "db_name")
_EXTENSIONS = {2: "DICOM", 4: "AFNI", 6: "comment", 8: "XCEDE", 44: "PyPickle"}
_MOST_BYTES = 1 << 20
_DATE = re.compile(r"(?<!\d)(19|20)\d{2}-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")
_OTHER_KEYS = re.compile(
    r"(?i)birth|surname|given.?name|first.?name|last.?name|(^|_)mrn($|_)|social.?security"
)


def nifti_texts(path: Path) -> Iterator[Element]:
    """Header fields of text and extensions that are not empty, and the name inside a gzip header.

    Args:
        path: A `.nii` or `.nii.gz` file.

    Yields:
        Fields as `Element`, under the kind `free text`.

    Raises:
        SeriesError: Not a NIfTI file.
    """
    import gzip

    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        start = file.read(4)
        size = int.from_bytes(start, "little")
        if size not in (348, 540):
            size = int.from_bytes(start, "big")
        if size not in (348, 540):
            raise ValueError("not a NIfTI file")
        header = nibabel_class("Header", 1 if size == 348 else 2)(start + file.read(size - 4), check=False)
        flag = file.read(4)
        end = int(header["vox_offset"])
        rest = file.read(max(0, min(end - size - 4, _MOST_BYTES))) if flag[:1] == b"\1" else b""
    # Analyze's db_name and generic fields exist in NIfTI-1 only.
    for name in _FIELDS:
        if name in set(header.keys()) and (text := _text(header[name].item())):
            yield _field(f"NIfTI {name}", text)
    for code, text in _extensions(rest, header.endianness):
        yield _field(f"NIfTI extension {code} ({_EXTENSIONS.get(code, 'other')})", text)
    name = _name_in_gzip(path)
    if name and name not in (path.name, path.name[:-3]):
        yield _field("name in the gzip header", name)


def sidecar_texts(path: Path) -> Iterator[Element]:
    """What a JSON sidecar says of a person, by the DICOM keywords that converters use as keys.

    Args:
        path: A `.json` file.

    Yields:
        Keys of the confidentiality profile with a value, and keys that look like a name or a birth date.
    """
    if path.stat().st_size > _MOST_BYTES * 16:
        raise ValueError("too large for a sidecar")
    known = {entry.keyword: entry for entry in basic_profile().values()}
    for key, value in _pairs(json.loads(path.read_text(encoding="utf-8-sig"))):
        text = "" if value is None else str(value).strip()[:64]
        if not text:
            continue
        if key in known:
            yield Element(known[key], text)
        elif _OTHER_KEYS.search(key):
            yield Element(ProfileEntry("", f"JSON key {key[:32]}", "X", "identity"), text)


def date_in(text: str) -> bool:
    """Whether a date from 1900 to 2099 stands in a text, as 20240131 or 2024-01-31.

    Example:
        >>> date_in("sub-01_20240131_ct.nii.gz"), date_in("case_123456")
        (True, False)
    """
    return bool(_DATE.search(text))


def _field(name: str, text: str) -> Element:
    return Element(ProfileEntry("", name, "X", "free text"), text[:64])


def _text(raw: object) -> str:
    return raw.decode("latin-1").strip("\0 ") if isinstance(raw, bytes) else ""


def _extensions(data: bytes, order: str) -> Iterator[tuple[int, str]]:
    place = 0
    while place + 8 <= len(data):
        size, code = struct.unpack(f"{order}ii", data[place : place + 8])
        if size < 8 or size % 16:
            return
        yield code, data[place + 8 : place + size].decode("latin-1").strip("\0 ") or "data"
        place += size


def _name_in_gzip(path: Path) -> str:
    """The original name of a file, which gzip keeps where its header's third flag says so."""
    with path.open("rb") as file:
        start = file.read(512)
    if start[:2] != b"\x1f\x8b" or not start[3] & 8:
        return ""
    place = 10 + (2 + int.from_bytes(start[10:12], "little") if start[3] & 4 else 0)
    return start[place:].split(b"\0", 1)[0].decode("latin-1")


def _pairs(value: object) -> Iterator[tuple[str, object]]:
    """Keys and plain values at any depth; a loop, because depth is the file's to choose."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if isinstance(inner, dict | list):
                    waiting.append(inner)
                if not isinstance(inner, dict):
                    yield str(key), inner
        elif isinstance(item, list):
            waiting.extend(item)
