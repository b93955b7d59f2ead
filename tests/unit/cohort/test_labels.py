"""Binary labels."""

from __future__ import annotations

import pytest

from medvision.cohort.labels import binary_labels, too_few_patients


def read(values, positive=1, negative=None):
    names = [f"row {row}" for row in range(len(values))]
    return binary_labels(values, column="y", positive=positive, negative=negative, names=names)


@pytest.mark.parametrize(
    ("values", "positive", "negative", "labels"),
    [
        (["1", "0"], 1, None, [1, 0]),
        (["1.0", "0.0"], 1, None, [1, 0]),
        ([1.0, 0.0], 1, None, [1, 0]),
        ([True, False], 1, None, [1, 0]),
        (["True", "False"], True, None, [1, 0]),
        (["true", "FALSE"], 1, None, [1, 0]),
        (["yes", "no"], "yes", None, [1, 0]),
        (["yes", "no"], "no", None, [0, 1]),
        (["benign", "malignant"], "malignant", "benign", [0, 1]),
        (["2", "1"], 2, 1, [1, 0]),
        (["1", "0"], "1", "0", [1, 0]),
        (["-1", "1"], 1, -1, [0, 1]),
    ],
)
def test_values(values, positive, negative, labels):
    assert read(values, positive, negative) == (labels, [])


@pytest.mark.parametrize(
    ("values", "positive", "negative", "problem"),
    [
        (["1", None], 1, 0, "row 1: the label 'y' is empty"),
        (["1", "0", "2"], 1, None, "the label 'y' has 3 values ('1', '0', '2'); name the negative one too"),
        (["1", "0", "2"], 1, 0, "row 2: the label 'y' is '2', neither 1 nor 0"),
        (["1", "1"], 1, None, "the label 'y' has one value only; it holds '1'"),
        (["1", "1"], 1, 0, "the label 'y' never is 0, the negative value; it holds '1'"),
        (
            ["Yes", "no"],
            "yes",
            "no",
            "the label 'y' never is 'yes', the positive value; it holds 'Yes', 'no'",
        ),
        (["0", "0"], 1, None, "the label 'y' never is 1, the positive value; it holds '0'"),
        (["b", "m"], 1, "m", "the label 'y' never is 1, the positive value; it holds 'b', 'm'"),
        ([None, None], 1, None, "row 0: the label 'y' is empty"),
        (["b", "m"], 1, None, "the label 'y' never is 1, the positive value; it holds 'b', 'm'"),
    ],
)
def test_refusals(values, positive, negative, problem):
    _, problems = read(values, positive, negative)
    assert any(text.startswith(problem) for text in problems), problems


def test_classes_with_fewer_patients_than_folds():
    patients = ["a", "a", "a", "b", "c", "d"]
    labels = [1, 1, 1, 0, 0, 1]
    assert too_few_patients(patients, labels, 2) == []
    assert too_few_patients(patients, labels, 3) == [
        "class 0 has 2 patients, and 3 folds need at least 3",
        "class 1 has 2 patients, and 3 folds need at least 3",
    ]
