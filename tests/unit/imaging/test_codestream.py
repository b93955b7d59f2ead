"""The size that a compressed image states, with the header's as the truth."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000, JPEGLossless, JPEGLSLossless

from medvision.errors import SeriesError
from medvision.imaging import load_volume
from medvision.imaging.codestream import refuse_damaged_jpeg, refuse_other_size
from medvision.imaging.decoding import plugin_of
from medvision.testing.samples import sample

COMPRESSED = ("dicom-jpeg", "dicom-jpeg-ls", "dicom-jpeg-2000")


def dataset(name: str) -> Dataset:
    return dcmread(io.BytesIO(next(iter(sample(name).values()))))


@pytest.mark.parametrize("name", [*COMPRESSED, "dicom-rle"])
def test_a_true_size_passes_with_an_offset_table_and_without(name: str) -> None:
    ds = dataset(name)
    refuse_other_size(ds)
    frame = get_frame(ds.PixelData, 0, number_of_frames=1)
    for has_table in (True, False):
        ds.PixelData = encapsulate([frame], has_bot=has_table)
        refuse_other_size(ds)


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("element", ["Rows", "Columns", "SamplesPerPixel"])
def test_another_size_is_refused(name: str, element: str, tmp_path: Path) -> None:
    ds = dataset(name)
    setattr(ds, element, ds[element].value + 2)
    with pytest.raises(ValueError, match="the compressed image has 36 rows, 40 columns and 1 samples"):
        refuse_other_size(ds)
    if element != "SamplesPerPixel":
        ds.save_as(tmp_path / "a.dcm")
        with pytest.raises(
            SeriesError, match=r"a\.dcm: its pixels cannot be decoded .*compressed image has 36"
        ):
            load_volume(tmp_path / "a.dcm")


@pytest.mark.parametrize(
    "frame", [b"\xff\xd8", b"\xff\xd8\xff\xff\xff\xc3\x00", b"\xff\x4f\xff\x51\x00" * 2, b"\0" * 60]
)
def test_where_no_size_is_found_the_decoder_has_the_word(frame: bytes) -> None:
    ds = dataset("dicom-jpeg")
    ds.PixelData = encapsulate([frame])
    refuse_other_size(ds)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b"\xff\xc4", b"\x57\xc4", "no frame header or no Huffman table before its data"),
        (b"\xff\xc3\x00\x0b", b"\xff\xe3\x00\x0b", "no frame header or no Huffman table"),
        (b"\xff\xc3\x00\x0b\x10", b"\xff\xc3\x00\x0b\x58", "has 88 bits a sample, the header says 16"),
    ],
)
def test_damage_on_which_gdcm_ends_the_process_is_a_sentence(old, new, match, tmp_path: Path) -> None:
    ds = dataset("dicom-jpeg")
    refuse_damaged_jpeg(ds)
    frame = get_frame(ds.PixelData, 0, number_of_frames=1)
    assert frame.count(old) == 1
    ds.PixelData = encapsulate([frame.replace(old, new)])
    ds.save_as(tmp_path / "a.dcm")
    with pytest.raises(SeriesError, match=match):
        load_volume(tmp_path / "a.dcm")


def test_gdcm_is_not_asked_where_another_decodes() -> None:
    """It ends the process on some damaged JPEG-LS data."""
    chosen = {syntax: plugin_of(get_decoder(syntax)) for syntax in (JPEGLSLossless, JPEG2000, JPEGLossless)}
    assert chosen == {JPEGLSLossless: "pyjpegls", JPEG2000: "pylibjpeg", JPEGLossless: ""}


@pytest.mark.data
def test_real_files_state_the_size_of_their_header(data_dir: Path) -> None:
    seen = 0
    for file in sorted((data_dir / "dicom").rglob("*")):
        if not file.is_file() or file.stat().st_size > 3_000_000:
            continue
        ds = dcmread(file, force=True)
        if "PixelData" in ds and ds.file_meta.TransferSyntaxUID.is_encapsulated:
            refuse_other_size(ds)
            seen += 1
    assert seen > 20
