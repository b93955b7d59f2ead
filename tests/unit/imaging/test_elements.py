from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from medvision.imaging import blocks, elements
from medvision.imaging.blocks import ElementsError, NotDicomError
from medvision.imaging.elements import PixelData, read_elements
from medvision.imaging.pixel_lengths import pixels_complete

Series = Callable[..., list[Path]]
PREAMBLE = bytes(128) + b"DICM"
SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One explicit, little-endian element."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    long = vr in ("OB", "OW", "UN", "SQ", "UT")
    return head + (struct.pack("<HL", 0, size) if long else struct.pack("<H", size)) + value


def item(content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content) if length is None else length) + content


ITEM_END, SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0), struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
META = element(0x00020010, "UI", ExplicitVRLittleEndian.encode() + b"\0")
UNDEFINED = 0xFFFFFFFF


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "a.dcm"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_value_of_every_coding(series: Series, syntax: str) -> None:
    nested = Dataset()
    nested.CodeValue, nested.CodeMeaning = "T-04000", "Brust"

    def edit(ds: Dataset, k: int) -> None:
        ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        ds.PatientName = "Yamada^Tarou=山田^太郎"
        ds.SmallestImagePixelValue, ds.LargestImagePixelValue = 3, 40000
        ds.AnatomicRegionSequence = Sequence([nested, nested])
        ds.FrameIncrementPointer = [0x00181063, 0x00181065]
        ds.DiffusionBValue, ds.PatientComments, ds.WindowCenter = 800.5, " text\\more ", [40, "50.5"]
        ds.AccessionNumber, ds.StudyID = "", None

    (file,) = series(count=1, syntax=syntax, edit=edit)
    expected = dcmread(file)
    found = read_elements(file, [*expected.keys(), "EchoTime"])
    assert (found.syntax, found.implicit, found.little_endian) == (syntax, *expected.original_encoding)
    assert found.size == file.stat().st_size
    assert found.get("PatientName") == "Yamada^Tarou=山田^太郎"
    assert found.get("AnatomicRegionSequence") == list(expected.AnatomicRegionSequence)
    assert found.get("FrameIncrementPointer") == [0x00181063, 0x00181065]
    assert (found.get("SmallestImagePixelValue"), found.get("LargestImagePixelValue")) == (3, 40000)
    assert found.get("DiffusionBValue") == 800.5
    assert found.get("PatientComments") == " text\\more"
    assert found.get("WindowCenter") == [40, 50.5]
    assert ("AccessionNumber" in found, found.get("AccessionNumber", "absent")) == (True, None)
    assert ("EchoTime" in found, found.get("EchoTime", "absent")) == (False, "absent")
    assert found.pixels is not None
    assert found.pixels[0::2] == (0x7FE00010, len(expected.PixelData))
    assert pixels_complete(file, found, len(expected.PixelData))
    with pytest.raises(KeyError, match="StudyTime was not read"):
        found.get("StudyTime")


def test_signed_and_unsigned_as_the_pixels_are(series: Series) -> None:
    (file,) = series(-np.ones((1, 4, 4), np.int16), syntax=ImplicitVRLittleEndian, SmallestImagePixelValue=-5)
    assert read_elements(file, ["SmallestImagePixelValue"]).get("SmallestImagePixelValue") == -5


def test_where_the_pixels_lie(series: Series) -> None:
    (file,) = series(count=1)
    pixels = read_elements(file, []).pixels
    assert pixels is not None
    assert pixels.length is not None
    value = file.read_bytes()[pixels.offset :][: pixels.length]
    assert value == dcmread(file).PixelData


def test_without_preamble_and_without_meta(series: Series, written: Callable[[bytes], Path]) -> None:
    for syntax in SYNTAXES[:3]:
        (file,) = series(count=1, syntax=syntax)
        bare = BytesIO()
        dataset = dcmread(file)
        dataset.save_as(bare, implicit_vr=syntax == SYNTAXES[1], little_endian=syntax != SYNTAXES[2])
        start = bare.getvalue().rindex(dataset.SOPClassUID.encode()) - 8
        content = bare.getvalue()[start:]
        found = read_elements(written(content), ["Modality", "PixelSpacing", "Rows"])
        assert found.syntax == ""
        assert (found.get("Modality"), found.get("PixelSpacing"), found.get("Rows")) == ("CT", [0.8, 0.6], 4)
        assert (found.implicit, found.little_endian) == (syntax == SYNTAXES[1], syntax != SYNTAXES[2])


def test_a_data_set_that_is_written_otherwise_than_its_meta_header_says(
    series: Series, written: Callable[[bytes], Path]
) -> None:
    (file,) = series(count=1, syntax=ImplicitVRLittleEndian)
    content = file.read_bytes().replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2\0", 1)
    lying = content.replace(
        struct.pack("<H", 18) + b"1.2.840.10008.1.2\0", struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0", 1
    )
    assert lying != content
    found = read_elements(written(lying), ["Modality", "SliceThickness"])
    assert (found.syntax, found.implicit) == (ExplicitVRLittleEndian, True)
    assert (found.get("Modality"), found.get("SliceThickness")) == ("CT", 2.5)


def test_sequences_of_undefined_length_are_stepped_over(written: Callable[[bytes], Path]) -> None:
    leaf = element(0x00080100, "SH", b"CODE")
    inner = element(0x00080104, "SQ", item(leaf + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED)
    implicit = struct.pack("<HHL", 0x0008, 0x0100, 2) + b"IM"
    sequences = element(
        0x00081140, "SQ", item(inner + ITEM_END, UNDEFINED) + item(leaf) + SEQUENCE_END, UNDEFINED
    )
    unknown = element(0x00091010, "UN", item(implicit + ITEM_END, UNDEFINED) + SEQUENCE_END, UNDEFINED)
    creator = element(0x00090010, "LO", b"SOMEBODY")
    body = sequences + creator + unknown + element(0x00100020, "LO", b"P1")
    found = read_elements(written(PREAMBLE + META + body), [0x00081140, 0x00091010, "PatientID"])
    assert found.get("PatientID") == "P1"
    first, second = found.get(0x00081140)  # type: ignore[misc]
    assert first[0x00080104].value[0].CodeValue == "CODE"
    assert second.CodeValue == "CODE"
    assert found.get(0x00091010)[0].CodeValue == "IM"  # type: ignore[index]


def test_group_lengths_unknown_vrs_and_padding(written: Callable[[bytes], Path]) -> None:
    body = (
        element(0x00080000, "UL", struct.pack("<L", 99))
        + element(0x00080060, "CS", b"CT")
        + struct.pack("<HHL", 0x0008, 0x0070, 4) + b"GE  "  # implicit among explicit ones
        + element(0x00081030, "ZZ", b"what")
        + element(0x00280010, "UN", struct.pack("<H", 512))
        + element(0x00091001, "UN", b"raw!")
        + bytes(64)
    )  # fmt: skip
    found = read_elements(
        written(PREAMBLE + META + body),
        [0x00080000, "Modality", "Manufacturer", "Rows", 0x00091001, 0x00081030],
    )
    assert [found.get(n) for n in (0x00080000, "Modality", "Manufacturer", "Rows")] == [99, "CT", "GE", 512]
    assert found.get(0x00091001) == b"raw!"
    assert found.pixels is None
    with pytest.raises(ElementsError, match=r"VR b'ZZ' is unknown|cannot be read"):
        found.get(0x00081030)


def test_private_elements_of_known_owners(series: Series) -> None:
    def edit(ds: Dataset, k: int) -> None:
        block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", "1000")

    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        (file,) = series(count=1, syntax=syntax, edit=edit)
        found = read_elements(file, [0x0019100C, 0x00190010])
        assert (found.get(0x0019100C), found.get(0x00190010)) == (1000, "SIEMENS MR HEADER")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (element(0x00100020, "LO", b"P1", 6000), "6000 bytes at byte 168 run past the end of the file, 170"),
        (element(0x00100021, "LO", b"P1", 6000) , "past the end of the file"),
        (element(0x00081140, "SQ", item(b""), UNDEFINED), "ends within a sequence"),
        (element(0x00081140, "SQ", element(0x00080060, "CS", b"CT"), UNDEFINED), "no item of a sequence"),
        (element(0x00091010, "OB", b"")[:9], "ends within the element at byte"),
    ],
)  # fmt: skip
def test_what_is_damaged_and_at_which_byte(written: Callable[[bytes], Path], body: bytes, told: str) -> None:
    with pytest.raises(ElementsError, match=told):
        read_elements(written(PREAMBLE + META + body), ["PatientID"])


@pytest.mark.parametrize(
    ("vr", "value"), [("DS", b"abc "), ("IS", b"1.x "), ("FD", b"1234"), ("US", b"123"), ("SQ", b"1234")]
)
def test_values_that_do_not_fit_their_vr(written: Callable[[bytes], Path], vr: str, value: bytes) -> None:
    found = read_elements(written(PREAMBLE + META + element(0x00180050, vr, value)), ["SliceThickness"])
    with pytest.raises(ElementsError, match="SliceThickness cannot be read as its VR says") as told:
        found.get("SliceThickness")
    assert "abc" not in str(told.value)


def test_an_integer_string_that_is_no_integer(written: Callable[[bytes], Path]) -> None:
    body = element(0x00200013, "IS", b"2.0\\2.5\\\\7")
    assert read_elements(written(PREAMBLE + META + body), ["InstanceNumber"]).get("InstanceNumber") == [
        2,
        2.5,
        None,
        7,
    ]


def test_nesting_without_end_is_refused(written: Callable[[bytes], Path]) -> None:
    opening = element(0x00081140, "SQ", item(b"", UNDEFINED), UNDEFINED)
    with pytest.raises(ElementsError, match="nested 64 deep"):
        read_elements(written(PREAMBLE + META + opening * 10_000), [])


def test_a_file_of_nothing_but_elements_ends(
    written: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medvision.imaging.element_walk.MOST_STEPS", 1000)
    with pytest.raises(ElementsError, match="more than 1000 elements"):
        read_elements(written(PREAMBLE + META + bytes(80_000)), [])


def test_values_beyond_the_limit(written: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(
        PREAMBLE + META + element(0x00091010, "OB", bytes(200)) + element(0x00091011, "OB", bytes(200))
    )
    monkeypatch.setattr(elements, "VALUES_LIMIT", 1 << 20)
    assert read_elements(path, [0x00091010, 0x00091011]).get(0x00091011) == bytes(200)
    monkeypatch.setattr(elements, "VALUES_LIMIT", 300)
    with pytest.raises(ElementsError, match="values of more than"):
        read_elements(path, [0x00091010, 0x00091011])


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    meta = element(0x00020010, "UI", DeflatedExplicitVRLittleEndian.encode())
    return PREAMBLE + meta + packer.compress(body) + packer.flush()


def test_a_bomb_is_refused_before_it_goes_off(
    written: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "INFLATED_LIMIT", 1 << 20)
    bomb = deflated(element(0x00091010, "OB", bytes(8 << 20)) + element(0x00100020, "LO", b"P1"))
    assert len(bomb) < 20_000
    with pytest.raises(ElementsError, match="inflates to more than 1 MiB"):
        read_elements(written(bomb), ["PatientID"])


def test_deflated_pixels_are_counted_without_being_kept(
    written: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = deflated(element(0x00100020, "LO", b"P1") + element(0x7FE00010, "OW", bytes(1 << 20)))
    path = written(whole)
    found = read_elements(path, ["PatientID"])
    assert found.get("PatientID") == "P1"
    assert pixels_complete(path, found, 1 << 20)
    for cut in (1, 2, 40, 100):
        path.write_bytes(whole[:-cut])
        assert not pixels_complete(path, found, 1 << 20)
    path.write_bytes(whole)
    monkeypatch.setattr(blocks, "COUNTED_LIMIT", 1000)
    with pytest.raises(ElementsError, match="inflates to more than"):
        pixels_complete(path, found, 1 << 20)
    path.write_bytes(whole[:170] + b"\xff" * 200)
    with pytest.raises(ElementsError, match=r"damaged|past the end"):
        read_elements(path, ["PatientID"])


def encapsulated(*fragments: bytes, end: bytes = SEQUENCE_END) -> bytes:
    return element(0x7FE00010, "OB", item(b"") + b"".join(item(f) for f in fragments) + end, UNDEFINED)


@pytest.mark.parametrize(
    ("pixels", "frames", "complete"),
    [
        (encapsulated(b"1234"), 1, True),
        (encapsulated(b"1234", b"12"), 2, True),
        (encapsulated(b"1234"), 2, False),
        (encapsulated(), 1, False),
        (encapsulated(b"1234", end=b""), 1, False),
        (encapsulated(b"1234", end=b"12345678"), 1, False),
        (encapsulated(b"1" * 20_000)[:-9000], 1, False),
        (element(0x7FE00010, "OW", bytes(8)), 1, True),
        (element(0x7FE00010, "OW", bytes(6)), 1, False),
        (element(0x7FE00010, "OW", bytes(6), 8), 1, False),
        (b"", 1, False),
    ],
)
def test_pixels_are_complete(
    written: Callable[[bytes], Path], pixels: bytes, frames: int, complete: bool
) -> None:
    path = written(PREAMBLE + META + pixels)
    assert pixels_complete(path, read_elements(path, []), 8, frames) is complete


def test_what_is_no_dicom_file(tmp_path: Path) -> None:
    for content in (b"", b"hello" * 100, bytes(300)):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(NotDicomError, match="not a DICOM file"):
            read_elements(tmp_path / "a", [])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotDicomError, match="not a regular file"):
        read_elements(tmp_path / "pipe", [])
    with pytest.raises(OSError, match="absent"):
        read_elements(tmp_path / "absent", [])


def test_a_file_cut_short_anywhere_gives_elements_or_says_where(series: Series) -> None:
    for syntax in SYNTAXES:
        (file,) = series(count=1, syntax=syntax)
        whole = file.read_bytes()
        for length in (*range(132, len(whole) - 2, 3), len(whole) - 2):  # the last byte may be padding
            file.write_bytes(whole[:length])
            try:
                found = read_elements(file, ["Rows", "PixelSpacing"])
            except ElementsError:
                continue
            assert not pixels_complete(file, found, 48)


def mutated(whole: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(whole)
    kind = random.integers(4)
    for _ in range(random.integers(1, 6)):
        at = int(random.integers(132, len(changed) - 4))
        if kind == 0:
            changed[at] ^= 1 << int(random.integers(8))
        elif kind == 1:
            changed[at : at + 4] = b"\xff\xff\xff\xff"
        elif kind == 2:
            del changed[at : at + int(random.integers(1, 40))]
        else:
            changed[at:at] = random.bytes(int(random.integers(1, 40)))
    return bytes(changed)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_mutated_files_give_elements_or_an_error_at_once(
    series: Series, written: Callable[[bytes], Path], syntax: str
) -> None:
    nested = Dataset()
    nested.RadiopharmaceuticalStartTime = "101500"
    (file,) = series(count=1, syntax=syntax, RadiopharmaceuticalInformationSequence=Sequence([nested] * 3))
    whole, random = file.read_bytes(), np.random.default_rng(4)
    tags = tuple(dcmread(file).keys())
    refused, start = 0, time.process_time()
    for _ in range(300):
        path = written(mutated(whole, random))
        try:
            found: Any = read_elements(path, tags)
            pixels_complete(path, found, 48)
            for tag in tags:
                found.get(tag)
        except ElementsError:
            refused += 1
    assert 0 < refused < 300
    assert time.process_time() - start < 30


def test_pixel_data_is_named_by_its_tag() -> None:
    assert PixelData(0x7FE00010, 100, None).length is None
