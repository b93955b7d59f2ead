"""The confusion matrix of several classes against scikit-learn and against single proportions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score

from medvision.errors import EvaluationError
from medvision.evaluation.class_confusion import multiclass_accuracy
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.proportions import proportion


def _cases() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    labels = rng.choice(["a", "b", "c"], 120, p=[0.5, 0.3, 0.2])
    return labels, np.where(rng.random(120) < 0.7, labels, rng.choice(["a", "b", "c"], 120))


def test_against_scikit_learn() -> None:
    labels, called = _cases()
    found = multiclass_accuracy(labels, called, resamples=200)
    assert np.array_equal(found.confusion, confusion_matrix(labels, called))
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, called))
    assert found.macro_f1.value == pytest.approx(f1_score(labels, called, average="macro"))
    assert found.accuracy == proportion(int((labels == called).sum()), 120)
    assert found.sensitivity["b"] == proportion(
        int(((labels == "b") & (called == "b")).sum()), int((labels == "b").sum())
    )
    assert found.specificity["c"].value == pytest.approx(np.mean(called[labels != "c"] != "c"))
    assert sum(found.shares["a", other].value for other in "abc") == pytest.approx(1)
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high


def test_patients_with_several_units_are_clusters() -> None:
    labels, called = _cases()
    patients = np.arange(120) // 3
    found = multiclass_accuracy(labels, called, patients=patients, resamples=50)
    assert found.accuracy.standard_error == pytest.approx(
        clustered_proportion(labels == called, patients).standard_error
    )
    assert found.accuracy.n_patients == 40


def test_a_class_that_nobody_has_is_undefined() -> None:
    labels, called = _cases()
    found = multiclass_accuracy(labels, called, classes=["a", "b", "c", "d"], resamples=50)
    assert found.sensitivity["d"].status == "undefined_no_units"
    assert math.isnan(found.balanced_accuracy.value)
    with pytest.raises(EvaluationError, match="predictions that are no class: z"):
        multiclass_accuracy(labels, np.where(called == "a", "z", called), classes=["a", "b", "c"])


def test_shares_of_the_classes_vary_in_a_cohort() -> None:
    labels = np.repeat(["a", "b"], [180, 20])
    called = np.where(np.arange(200) % 10 < 2, "b", "a")
    called[180:] = np.where(np.arange(20) < 15, "b", "a")
    cohort, enriched = (multiclass_accuracy(labels, called, sampling=how) for how in ("cohort", "enriched"))
    assert cohort.macro_f1.standard_error > 1.1 * enriched.macro_f1.standard_error
    assert cohort.balanced_accuracy == enriched.balanced_accuracy
    with pytest.raises(EvaluationError, match="sampling"):
        multiclass_accuracy(labels, called, sampling="random")


def test_without_units_or_classes_it_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no units"):
        multiclass_accuracy([], [])
