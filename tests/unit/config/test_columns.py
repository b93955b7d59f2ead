"""No column may tell the label, none has two roles."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (
            "covariates: [diameter_mm, texture]",
            "covariates: [diameter_mm, malignancy_rating]",
            "6:29: cohort.covariates[1]",
        ),
        ("  mask: mask", "  mask: malignancy_rating", "5:9: cohort.mask"),
        ("path: cohort.csv", "path: cohort.csv\n  image: malignancy_rating", "5:10: cohort.image"),
    ],
)
def test_forbidden_columns_in_the_cohort(problems_of, classification, old, new, place):
    assert problems_of(classification.replace(old, new)) == [
        f"study.yaml:{place}: 'malignancy_rating' is listed in cohort.forbidden and must not be used"
    ]


def test_forbidden_columns_in_splits_and_comparators(problems_of, classification):
    text = classification.replace("[diameter_mm, texture]", "[diameter_mm, malignancy_rating]")
    found = problems_of(
        text
        + "split: {stratify_by: [malignancy_rating]}\n"
        + "comparators: [{name: a, covariates: [diameter_mm, malignancy_rating]}]\n"
    )
    assert [problem.split(": ")[1] for problem in found] == [
        "cohort.covariates[1]",
        "split.stratify_by[0]",
        "comparators[0].covariates[1]",
    ]
    assert all("is listed in cohort.forbidden" in problem for problem in found)


def test_the_label_is_no_input(problems_of, classification):
    text = classification.replace("[diameter_mm, texture]", "[diameter_mm, malignant]")
    found = problems_of(
        text + "split: {stratify_by: [malignant]}\ncomparators: [{name: a, covariates: [malignant]}]\n"
    )
    assert [problem.split(": ", 1)[1] for problem in found] == [
        "cohort.covariates[1]: 'malignant' is the label (task.label); it would predict itself",
        "split.stratify_by[0]: 'malignant' is the label (task.label); the folds are balanced by it anyway",
        "comparators[0].covariates[0]: 'malignant' is the label (task.label); it would predict itself",
    ]


def test_the_label_may_be_listed_as_forbidden(problems_of, classification):
    assert problems_of(classification.replace("[malignancy_rating]", "[malignancy_rating, malignant]")) == []


def test_comparators_use_covariates_of_the_cohort(problems_of, classification):
    found = problems_of(classification + "comparators: [{name: a, covariates: [diametre_mm, age]}]\n")
    assert found == [
        "study.yaml:20:38: comparators[0].covariates[0]: 'diametre_mm' is not in cohort.covariates; "
        "did you mean 'diameter_mm'?",
        "study.yaml:20:51: comparators[0].covariates[1]: 'age' is not in cohort.covariates; name it there",
    ]


def test_a_decathlon_has_no_columns(problems_of, segmentation):
    text = segmentation.replace("path: dataset.json", "path: dataset.json, covariates: [age]")
    assert problems_of(text + "split: {stratify_by: [site]}\n") == [
        "study.yaml:2:54: cohort.covariates[0]: an msd cohort has no columns, so no 'age'",
        "study.yaml:9:23: split.stratify_by[0]: an msd cohort has no columns, so no 'site'",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  mask: mask", "  mask: image", "cohort.mask: 'image' is already cohort.image"),
        ("label: malignant", "label: patient_id", "task.label: 'patient_id' is already cohort.patient"),
        (
            "[diameter_mm, texture]",
            "[patient_id]",
            "cohort.covariates[0]: 'patient_id' is already cohort.patient",
        ),
    ],
)
def test_one_column_has_one_role(problems_of, classification, old, new, problem):
    found = problems_of(classification.replace(old, new))
    assert [text.split(": ", 1)[1] for text in found] == [problem]


def test_the_patient_may_name_the_case(problems_of, classification):
    assert problems_of(classification.replace("  mask: mask", "  mask: mask\n  case: patient_id")) == []


def test_nothing_stands_in_a_list_twice(problems_of, classification):
    text = classification.replace("[diameter_mm, texture]", "[diameter_mm, diameter_mm]")
    found = problems_of(
        text.replace("[malignancy_rating]", "[x, x]")
        + "split: {stratify_by: [site, site]}\n"
        + "augmentation: {flip_axes: [0, 0]}\nprediction: {mirror_axes: [1, 2, 1]}\n"
        + "comparators:\n  - {name: a, covariates: [diameter_mm]}\n"
        + "  - {name: a, covariates: [diameter_mm, diameter_mm]}\n"
    )
    assert [problem.split(": ", 1)[1] for problem in found] == [
        "cohort.covariates[1]: 'diameter_mm' stands there twice",
        "cohort.forbidden[1]: 'x' stands there twice",
        "split.stratify_by[1]: 'site' stands there twice",
        "augmentation.flip_axes[1]: 0 stands there twice",
        "prediction.mirror_axes[2]: 1 stands there twice",
        "comparators[1].name: another comparator is called 'a' too",
        "comparators[1].covariates[1]: 'diameter_mm' stands there twice",
    ]
