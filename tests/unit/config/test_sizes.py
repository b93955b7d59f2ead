"""Sizes that a network can take."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("kind", ["unet", "dynunet"])
@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ([48, 50, 48], [48, 48, 48]),
        ([48, 52, 48], [48, 56, 48]),  # half way: the larger one
        ([3, 48, 48], [8, 48, 48]),
        ([15, 17, 20], [16, 16, 24]),
    ],
)
def test_sizes_are_divisible_by_the_stride(problems_of, segmentation, kind, size, nearest):
    text = segmentation.replace("unet", kind) + f"training: {{patch_voxels: {size}}}\n"
    assert problems_of(text) == [
        f"study.yaml:9:26: training.patch_voxels: {size} must be divisible by 8 ({kind} with 4 levels); "
        f"the nearest is {nearest}"
    ]


def test_each_size_that_the_network_meets_is_checked(problems_of, segmentation):
    crop = "preprocessing: {crop: {kind: center, size_voxels: [44, 64, 64]}}\n"
    patch = "training: {patch_voxels: [36, 40, 48]}\n"
    window = "prediction: {window_voxels: [40, 44, 48]}\n"
    paths = [problem.split(": ")[1] for problem in problems_of(segmentation + crop + patch + window)]
    # With patches and windows the network never meets the crop as a whole.
    assert paths == ["training.patch_voxels", "prediction.window_voxels"]
    paths = [problem.split(": ")[1] for problem in problems_of(segmentation + crop + window)]
    assert paths == ["preprocessing.crop.size_voxels", "prediction.window_voxels"]
    assert problems_of(segmentation + crop.replace("44", "48")) == []


def test_the_number_of_levels_counts(problems_of, segmentation):
    text = segmentation.replace("[16, 32, 64, 128]", "[16, 32]") + "training: {patch_voxels: [30, 32, 34]}\n"
    assert problems_of(text) == []


def test_one_voxel_at_the_lowest_level_has_no_instance_norm(problems_of, segmentation):
    text = segmentation + "training: {patch_voxels: [8, 8, 8]}\n"
    assert "training.patch_voxels: [8, 8, 8] leaves one voxel at the lowest level" in problems_of(text)[0]
    assert problems_of(text.replace("[8, 8, 8]", "[8, 8, 16]")) == []
    assert problems_of(text.replace("[16, 32, 64, 128]", "[16, 32, 64, 128]\n  norm: batch")) == []


def test_a_densenet_does_not_pool_to_nothing(problems_of, classification):
    # Four blocks halve five times: 29 → 15 → 8 → 4 → 2 → 1, but 28 → 14 → 7 → 3 → 1 → 0.
    text = classification.replace("kind: resnet", "kind: densenet").replace("[32, 32, 32]", "[32, 28, 32]")
    assert problems_of(text) == [
        "study.yaml:14:18: preprocessing.crop.size_voxels: [32, 28, 32] is too small for a densenet "
        "with 4 blocks: every side needs 29 or more"
    ]
    assert problems_of(text.replace("28", "29")) == []


def test_a_patch_fits_into_the_crop(problems_of, segmentation):
    text = segmentation + (
        "preprocessing: {crop: {kind: center, size_voxels: [32, 32, 32]}}\n"
        "training: {patch_voxels: [32, 40, 32]}\n"
        "prediction: {window_voxels: [32, 32, 32]}\n"
    )
    assert problems_of(text) == [
        "study.yaml:10:26: training.patch_voxels: [32, 40, 32] is larger than "
        "preprocessing.crop.size_voxels [32, 32, 32]"
    ]
    assert problems_of(text.replace("[32, 40, 32]", "[32, 40, 32], pad_small: true")) == []
