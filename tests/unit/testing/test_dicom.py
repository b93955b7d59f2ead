from __future__ import annotations

import re

import numpy as np
import pydicom
import pytest

from medvision.errors import MedvisionError
from medvision.testing import Storage, brain_phantom, thorax_phantom, write_dicom_series


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.RAISE)


def small_mr():
    return brain_phantom(
        2, shape=(30, 36, 12), spacing_mm=(1.1, 0.9, 2.5), orientation="coronal", oblique_deg=7
    )


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"patient_position": "HFP"},
        {"patient_position": "FFS"},
        {"patient_position": "FFP"},
        {"orientation": "coronal", "shape": (40, 24, 30)},
        {"orientation": "sagittal", "shape": (40, 24, 30)},
        {"oblique_deg": 13.0},
    ],
)
def test_pixels_and_geometry_come_back_by_the_standard_alone(tmp_path, read_series, frame):
    options = {"shape": (40, 30, 14), "spacing_mm": (2.9, 3.3, 4.7), "lesions": 0} | frame
    phantom = thorax_phantom(8, **options)
    write_dicom_series(phantom, tmp_path)
    array, affine = read_series(tmp_path)
    np.testing.assert_array_equal(array, phantom.array)
    np.testing.assert_allclose(affine, phantom.affine, atol=1e-9)


def test_mr_comes_back(tmp_path, read_series):
    phantom = small_mr()
    write_dicom_series(phantom, tmp_path, storage=Storage(bits_stored=15, signed=False))
    array, affine = read_series(tmp_path)
    np.testing.assert_array_equal(array, phantom.array)
    np.testing.assert_allclose(affine, phantom.affine, atol=1e-9)


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "rle", "jpeg-ls", "jpeg-2000"])
@pytest.mark.parametrize(("bits", "signed"), [(12, False), (13, True), (16, True), (16, False)])
def test_every_encoding_is_lossless(tmp_path, small_ct, read_series, syntax, bits, signed):
    paths = write_dicom_series(small_ct, tmp_path, storage=Storage(bits, signed, transfer_syntax=syntax))
    ds = pydicom.dcmread(paths[0])
    assert (ds.BitsStored, ds.PixelRepresentation) == (bits, int(signed))
    assert ds.file_meta.TransferSyntaxUID.is_compressed == (syntax not in ("explicit", "implicit"))
    array, _ = read_series(tmp_path)
    np.testing.assert_array_equal(array, small_ct.array)


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, -1024.0), (0.5, 0.0), (1.0, -8192.0)])
def test_rescale_brings_the_values_back_to_half_a_step(tmp_path, small_ct, read_series, slope, intercept):
    storage = Storage(16, True, slope=slope, intercept=intercept)
    paths = write_dicom_series(small_ct, tmp_path, storage=storage)
    ds = pydicom.dcmread(paths[0])
    assert (float(ds.RescaleSlope), float(ds.RescaleIntercept)) == (slope, intercept)
    array, _ = read_series(tmp_path)
    assert np.abs(array - small_ct.array).max() <= slope / 2


def test_values_that_do_not_fit_are_refused(tmp_path, small_ct):
    with pytest.raises(MedvisionError, match="do not fit into 12 unsigned bits"):
        write_dicom_series(small_ct, tmp_path, storage=Storage(12, False, intercept=0.0))
    assert list(tmp_path.iterdir()) == []


def test_names_say_nothing_about_the_order(tmp_path, small_ct):
    paths = write_dicom_series(small_ct, tmp_path, instance_order="descending", extension="")
    assert [path.name for path in paths] != sorted(path.name for path in paths)
    assert all(re.fullmatch(r"IM\d{4}", path.name) for path in paths)
    numbers = [int(pydicom.dcmread(path).InstanceNumber) for path in paths]
    assert numbers == list(range(20, 0, -1))
    plain = write_dicom_series(small_ct, tmp_path / "plain", shuffle_names=False)
    assert [path.name for path in plain] == [f"IM{n:04d}.dcm" for n in range(1, 21)]
    assert [int(pydicom.dcmread(path).InstanceNumber) for path in plain] == list(range(1, 21))


def test_the_same_arguments_give_the_same_bytes(tmp_path, small_ct):
    one, two = (write_dicom_series(small_ct, tmp_path / name) for name in "ab")
    assert [p.name for p in one] == [p.name for p in two]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
