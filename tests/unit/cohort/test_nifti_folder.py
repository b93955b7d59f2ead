"""Which files are images, which masks, and which belong together."""

import pytest

from medvision.cohort.nifti_folder import read_nifti_folder
from medvision.errors import CohortError


def made(folder, *names):
    for name in names:
        path = folder / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder.resolve()


def pairs(found, root):
    masks = found.columns.get("mask", [None] * len(found.columns["image"]))
    shorten = lambda value: None if value is None else value[len(str(root)) + 1 :].removesuffix(".nii.gz")  # noqa: E731
    return {shorten(image): shorten(mask) for image, mask in zip(found.columns["image"], masks, strict=True)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["imagesTr/a", "labelsTr/a"], {"imagesTr/a": "labelsTr/a"}),
        (["imagesTr/a_0000", "labelsTr/a"], {"imagesTr/a_0000": "labelsTr/a"}),
        (["images/a", "masks/a_mask"], {"images/a": "masks/a_mask"}),
        (["a", "a_seg"], {"a": "a_seg"}),
        (["a_image", "a_label"], {"a_image": "a_label"}),
        (["p1/image", "p1/mask", "p2/image"], {"p1/image": "p1/mask", "p2/image": None}),
        (["p1/ct", "p1/ct-segmentation"], {"p1/ct": "p1/ct-segmentation"}),
        (["a", "b"], {"a": None, "b": None}),
        ([".hidden", "a", ".cache/b"], {"a": None}),
    ],
)
def test_masks_are_paired_by_name(tmp_path, names, expected):
    root = made(tmp_path, *names)
    assert pairs(read_nifti_folder(tmp_path), root) == expected


def test_what_does_not_pair_is_listed(tmp_path):
    made(
        tmp_path, "images/a", "images/b", "images/c", "labels/a", "labels/b_seg", "labels/b_mask", "labels/z"
    )
    found = read_nifti_folder(tmp_path)
    notes = " ".join(found.assumed)
    assert "1 images have no mask: c" in notes
    assert "1 images have several masks, so none was taken: b" in notes
    assert "1 masks belong to no image and are left out: labels/z.nii.gz" in notes


def test_folders_of_patients_name_the_cases(tmp_path):
    made(tmp_path, "p1/image", "p2/image", "p2/mask")
    assert read_nifti_folder(tmp_path).columns["case_id"] == ["p1", "p2"]


def test_channels_and_patterns(tmp_path):
    made(tmp_path, "images/a_0000", "images/a_0001", "labels/a")
    found = read_nifti_folder(tmp_path)
    assert found.columns["case_id"] == ["a"]
    assert "of the channels 0000, 0001 only 0000 is used" in " ".join(found.assumed)
    only = read_nifti_folder(tmp_path, images="*_0001*")
    assert len(only.columns["image"]) == 1
    assert "1 files do not fit '*_0001*'" in " ".join(only.assumed)


def test_nothing_and_too_much_are_refused(tmp_path):
    with pytest.raises(CohortError, match="no NIfTI image in it"):
        read_nifti_folder(tmp_path)
    made(tmp_path, "images/a", "scans/a")
    with pytest.raises(CohortError, match="1 cases have several images") as caught:
        read_nifti_folder(tmp_path)
    assert "images/a.nii.gz, scans/a.nii.gz" in str(caught.value)
    with pytest.raises(CohortError, match=r"that fits '\*q\*'"):
        read_nifti_folder(tmp_path, images="*q*")
