from __future__ import annotations

import numpy as np
import pydicom
import pytest

from medvision.testing import apply_fault, write_dicom_series


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


def test_constant_image(series):
    folder, _ = series
    apply_fault(folder, "constant_image")
    assert {int(v) for ds in read(folder) for v in np.unique(ds.pixel_array)} == {0}
