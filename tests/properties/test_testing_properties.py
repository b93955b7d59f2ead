"""What must hold of every phantom, whatever its seed, frame and storage."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.testing import Phantom, Storage, thorax_phantom, write_dicom_series, write_nifti
from medvision.testing.phantom import Grid
from medvision.testing.strategies import volumes

COARSE = {"shape": (34, 34, 22), "spacing_mm": (4.0, 4.0, 4.0)}
seeds = st.integers(0, 2**31)


def phantom_of(array, geometry):
    return Phantom("CT", array, geometry.affine, (array > 0).astype(np.uint8), {"dense": 1}, (), "HFS", 0)


@given(volumes(low=2, high=7), st.booleans(), st.sampled_from(["explicit", "implicit", "rle"]))
def test_a_series_holds_every_voxel_at_its_place_in_space(drawn, signed, syntax):
    array, geometry = drawn
    phantom = phantom_of(array, geometry)
    with tempfile.TemporaryDirectory() as folder:
        write_dicom_series(phantom, folder, storage=Storage(16, signed, transfer_syntax=syntax))
        slices = [pydicom.dcmread(path) for path in Path(folder).iterdir()]
    assert len(slices) == array.shape[2]
    for ds in slices:
        # Equation C.7.6.2.1-1 of PS3.3, for the last pixel of the slice.
        row, column = np.array(ds.ImageOrientationPatient, float).reshape(2, 3)
        down, across = (float(v) for v in ds.PixelSpacing)
        i, j = array.shape[0] - 1, array.shape[1] - 1
        lps = np.array(ds.ImagePositionPatient, float) + row * across * i + column * down * j
        index = Grid(array.shape, geometry.affine).index_of(lps * (-1, -1, 1))
        k = round(float(index[2]))
        np.testing.assert_allclose(index, (i, j, k), atol=1e-6)
        hu = ds.pixel_array.T * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        np.testing.assert_array_equal(hu, array[:, :, k])


@given(volumes(low=2, high=7, right_handed=False))
def test_nifti_holds_every_voxel_at_its_place_in_space(drawn):
    array, geometry = drawn
    with tempfile.TemporaryDirectory() as folder:
        image = nib.load(write_nifti(phantom_of(array, geometry), Path(folder) / "a.nii"))
        np.testing.assert_array_equal(np.asarray(image.dataobj), array)
    np.testing.assert_allclose(image.affine, geometry.affine, atol=1e-3)


@settings(max_examples=12)
@given(seeds, st.lists(st.sampled_from(["benign", "malignant"]), min_size=1, max_size=3), st.booleans())
def test_labels_never_move_or_resize_a_nodule(seed, labels, mirrored):
    view = "left lung" if mirrored else "right lung"
    one = thorax_phantom(seed, labels=labels, view=view, **COARSE)
    two = thorax_phantom(seed, labels=["benign"] * len(labels), view=view, **COARSE)
    np.testing.assert_array_equal(one.mask, two.mask)
    np.testing.assert_array_equal(one.affine, two.affine)
    assert [lesion.label for lesion in one.lesions] == labels
    assert [a.diameter_mm for a in one.lesions] == [b.diameter_mm for b in two.lesions]


@settings(max_examples=12)
@given(seeds, st.sampled_from(["HFS", "HFP", "FFS", "FFP"]))
def test_a_seed_is_one_patient_however_placed(seed, position):
    supine = thorax_phantom(seed, lesions=1, noise_hu=0, **COARSE)
    turned = thorax_phantom(seed, lesions=1, noise_hu=0, patient_position=position, **COARSE)
    flips = tuple(
        slice(None, None, -1 if a != b else 1)
        for a, b in zip(np.sign(np.diag(supine.affine)[:3]), np.sign(np.diag(turned.affine)[:3]), strict=True)
    )
    lungs = [(phantom.array < -600).astype(float) for phantom in (supine, turned)]
    assert (lungs[0] == lungs[1][flips]).mean() > 0.97
