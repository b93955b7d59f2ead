from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from medvision.testing import brain_phantom, thorax_phantom, write_nifti


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_image_and_affine_come_back(tmp_path, end):
    phantom = brain_phantom(1, shape=(30, 44, 30), spacing_mm=(1.1, 0.9, 1.3), oblique_deg=9)
    image = nib.load(write_nifti(phantom, tmp_path / "new" / f"mr{end}"))
    assert image.get_data_dtype() == np.int16
    np.testing.assert_array_equal(np.asarray(image.dataobj), phantom.array)
    np.testing.assert_allclose(image.affine, phantom.affine, atol=1e-5)
    np.testing.assert_allclose(image.get_qform(), phantom.affine, atol=1e-4)
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    assert image.header.get_xyzt_units() == ("mm", "sec")


def test_one_structure_of_the_mask(tmp_path):
    phantom = thorax_phantom(2, lesions=3, shape=(38, 38, 24), spacing_mm=(3.6, 3.6, 3.4))
    whole = nib.load(write_nifti(phantom, tmp_path / "all.nii.gz", what="mask"))
    second = nib.load(write_nifti(phantom, tmp_path / "two.nii.gz", what="mask", structure=2))
    assert set(np.unique(np.asarray(whole.dataobj))) == {0, 1, 2, 3}
    np.testing.assert_array_equal(np.asarray(second.dataobj), phantom.mask == 2)


def test_the_same_phantom_gives_the_same_bytes(tmp_path, small_ct):
    one, two = (write_nifti(small_ct, tmp_path / name / "ct.nii.gz") for name in "ab")
    assert one.read_bytes() == two.read_bytes()
