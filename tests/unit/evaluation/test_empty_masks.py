"""Structures that are there, and that are not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import clustered_proportion, proportion, segmentation_scores, structure_presence

COUNTS = {"ok": 11, "prediction_empty": 2, "reference_empty": 3, "both_empty": 14}
STATUS = [status for status, times in COUNTS.items() for _ in range(times)]


def test_the_table_and_its_proportions() -> None:
    found = structure_presence(pd.DataFrame({"structure": "cyst", "status": STATUS}))[0]
    assert (found.both, found.reference_only, found.prediction_only, found.neither) == (11, 2, 3, 14)
    assert found.sensitivity == proportion(11, 13)
    assert found.specificity == proportion(14, 17)
    assert found.sensitivity.method == "wilson"


def test_several_cases_of_a_patient_are_clustered() -> None:
    patients = np.arange(30) // 3
    found = structure_presence(
        pd.DataFrame({"structure": "cyst", "status": STATUS, "patient_id": [f"P{p:02}" for p in patients]})
    )[0]
    there = np.array([s in ("ok", "prediction_empty") for s in STATUS])
    hit = np.array([s == "ok" for s in STATUS])
    expected = clustered_proportion(hit[there], patients[there])
    assert (found.sensitivity.low, found.sensitivity.high) == (expected.low, expected.high)
    assert found.sensitivity.n_patients == 5


def test_from_masks_to_the_table() -> None:
    full, empty = np.ones((2, 2, 2), dtype=int), np.zeros((2, 2, 2), dtype=int)
    pairs = [(full, full), (full, empty), (empty, full), (empty, empty)]
    cases = pd.concat([segmentation_scores(*pair, (1, 1, 1), labels={"cyst": 1}) for pair in pairs])
    found = structure_presence(cases)[0]
    assert (found.both, found.reference_only, found.prediction_only, found.neither) == (1, 1, 1, 1)
    assert (found.sensitivity.value, found.specificity.value) == (0.5, 0.5)


def test_without_absent_cases_there_is_no_specificity() -> None:
    found = structure_presence(pd.DataFrame({"structure": "liver", "status": ["ok"] * 12}))[0]
    assert math.isnan(found.specificity.value)
    assert found.specificity.status == "undefined_no_units"


def test_tables_of_something_else_are_refused() -> None:
    with pytest.raises(EvaluationError, match="structure and status"):
        structure_presence(pd.DataFrame({"structure": ["a"]}))
    with pytest.raises(EvaluationError, match="status gone is not known"):
        structure_presence(pd.DataFrame({"structure": ["a"], "status": ["gone"]}))
