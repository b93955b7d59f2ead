"""Text that travels in NIfTI files and sidecars."""

import gzip
import json

import nibabel as nib
import numpy as np
import pytest

from medvision.imaging import save_nifti
from medvision.imaging.nifti_texts import date_in, nifti_texts, sidecar_texts


def fields(path):
    return {element.entry.keyword: element.value for element in nifti_texts(path)}


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_fields_and_extensions(tmp_path, kind):
    image = kind(np.zeros((3, 3, 3), np.uint8), np.eye(4))
    image.header["descrip"] = b"TE=2.3;Time=101112.5"
    image.header["aux_file"] = b"doe_jane.par"
    if kind is nib.Nifti1Image:
        image.header["db_name"] = b"Doe Jane"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Jane Doe"))
    nib.save(image, tmp_path / "a.nii.gz")
    found = fields(tmp_path / "a.nii.gz")
    assert found["NIfTI descrip"] == "TE=2.3;Time=101112.5"
    assert found["NIfTI aux_file"] == "doe_jane.par"
    assert found["NIfTI extension 6 (comment)"] == "Jane Doe"
    assert ("NIfTI db_name" in found) == (kind is nib.Nifti1Image)


def test_big_endian(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header["descrip"] = b"hello"
    header.set_data_shape((2, 2, 2))
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4), header=header), tmp_path / "a.nii")
    assert fields(tmp_path / "a.nii")["NIfTI descrip"] == "hello"


def test_a_file_of_this_package_tells_nothing(tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        assert fields(save_nifti(tmp_path / name, np.zeros((2, 2, 2)), np.eye(4))) == {}


def test_the_name_in_a_gzip_header(tmp_path):
    plain = save_nifti(tmp_path / "a.nii", np.zeros((2, 2, 2)), np.eye(4)).read_bytes()
    with (
        (tmp_path / "b.nii.gz").open("wb") as file,
        gzip.GzipFile("doe_jane.nii", "wb", fileobj=file) as packed,
    ):
        packed.write(plain)
    assert fields(tmp_path / "b.nii.gz") == {"name in the gzip header": "doe_jane.nii"}
    with (tmp_path / "c.nii.gz").open("wb") as file, gzip.GzipFile("c.nii", "wb", fileobj=file) as packed:
        packed.write(plain)
    assert fields(tmp_path / "c.nii.gz") == {}


def test_no_nifti(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"x" * 400)
    with pytest.raises(ValueError, match="not a NIfTI file"):
        fields(tmp_path / "a.nii")


def test_sidecars_use_keywords_and_other_names(tmp_path):
    file = tmp_path / "a.json"
    content = {
        "PatientName": "Doe^Jane", "AcquisitionTime": "10:11:12", "EchoTime": 0.01, "PatientID": "",
        "global": {"const": {"AccessionNumber": 7}},
        "list": [{"date_of_birth": "1957-03-02"}], "slices": [1, 2],
    }  # fmt: skip
    file.write_text(json.dumps(content))
    found = {element.entry.keyword: element.value for element in sidecar_texts(file)}
    assert found == {
        "PatientName": "Doe^Jane", "AcquisitionTime": "10:11:12", "AccessionNumber": "7",
        "JSON key date_of_birth": "1957-03-02",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x_19570302.nii", True),
        ("2024-01-31", True),
        ("20241331", False),
        ("120240131", False),
        ("case", False),
    ],
)
def test_dates_in_names(text, expected):
    assert date_in(text) is expected
