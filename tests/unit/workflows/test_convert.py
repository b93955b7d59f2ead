from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medvision.errors import MedvisionError, SeriesError
from medvision.imaging import load_volume
from medvision.testing.samples import phantom, sample
from medvision.workflows.convert import convert


@pytest.fixture
def folder(data_dir: Path) -> Path:
    return data_dir / "dicom" / "mr_study_PGBM-003" / "11-T1post-18670"


@pytest.mark.data
def test_writes_the_volume_and_a_sidecar_without_names_or_dates(folder: Path, tmp_path: Path) -> None:
    out = convert(folder, tmp_path / "t1.nii.gz", sidecar=True)
    volume, image = load_volume(folder), nib.load(out)
    assert np.array_equal(np.asarray(image.dataobj), volume.array)
    assert image.affine == pytest.approx(volume.affine, abs=1e-4)
    sidecar = json.loads((tmp_path / "t1.json").read_text(encoding="utf-8"))
    assert sidecar["Modality"] == "MR"
    assert sidecar["Shape"] == [280, 320, 22]
    assert sidecar["EchoTime"] == 0.0095
    assert sidecar["SourceFileCount"] == 22
    assert "PGBM" not in json.dumps(sidecar)
    convert(folder, out, sidecar=True, overwrite=True, show_patient=True)
    assert json.loads((tmp_path / "t1.json").read_text(encoding="utf-8"))["PatientID"] == "PGBM-003"


@pytest.mark.data
def test_does_not_overwrite_unless_told(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t1.nii.gz"
    out.write_bytes(b"old")
    with pytest.raises(MedvisionError, match=r"t1.nii.gz is there already; pass overwrite"):
        convert(folder, out)
    assert out.read_bytes() == b"old"
    first = convert(folder, out, overwrite=True).read_bytes()
    assert convert(folder, out, overwrite=True).read_bytes() == first


@pytest.mark.parametrize("name", ["nrrd-gz", "mha", "zip-dicom", "zip-nifti", "nifti2", "dicom-rle"])
def test_every_format_becomes_the_same_nifti(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for file, content in sample(name).items():
        (folder / file).write_bytes(content)
    source = folder if len(sample(name)) > 1 else folder / next(iter(sample(name)))
    out = convert(source, tmp_path / "out.nii.gz", sidecar=True)
    image = nib.load(out)
    assert np.array_equal(np.asarray(image.dataobj), phantom().array)
    assert image.affine == pytest.approx(phantom().affine, abs=1e-4)
    sidecar = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert sidecar["Orientation"] == "LPS"
    assert ("ConvolutionKernel" in sidecar) == ("dicom" in name)
    assert sidecar["SourceFileCount"] == (4 if "dicom" in name else 1)


def test_refuses_what_is_no_series(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="no DICOM file in it"):
        convert(tmp_path, tmp_path / "a.nii.gz")
    assert list(tmp_path.iterdir()) == []
