"""Metrics for weights: a weight of 2 is the row twice, a weight of 0 is no row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from medvision.evaluation.weighted_metrics import MEASURES, WEIGHTED_METRICS

SKLEARN = {
    "auroc": roc_auc_score,
    "average_precision": average_precision_score,
    "sensitivity": recall_score,
    "specificity": lambda y, p: recall_score(y, p, pos_label=0),
    "ppv": precision_score,
    "npv": lambda y, p: precision_score(y, p, pos_label=0),
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "youden": lambda y, p: 2 * balanced_accuracy_score(y, p) - 1,
    "f1": f1_score,
    "mcc": matthews_corrcoef,
    "mean": lambda _, x: np.mean(x),
    "median": lambda _, x: np.median(x),
}


def test_every_metric_has_an_oracle() -> None:
    assert set(SKLEARN) == set(WEIGHTED_METRICS)


@pytest.mark.parametrize("name", sorted(SKLEARN))
@pytest.mark.parametrize("seed", range(3))
def test_weights_are_repeated_rows(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, 2, 60), rng.integers(-5, 5, 60).astype(float)
    build, column = WEIGHTED_METRICS[name]
    values = (scores > 0).astype(int) if column == "prediction" else scores
    weights = rng.integers(0, 4, (5, 60)).astype(float)
    found = build(labels, values)(weights)
    for row, value in zip(weights.astype(int), found, strict=True):
        rows = np.repeat(np.arange(60), row)
        assert value == pytest.approx(SKLEARN[name](labels[rows], values[rows]), abs=1e-12)


@pytest.mark.parametrize("name", sorted(SKLEARN))
def test_no_weight_at_all_is_undefined(name: str) -> None:
    build, _ = WEIGHTED_METRICS[name]
    assert math.isnan(build([0, 1, 1], [0, 1, 1])(np.zeros((1, 3)))[0])


@pytest.mark.parametrize("name", ["auroc", "youden", "balanced_accuracy", "mcc", "f1", "sensitivity", "ppv"])
def test_what_is_undefined_without_positives_is_nan_and_never_0(name: str) -> None:
    build, _ = WEIGHTED_METRICS[name]
    assert math.isnan(build([0, 0, 1], [0, 0, 1])(np.array([[1.0, 1.0, 0.0]]))[0])


def test_measures_of_a_table_by_hand() -> None:
    cells = [np.array([v]) for v in (8.0, 3.0, 2.0, 17.0)]
    expected = {
        "sensitivity": 0.8, "specificity": 0.85, "ppv": 8 / 11, "npv": 17 / 19, "accuracy": 25 / 30,
        "balanced_accuracy": 0.825, "youden": 0.65, "f1": 16 / 21,
        "mcc": (8 * 17 - 3 * 2) / math.sqrt(11 * 10 * 20 * 19),
    }  # fmt: skip
    assert {name: float(measure(*cells)[0]) for name, measure in MEASURES.items()} == pytest.approx(expected)
