"""Values are decoded as pydicom decodes them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings
from pydicom.config import disable_value_validation
from pydicom.multival import MultiValue
from pydicom.values import converters

from medvision.imaging.blocks import ElementsError
from medvision.imaging.element_values import decode, encodings

NUMBERS = {"FL": 4, "FD": 8, "US": 2, "SS": 2, "UL": 4, "SL": 4, "UV": 8, "SV": 8, "AT": 4}
PLAIN = ["AE", "AS", "CS", "DA", "DT", "TM", "UI", "UR"]
TEXT = ["LO", "SH", "UC", "LT", "ST", "UT", "PN"]
CHARSETS = [b"", b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 13", b"GB18030", b"\\ISO 2022 IR 87", b"ISO_IR 166"]


def plain(value: Any) -> Any:
    if isinstance(value, MultiValue | list):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(value)
    return int(value) if isinstance(value, int) else str(value) or None


def ours(vr: str, raw: bytes, *, little_endian: bool = True, charset: bytes = b"") -> Any:
    return decode(vr.encode(), raw, implicit=False, little_endian=little_endian, charset=encodings(charset))


@given(
    st.sampled_from(sorted(NUMBERS)), st.lists(st.binary(min_size=8, max_size=8), min_size=1), st.booleans()
)
def test_binary_numbers(vr: str, values: list[bytes], little_endian: bool) -> None:
    raw = b"".join(value[: NUMBERS[vr]] for value in values)
    convert = converters[vr]
    function, code = convert if isinstance(convert, tuple) else (convert, None)
    expected = plain(function(raw, little_endian, code))
    assert repr(ours(vr, raw, little_endian=little_endian)) == repr(expected)  # repr: not-a-number too


@given(
    st.lists(st.floats(allow_nan=False, width=32).map("{:g}".format), min_size=1),
    st.sampled_from(["", " ", "\0"]),
)
def test_decimal_strings(values: list[str], padding: str) -> None:
    raw = ("\\".join(values) + padding).encode()
    assert ours("DS", raw) == (plain(converters["DS"](raw.rstrip(b"\0"), True)))


@given(st.sampled_from(PLAIN), st.text("AB .^\\\0", min_size=1))
def test_plain_text(vr: str, text: str) -> None:
    with disable_value_validation():
        expected = converters[vr](text.encode(), True)
    assert ours(vr, text.encode()) == plain(expected)


@given(st.sampled_from(TEXT), st.sampled_from(CHARSETS), st.text("Aé山д ^=\\\0\r", min_size=1))
def test_text_in_any_character_set(vr: str, charset: bytes, text: str) -> None:
    stated = charset.decode().split("\\")
    python = convert_encodings(stated if len(stated) > 1 else stated[0])
    raw = text.encode(python[-1], errors="ignore")
    with warnings.catch_warnings(action="ignore"), disable_value_validation():
        if vr == "PN":
            expected = plain(converters[vr](raw, python))
        else:
            expected = plain(converters[vr](raw, python, vr))
        assert ours(vr, raw, charset=charset) == (expected if raw else None)


@given(st.sampled_from([*NUMBERS, *PLAIN, *TEXT, "DS", "IS", "OB", "SQ", "ZZ"]), st.binary(max_size=40))
def test_any_bytes_give_a_value_or_one_of_two_errors(vr: str, raw: bytes) -> None:
    with warnings.catch_warnings(action="ignore"):
        try:
            ours(vr, raw)
        except (ElementsError, ValueError, OverflowError, OSError):
            return


def test_an_unknown_character_set_is_read_as_latin() -> None:
    with pytest.warns(UserWarning, match="Unknown encoding"):
        assert ours("LO", b"M\xfcller", charset=b"ISO_IR 999") == "Müller"
