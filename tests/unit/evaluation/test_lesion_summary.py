"""Lesions of a whole study."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import bootstrap, clustered_proportion, lesionwise_scores, summarise_lesions


@pytest.fixture
def cases() -> pd.DataFrame:
    """Two scans a patient; every fifth scan has neither a lesion nor a prediction."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(30):
        reference, prediction = np.zeros((2, 12, 12, 12), dtype=int)
        for _ in range(0 if number % 5 == 0 else rng.integers(1, 5)):
            corner = rng.integers(0, 10, 3)
            place = tuple(slice(int(c), int(c) + 2) for c in corner)
            if rng.random() < 0.9:
                reference[place] = 1
            if rng.random() < 0.7:
                prediction[place] = 1
        table = lesionwise_scores(reference, prediction, (1, 1, 1), case=f"C{number}").cases
        rows.append(table.assign(patient_id=f"P{number // 2:02}"))
    return pd.concat(rows, ignore_index=True)


def _named(rows) -> dict[tuple[str, str], object]:
    return {(row.metric, row.summary): row.estimate for row in rows}


def test_lesions_of_a_patient_belong_together(cases) -> None:
    found = _named(summarise_lesions(cases, resamples=100))["lesion_sensitivity", "over lesions"]
    hits, patients = [], []
    for row in cases.itertuples():
        hits += [1] * row.n_found + [0] * (row.n_reference - row.n_found)
        patients += [row.patient_id] * row.n_reference
    expected = clustered_proportion(hits, patients)
    assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
    assert (found.n_units, found.n_patients) == (cases["n_reference"].sum(), len(set(patients)))


def test_precision_is_over_components(cases) -> None:
    found = _named(summarise_lesions(cases, resamples=100))["lesion_precision", "over components"]
    alarms, predicted = cases["n_false_positives"].sum(), cases["n_predicted"].sum()
    assert found.value == pytest.approx(1 - alarms / predicted)
    assert found.n_units == predicted


def test_false_positives_count_every_scan(cases) -> None:
    found = _named(summarise_lesions(cases, resamples=300))["false_positives", "per scan"]
    assert found.value == pytest.approx(cases["n_false_positives"].sum() / 30)
    assert (found.n_units, found.n_patients) == (30, 15)
    expected = bootstrap(
        ["mean:x"], {"x": cases["n_false_positives"].to_numpy(), "p": cases["patient_id"].to_numpy()},
        patients="p", resamples=300, seed=0,
    )["mean:x"]  # fmt: skip
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_undefined_scans_are_left_out_of_means_and_counted(cases) -> None:
    found = _named(summarise_lesions(cases, resamples=100))
    defined = cases["lesionwise_dice"].dropna()
    assert found["lesionwise_dice", "mean"].value == pytest.approx(defined.mean())
    assert found["lesionwise_dice", "mean"].n_units == len(defined) < 30
    assert found["panoptic_quality", "median"].value == pytest.approx(cases["panoptic_quality"].median())
    assert found["false_positive_volume_mm3", "mean"].n_units == 30


def test_a_study_without_lesions() -> None:
    empty = np.zeros((4, 4), dtype=int)
    cases = pd.concat([lesionwise_scores(empty, empty, (1, 1)).cases] * 3)
    found = _named(summarise_lesions(cases, resamples=50))
    assert math.isnan(found["lesion_sensitivity", "over lesions"].value)
    assert found["lesion_sensitivity", "over lesions"].status == "undefined_no_units"
    assert found["false_positives", "per scan"].value == 0
    assert found["lesionwise_dice", "mean"].n_units == 0


def test_a_table_of_something_else_is_refused() -> None:
    with pytest.raises(EvaluationError, match="lack n_reference, n_found"):
        summarise_lesions(pd.DataFrame({"structure": ["a"], "n_predicted": 1, "n_false_positives": 0}))
