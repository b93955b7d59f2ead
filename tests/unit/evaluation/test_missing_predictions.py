"""Units without a score, against enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, drop_missing, missing_data_bounds, proportion
from medvision.evaluation.missing_predictions import fill_missing

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 1])
SCORES = np.array([0.1, 0.4, 0.5, 0.6, 0.3, 0.6, 0.8, 0.9, np.nan, np.nan])


def test_bounds_are_the_extremes_of_every_score_that_could_be_missing() -> None:
    candidates = [-1.0, *(np.unique(SCORES[:8]) + 0.01), *np.unique(SCORES[:8]), 2.0]
    areas, sensitivities, specificities = [], [], []
    for filled in itertools.product(candidates, repeat=2):
        scores = np.r_[SCORES[:8], filled]
        areas.append(auroc(LABELS, scores).value)
        sensitivities.append((scores >= 0.5)[LABELS == 1].mean())
        specificities.append((scores < 0.5)[LABELS == 0].mean())
    found = missing_data_bounds(LABELS, SCORES, threshold=0.5)
    for name, values in (
        ("auroc", areas), ("sensitivity", sensitivities), ("specificity", specificities),
    ):  # fmt: skip
        assert found.worst[name].value == pytest.approx(min(values)), name
        assert found.best[name].value == pytest.approx(max(values)), name
        assert found.worst[name].value <= found.complete[name].value <= found.best[name].value
    assert (found.n_missing_positive, found.n_missing_negative, found.n_units) == (1, 1, 10)


def test_each_case_has_the_interval_of_its_counts() -> None:
    found = missing_data_bounds(LABELS, SCORES, threshold=0.5)
    for one, hits, n in ((found.worst, 3, 5), (found.complete, 3, 4), (found.best, 4, 5)):
        expected = proportion(hits, n)
        assert (one["sensitivity"].low, one["sensitivity"].high) == (expected.low, expected.high)
    assert found.complete["auroc"] == auroc(LABELS[:8], SCORES[:8])
    assert found.worst["accuracy"].value == pytest.approx(0.5)


def test_without_a_threshold_only_the_area_and_patients_count() -> None:
    patients = np.arange(10) // 2
    found = missing_data_bounds(LABELS, SCORES, patients=patients)
    assert list(found.worst) == ["auroc"]
    assert found.worst["auroc"].n_patients == 5
    assert found.complete["auroc"].n_patients == 4


def test_nothing_missing_makes_three_equal_cases() -> None:
    found = missing_data_bounds(LABELS[:8], SCORES[:8], threshold=0.5)
    assert found.worst == found.complete == found.best
    assert found.n_missing == 0


def test_everything_missing_leaves_no_complete_case() -> None:
    found = missing_data_bounds([0, 1], [None, None], threshold=0.5)
    assert math.isnan(found.complete["auroc"].value)
    assert found.complete["sensitivity"].status == "undefined_no_units"
    assert (found.worst["auroc"].value, found.best["auroc"].value) == (0.0, 1.0)


def test_predictions_of_0_and_1_and_a_threshold_for_each_unit() -> None:
    found = missing_data_bounds([1, 1, 0, 0], [1, None, 0, None], threshold=0.5)
    assert found.worst["accuracy"].value == 0.5
    assert found.best["accuracy"].value == 1.0
    own = missing_data_bounds([1, 1, 0], [0.6, None, 0.1], threshold=[0.5, 40.0, 0.5])
    assert own.best["sensitivity"].value == 1.0  # beyond its own threshold, too


def test_very_large_scores_are_still_passed() -> None:
    filled = fill_missing(np.array([True, True, False]), np.array([1e17, np.nan, 3e17]), worst=True)
    assert filled[1] < 1e17


def test_dropping_counts_and_keeps_the_rest_in_order() -> None:
    table = pd.DataFrame({"y": LABELS, "p": pd.array(SCORES, dtype="Float64"), "id": list("ABCDEFGHIJ")})
    found = drop_missing(table["y"], table["p"], patients=table["id"])
    assert found.n_missing == 2
    assert found.scores.tolist() == SCORES[:8].tolist()
    assert found.patients.tolist() == list("ABCDEFGH")
    assert found.kept.sum() == 8
    assert drop_missing(["a", "b"], [1, 2]).patients is None


def test_infinite_scores_and_words_are_not_missing() -> None:
    with pytest.raises(EvaluationError) as error:
        drop_missing([0, 1, 1], [0.1, None, np.inf])
    assert error.value.problems == ("row 2: inf",)
    with pytest.raises(EvaluationError, match="not numbers"):
        missing_data_bounds([0, 1], ["high", None])


@pytest.mark.parametrize(
    "arguments",
    [{"patients": [1]}, {"threshold": [0.5, 0.5, 0.5]}, {"threshold": np.nan}, {"level": 95}],
)
def test_what_does_not_fit_is_refused(arguments) -> None:
    with pytest.raises(EvaluationError):
        missing_data_bounds([0, 1], [0.1, None], **arguments)
