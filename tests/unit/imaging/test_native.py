"""Pixels read in place equal those of pydicom's decoder, whatever bits hold them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medvision.imaging.coding import pixel_coding
from medvision.imaging.dataset import looks_like_dicom
from medvision.imaging.decoding import stored_frames
from medvision.imaging.header import read_slices
from medvision.imaging.native import values_of

Series = Callable[..., list[Path]]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_equals_the_decoder(series: Series, syntax: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    stored = np.frombuffer(rng.bytes(5 * 4 * 6 * int(dtype[1])), dtype).reshape(5, 4, 6)
    for plane, file in zip(stored, series(stored, syntax=syntax), strict=True):
        (header,) = read_slices(file)
        assert (header.native is not None) == (syntax != ExplicitVRBigEndian)
        decoded = next(stored_frames(file))
        assert np.array_equal(decoded, plane)
        assert np.array_equal(next(stored_frames(file, native=header.native)), decoded)


@given(data=st.data(), signed=st.booleans(), cells=st.lists(st.integers(0, 2**16 - 1), min_size=1))
def test_values_lie_in_their_bits(data: st.DataObject, signed: bool, cells: list[int]) -> None:
    stored = data.draw(st.integers(1, 16))
    high = data.draw(st.integers(stored - 1, 15))
    coding = pixel_coding(
        {"BitsAllocated": 16, "BitsStored": stored, "HighBit": high, "PixelRepresentation": int(signed)}
    )
    array = np.array(cells, np.uint16).view(np.int16 if signed else np.uint16)
    expected = [(cell >> (high + 1 - stored)) % 2**stored for cell in cells]
    if signed:
        expected = [value - 2**stored * (value >= 2 ** (stored - 1)) for value in expected]
    assert values_of(array, coding).tolist() == expected


@pytest.mark.parametrize(("stored", "high"), [(12, 5), (12, 17)])
def test_a_high_bit_that_does_not_fit(stored: int, high: int) -> None:
    coding = pixel_coding({"BitsAllocated": 16, "BitsStored": stored, "HighBit": high})
    with pytest.raises(ValueError, match="does not fit"):
        values_of(np.zeros(1, np.uint16), coding)


def test_frames_in_any_order(series: Series, tmp_path: Path) -> None:
    (file,) = series(count=1)
    ds: Dataset = dcmread(file)
    stored = np.arange(3 * 24, dtype=np.uint16).reshape(3, 4, 6)
    ds.NumberOfFrames, ds.PixelData = 3, stored.tobytes()
    ds.save_as(tmp_path / "three.dcm")
    native = read_slices(tmp_path / "three.dcm")[0].native
    found = list(stored_frames(tmp_path / "three.dcm", [2, 0], native=native))
    assert np.array_equal(found, stored[[2, 0]])


@pytest.mark.data
def test_real_files(data_dir: Path) -> None:
    checked = 0
    for file in sorted((data_dir / "dicom").rglob("*"))[::7]:
        if not file.is_file() or not looks_like_dicom(file):
            continue
        for header in read_slices(file)[:1]:
            if header.native is not None:
                found = next(stored_frames(file, native=header.native))
                assert np.array_equal(found, next(stored_frames(file))), file
                checked += 1
    assert checked > 50
