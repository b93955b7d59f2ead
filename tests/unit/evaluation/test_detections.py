"""What is asked of marks, lesions and cases, and the sentence for each that breaks it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.detections import detections

LESIONS = pd.DataFrame({"case_id": ["A", "A", "B"], "lesion_id": ["L1", "L2", "L1"]})
MARKS = pd.DataFrame(
    {"case_id": ["A", "A", "B", "C"], "score": [0.3, 0.6, 0.5, 0.9], "lesion_id": ["L1", "L1", None, None]}
)


def test_the_highest_mark_finds_the_lesion() -> None:
    found = detections(MARKS, LESIONS, cases=["A", "B", "C", "D"])
    assert found.lesion_scores.tolist() == [0.6, -np.inf, -np.inf]
    assert found.alarm_scores.tolist() == [0.5, 0.9]
    assert found.highest_alarm.tolist() == [-np.inf, 0.5, 0.9, -np.inf]
    assert found.highest_mark.tolist() == [0.6, 0.5, 0.9, -np.inf]
    assert found.diseased.tolist() == [True, True, False, False]
    assert found.strata.tolist() == [1, 1, 0, 0]
    counted = detections(MARKS, LESIONS, cases=["A", "B", "C", "D"], duplicates="false_positive")
    assert sorted(counted.alarm_scores) == [0.3, 0.5, 0.9]


def test_short_names_and_patients_in_either_place() -> None:
    marks = MARKS.rename(columns={"case_id": "case", "lesion_id": "lesion"})
    cases = pd.DataFrame({"case": ["A", "B", "C"], "patient": ["P1", "P2", "P2"]})
    found = detections(marks, LESIONS.rename(columns={"case_id": "case"}), cases=cases)
    assert found.patients.tolist() == [0, 1, 1]
    assert found.strata.tolist() == [0, 1]  # every patient has a lesion: the second, a case without, too
    same = detections(MARKS, LESIONS, cases=["A", "B", "C"], patients=["P1", "P2", "P2"])
    assert same.patients.tolist() == [0, 1, 1]


def test_numbers_as_identifiers_survive_missing_values() -> None:
    marks = pd.DataFrame({"case_id": [1, 2], "score": [0.5, 0.4], "lesion_id": [3, np.nan]})
    lesions = pd.DataFrame({"case_id": [1], "lesion_id": [3]})
    assert detections(marks, lesions, cases=[1, 2]).lesion_scores.tolist() == [0.5]


def test_everything_wrong_is_said_at_once() -> None:
    marks = pd.DataFrame(
        {
            "case_id": ["A", "X", "B", "C", "B"],
            "score": [0.3, 0.6, np.nan, "high", np.inf],
            "lesion_id": ["L9", None, None, None, None],
        }
    )
    lesions = pd.DataFrame(
        {"case_id": ["A", "A", "B", "Y"], "lesion_id": ["L1", "L1", "L1", "L1"], "weight": [0.6, 0.6, -1, 1]}
    )
    with pytest.raises(EvaluationError) as caught:
        detections(marks, lesions, cases=["A", "B", "C", "C"], weighted=True)
    assert caught.value.problems == (
        "1 cases stand more than once in cases=: C",
        "1 marks lie in cases that are not in cases=: X",
        "1 lesions lie in cases that are not in cases=: Y",
        "3 marks have no finite score, in cases: B, C",
        "1 marks hit a lesion_id that is not in lesions, in cases: A",
        "1 lesions stand twice: A (L1)",
        "1 lesions have a missing or negative weight, in cases: B",
        "2 cases have weights that do not sum to 1: A, B",
    )


def test_many_cases_are_counted_not_listed() -> None:
    marks = pd.DataFrame({"case_id": [f"X{n:02}" for n in range(14)], "score": 1.0, "lesion_id": None})
    with pytest.raises(EvaluationError, match=r"14 marks lie .*X09 and 4 more"):
        detections(marks, LESIONS, cases=["A", "B"])


def test_missing_columns_and_cases() -> None:
    with pytest.raises(EvaluationError, match=r"marks lack lesion_id.*name a hit rule"):
        detections(MARKS.drop(columns="lesion_id"), LESIONS, cases=["A"])
    with pytest.raises(EvaluationError, match="cases= is empty"):
        detections(MARKS, LESIONS, cases=[])
    with pytest.raises(EvaluationError, match="patients: 1 instead of 3"):
        detections(MARKS, LESIONS, cases=["A", "B", "C"], patients=["P"])
    with pytest.raises(EvaluationError, match="have no patient"):
        detections(MARKS, LESIONS, cases=["A", "B", "C"], patients=["P", None, "Q"])
    with pytest.raises(EvaluationError, match="duplicates='drop'"):
        detections(MARKS, LESIONS, cases=["A", "B", "C"], duplicates="drop")


def test_a_rule_matches_first() -> None:
    marks = pd.DataFrame({"case_id": "A", "score": [0.9, 0.8], "x": [0.0, 1.0], "y": 0.0})
    lesions = pd.DataFrame({"case_id": ["A"], "lesion_id": [1], "x": [1.5], "y": [0.0]})
    greedy = detections(marks, lesions, cases=["A"], rule="distance<=2")
    nearest = detections(marks, lesions, cases=["A"], rule="distance<=2", assignment="hungarian")
    assert (greedy.lesion_scores.tolist(), greedy.alarm_scores.tolist()) == ([0.9], [])
    assert nearest.lesion_scores.tolist() == [0.8]
