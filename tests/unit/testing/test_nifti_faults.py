from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medvision.testing import apply_fault, write_nifti


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
