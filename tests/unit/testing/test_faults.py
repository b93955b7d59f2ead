from __future__ import annotations

from typing import get_args

import nibabel as nib
import numpy as np
import pydicom
import pytest

from medvision.errors import MedvisionError
from medvision.testing import DicomFault, NiftiFault, Storage, apply_fault, write_dicom_series, write_nifti


@pytest.fixture
def series(tmp_path, small_ct):
    """A folder with 20 slices, and their paths in the order of their positions."""
    return tmp_path / "series", write_dicom_series(small_ct, tmp_path / "series")


def read(folder):
    slices = [pydicom.dcmread(path) for path in folder.iterdir()]
    return sorted(slices, key=lambda ds: float(ds.ImagePositionPatient[2]))


def heights(folder):
    return np.array([float(ds.ImagePositionPatient[2]) for ds in read(folder)])


def test_missing_slice_leaves_a_gap(series):
    folder, paths = series
    (gone,) = apply_fault(folder, "missing_slice")
    assert gone in paths[2:-2]
    assert sorted(np.round(np.diff(heights(folder)), 6)) == [2.0] * 17 + [4.0]


def test_another_seed_takes_another_slice(tmp_path, small_ct):
    gone = set()
    for seed in range(6):
        write_dicom_series(small_ct, tmp_path)
        gone.add(apply_fault(tmp_path, "missing_slice", seed=seed)[0].name)
    assert len(gone) > 2


def test_duplicated_position(series):
    folder, _ = series
    apply_fault(folder, "duplicated_position")
    slices = read(folder)
    assert len(slices) == len({ds.SOPInstanceUID for ds in slices}) == 21
    assert len(set(heights(folder))) == 20
    assert len({ds.SeriesInstanceUID for ds in slices}) == 1


def test_uneven_positions(series):
    folder, _ = series
    apply_fault(folder, "uneven_positions")
    np.testing.assert_allclose(sorted(np.diff(heights(folder)))[::18], [1.2, 2.8])


def test_mixed_series(series):
    folder, _ = series
    apply_fault(folder, "mixed_series")
    numbers = [ds.SeriesInstanceUID for ds in read(folder)]
    assert sorted(numbers.count(uid) for uid in set(numbers)) == [10, 20]
    assert len({ds.StudyInstanceUID for ds in read(folder)}) == 1


def test_mixed_spacing(series):
    folder, _ = series
    apply_fault(folder, "mixed_spacing")
    assert [[float(v) for v in ds.PixelSpacing] for ds in read(folder)] == [[1.1, 1.3]] * 14 + [
        [1.375, 1.625]
    ] * 6


def test_mixed_orientation(series):
    folder, _ = series
    apply_fault(folder, "mixed_orientation")
    seen = [[float(v) for v in ds.ImageOrientationPatient] for ds in read(folder)]
    assert seen == [[1, 0, 0, 0, 1, 0]] * 14 + [[1, 0, 0, 0, 0, -1]] * 6


def test_mixed_shape(series):
    folder, _ = series
    apply_fault(folder, "mixed_shape")
    shapes = [ds.pixel_array.shape for ds in read(folder)]
    assert shapes.count((56, 64)) == 19
    assert shapes.count((28, 64)) == 1


def test_gantry_tilt_turns_the_slices_and_not_the_table(series):
    folder, _ = series
    before = heights(folder)
    apply_fault(folder, "gantry_tilt")
    slices = read(folder)
    np.testing.assert_array_equal(heights(folder), before)
    row, column = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(row, column)
    step = np.subtract(slices[1].ImagePositionPatient, slices[0].ImagePositionPatient)
    angle = np.degrees(np.arccos(normal @ step / np.linalg.norm(step)))
    assert angle == pytest.approx(15)
    assert row @ column == pytest.approx(0)


def test_missing_position(series):
    folder, _ = series
    (path,) = apply_fault(folder, "missing_position")
    lacking = [p for p in folder.iterdir() if "ImagePositionPatient" not in pydicom.dcmread(p)]
    assert lacking == [path]


def test_wrong_patient(series):
    folder, _ = series
    apply_fault(folder, "wrong_patient")
    names = [ds.PatientID for ds in read(folder)]
    assert sorted(names.count(name) for name in set(names)) == [1, 19]


def test_truncated_file(series):
    folder, paths = series
    sizes = {path: path.stat().st_size for path in paths}
    (path,) = apply_fault(folder, "truncated_file")
    assert path.stat().st_size == int(0.6 * sizes[path])
    with pytest.raises((ValueError, AttributeError, EOFError)):
        _ = pydicom.dcmread(path).pixel_array


def test_not_dicom_and_stray_file(series):
    folder, _ = series
    (stray,) = apply_fault(folder, "stray_file")
    (page,) = apply_fault(folder, "not_dicom")
    assert {p for p in folder.iterdir() if not pydicom.misc.is_dicom(p)} == {stray, page}
    assert len(list(folder.iterdir())) == 21


@pytest.mark.parametrize("storage", [Storage(), Storage(12, False, transfer_syntax="rle")])
def test_burned_in_label_writes_into_every_slice(tmp_path, small_ct, storage):
    write_dicom_series(small_ct, tmp_path, storage=storage)
    before = np.stack([ds.pixel_array for ds in read(tmp_path)])
    apply_fault(tmp_path, "burned_in_label", text="HI")
    after = np.stack([ds.pixel_array for ds in read(tmp_path)])
    changed = (before != after).any(axis=0)
    assert (after[:, changed] == before.max()).all()
    # H (5 7 5 5 5... as rows of dots) and I, three columns each with one between them, four pixels a dot.
    letters = ["101.111", "101..1.", "111..1.", "101..1.", "101.111"]
    wanted = np.kron([[c == "1" for c in row] for row in letters], np.ones((4, 4))).astype(bool)
    np.testing.assert_array_equal(changed[2:22, 2:30], wanted)
    assert changed.sum() == wanted.sum()


def test_burned_in_text_has_letters_only(series):
    with pytest.raises(MedvisionError, match="must be letters A to Z"):
        apply_fault(series[0], "burned_in_label", text="Ä1")


def test_constant_image(series):
    folder, _ = series
    apply_fault(folder, "constant_image")
    assert {int(v) for ds in read(folder) for v in np.unique(ds.pixel_array)} == {0}


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


@pytest.fixture
def mask(tmp_path, small_ct):
    return write_nifti(small_ct, tmp_path / "mask.nii.gz", what="mask")


def array_of(path):
    return np.asarray(nib.load(path).dataobj)


def test_faults_of_a_nifti_mask(mask, small_ct):
    apply_fault(mask, "mask_values")
    assert set(np.unique(array_of(mask))) == {0, 1, 7}
    assert ((array_of(mask) > 0) == (small_ct.mask > 0)).all()
    write_nifti(small_ct, mask, what="mask")
    apply_fault(mask, "mask_shape")
    assert array_of(mask).shape == (64, 56, 19)
    write_nifti(small_ct, mask, what="mask")
    apply_fault(mask, "mask_affine")
    np.testing.assert_allclose(nib.load(mask).affine[:3, 3] - small_ct.affine[:3, 3], 5, atol=1e-4)
    write_nifti(small_ct, mask, what="mask")
    apply_fault(mask, "empty_mask")
    assert not array_of(mask).any()


def test_faults_of_a_nifti_image(tmp_path, small_ct):
    path = write_nifti(small_ct, tmp_path / "ct.nii.gz")
    apply_fault(path, "nan")
    assert 0 < np.isnan(array_of(path)).mean() < 0.1
    write_nifti(small_ct, path)
    apply_fault(path, "constant_image")
    assert np.unique(array_of(path)).tolist() == [0]
    write_nifti(small_ct, path)
    apply_fault(path, "truncated_file")
    with pytest.raises((EOFError, OSError, ValueError)):
        array_of(path)


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
