"""Marks matched to lesions, one to one."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.errors import EvaluationError
from medvision.evaluation.detection_matching import match_marks


def _points(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole coordinates and scores, so that distances and scores tie."""
    rng = np.random.default_rng(seed)
    marks = pd.DataFrame(rng.integers(0, 6, (6, 2)), columns=["x", "y"])
    marks = marks.drop_duplicates().assign(
        case_id=lambda t: ["A", "B", "A"] * (len(t) // 3) + ["A"] * (len(t) % 3)
    )
    lesions = pd.DataFrame(rng.integers(0, 6, (5, 2)), columns=["x", "y"])
    lesions = lesions.assign(case_id=["A", "A", "B", "A", "B"], lesion_id=list("abcde"))
    return marks.assign(score=rng.integers(0, 3, len(marks)).astype(float)), lesions


def _distance(mark, lesion) -> float:
    return float(np.hypot(mark.x - lesion.x, mark.y - lesion.y))


@given(st.integers(0, 10_000), st.sampled_from(["greedy", "hungarian"]))
def test_the_order_of_rows_never_matters(seed: int, assignment: str) -> None:
    marks, lesions = _points(seed)
    here = match_marks(marks, lesions, rule="distance<=2", assignment=assignment)
    mixed = (table.sample(frac=1, random_state=seed) for table in (marks, lesions))
    there = match_marks(*mixed, rule="distance<=2", assignment=assignment)
    keys = ["case_id", "x", "y"]
    pd.testing.assert_frame_equal(
        here.sort_values(keys, ignore_index=True), there.sort_values(keys, ignore_index=True)
    )


@given(st.integers(0, 10_000), st.sampled_from(["greedy", "hungarian"]))
def test_one_to_one_within_the_rule_and_case(seed: int, assignment: str) -> None:
    marks, lesions = _points(seed)
    found = match_marks(marks, lesions, rule="distance<=2", assignment=assignment)
    hits = found[found["lesion_id"].notna()]
    assert not hits[~hits["further"]]["lesion_id"].duplicated().any()
    assert set(hits[hits["further"]]["lesion_id"]) <= set(hits[~hits["further"]]["lesion_id"])
    truth = lesions.set_index("lesion_id")
    for mark in found.itertuples():
        own = lesions[lesions["case_id"] == mark.case_id]
        near = {row.lesion_id for row in own.itertuples() if _distance(mark, row) <= 2}
        assert (mark.lesion_id in near) if near else pd.isna(mark.lesion_id)
        if near:
            assert truth.loc[mark.lesion_id, "case_id"] == mark.case_id


@given(st.integers(0, 10_000))
def test_hungarian_finds_the_most_then_the_closest(seed: int) -> None:
    marks, lesions = _points(seed)
    found = match_marks(marks, lesions, rule="distance<=2", assignment="hungarian")
    for case in ("A", "B"):
        own, truth = (t[t["case_id"] == case] for t in (marks, lesions))
        here = found[(found["case_id"] == case) & found["lesion_id"].notna() & ~found["further"]]
        places = truth.set_index("lesion_id")
        pairs = [_distance(mark, places.loc[mark.lesion_id]) for mark in here.itertuples()]
        assert (len(pairs), -sum(pairs)) == pytest.approx(_best(own, truth), abs=1e-9)


def _best(marks: pd.DataFrame, lesions: pd.DataFrame) -> tuple[int, float]:
    """The most lesions and the least distance, by trying every assignment."""
    best = (0, 0.0)
    rows, slots = list(marks.itertuples()), list(lesions.itertuples())
    for order in permutations([*slots, *[None] * len(rows)], len(rows)):
        distances = [_distance(m, s) for m, s in zip(rows, order, strict=True) if s is not None]
        if all(d <= 2 for d in distances):
            best = max(best, (len(distances), -sum(distances)))
    return best


def test_greedy_gives_the_highest_score_the_first_choice() -> None:
    marks = pd.DataFrame({"case_id": "A", "score": [0.9, 0.8, 0.8], "x": [0.0, 1.0, 9.0], "y": 0.0})
    lesions = pd.DataFrame({"case_id": "A", "lesion_id": ["near", "far"], "x": [0.4, -3.0], "y": 0.0})
    greedy = match_marks(marks, lesions, rule="distance<=3.2")
    assert greedy["lesion_id"].where(~greedy["further"]).tolist()[0] == "near"
    assert greedy["further"].tolist() == [False, True, False]
    both = match_marks(marks, lesions, rule="distance<=3.2", assignment="hungarian")
    assert both["lesion_id"].tolist()[:2] == ["far", "near"]
    assert not both["further"].any()


def test_equal_scores_go_to_the_closer_mark() -> None:
    marks = pd.DataFrame({"case_id": "A", "score": 0.5, "x": [2.0, 1.0, -1.0], "y": 0.0})
    lesions = pd.DataFrame({"case_id": ["A"], "lesion_id": [7], "x": [0.0], "y": [0.0]})
    found = match_marks(marks, lesions, rule="distance<=5")
    assert found["further"].tolist() == [True, True, False]  # as close as the second, smaller coordinate
    assert found["lesion_id"].tolist() == [7, 7, 7]


def test_nothing_to_match() -> None:
    marks = pd.DataFrame({"case_id": ["A"], "score": [0.5], "x": [0.0], "y": [0.0]})
    lesions = pd.DataFrame({"case_id": ["B"], "lesion_id": [1], "x": [0.0], "y": [0.0]})
    assert match_marks(marks, lesions, rule="distance<=5")["lesion_id"].tolist() == [None]
    assert match_marks(marks, lesions[:0], rule="distance<=5")["lesion_id"].tolist() == [None]
    assert len(match_marks(marks[:0], lesions, rule="distance<=5")) == 0
    away = lesions.assign(case_id="A", x=50.0)
    for assignment in ("greedy", "hungarian"):
        found = match_marks(marks, away, rule="distance<=5", assignment=assignment)
        assert found["lesion_id"].tolist() == [None]


def test_wrong_assignment() -> None:
    marks = pd.DataFrame({"case_id": ["A"], "score": [0.5], "x": [0.0], "y": [0.0]})
    with pytest.raises(EvaluationError, match="did you mean 'hungarian'"):
        match_marks(marks, marks.assign(lesion_id=1), rule="distance<=5", assignment="hungary")
