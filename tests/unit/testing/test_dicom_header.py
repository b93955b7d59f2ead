from __future__ import annotations

import pydicom
import pytest
from pydicom.uid import UID

from medvision.testing import Patient, brain_phantom, write_dicom_series

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
