"""The value of one DICOM element from its bytes, as pydicom decodes it, in plain Python types."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import error, unpack
from typing import TYPE_CHECKING, TypeAlias

from medvision.imaging.blocks import ElementsError

if TYPE_CHECKING:
    from pydicom import Dataset

One: TypeAlias = float | int | str | None
Value: TypeAlias = "One | bytes | list[One] | list[Dataset]"

_NUMBERS = {
    b"FL": ("f", 4), b"FD": ("d", 8), b"US": ("H", 2), b"SS": ("h", 2), b"UL": ("L", 4),
    b"SL": ("l", 4), b"UV": ("Q", 8), b"SV": ("q", 8),
}  # fmt: skip
_BYTES = frozenset(b"OB OD OF OL OV OW UN".split())
_PADDING = " \x00"


@lru_cache(maxsize=64)
def encodings(character_set: bytes) -> tuple[str, ...]:
    """Python's names of the encodings in a SpecificCharacterSet; ISO 8859-1 where it names none."""
    from pydicom.charset import convert_encodings

    stated = character_set.decode("iso8859-1").rstrip(_PADDING).split("\\")
    return tuple(convert_encodings(stated if len(stated) > 1 else stated[0]))


def decode(vr: bytes, raw: bytes, *, implicit: bool, little_endian: bool, charset: tuple[str, ...]) -> Value:
    """Decode the value of an element.

    Args:
        vr: Its two letters.
        raw: Its bytes.
        implicit: How the data set around it is written, for a sequence.
        little_endian: The order of bytes.
        charset: From :func:`encodings`.

    Returns:
        One value, a list of several, None for an empty one.

    Raises:
        ElementsError: The bytes do not fit the VR.
    """
    if vr == b"SQ":
        return _items(raw, implicit, little_endian, charset)
    if not raw:
        return None
    if vr in _BYTES:
        return raw
    if vr in _NUMBERS:
        return _numbers(raw, *_NUMBERS[vr], "<" if little_endian else ">")
    if vr == b"AT":
        order = "<" if little_endian else ">"
        halves = unpack(f"{order}{len(raw) // 4 * 2}H", raw[: len(raw) // 4 * 4])
        return _one_or_list([halves[k] << 16 | halves[k + 1] for k in range(0, len(halves), 2)])
    return _text(vr, raw, charset)


def _numbers(raw: bytes, code: str, size: int, order: str) -> Value:
    try:
        return _one_or_list(list(unpack(f"{order}{len(raw) // size}{code}", raw)))
    except error as wrong:
        raise ElementsError(f"{len(raw)} bytes are no whole number of values of {size} bytes") from wrong


def _text(vr: bytes, raw: bytes, charset: tuple[str, ...]) -> Value:
    convert = PLAIN_TEXT.get(vr)
    if convert is not None:
        padding = "" if vr == b"AE" else _PADDING
        return _one_or_list([convert(part) for part in raw.decode("iso8859-1").rstrip(padding).split("\\")])
    if vr == b"UR":
        return raw.decode("iso8859-1").rstrip() or None
    text = _in_charset(raw.rstrip(b"\x00 ") if vr == b"PN" else raw, charset)
    if vr == b"PN":
        return _one_or_list([part.rstrip("=") or None for part in text.split("\\")])
    if vr in (b"LT", b"ST", b"UT"):
        return text.rstrip(_PADDING) or None
    if vr in (b"LO", b"SH", b"UC"):
        return _one_or_list([part.rstrip(_PADDING) or None for part in text.split("\\")])
    raise ElementsError(f"its VR {vr!r} is unknown")


def _float(text: str) -> float | None:
    return float(text) if text and not text.isspace() else None


def _whole(text: str) -> float | int | None:
    if not text or text.isspace():
        return None
    try:
        return int(text)
    except ValueError:
        value = float(text)
        return int(value) if value.is_integer() else value


def _str(text: str) -> str | None:
    return text or None


def _stripped(text: str) -> str | None:
    return text.strip() or None


PLAIN_TEXT: dict[bytes, Callable[[str], One]] = {
    b"DS": _float, b"IS": _whole, b"AE": _stripped,
    b"AS": _str, b"CS": _str, b"DA": _str, b"DT": _str, b"TM": _str, b"UI": _stripped,
}  # fmt: skip


def _in_charset(raw: bytes, charset: tuple[str, ...]) -> str:
    if raw.isascii() and b"\x1b" not in raw and _extends_ascii(charset[0]):
        return raw.decode("ascii")
    from pydicom.charset import decode_bytes
    from pydicom.valuerep import TEXT_VR_DELIMS

    return decode_bytes(raw, list(charset), TEXT_VR_DELIMS)


@lru_cache(maxsize=64)
def _extends_ascii(encoding: str) -> bool:
    letters = bytes(range(128))
    try:
        return letters.decode(encoding) == letters.decode("ascii")
    except (LookupError, UnicodeError):
        return False


def _items(raw: bytes, implicit: bool, little_endian: bool, charset: tuple[str, ...]) -> list[Dataset]:
    from pydicom.values import convert_SQ

    return list(convert_SQ(raw, implicit, little_endian, list(charset)))


def _one_or_list(values: list[One]) -> Value:
    return values[0] if len(values) == 1 else values
