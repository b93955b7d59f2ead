from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
import pytest
from pydicom import dcmread

from medvision.errors import GeometryError, MedvisionError, RunError, SeriesError
from medvision.imaging import load_volume, save_nifti
from medvision.testing import brain_phantom, thorax_phantom, write_dicom_series
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


def test_every_volume_becomes_one_4d_file_with_its_gradients(tmp_path: Path) -> None:
    """Four volumes of one diffusion series, as dcm2niix writes them too."""
    scan = brain_phantom(1, shape=(24, 24, 8))
    directions = [None, [1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, 1.0, 0.0]]
    for number, direction in enumerate(directions):
        for file in write_dicom_series(scan, tmp_path / "dwi" / str(number)):
            ds = dcmread(file)
            ds.Manufacturer, ds.AcquisitionNumber = "SIEMENS", number + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{number}"
            ds.InstanceNumber += 100 * number
            ds.AcquisitionTime = f"10{number:02d}00"
            ds.PixelData = (ds.pixel_array + number).astype(ds.pixel_array.dtype).tobytes()
            block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
            block.add_new(0x0C, "IS", "1000" if direction else "0")
            if direction:
                block.add_new(0x0E, "FD", direction)
            ds.save_as(file)
    out = convert(tmp_path / "dwi", tmp_path / "dwi.nii.gz", every_volume=True, split_by="AcquisitionNumber")
    image = nib.load(out)
    assert image.shape == (24, 24, 8, 4)
    lowest = np.asarray(image.dataobj).min(axis=(0, 1, 2)) - scan.array.min()
    assert lowest.tolist() == [0, 1, 2, 3]
    words = [dcm2niix.bin, "-f", "theirs", "-o", str(tmp_path), str(tmp_path / "dwi")]
    subprocess.run(words, check=True, capture_output=True)
    assert np.array_equal(np.loadtxt(tmp_path / "dwi.bval"), np.loadtxt(tmp_path / "theirs.bval"))
    # dcm2niix stores rows the other way round, so its second axis and FSL's mirrored first one differ.
    ours = np.loadtxt(tmp_path / "dwi.bvec").T
    theirs = np.loadtxt(tmp_path / "theirs.bvec").T
    in_patient = [
        vectors
        * (np.array([-1, 1, 1]) if np.linalg.det(affine[:3, :3]) > 0 else 1)
        @ (affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)).T
        for vectors, affine in ((ours, image.affine), (theirs, nib.load(tmp_path / "theirs.nii").affine))
    ]
    assert in_patient[0] == pytest.approx(in_patient[1], abs=1e-5)


def test_gradients_are_not_replaced_unless_told_and_those_of_another_scan_go(tmp_path: Path) -> None:
    echoes = np.zeros((4, 4, 4, 2), np.int16)
    scan = save_nifti(tmp_path / "echoes.nii", echoes, np.eye(4))
    for suffix in ("bval", "bvec"):
        (tmp_path / f"out.{suffix}").write_text("0 1000\n")
    with pytest.raises(MedvisionError, match=r"out.bval and \S+out.bvec is there already; pass overwrite"):
        convert(scan, tmp_path / "out.nii", every_volume=True)
    assert (tmp_path / "out.bval").read_text() == "0 1000\n"
    convert(scan, tmp_path / "out.nii", every_volume=True, overwrite=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["echoes.nii", "out.nii"]


def test_what_cannot_be_written_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    scan = save_nifti(tmp_path / "a.nii", np.zeros((4, 4, 4), np.int16), np.eye(4))
    with pytest.raises(RunError, match=r"a\.nii/b\.nii: File exists; mend that"):
        convert(scan, scan / "b.nii")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, hard))
    try:
        with pytest.raises(RunError, match=r"b\.nii: File too large"):
            convert(scan, tmp_path / "b.nii")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == [scan]


def test_volumes_on_grids_of_their_own_are_not_stacked(tmp_path: Path) -> None:
    scan = thorax_phantom(1, shape=(48, 48, 16), lesions=1)
    files = write_dicom_series(scan, tmp_path / "ct")
    for file in files[6:8]:
        file.unlink()
    with pytest.raises(GeometryError, match="2 of 2 volumes lie on grids of their own"):
        convert(tmp_path / "ct", tmp_path / "ct.nii", every_volume=True, on_gap="split")
    assert not (tmp_path / "ct.nii").exists()
