"""Several classes against scikit-learn, and against the functions for two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, top_k_accuracy_score

from medvision.errors import EvaluationError
from medvision.evaluation.multiclass import multiclass_auroc, multilabel_auroc, top_k_accuracy
from medvision.evaluation.roc import auroc


def _cases(n: int = 150, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())
    scores = np.exp(rng.normal(size=(n, k)) + np.eye(k)[labels])
    return labels, np.round(scores / scores.sum(axis=1, keepdims=True), 3)


def test_against_scikit_learn() -> None:
    labels, scores = _cases()
    whole = scores / scores.sum(axis=1, keepdims=True)
    found = multiclass_auroc(labels, whole, resamples=50)
    for average in ("macro", "weighted"):
        expected = roc_auc_score(labels, whole, multi_class="ovr", average=average)
        assert getattr(found, average).value == pytest.approx(expected, abs=1e-12)
    expected = roc_auc_score(labels, whole, multi_class="ovo", average="macro")  # Hand and Till 2001
    assert found.hand_till.value == pytest.approx(expected, abs=1e-12)
    assert found.per_class["1"].high == pytest.approx(auroc(labels == 1, whole[:, 1]).high, abs=1e-12)


def test_two_classes_are_the_plain_area() -> None:
    labels, scores = _cases(k=2)
    both = np.column_stack([1 - scores[:, 1], scores[:, 1]])
    found, plain = multiclass_auroc(labels, both, resamples=50), auroc(labels, scores[:, 1])
    for area in (found.macro, found.weighted, found.hand_till):
        assert area.value == pytest.approx(plain.value, abs=1e-12)


@given(st.permutations([0, 1, 2]), st.integers(0, 20))
def test_the_order_of_classes_and_of_rows_does_not_matter(order: list[int], seed: int) -> None:
    labels, scores = _cases(60, seed=seed)
    found = multiclass_auroc(labels, scores, classes=[0, 1, 2], resamples=50)
    rows = np.random.default_rng(seed).permutation(60)
    moved = multiclass_auroc(labels[rows], scores[rows][:, order], classes=order, resamples=50)
    for name, area in moved.per_class.items():
        assert (area.value, area.low) == pytest.approx(
            (found.per_class[name].value, found.per_class[name].low)
        )
    assert moved.macro.value == pytest.approx(found.macro.value, abs=1e-12)
    by_rows = multiclass_auroc(labels[rows], scores[rows], classes=[0, 1, 2], resamples=50)
    limits = (by_rows.macro.low, by_rows.hand_till.high)
    assert limits == pytest.approx((found.macro.low, found.hand_till.high), abs=1e-12)


def test_rows_of_one_patient_count_once() -> None:
    labels, scores = _cases(80)
    patients = np.arange(80)
    twice = multiclass_auroc(
        np.tile(labels, 2), np.tile(scores, (2, 1)), patients=np.tile(patients, 2), resamples=400
    )
    once = multiclass_auroc(labels, scores, patients=patients, resamples=400)
    assert twice.macro.standard_error == pytest.approx(once.macro.standard_error, rel=0.15)
    assert twice.macro.n_patients == 80


def test_a_class_without_cases_is_undefined() -> None:
    labels, scores = _cases()
    labels = np.where(labels == 0, 1, labels)
    found = multiclass_auroc(labels, scores, classes=[0, 1, 2], resamples=50)
    assert (found.per_class["0"].status, found.macro.status) == ("one_class", "class_without_cases")
    assert math.isnan(found.macro.value)
    assert not math.isnan(found.per_class["2"].value)


def test_several_labels_a_case() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random((90, 3)) < 0.4).astype(int)
    scores = labels + rng.normal(size=(90, 3))
    areas, mean = multilabel_auroc(labels, scores, names=["effusion", "nodule", "mass"], resamples=200)
    assert mean.value == pytest.approx(roc_auc_score(labels, scores, average="macro"), abs=1e-12)
    assert areas["nodule"].low == pytest.approx(auroc(labels[:, 1], scores[:, 1]).low, abs=1e-12)
    assert mean.low < mean.value < mean.high
    labels[:, 2] = 0
    areas, mean = multilabel_auroc(labels, scores, resamples=50)
    assert mean.status == "1_of_3_labels_undefined"
    assert mean.value == pytest.approx(roc_auc_score(labels[:, :2], scores[:, :2], average="macro"))


def test_top_k_against_scikit_learn() -> None:
    labels, scores = _cases(k=5)
    scores = scores + np.random.default_rng(0).random(scores.shape) * 1e-6  # no ties
    for k in (1, 2, 4):
        expected = top_k_accuracy_score(labels, scores, k=k)
        assert top_k_accuracy(labels, scores, k).value == pytest.approx(expected)
    assert top_k_accuracy(labels, np.zeros_like(scores), 1).value == 0  # no opinion is not right
    patients = np.arange(150) // 2
    assert top_k_accuracy(labels, scores, 2, patients=patients).n_patients == 75


def test_what_does_not_fit_is_refused() -> None:
    labels, scores = _cases(30)
    with pytest.raises(EvaluationError, match="name the class of each column"):
        multiclass_auroc(np.where(labels == 0, 1, labels), scores)
    with pytest.raises(EvaluationError, match="labels that are no class: 7"):
        multiclass_auroc(np.where(labels == 0, 7, labels), scores, classes=[0, 1, 2])
    holes = scores.copy()
    holes[4, 1] = np.nan
    with pytest.raises(EvaluationError, match="1 rows of scores are missing or infinite: rows 4"):
        multiclass_auroc(labels, holes)
    with pytest.raises(EvaluationError, match="one column a class"):
        multiclass_auroc(labels, scores[:, 0])
    with pytest.raises(EvaluationError, match="k=4 must lie between 1 and the 3"):
        top_k_accuracy(labels, scores, 4)
    with pytest.raises(EvaluationError, match="give one column a label"):
        multilabel_auroc(scores, scores)


def test_weights_of_the_weighted_mean_vary_in_a_cohort() -> None:
    labels, scores = _cases(200)
    scores[:, 2] = labels == 2  # one class is found without fail, so that its weight matters
    cohort, enriched = (multiclass_auroc(labels, scores, sampling=how) for how in ("cohort", "enriched"))
    assert cohort.weighted.standard_error > 1.02 * enriched.weighted.standard_error
    assert cohort.macro == enriched.macro


def test_a_draw_without_a_class_gives_it_no_weight() -> None:
    labels, scores = _cases(60)
    labels[labels == 0] = 1
    labels[:2] = 0
    found = multiclass_auroc(labels, scores, resamples=400)
    assert found.weighted.status == "ok"
    assert found.weighted.low < found.weighted.value < found.weighted.high


@pytest.mark.parametrize("k", ["2", None, 1.5, 0, 4])
def test_a_k_that_is_no_number_of_classes_is_refused(k) -> None:
    with pytest.raises(EvaluationError, match="k="):
        top_k_accuracy([0, 1, 2], np.eye(3), k)
