"""Masks: overlap, distances, volumes, and the cases in which one of them is empty."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.metrics import DiceMetric

from medvision.errors import EvaluationError
from medvision.evaluation import segmentation_scores

COLUMNS = [
    "structure", "dice", "iou", "hd95_mm", "nsd", "assd_mm", "volume_reference_ml", "volume_prediction_ml",
    "volume_error_ml", "volume_error_percent", "status",
]  # fmt: skip


@pytest.fixture
def masks() -> tuple[np.ndarray, np.ndarray]:
    reference, prediction = np.zeros((2, 20, 20, 20), dtype=np.uint8)
    reference[3:9, 3:9, 3:9], prediction[4:9, 3:9, 3:10] = 1, 1
    reference[12:16, 12:16, 12:16], prediction[12:16, 12:16, 13:17] = 2, 2
    return reference, prediction


def test_one_row_for_each_structure(masks) -> None:
    table = segmentation_scores(*masks, (1, 1, 2), labels={"anterior": 1, "posterior": 2})
    assert list(table.columns) == COLUMNS
    assert table["structure"].tolist() == ["anterior", "posterior"]
    assert (table["status"] == "ok").all()


def test_dice_as_monai(masks) -> None:
    reference, prediction = (torch.from_numpy((mask == 1)[None, None].astype(np.float32)) for mask in masks)
    expected = float(DiceMetric()(prediction, reference))
    row = segmentation_scores(*masks, (1, 1, 2), labels={"a": 1}).iloc[0]
    assert row["dice"] == pytest.approx(expected, abs=1e-6)
    assert row["iou"] == pytest.approx(expected / (2 - expected), abs=1e-6)


def test_volumes_are_millilitres(masks) -> None:
    row = segmentation_scores(*masks, (1, 1, 2), labels={"a": 1}).iloc[0]
    assert row["volume_reference_ml"] == pytest.approx(6 * 6 * 6 * 2 / 1000)
    assert row["volume_error_ml"] == pytest.approx((5 * 6 * 7 - 6 * 6 * 6) * 2 / 1000)
    assert row["volume_error_percent"] == pytest.approx(100 * (5 * 6 * 7 / 6**3 - 1))


def test_a_structure_of_several_values(masks) -> None:
    whole = segmentation_scores(*masks, (1, 1, 1), labels={"whole": [1, 2]}).iloc[0]
    anything = segmentation_scores(*masks, (1, 1, 1)).iloc[0]
    assert whole["dice"] == anything["dice"]
    assert anything["structure"] == "foreground"
    assert segmentation_scores(*masks, (1, 1, 1), labels=[1, 2])["structure"].tolist() == ["1", "2"]


def test_in_neither_mask_there_is_nothing_to_agree_on(masks) -> None:
    row = segmentation_scores(*masks, (1, 1, 1), labels={"absent": 7}).iloc[0]
    assert row["status"] == "both_empty"
    for measure in ("dice", "iou", "hd95_mm", "nsd", "assd_mm", "volume_error_percent"):
        assert np.isnan(row[measure]), measure
    assert row["volume_error_ml"] == 0


@pytest.mark.parametrize(("empty", "status"), [(0, "reference_empty"), (1, "prediction_empty")])
def test_in_one_mask_overlap_is_0_and_distance_the_penalty(masks, empty, status) -> None:
    pair = list(masks)
    pair[empty] = np.zeros_like(pair[empty])
    row = segmentation_scores(*pair, (1, 1, 2), labels={"a": 1}).iloc[0]
    assert (row["dice"], row["iou"], row["nsd"], row["status"]) == (0.0, 0.0, 0.0, status)
    diagonal = np.sqrt(20**2 + 20**2 + 40**2)
    assert (row["hd95_mm"], row["assd_mm"]) == pytest.approx((diagonal, diagonal))
    chosen = segmentation_scores(*pair, (1, 1, 2), labels={"a": 1}, empty_distance="nan").iloc[0]
    assert np.isnan(chosen["hd95_mm"])
    assert np.isnan(row["volume_error_percent"]) == (empty == 0)


def test_perfect_agreement(masks) -> None:
    row = segmentation_scores(masks[0], masks[0], (1, 1, 2), labels={"a": 1}).iloc[0]
    assert (row["dice"], row["iou"], row["nsd"], row["hd95_mm"], row["assd_mm"]) == (1, 1, 1, 0, 0)


def test_two_dimensions(masks) -> None:
    row = segmentation_scores(masks[0][5], masks[1][5], (1, 2), labels={"a": 1}).iloc[0]
    assert row["dice"] == pytest.approx(2 * 36 / (36 + 42))
    assert row["hd95_mm"] == 2.0


def test_a_larger_tolerance_forgives_more(masks) -> None:
    found = [
        segmentation_scores(*masks, (1, 1, 2), labels={"a": 1}, nsd_tolerance_mm=t)["nsd"].iloc[0]
        for t in (0, 1, 2)
    ]
    assert found[0] < found[1] < found[2] == 1.0


def test_the_case_is_named_in_the_table_and_in_errors(masks) -> None:
    assert segmentation_scores(*masks, (1, 1, 1), case="P7").iloc[0]["case_id"] == "P7"
    with pytest.raises(EvaluationError, match="case P7: the reference has the shape"):
        segmentation_scores(masks[0], masks[1][1:], (1, 1, 1), case="P7")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b: ((a, b * 0.5, (1, 1, 1)), {}), "no whole numbers"),
        (lambda a, b: ((a, np.where(b, np.nan, 0), (1, 1, 1)), {}), "no whole numbers"),
        (lambda a, b: ((a, b, (1, 1)), {}), "one spacing for each"),
        (lambda a, b: ((a, b, (1, 1, 0)), {}), "positive millimetres"),
        (lambda a, b: ((a, b, (1, 1, 1)), {"nsd_tolerance_mm": -1}), "0 or more millimetres"),
        (lambda a, b: ((a, b, (1, 1, 1)), {"empty_distance": "inf"}), "empty_distance"),
        (lambda a, b: ((a.ravel(), b.ravel(), (1,)), {}), "3 dimensions"),
    ],
)
def test_masks_that_cannot_be_compared_are_refused(masks, change, message) -> None:
    arguments, named = change(*masks)
    with pytest.raises(EvaluationError, match=message):
        segmentation_scores(*arguments, labels={"a": 1}, **named)


def test_float_masks_of_whole_numbers_are_read(masks) -> None:
    expected = segmentation_scores(*masks, (1, 1, 1), labels={"a": 1})
    assert segmentation_scores(*(m.astype(float) for m in masks), (1, 1, 1), labels={"a": 1}).equals(expected)


@pytest.mark.parametrize("labels", [{}, [], {"tumour": []}, {"tumour": 1.5}, ["a"], {"tumour": (1, None)}])
def test_structures_without_a_whole_number_are_refused(labels) -> None:
    """An empty list of values passed for a structure that is in neither mask before, 1.5 for 1."""
    mask = np.ones((3, 3, 3), dtype=int)
    with pytest.raises(EvaluationError, match="whole number"):
        segmentation_scores(mask, mask, (1, 1, 1), labels=labels)


@pytest.mark.parametrize("spacing", ["abc", ("a", 1, 1), None, 1.0])
def test_a_spacing_that_is_no_numbers_is_refused(spacing) -> None:
    mask = np.ones((3, 3, 3), dtype=int)
    with pytest.raises(EvaluationError, match="spacing_mm="):
        segmentation_scores(mask, mask, spacing)


def test_infinite_masks_and_a_tolerance_of_text_are_refused() -> None:
    mask = np.ones((3, 3, 3))
    with pytest.raises(EvaluationError, match="no whole numbers"):
        segmentation_scores(mask * np.inf, mask, (1, 1, 1))
    with pytest.raises(EvaluationError, match="nsd_tolerance_mm="):
        segmentation_scores(mask, mask, (1, 1, 1), nsd_tolerance_mm="1")
