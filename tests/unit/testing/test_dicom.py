from __future__ import annotations

import re

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from medvision.errors import MedvisionError
from medvision.testing import (
    Patient,
    Storage,
    brain_phantom,
    thorax_phantom,
    write_dicom_series,
)

# Attributes of type 1 (have a value) and 2 (are there) of the mandatory modules, from DICOM PS3.3:
# Patient C.7-1, General Study C.7-3, General Series C.7-5a, Frame of Reference C.7-6, Equipment C.7-8,
# General Image C.7-9, Image Plane C.7-10, Image Pixel C.7-11a, SOP Common C.12-1, CT C.8-3, MR C.8-4.
TYPE_1 = [
    "StudyInstanceUID",
    "Modality",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "SOPClassUID",
    "SOPInstanceUID",
    "ImageType",
]
TYPE_2 = [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "SeriesNumber",
    "PositionReferenceIndicator",
    "Manufacturer",
    "InstanceNumber",
    "SliceThickness",
    "AcquisitionNumber",
    "PatientPosition",
]
OF_MODALITY = {
    "CT": (["RescaleIntercept", "RescaleSlope"], ["KVP"]),
    "MR": (
        ["ScanningSequence", "SequenceVariant"],
        ["ScanOptions", "MRAcquisitionType", "EchoTime", "EchoTrainLength"],
    ),
}


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.RAISE)


def small_mr():
    return brain_phantom(
        2, shape=(30, 36, 12), spacing_mm=(1.1, 0.9, 2.5), orientation="coronal", oblique_deg=7
    )


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_every_required_attribute_is_there_and_valid(tmp_path, small_ct, modality):
    paths = write_dicom_series(small_ct if modality == "CT" else small_mr(), tmp_path)
    more_1, more_2 = OF_MODALITY[modality]
    for path in paths:
        ds = pydicom.dcmread(path)
        for element in ds.iterall():  # reads, and so validates, every element
            assert element.value is not None or element.VM == 0
        assert [name for name in TYPE_1 + more_1 if name not in ds or ds[name].is_empty] == []
        assert [name for name in TYPE_2 + more_2 if name not in ds] == []
        assert ds.Modality == modality
        assert UID(ds.SOPClassUID).name == f"{modality} Image Storage"
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.BitsAllocated == 16
        assert ds.HighBit == ds.BitsStored - 1


def test_uids_tell_study_series_and_slices_apart(tmp_path, small_ct):
    first = write_dicom_series(small_ct, tmp_path / "1", series_number=1)
    second = write_dicom_series(small_ct, tmp_path / "2", series_number=2)
    slices = [pydicom.dcmread(path) for path in first + second]
    assert len({ds.SOPInstanceUID for ds in slices}) == len(slices)
    assert len({ds.SeriesInstanceUID for ds in slices}) == 2
    assert len({ds.StudyInstanceUID for ds in slices}) == 1
    assert len({ds.FrameOfReferenceUID for ds in slices}) == 1
    for ds in slices:
        for uid in (ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID):
            assert uid.is_valid
            assert len(uid) <= 64


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


def test_the_patient_is_the_invented_one_and_said_to_be(tmp_path, small_ct):
    (path, *_) = write_dicom_series(small_ct, tmp_path, patient=Patient("PHANTOM-0009", 71, "F"))
    ds = pydicom.dcmread(path)
    assert (ds.PatientID, str(ds.PatientName), ds.PatientAge, ds.PatientSex) == (
        "PHANTOM-0009",
        "Phantom^PHANTOM-0009",
        "071Y",
        "F",
    )
    assert ds.PatientBirthDate == ""
    assert "Synthetic" in ds.DeidentificationMethod
