"""Scans to predict."""

from __future__ import annotations

import pytest

from medvision.cohort import read_images
from medvision.errors import CohortError


def test_scans_need_a_name_and_an_image(manifest, tmp_path):
    scans = read_images(manifest("case_id,image\n007,a.nii\n8,b.nii\n"))
    assert [(scan.case_id, scan.patient_id, scan.mask) for scan in scans] == [
        ("007", "007", None),
        ("8", "8", None),
    ]
    assert scans[0].image == tmp_path / "a.nii"


def test_masks_and_patients_are_used_where_they_are(manifest, tmp_path):
    scans = read_images(manifest("case_id,patient_id,image,mask\n1,p,a.nii,am.nii\n2,p,b.nii,bm.nii\n"))
    assert [scan.patient_id for scan in scans] == ["p", "p"]
    assert scans[1].mask == tmp_path / "bm.nii"


def test_what_is_missing(manifest):
    with pytest.raises(CohortError, match="no column 'image' for the image"):
        read_images(manifest("case_id,path\n1,a.nii\n"))
    with pytest.raises(CohortError, match="there is no image"):
        read_images(manifest("case_id,image\n1,a.nii\n", absent=("a.nii",)))


def test_files_name_scans_that_have_no_name(manifest):
    assert [scan.case_id for scan in read_images(manifest("image\na.nii\nb.nii.gz\n"))] == ["a", "b"]


def test_two_lesions_of_one_image_need_no_patient(manifest):
    scans = read_images(manifest("case_id,image,mask\n1,a.nii,m.nii\n2,a.nii,n.nii\n"))
    assert [(scan.case_id, scan.patient_id) for scan in scans] == [("1", "1"), ("2", "1")]


def test_masks_that_are_not_wanted_may_be_missing(manifest):
    scans = read_images(manifest("case_id,image,mask\n1,a.nii,m.nii\n2,b.nii,\n"), mask=None)
    assert [scan.mask for scan in scans] == [None, None]
