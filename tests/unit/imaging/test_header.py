from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume
from medvision.imaging.dataset import looks_like_dicom
from medvision.imaging.header import read_slices

Series = Callable[..., list[Path]]


def test_reads_what_the_header_says(series: Series) -> None:
    (file,) = series(count=1, RescaleSlope=2, RescaleIntercept=-1000.5, EchoTime=9.5)
    (header,) = read_slices(file)
    assert header.shape == (6, 4)
    assert header.position is not None
    assert header.position.tolist() == [-10, -20, 30]
    assert (header.slope, header.intercept) == (2, -1000.5)
    assert header.coding.stored_range == (0, 65535)
    assert header.keys["EchoTime"] == (9.5,)
    assert (header.patient_id, header.modality, header.description) == ("P1", "CT", "thorax")


SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
]


def written(series: Series, syntax: str) -> Path:
    stored = np.arange(64 * 64, dtype=np.uint16).reshape(1, 64, 64) * 7
    if syntax != RLELossless:
        return series(stored, syntax=syntax)[0]
    (file,) = series(stored)
    dataset = dcmread(file)
    dataset.compress(RLELossless)
    dataset.save_as(file)
    return file


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_file_cut_short_anywhere_is_refused_from_its_header(series: Series, syntax: str) -> None:
    file = written(series, syntax)
    assert inspect(file).shape == (64, 64, 1)
    whole = file.read_bytes()
    for length in (*range(0, len(whole) - 1, max(1, len(whole) // 40)), len(whole) - 2):
        file.write_bytes(whole[:length])
        with pytest.raises(SeriesError, match=r"cut short|not a DICOM file"):
            inspect(file)


def test_pixels_fewer_than_the_header_says(series: Series) -> None:
    (file,) = series(count=1, edit=lambda ds, k: setattr(ds, "PixelData", ds.PixelData[:-8]))
    with pytest.raises(SeriesError, match="cut short"):
        inspect(file)


def test_files_that_are_not_dicom(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text.dcm", b"hello" * 100), ("zeros.dcm", bytes(300))):
        path = tmp_path / name
        path.write_bytes(content)
        assert not looks_like_dicom(path)
        with pytest.raises(SeriesError, match=f"{name}: not a DICOM file"):
            inspect(path)


def test_dicom_without_preamble_is_read(series: Series, tmp_path: Path) -> None:
    (file,) = series(count=1, syntax=ImplicitVRLittleEndian)
    whole = file.read_bytes()
    start = whole.index(b"\x08\x00\x16\x00")  # the data set begins with SOPClassUID
    bare = tmp_path / "bare"
    bare.write_bytes(whole[start:])
    assert looks_like_dicom(bare)
    assert np.array_equal(load_volume(bare).array, load_volume(file).array)


@pytest.mark.parametrize(
    ("elements", "match"),
    [
        ({"NumberOfFrames": 3, "Rows": 1}, "multi-frame object"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}, "multi-frame object .Enhanced CT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4"}, "segmentation, not a scan"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.7"}, "segmentation, not a scan"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "Siemens mosaic"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "Rows": 1}, r"colour image \(RGB\)"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour image"),
        ({"ModalityLUTSequence": []}, "Modality LUT"),
        ({"RescaleSlope": 0}, "RescaleSlope is 0"),
        ({"PixelSpacing": [0.5]}, "PixelSpacing is"),
    ],
)
def test_what_is_not_one_grey_slice_is_refused(series: Series, elements: dict[str, Any], match: str) -> None:
    files = series(**elements)
    for read in (inspect, load_volume):
        with pytest.raises(SeriesError, match=match):
            read(files)


@pytest.mark.parametrize(
    ("syntax", "match"),
    [
        ("1.2.840.10008.1.2.4.51", "pylibjpeg-libjpeg .GPL"),  # 12 bits: no free decoder
        ("1.2.840.10008.1.2.4.102", "MPEG-4 .*has no decoder"),
    ],
)
def test_an_undecodable_syntax_is_refused_from_the_header(series: Series, syntax: str, match: str) -> None:
    # The fragment is never decoded, so its content does not matter.
    from pydicom.encaps import encapsulate

    def edit(ds: Any, k: int) -> None:
        ds.file_meta.TransferSyntaxUID, ds.BitsStored, ds.HighBit = syntax, 12, 11
        ds.PixelData = encapsulate([b"\xff\xd8\xff\xd9" * 4])
        ds["PixelData"].is_undefined_length = True

    files = series(edit=edit)
    for read in (inspect, load_volume):
        with pytest.raises(SeriesError, match=match):
            read(files)


def test_pixels_that_share_their_colour_are_all_there() -> None:
    """YBR_FULL_422 stores two samples a pixel (PS3.3 C.7.6.3.1.2); pydicom brings such a file along."""
    (header,) = read_slices(Path(get_testdata_file("SC_ybr_full_422_uncompressed.dcm")))
    assert header.refusal == ""
    assert header.coding.bytes == 100 * 100 * 2
