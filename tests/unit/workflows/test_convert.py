from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medvision.errors import MedvisionError, SeriesError
from medvision.imaging import load_volume
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
    assert sidecar["modality"] == "MR"
    assert sidecar["shape"] == [280, 320, 22]
    assert sidecar["echo_time_ms"] == 9.5
    assert sidecar["patient_id"] == "PGBM-003"
    assert sidecar["files"] == 22
    assert not any("name" in key or "date" in key for key in sidecar)


@pytest.mark.data
def test_does_not_overwrite_unless_told(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t1.nii.gz"
    out.write_bytes(b"old")
    with pytest.raises(MedvisionError, match=r"t1.nii.gz is there already; pass overwrite"):
        convert(folder, out)
    assert out.read_bytes() == b"old"
    first = convert(folder, out, overwrite=True).read_bytes()
    assert convert(folder, out, overwrite=True).read_bytes() == first


def test_refuses_what_is_no_series(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="no DICOM file in it"):
        convert(tmp_path, tmp_path / "a.nii.gz")
    assert list(tmp_path.iterdir()) == []
