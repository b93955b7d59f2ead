"""What the parts of a study demand of each other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from medvision.config import MsdCohort, ResNetModel, SegmentationTask, Study
from medvision.config.checks import CHECKS


@pytest.mark.parametrize("kind", ["unet", "dynunet"])
def test_networks_that_segment_do_not_classify(problems_of, classification, kind):
    assert problems_of(classification.replace("kind: resnet", f"kind: {kind}"))[0] == (
        f"study.yaml:17:9: model.kind: {kind} segments; "
        "a classification task takes resnet, densenet or custom"
    )


@pytest.mark.parametrize("kind", ["resnet", "densenet"])
def test_networks_that_classify_do_not_segment(problems_of, segmentation, kind):
    text = segmentation.replace("kind: unet", f"kind: {kind}").replace("  channels: [16, 32, 64, 128]\n", "")
    assert problems_of(text) == [
        f"study.yaml:7:9: model.kind: {kind} classifies; a segmentation task takes unet, dynunet or custom"
    ]


def test_a_network_of_ones_own_fits_any_task(problems_of, classification, segmentation):
    own = "kind: custom\n  target: my.nets:Net"
    assert problems_of(classification.replace("kind: resnet", own)) == []
    assert (
        problems_of(segmentation.replace("kind: unet", own).replace("  channels: [16, 32, 64, 128]\n", ""))
        == []
    )


def test_a_decathlon_has_no_labels_of_cases(problems_of, classification):
    _, rest = classification.split("task:")
    text = "name: a\ncohort: {kind: msd, path: dataset.json}\ntask:" + rest
    assert problems_of(text) == [
        "study.yaml:2:16: cohort.kind: msd has masks but no labels of cases; "
        "a classification takes a manifest"
    ]


def test_a_segmentation_needs_masks(problems_of, segmentation):
    text = segmentation.replace("{kind: msd, path: dataset.json}", "{kind: manifest, path: a.csv}")
    assert problems_of(text) == [
        "study.yaml:2:1: cohort.mask: missing; a segmentation learns from a column with masks"
    ]
    assert problems_of(text.replace("path: a.csv", "path: a.csv, mask: seg")) == []


def test_a_crop_around_the_mask_needs_masks(problems_of, classification):
    assert problems_of(classification.replace("  mask: mask\n", "")) == [
        "study.yaml:14:13: preprocessing.crop.around: a crop around the mask needs a column with masks; "
        "name it in cohort.mask"
    ]


def test_a_classification_needs_one_size(problems_of, classification):
    crop = "  crop:\n    kind: center\n    size_voxels: [32, 32, 32]\n    around: mask\n"
    for other, place in (("  crop: {kind: none}\n", "12:16"), ("  crop: {kind: foreground}\n", "12:16")):
        found = problems_of(classification.replace(crop, other))
        assert len(found) == 1
        assert found[0].startswith(f"study.yaml:{place}: preprocessing.crop.kind: ")
        assert "crop: {kind: center, size_voxels: [i, j, k]}" in found[0]


def test_a_classification_takes_no_patches_and_windows(problems_of, classification):
    found = problems_of(
        classification + "  patch_voxels: [16, 16, 16]\nprediction: {window_voxels: [16, 16, 16]}\n"
    )
    assert [problem.split(": ")[1] for problem in found] == [
        "training.patch_voxels",
        "prediction.window_voxels",
    ]


def test_comparators_are_for_classification(problems_of, segmentation):
    found = problems_of(
        segmentation.replace(
            "{kind: msd, path: dataset.json}", "{kind: manifest, path: a.csv, mask: m, covariates: [age]}"
        )
        + "comparators: [{name: age, covariates: [age]}]\n"
    )
    assert found == [
        "study.yaml:9:14: comparators: a regression predicts the label of a case; "
        "leave it out for a segmentation"
    ]


def test_mixup_is_for_classification(problems_of, classification, segmentation):
    mixup = "augmentation: {mixup_alpha: 0.2}\n"
    assert problems_of(classification + mixup) == []
    assert problems_of(segmentation + mixup) == [
        "study.yaml:9:29: augmentation.mixup_alpha: mixes labels of cases; leave it out for a segmentation"
    ]


def test_a_prevalence_is_for_an_enriched_sample(problems_of, classification):
    text = classification.replace("  mask: mask\n", "  mask: mask\n  prevalence: 0.1\n")
    assert problems_of(text)[0].startswith(
        "study.yaml:6:15: cohort.prevalence: has no effect with sampling: cohort"
    )
    assert problems_of(text.replace("prevalence: 0.1", "prevalence: 0.1\n  sampling: enriched")) == []
    # Without a prevalence, PPV and NPV are left out: allowed.
    assert problems_of(text.replace("prevalence: 0.1", "sampling: enriched")) == []


def test_a_loss_without_parts(problems_of, segmentation):
    found = problems_of(segmentation + "training: {dice_weight: 0, cross_entropy_weight: 0}\n")
    assert found == [
        "study.yaml:9:25: training.dice_weight: this and cross_entropy_weight are 0, so nothing is learned"
    ]


def test_a_study_made_in_python_is_checked_too():
    parts = {
        "name": "a",
        "cohort": MsdCohort(kind="msd", path="dataset.json"),
        "task": SegmentationTask(kind="segmentation", labels={"a": 1}),
    }
    with pytest.raises(ValidationError, match="resnet classifies; a segmentation task takes"):
        Study(**parts, model=ResNetModel(kind="resnet"))


def test_a_message_with_braces_is_printed_as_it_is():
    # pydantic fills in templates; a sentence with `{kind: center}` must not be taken for one.
    parts = {
        "name": "a",
        "cohort": {"kind": "manifest", "path": "a.csv"},
        "task": {"kind": "classification", "label": "y"},
        "model": {"kind": "resnet"},
    }
    with pytest.raises(ValidationError, match=r"crop: \{kind: center, size_voxels: \[i, j, k\]\}"):
        Study.model_validate(parts)


def test_every_check_asks_for_parts_that_a_study_has():
    assert {name for names in CHECKS.values() for name in names} <= set(Study.model_fields)


def test_a_segmentation_is_not_shown_where_the_answer_lies(problems_of, segmentation):
    crop = "preprocessing: {crop: {kind: center, size_voxels: [32, 32, 32], around: mask}}\n"
    found = problems_of(segmentation + crop)
    assert len(found) == 1
    assert "preprocessing.crop.around: would show a segmentation where the answer lies" in found[0]
