"""The hash of the pixels does not depend on how they are stored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.imaging import Geometry, Volume, load_volume, reorient, save_nifti
from medvision.imaging.content import voxels_hash
from medvision.testing import brain_phantom, write_dicom_series


@given(st.sampled_from(["LPS", "PIR", "SAL", "RIA"]), st.sampled_from(["<i2", "<f4", "<f8", ">f4"]))
def test_axes_number_type_and_place_do_not_matter(codes, dtype):
    array = np.random.default_rng(0).integers(-1000, 1000, (3, 4, 5)).astype("i2")
    scan = Volume(array, Geometry((3, 4, 5), np.diag([1.0, 2, 3, 1])))
    stored = reorient(scan.with_voxels(array.astype(dtype)), codes)
    assert voxels_hash(stored) == voxels_hash(scan)
    moved = Volume(array, Geometry((3, 4, 5), np.diag([9.0, 1, 1, 1])))
    assert voxels_hash(moved) == voxels_hash(scan)


def test_one_voxel_or_another_shape_does():
    array = np.zeros((2, 2, 4))
    hashes = {voxels_hash(Volume(a, Geometry(a.shape, np.eye(4)))) for a in (array, array.reshape(4, 2, 2))}
    array[0, 0, 0] = 1
    hashes.add(voxels_hash(Volume(array, Geometry((2, 2, 4), np.eye(4)))))
    assert len(hashes) == 3


def test_not_a_number_and_minus_zero_have_one_hash_each():
    grid = Geometry((1, 1, 2), np.eye(4))
    quiet, other = (np.array([bits, 0], np.uint32).view(np.float32) for bits in (0x7FC00000, 0xFFC00001))
    one = voxels_hash(Volume(quiet.reshape(1, 1, 2), grid))
    assert one == voxels_hash(Volume(other.reshape(1, 1, 2), grid))
    assert one == voxels_hash(Volume(np.array([[[np.nan, -0.0]]]), grid))


@pytest.mark.parametrize("compressed", ["a.nii", "a.nii.gz"])
def test_dicom_and_nifti_of_one_scan_have_one_hash(tmp_path, compressed):
    phantom = brain_phantom(0, shape=(12, 14, 10))
    write_dicom_series(phantom, tmp_path / "dicom")
    series = load_volume(tmp_path / "dicom")
    file = save_nifti(tmp_path / compressed, series.array, series.affine)
    assert voxels_hash(load_volume(file)) == voxels_hash(series)
    turned = reorient(series, "SAL")
    file = save_nifti(tmp_path / f"turned_{compressed}", turned.array, turned.affine)
    assert voxels_hash(load_volume(file)) == voxels_hash(series)
