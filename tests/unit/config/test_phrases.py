"""Plain words for every type of error."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("seed: abc", "9:7: seed: expected a whole number, found 'abc'"),
        ("seed: '5'", "9:7: seed: expected a whole number, found '5'; leave out the quotes"),
        ("seed: 1.5", "9:7: seed: expected a whole number, found 1.5"),
        ("seed: true", "9:7: seed: expected a whole number, found true"),
        ("seed:", "9:1: seed: expected a whole number, found nothing"),
        ("seed: -1", "9:7: seed: must be at least 0, found -1"),
        ("seed: 4294967296", "9:7: seed: must be below 4294967296, found 4294967296"),
        ("title: 5", "9:8: title: expected text, found 5; write it in quotes: '5'"),
        ("title: true", "9:8: title: expected text, found true; write it in quotes: 'true'"),
        ("title: [a]", "9:8: title: expected text, found a list"),
        ("split: 5", "9:8: split: expected a mapping, found 5"),
        ("split:", "9:1: split: expected a mapping, found nothing"),
        ("split: {folds: 1}", "9:16: split.folds: must be at least 2, found 1"),
        ("evaluation: {level: 1}", "9:21: evaluation.level: must be below 1, found 1"),
        ("evaluation: {level: 0.5}", "9:21: evaluation.level: must be above 0.5, found 0.5"),
        ("evaluation: {level: .nan}", "9:21: evaluation.level: expected a finite number, found nan"),
        (
            "preprocessing: {spacing_mm: 1}",
            "9:29: preprocessing.spacing_mm: expected a list, found 1; write [1]",
        ),
        ("preprocessing: {spacing_mm: [1, 1]}", "9:29: preprocessing.spacing_mm: expected 3 values, found 2"),
        ("preprocessing: {spacing_mm: []}", "9:29: preprocessing.spacing_mm: expected 3 values, found 0"),
        (
            "preprocessing: {spacing_mm: [1, 1, 1, 1]}",
            "9:29: preprocessing.spacing_mm: expected 3 values, found 4",
        ),
        (
            "preprocessing: {spacing_mm: [1, 0, 1]}",
            "9:33: preprocessing.spacing_mm[1]: must be above 0, found 0",
        ),
        (
            "preprocessing: {spacing_mm: [1, mm, 1]}",
            "9:33: preprocessing.spacing_mm[1]: expected a number, found 'mm'",
        ),
        ("training: {pad_small: 1}", "9:23: training.pad_small: expected true or false, found 1"),
        ("training: {pad_small: yes}", "9:23: training.pad_small: expected true or false, found 'yes'"),
        (
            "training: {class_weights: balance}",
            "9:27: training.class_weights: expected one of none, balanced, found 'balance'; "
            "did you mean 'balanced'?",
        ),
        ("training: {inner: holdout}", "9:19: training.inner: expected a mapping, found 'holdout'"),
        (
            "training: {inner: {fraction: 0.2}}",
            "9:12: training.inner.kind: missing; write one of holdout, cross_fit (the default is holdout)",
        ),
        (
            "training: {inner: {kind: 3}}",
            "9:26: training.inner.kind: unknown kind 3 (kinds: holdout, cross_fit)",
        ),
        ("comparators: {name: a}", "9:14: comparators: expected a list, found a mapping"),
        ("augmentation: {flip_axes: [3]}", "9:28: augmentation.flip_axes[0]: must be at most 2, found 3"),
        ("epochs: 5", "9:1: epochs: unknown key; it belongs at 'training.epochs'"),
        ("Seed: 5", "9:1: Seed: unknown key; did you mean 'seed'?"),
        ("xyzzy: 5", "9:1: xyzzy: unknown key"),
        ("split: {stratify_by: ['']}", "9:23: split.stratify_by[0]: must not be empty"),
    ],
)
def test_sentences(problems_of, segmentation, line, problem):
    assert problems_of(segmentation + line + "\n") == [f"study.yaml:{problem}"]


def test_alternatives_of_one_value_are_one_sentence(problems_of, classification):
    found = problems_of(classification.replace("label: malignant", "label: malignant\n  positive: [1]"))
    assert found == [
        "study.yaml:11:13: task.positive: expected text or a whole number or true or false, found a list"
    ]


def test_a_list_that_is_too_short(problems_of, classification):
    assert problems_of(classification + "comparators: [{name: a, covariates: []}]\n") == [
        "study.yaml:20:37: comparators[0].covariates: needs 1 or more values, found 0"
    ]


def test_a_name_that_is_no_folder(problems_of, segmentation):
    assert problems_of(segmentation.replace("name: hippocampus", "name: ../a"))[0].startswith(
        "study.yaml:1:7: name: '../a' is not possible here: Name of the run folder: letters, digits"
    )


def test_two_kinds_have_the_key(problems_of, classification):
    assert problems_of(classification.replace("kind: resnet", "kind: resnet\n  channels: [1, 2]")) == [
        "study.yaml:18:3: model.channels: unknown key; only kind unet and dynunet has it"
    ]


def test_a_key_that_is_called_like_the_kind(problems_of, segmentation):
    text = segmentation.replace("  kind: unet", "  unet: 3\n  kind: unet")
    assert problems_of(text) == ["study.yaml:7:3: model.unet: unknown key"]
    assert problems_of(segmentation + "training: {schedule: {kind: cosine, cosine: 1}}\n") == [
        "study.yaml:9:37: training.schedule.cosine: unknown key"
    ]
