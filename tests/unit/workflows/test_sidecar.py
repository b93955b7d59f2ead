"""The sidecar's names and values, with dcm2niix's as the oracle."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import dcm2niix
import pytest
from pydicom import dcmread

from medvision.imaging import Volume, load_volume
from medvision.testing.samples import phantom, sample
from medvision.workflows.sidecar import describe

OURS_ALONE = {"Shape", "SpacingMillimetres", "Orientation", "SourceFileCount"}
SERIES = [
    "mr_study_PGBM-003/11-T1post-18670",
    "mr_study_PGBM-003/36468-FLAIRreg-58706",
    "dicom2nifti/anatomical/001",
    "dicom2nifti/generic/compressed_jpegls",
    "dcm_qa_nih/In/20180918GE/mr_0004",
    "dcm_qa_nih/In/20180918Si/mr_0003",
    "dcm_qa_nih/In/20180918Si/mr_0005",
]


def theirs(source: Path, folder: Path) -> dict[str, Any]:
    """What dcm2niix writes, anonymised as is its default."""
    command = [dcm2niix.bin, "-z", "n", "-f", "x", "-o", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return json.loads(min(folder.glob("*.json")).read_text(encoding="utf-8"))


@pytest.mark.data
@pytest.mark.parametrize("name", SERIES)
def test_equal_names_have_the_values_that_dcm2niix_writes(name: str, data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "dicom" / name
    source = next(iter(sorted(source.glob("*.dcm")))) if not source.is_dir() else source
    volume = first_volume(source)
    ours, oracle = describe(volume), theirs(source, tmp_path)
    shared = {k for k in ours.keys() & oracle.keys() if not k.startswith("ConversionSoftware")}
    assert len(shared) >= 8
    assert {"EchoTime", "RepetitionTime"} <= shared or "ConvolutionKernel" in shared
    for key in shared:
        expected = (
            pytest.approx(oracle[key], rel=1e-5) if isinstance(oracle[key], float | int) else oracle[key]
        )
        assert ours[key] == expected, key


def first_volume(source: Path) -> Volume:
    """The header is that of each volume of a series of several."""
    return load_volume(source, volume_index=0)


@pytest.mark.data
def test_no_name_no_date_no_identifier_unless_asked(data_dir: Path) -> None:
    folder = data_dir / "dicom" / "mr_study_PGBM-003" / "11-T1post-18670"
    volume = load_volume(folder)
    ds = dcmread(next(folder.iterdir()), stop_before_pixels=True)
    secrets = {
        str(element.value)
        for element in ds
        if element.VR in ("DA", "PN", "UI") or element.keyword in ("PatientID", "AccessionNumber", "StudyID")
    } - {"", "None"}
    assert len(secrets) > 5
    told = json.dumps(describe(volume))
    assert [secret for secret in secrets if len(secret) > 3 and secret in told] == []
    shown = describe(volume, show_patient=True)
    assert shown["PatientID"] == "PGBM-003"
    assert shown["SeriesInstanceUID"] == ds.SeriesInstanceUID
    assert set(shown) - set(describe(volume)) == {"PatientID", "StudyInstanceUID", "SeriesInstanceUID"}


def test_a_scan_without_dicom_has_its_grid_alone(tmp_path: Path) -> None:
    path = tmp_path / "scan.nii"
    path.write_bytes(sample("nifti1")["scan.nii"])
    described = describe(load_volume(path))
    assert set(described) == OURS_ALONE | {"Modality", "ConversionSoftware", "ConversionSoftwareVersion"}
    assert described["Shape"] == list(phantom().array.shape)
    assert described["SpacingMillimetres"] == [0.8, 0.8, 2.0]


def test_elements_in_functional_groups_and_several_values(tmp_path: Path) -> None:
    enhanced = dcmread(io.BytesIO(sample("dicom-enhanced")["enhanced.dcm"]))
    enhanced.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = 2.5
    enhanced.ConvolutionKernel, enhanced.Manufacturer = ["B30f", "2"], "SIEMENS Healthineers"
    enhanced.save_as(tmp_path / "a.dcm")
    (tmp_path / "b").mkdir()
    for name, content in sample("dicom-explicit").items():
        (tmp_path / "b" / name).write_bytes(content)
    volume = load_volume(tmp_path / "b")
    moved = replace(volume, provenance=replace(volume.provenance, files=(tmp_path / "a.dcm",)))
    described = describe(moved)
    assert described["SpacingBetweenSlices"] == 2.5
    assert described["SliceThickness"] == 2.0
    assert described["ConvolutionKernel"] == "B30f\\2"
    assert described["Manufacturer"] == "Siemens"
    assert describe(volume)["Manufacturer"] == "medvision.testing"
    assert "EchoTime" not in described
