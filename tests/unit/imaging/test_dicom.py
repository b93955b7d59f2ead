"""Stored bits to voxels: transfer syntaxes, odd storage, rescaling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2K as HTJ2K_ANY,
)
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume

Series = Callable[..., list[Path]]


def signed_noise(bits: int = 16) -> np.ndarray:
    limit = 2 ** (bits - 1)
    values = np.random.default_rng(0).integers(-limit, limit, size=(3, 33, 40))
    values[0, 0, :2] = -limit, limit - 1
    return values.astype(np.int16)


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_uncompressed_syntaxes_are_exact(series: Series, syntax: str) -> None:
    stored = signed_noise()
    assert np.array_equal(load_volume(series(stored, syntax=syntax)).array, stored.transpose(2, 1, 0))


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("signed", [True, False])
def test_lossless_syntaxes_are_exact(series: Series, syntax: str, bits: int, signed: bool) -> None:
    stored = signed_noise(bits)
    if not signed:
        stored = (stored.astype(np.int32) + 2 ** (bits - 1)).astype(np.uint16)
    files = series(stored, BitsStored=bits, HighBit=bits - 1)
    for file in files:
        dataset = dcmread(file)
        dataset.compress(syntax, jls_error=0) if syntax == JPEGLSLossless else dataset.compress(syntax)
        dataset.save_as(file)
    volume = load_volume(files)
    assert np.array_equal(volume.array, stored.transpose(2, 1, 0))
    assert volume.array.dtype == (np.int16 if signed or bits < 16 else np.uint16)


# OpenJPH 0.26.3 (imagecodecs 2026.3.6, htj2k_encode) of k · 521 mod 4096 − 2048, k = 0…63, as 8×8 int16.
HTJ2K = bytes.fromhex(
    "ff4fff5100294000000000080000000800000000000000000000000800000008000000000000000000018f0101ff50000800020000"
    "000aff52000c00020001000504044001ff5c00132088909090909090909090909090888888ff64001700014f70656e4a504820566572"
    "20302e32362e332eff90000a0000000000730001ff93c0002673fd028774000000c000134000134000120080f20387740080fe020774"
    "0000c77400c00013c00013400012002631c50302740042c2018e74000063d400c0002aa000157000098010400041fba8728275008e0e"
    "47defec051019cb600ff7fe0705400ffd9"
)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K_ANY])
def test_high_throughput_jpeg_2000_is_exact(series: Series, syntax: str) -> None:
    (file,) = series((np.arange(64) * 521 % 4096 - 2048).astype(np.int16).reshape(1, 8, 8))
    dataset = dcmread(file)
    expected = dataset.pixel_array.T
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([HTJ2K])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(file)
    assert np.array_equal(load_volume(file).array[..., 0], expected)


@pytest.mark.parametrize("fragments", [1, 2, 5])
def test_a_frame_in_several_fragments_is_one_frame(series: Series, fragments: int) -> None:
    stored = signed_noise()
    files = series(stored)
    for file in files:
        dataset = dcmread(file)
        dataset.compress(JPEG2000Lossless)
        (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
        dataset.PixelData = encapsulate([frame], fragments_per_frame=fragments, has_bot=False)
        dataset.save_as(file)
    assert np.array_equal(load_volume(files).array, stored.transpose(2, 1, 0))


def test_bits_outside_bits_stored_are_masked(series: Series) -> None:
    # DICOM PS3.5 8.1.1: nothing may be assumed of unused bits; old files keep overlays there.
    values = np.arange(24, dtype=np.uint16).reshape(1, 4, 6) * 170
    files = series(values | 0xA000, BitsStored=12, HighBit=11)
    assert np.array_equal(load_volume(files).array, values.transpose(2, 1, 0))


def test_signed_twelve_bits_are_extended_from_the_high_bit(series: Series) -> None:
    # The example of the dcm_qa_12bit data: 0x0F0F is −241, 0xFFFF is −1; the upper four bits are noise.
    cells = np.array([[[0x0F0F, 0xFFFF, 0x07FF, 0x5800]]], dtype=np.uint16)
    files = series(cells, BitsStored=12, HighBit=11, PixelRepresentation=1)
    assert load_volume(files).array.ravel().tolist() == [-241, -1, 2047, -2048]


@pytest.mark.parametrize("signed", [0, 1])
def test_values_that_stand_high_in_their_cell(series: Series, signed: int) -> None:
    values = np.array([[[0, 1, 2047, 4095]]], dtype=np.uint16)
    files = series((values << 4) | 0x5, BitsStored=12, HighBit=15, PixelRepresentation=signed)
    expected = [0, 1, 2047, -1] if signed else [0, 1, 2047, 4095]
    assert load_volume(files).array.ravel().tolist() == expected


def test_values_that_stand_high_in_their_cell_under_rle(series: Series) -> None:
    values = np.random.default_rng(3).integers(0, 4096, (1, 8, 8), dtype=np.uint16)
    (file,) = series(values << 4)
    dataset = dcmread(file)
    dataset.compress(RLELossless)
    dataset.BitsStored = 12  # of 16, with HighBit 15: RLE packs whole cells
    dataset.save_as(file)
    assert np.array_equal(load_volume(file).array, values.transpose(2, 1, 0))


def test_high_bit_that_does_not_fit_is_refused(series: Series) -> None:
    with pytest.raises(SeriesError, match="HighBit 7 does not fit BitsStored 12"):
        load_volume(series(BitsStored=12, HighBit=7))


class TestRescaling:
    def test_whole_intercept_keeps_whole_numbers(self, series: Series) -> None:
        stored = np.array([[[0, 1024, 4095]]], dtype=np.uint16)
        files = series(stored, RescaleSlope=1, RescaleIntercept=-1024, BitsStored=12, HighBit=11)
        volume = load_volume(files)
        assert volume.array.dtype == np.int16
        assert volume.array.ravel().tolist() == [-1024, 0, 3071]
        assert inspect(files).dtype == np.int16

    def test_range_of_sixteen_bits_below_zero_needs_more(self, series: Series) -> None:
        stored = np.array([[[0, 65535]]], dtype=np.uint16)
        volume = load_volume(series(stored, RescaleSlope=1, RescaleIntercept=-1024))
        assert volume.array.dtype == np.int32
        assert volume.array.ravel().tolist() == [-1024, 64511]

    @pytest.mark.parametrize(("slope", "intercept"), [("0.5", "0"), ("1", "-0.25"), ("2", "7")])
    def test_anything_else_is_float32(self, series: Series, slope: str, intercept: str) -> None:
        stored = np.arange(24, dtype=np.uint16).reshape(1, 4, 6) + 3000
        volume = load_volume(series(stored, RescaleSlope=slope, RescaleIntercept=intercept))
        expected = (stored.astype(np.float64) * float(slope) + float(intercept)).astype(np.float32)
        assert volume.array.dtype == np.float32
        assert np.array_equal(volume.array, expected.transpose(2, 1, 0))

    def test_each_slice_has_its_own(self, series: Series) -> None:
        # As PET does: the same count means another activity in every slice.
        def edit(ds: Any, k: int) -> None:
            ds.RescaleSlope, ds.RescaleIntercept = 0.25 * (k + 1), k

        stored = np.full((4, 2, 3), 100, np.uint16)
        volume = load_volume(series(stored, edit=edit))
        assert volume.array[0, 0].tolist() == [25, 51, 77, 103]

    def test_of_whole_intercepts_that_differ(self, series: Series) -> None:
        files = series(
            np.full((3, 2, 2), 5, np.uint8), edit=lambda ds, k: setattr(ds, "RescaleIntercept", -k)
        )
        volume = load_volume(files)
        assert volume.array.dtype == np.int16
        assert volume.array[0, 0].tolist() == [5, 4, 3]


def test_monochrome1_keeps_its_values(series: Series) -> None:
    stored = np.arange(24, dtype=np.uint16).reshape(1, 4, 6)
    files = series(stored, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(load_volume(files).array, stored.transpose(2, 1, 0))


def test_damaged_compressed_pixels_name_the_file_and_syntax(series: Series) -> None:
    files = series(np.zeros((2, 64, 64), np.uint16))
    for file in files:
        dataset = dcmread(file)
        dataset.compress(JPEG2000Lossless)
        dataset.save_as(file)
    data = bytearray(files[1].read_bytes())
    start = data.index(b"\xff\x4f\xff\x51")  # start of the JPEG 2000 codestream
    data[start : start + 40] = bytes(40)
    files[1].write_bytes(data)
    with pytest.raises(SeriesError, match=r"IM0001.dcm: its pixels cannot be decoded .*JPEG 2000"):
        load_volume(files)


def test_values_beyond_bits_stored_in_compressed_pixels_are_refused(series: Series) -> None:
    (file,) = series(np.full((1, 32, 32), 60000, np.uint16))
    dataset = dcmread(file)
    dataset.compress(JPEG2000Lossless)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.save_as(file)
    with pytest.raises(SeriesError, match=r"values 60000…60000 do not fit its BitsStored, 0…4095"):
        load_volume(file)


def as_real(dtype: Any, **elements: Any) -> dict[str, Any]:
    """Pixels as floating point numbers: no BitsStored, HighBit or PixelRepresentation (PS3.3 C.7.6.24)."""

    def edit(ds: Dataset, k: int) -> None:
        cells = np.frombuffer(ds.PixelData, dtype)
        del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
        del ds.RescaleSlope, ds.RescaleIntercept
        name = "FloatPixelData" if dtype == np.float32 else "DoubleFloatPixelData"
        setattr(ds, name, cells.tobytes())
        for element, value in elements.items():
            setattr(ds, element, value)

    return {"Modality": "MR", "edit": edit}


class TestFloatingPointPixels:
    """Values as they stand in the file, not their whole part as BitsAllocated would have it."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_are_exact(self, series: Series, dtype: Any) -> None:
        stored = np.random.default_rng(5).normal(size=(3, 4, 6)).astype(dtype)
        files = series(stored, **as_real(dtype))
        found = load_volume(files)
        assert found.array.dtype == inspect(files).dtype == dtype
        assert np.array_equal(found.array, stored.transpose(2, 1, 0))

    def test_are_rescaled(self, series: Series) -> None:
        stored = np.random.default_rng(5).normal(size=(3, 4, 6)).astype(np.float32)
        found = load_volume(series(stored, **as_real(np.float32, RescaleSlope=2, RescaleIntercept=-1)))
        assert found.array == pytest.approx(2 * stored.transpose(2, 1, 0) - 1, rel=1e-6, abs=1e-6)

    def test_have_no_range_to_invert(self, series: Series) -> None:
        stored = np.ones((3, 4, 6), np.float32)
        files = series(stored, **as_real(np.float32, PhotometricInterpretation="MONOCHROME1"))
        with pytest.raises(SeriesError, match="floating point numbers have no range to invert"):
            load_volume(files, invert_monochrome1=True)


def test_sixty_four_bits_are_exact(series: Series) -> None:
    stored = np.array([[[0, 2**63 + 1, 2**64 - 1]]], np.uint64)
    assert load_volume(series(stored)).array.ravel().tolist() == stored.ravel().tolist()


def test_only_hounsfield_units_are_called_so(series: Series) -> None:
    files = series(RescaleType="HU")
    assert "HU 0…" in repr(load_volume(files))
    assert "values 0…" in repr(load_volume(files, values="stored"))
    electrons = load_volume(series(RescaleType="EDW"))
    assert electrons.provenance.values == "RescaleSlope and RescaleIntercept, EDW"
    assert "values 0…" in repr(electrons)
