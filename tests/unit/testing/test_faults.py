from __future__ import annotations

from typing import get_args

import pytest

from medvision.errors import MedvisionError
from medvision.testing import DicomFault, NiftiFault, apply_fault, write_dicom_series, write_nifti


def test_missing_file_deletes_folder_or_file(series, tmp_path, small_ct):
    folder, _ = series
    assert apply_fault(folder, "missing_file") == (folder,)
    assert not folder.exists()
    path = write_nifti(small_ct, tmp_path / "ct.nii.gz")
    apply_fault(path, "missing_file")
    assert not path.exists()


@pytest.mark.parametrize("fault", sorted(set(get_args(DicomFault)) - {"missing_file"}))
def test_a_fault_is_repeatable_and_names_what_it_touched(tmp_path, small_ct, fault):
    contents = []
    for name in "ab":
        paths = write_dicom_series(small_ct, tmp_path / name)
        before = {path: path.read_bytes() for path in paths}
        touched = apply_fault(tmp_path / name, fault, seed=3)
        after = {path: path.read_bytes() for path in (tmp_path / name).iterdir()}
        changed = {p for p in {*before, *after} if before.get(p) != after.get(p)}
        assert changed == set(touched)
        contents.append({path.name: content for path, content in after.items()})
    assert contents[0] == contents[1]


def test_what_cannot_be_broken_is_refused(tmp_path, series, mask, small_ct):
    with pytest.raises(MedvisionError, match="does not exist"):
        apply_fault(tmp_path / "nothing", "nan")
    with pytest.raises(
        MedvisionError, match="'nan' is no fault of a DICOM series; choose one of missing_slice"
    ):
        apply_fault(series[0], "nan")
    with pytest.raises(MedvisionError, match="'missing_slice' is no fault of a NIfTI file"):
        apply_fault(mask, "missing_slice")
    few = tmp_path / "few"
    few.mkdir()
    for path in series[1][:4]:
        path.rename(few / path.name)
    with pytest.raises(MedvisionError, match="has 4 slices"):
        apply_fault(few, "missing_slice")


def test_every_fault_is_described():
    for fault in {*get_args(DicomFault), *get_args(NiftiFault)}:
        assert f"``{fault}``" in str(apply_fault.__doc__)
