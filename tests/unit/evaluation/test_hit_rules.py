"""Overlap, centre in the box, distance: numbers by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.hit_rules import hit_places, parse_hit_rule

BOX = ["x_min", "x_max", "y_min", "y_max"]
LESIONS = pd.DataFrame([["A", 1, 0, 10, 0, 10]], columns=["case_id", "lesion_id", *BOX])
MARKS = pd.DataFrame(
    [["A", 0, 10, 0, 10], ["A", 5, 15, 0, 10], ["A", 9, 11, 9, 11], ["A", 20, 30, 0, 10]],
    columns=["case_id", *BOX],
)


def _closeness(marks: pd.DataFrame, lesions: pd.DataFrame, rule: str) -> list[float]:
    close = hit_places(marks, lesions, rule)[1]
    return close(np.arange(len(marks)), np.arange(len(lesions)))[:, 0].tolist()


def test_overlap_of_boxes() -> None:
    assert _closeness(MARKS, LESIONS, "iou>=0.0096") == pytest.approx([1, 1 / 3, 1 / 103, -np.inf])
    assert _closeness(MARKS, LESIONS, "iou>=0.34") == [1, -np.inf, -np.inf, -np.inf]
    flat = LESIONS.assign(x_max=0)
    assert _closeness(MARKS.assign(x_max=MARKS["x_min"]), flat, "iou>=0.1") == [-np.inf] * 4


def test_overlap_in_three_dimensions() -> None:
    lesions, marks = (table.assign(z_min=0.0, z_max=4.0) for table in (LESIONS, MARKS[1:2]))
    assert _closeness(marks.assign(z_max=2.0), lesions, "iou>=0.1") == pytest.approx(
        [100 / (200 + 400 - 100)]
    )


def test_centre_in_the_box_with_its_edges() -> None:
    assert _closeness(MARKS, LESIONS, "centre_in_box") == pytest.approx([0, -5, -np.hypot(5, 5), -np.inf])
    points = pd.DataFrame({"case_id": "A", "x": [10.0, 10.1], "y": [0.0, 5.0]})
    assert _closeness(points, LESIONS, "center_in_box") == pytest.approx([-np.hypot(5, 5), -np.inf])


def test_distance_in_mm_edge_included() -> None:
    marks = pd.DataFrame({"case_id": "A", "x": [3.0, 3.0], "y": 4.0, "z": [0.0, 0.1]})
    lesions = pd.DataFrame({"case_id": ["A"], "lesion_id": [1], "x": [0.0], "y": [0.0], "z": [0.0]})
    assert _closeness(marks, lesions, "distance<=5mm") == [-5, -np.inf]
    assert _closeness(marks, lesions.assign(radius_mm=5.0), "distance<=radius") == [-5, -np.inf]
    assert _closeness(MARKS, LESIONS, "distance<=5") == pytest.approx([0, -5, -np.inf, -np.inf])


def test_axes_of_both_tables_count() -> None:
    marks = pd.DataFrame({"case_id": ["A"], "x": [0.0], "y": [0.0], "z": [50.0]})
    lesions = marks.drop(columns="z").assign(lesion_id=1)
    with pytest.raises(EvaluationError, match="lesions lack z"):
        hit_places(marks, lesions, "distance<=5")


@pytest.mark.parametrize(
    "rule",
    ["iou", "iou>=0", "iou>=1.2", "iou>=half", "distance<=-1", "distance<=inf", "centre_in_box>=1", "touch"],
)
def test_a_rule_that_is_none(rule) -> None:
    with pytest.raises(EvaluationError, match=r"is no hit rule; write iou>=0\.3"):
        parse_hit_rule(rule)


def test_a_rule_in_other_spellings() -> None:
    assert parse_hit_rule("IoU >= 0.5".lower()) == ("iou", 0.5)
    assert parse_hit_rule("distance ≤ radius") == ("distance", np.inf)
    assert parse_hit_rule("center_in_box")[0] == "centre_in_box"


def test_wrong_coordinates_name_the_cases() -> None:
    with pytest.raises(EvaluationError, match="lesions lack x_min, y_min") as caught:
        hit_places(MARKS, LESIONS.drop(columns=["x_min", "y_min"]), "iou>=0.1")
    assert "lesion_id" in str(caught.value)
    with pytest.raises(EvaluationError, match=r"(?s)1 marks have a coordinate.*case A"):
        hit_places(MARKS.assign(x_min=[0, np.nan, 9, 20]), LESIONS, "iou>=0.1")
    inside_out = pd.concat([LESIONS.assign(case_id=f"C{n:02}", x_max=-1) for n in range(12)])
    with pytest.raises(EvaluationError, match=r"(?s)12 lesions have .*case C09.*and 2 more cases"):
        hit_places(MARKS, inside_out, "iou>=0.1")
    points = pd.DataFrame({"case_id": ["A"], "lesion_id": [1], "x": [0.0], "y": [0.0], "radius_mm": [np.nan]})
    with pytest.raises(EvaluationError, match=r"(?s)no radius_mm of 0 or more.*case A"):
        hit_places(points, points, "distance<=radius")


def test_a_distance_that_is_the_limit_but_for_rounding_is_a_hit() -> None:
    marks = pd.DataFrame({"case_id": ["A"], "x": [0.1 * 3], "y": [0.0]})
    lesions = pd.DataFrame({"case_id": ["A"], "lesion_id": [1], "x": [0.0], "y": [0.0]})
    assert _closeness(marks, lesions, "distance<=0.3") == [pytest.approx(-0.3)]
