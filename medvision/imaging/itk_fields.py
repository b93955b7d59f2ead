"""What the lines of a NRRD or MetaImage header may say.

The readers of both formats below SimpleITK trust their input: a field that is too long ends the process.
So nothing reaches them that does not look like what it should be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from medvision.errors import SeriesError

_NUMBER = r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,3})?"
_NUMBERS = rf"{_NUMBER}(?:\s+{_NUMBER}){{0,15}}"
_WHOLE = r"\d{1,9}"
_WHOLES = rf"{_WHOLE}(?:\s+{_WHOLE}){{0,9}}"
_VECTOR = rf"\(\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{2}}\s*\)"
_VECTORS = rf"(?:none|{_VECTOR})(?:\s+(?:none|{_VECTOR})){{0,5}}"
_WORDS = r"[\w?*-]{1,24}(?:\s+[\w?*-]{1,24}){0,5}"
_QUOTED = r'"[^"]{0,24}"(?:\s+"[^"]{0,24}"){0,5}'
_BOOLEAN = "true|false|t|f|1|0"
_TEXT = r".{0,256}"

NRRD = {
    "type": r"(?:signed |unsigned )?(?:char|short|short int|int|long long|long long int)|uchar|ushort|uint|"
    r"longlong|ulonglong|u?int(?:8|16|32|64)(?:_t)?|float|double",
    "dimension": r"\d", "sizes": _WHOLES, "space": r"[\w-]{1,32}", "space directions": _VECTORS,
    "space origin": _VECTOR, "kinds": _WORDS, "endian": "little|big", "encoding": r"\w{1,8}",
    "space units": _QUOTED, "measurement frame": _VECTORS, "centerings": _WORDS, "centers": _WORDS,
    "labels": _QUOTED, "units": _QUOTED, "thicknesses": r"(?i:nan|" + _NUMBERS + r"|\s){1,20}",
    "spacings": r"(?i:nan|" + _NUMBERS + r"|\s){1,20}", "content": _TEXT, "number": _WHOLE,
    "line skip": _WHOLE, "byte skip": "-?" + _WHOLE, "data file": _TEXT, "datafile": _TEXT,
}  # fmt: skip
"""Fields that are read or mean nothing here; another field, such as "old min", could change the values."""

META_IMAGE = {
    "ObjectType": "Image", "NDims": r"\d", "DimSize": _WHOLES, "ElementType": r"MET_[A-Z_]{1,24}",
    "BinaryData": _BOOLEAN, "BinaryDataByteOrderMSB": _BOOLEAN, "ElementByteOrderMSB": _BOOLEAN,
    "CompressedData": _BOOLEAN, "CompressedDataSize": r"\d{1,18}", "TransformMatrix": _NUMBERS,
    "Rotation": _NUMBERS, "Orientation": _NUMBERS, "Offset": _NUMBERS, "Position": _NUMBERS,
    "Origin": _NUMBERS, "CenterOfRotation": _NUMBERS, "ElementSpacing": _NUMBERS, "ElementSize": _NUMBERS,
    "ElementNumberOfChannels": _WHOLE, "HeaderSize": "-?" + _WHOLE, "ElementMin": _NUMBER,
    "ElementMax": _NUMBER, "ElementToIntensityFunctionSlope": _NUMBER,
    "ElementToIntensityFunctionOffset": _NUMBER, "CompressionLevel": _WHOLE, "ID": "-?" + _WHOLE,
    "ParentID": "-?" + _WHOLE, "Color": _NUMBERS, "AnatomicalOrientation": r"[A-Za-z?]{1,8}",
}  # fmt: skip
"""Fields with a meaning; programs add others, which ITK passes on as text."""

_PER_AXIS = ("sizes", "space directions", "kinds", "DimSize", "ElementSpacing", "ElementSize", "Offset")
_LONGEST_EXTRA = 2048


def check_nrrd(fields: Mapping[str, str], path: Path) -> None:
    """Refuse a NRRD header with a field that is not known, or not what it should be.

    Raises:
        SeriesError: Names the fields.
    """
    unknown = [f"{name!r}, which is not read" for name in fields if name not in NRRD]
    _refuse(path, unknown + _unlike(fields, NRRD, fields.get("dimension", "")))


def check_meta_image(fields: Mapping[str, str], path: Path) -> None:
    """Refuse a MetaImage header with a field that is not what it should be.

    Raises:
        SeriesError: Names the fields.
    """
    long = [f"{name[:40]!r}, too long" for name, value in fields.items() if len(value) > _LONGEST_EXTRA]
    _refuse(path, long + _unlike(fields, META_IMAGE, fields.get("NDims", "")))


def _unlike(fields: Mapping[str, str], grammar: Mapping[str, str], axes: str) -> list[str]:
    problems = []
    for name, value in fields.items():
        if name in grammar and not re.fullmatch(grammar[name], value, re.IGNORECASE):
            problems.append(f"{name!r} of {value[:40]!r}")
        elif name in _PER_AXIS and str(_count(value)) != axes:
            problems.append(f"{name!r} of {value[:40]!r} for {axes or 'no'} axes")
    return problems


def _count(value: str) -> int:
    return len(re.findall(rf"{_VECTOR}|[^\s()]+", value))


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        found = "; ".join(problems[:4])
        raise SeriesError(f"{path}: a damaged header, or one of another kind: {found}; save the scan again")
