"""Lesions one by one: against plain loops, the definition of the BraTS program, MONAI and panoptica."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from monai.metrics.panoptic_quality import compute_panoptic_quality
from scipy import ndimage

from medvision.errors import EvaluationError
from medvision.evaluation import lesionwise_scores

# panoptica 2.1.7 (Apache-2.0), scipy backend (6-connectivity), NaiveThresholdMatching at this IoU:
# seed, threshold: n_ref_instances, n_pred_instances, tp, rq, sq, pq, sq_dsc
PANOPTICA = {
    (0, 0.5): (10, 8, 2, 0.2222222222222222, 0.8333333333333333, 0.18518518518518515, 0.9),
    (0, 0.3): (10, 8, 3, 0.3333333333333333, 0.6944444444444443, 0.23148148148148143, 0.796078431372549),
    (1, 0.3): (9, 8, 2, 0.23529411764705882, 0.3192982456140351, 0.07512899896800826, 0.4838709677419355),
    (2, 0.5): (8, 9, 2, 0.23529411764705882, 0.8, 0.18823529411764706, 0.875),
    (2, 0.3): (8, 9, 4, 0.47058823529411764, 0.5833333333333334, 0.27450980392156865, 0.7053571428571428),
    (3, 0.3): (8, 8, 1, 0.125, 0.3333333333333333, 0.041666666666666664, 0.5),
}


def boxes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Small boxes; a prediction moves each by up to a voxel, adds some and misses some."""
    rng = np.random.default_rng(seed)
    reference, prediction = np.zeros((2, 20, 20, 20), dtype=np.uint8)
    for _ in range(14):
        corner, size = rng.integers(0, 16, 3), rng.integers(1, 5, 3)
        shift, kind = rng.integers(-1, 2, 3), rng.integers(0, 4)
        for mask, start, skipped in ((reference, corner, 0), (prediction, corner + shift, 1)):
            if kind != skipped:
                mask[tuple(slice(max(int(x), 0), int(x + s)) for x, s in zip(start, size, strict=True))] = 1
    return reference, prediction


def speckled(seed: int, shape: tuple[int, ...] = (7, 8, 9)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.random(shape) < 0.08
    return reference, (reference & (rng.random(shape) < 0.6)) | (rng.random(shape) < 0.04)


def pieces(mask: np.ndarray, connectivity: int) -> list[set[tuple[int, ...]]]:
    """Connected components by walking from voxel to voxel."""
    most = {6: 1, 18: 2, 26: 3, 4: 1, 8: 2}[connectivity]
    steps = [s for s in itertools.product((-1, 0, 1), repeat=mask.ndim) if 0 < sum(map(abs, s)) <= most]
    left, found = {tuple(map(int, v)) for v in np.argwhere(mask)}, []
    while left:
        ahead, own = [min(left)], set()
        while ahead:
            voxel = ahead.pop()
            if voxel in left:
                left.remove(voxel)
                own.add(voxel)
                ahead += [tuple(a + b for a, b in zip(voxel, s, strict=True)) for s in steps]
        found.append(own)
    return found


def slow(reference: np.ndarray, prediction: np.ndarray, connectivity: int) -> dict[str, float]:
    """The summary by its definition where touching is enough."""
    lesions, found = pieces(reference, connectivity), pieces(prediction, connectivity)
    dice, ious, hit = [], [], 0
    for lesion in lesions:
        own = [piece for piece in found if lesion & piece]
        union = set().union(*own)
        dice.append(2 * len(lesion & union) / (len(lesion) + len(union)) if own else 0.0)
        hit += bool(own)
        ious += [i for i in (len(lesion & p) / len(lesion | p) for p in own) if i > 0.5]
    alarms = [piece for piece in found if not any(piece & lesion for lesion in lesions)]
    missed = [lesion for lesion in lesions if not any(piece & lesion for piece in found)]
    weight = (len(lesions) + len(found)) / 2
    return {
        "n_reference": len(lesions),
        "n_found": hit,
        "n_predicted": len(found),
        "n_false_positives": len(alarms),
        "lesionwise_dice": sum(dice) / (len(dice) + len(alarms)),
        "panoptic_quality": sum(ious) / weight,
        "recognition_quality": len(ious) / weight,
        "false_positive_volume_mm3": 3.0 * sum(map(len, alarms)),
        "false_negative_volume_mm3": 3.0 * sum(map(len, missed)),
    }


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("seed", range(4))
def test_the_summary_is_that_of_plain_loops(seed: int, connectivity: int) -> None:
    masks = speckled(seed)
    row = lesionwise_scores(*masks, (1, 1.5, 2), connectivity=connectivity).cases.iloc[0]
    expected = slow(*masks, connectivity)
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert row["lesion_sensitivity"] == row["n_found"] / row["n_reference"]
    assert row["lesion_precision"] == pytest.approx(1 - row["n_false_positives"] / row["n_predicted"])
    assert row["lesion_f1"] == pytest.approx(
        2 / (1 / row["lesion_sensitivity"] + 1 / row["lesion_precision"])
    )


def test_two_dimensions_have_4_or_8_neighbours() -> None:
    masks = speckled(5, (12, 14))
    for connectivity in (4, 8):
        row = lesionwise_scores(*masks, (1, 3), connectivity=connectivity).cases.iloc[0]
        expected = slow(*masks, connectivity)
        assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert lesionwise_scores(*masks, (1, 3)).cases.equals(
        lesionwise_scores(*masks, (1, 3), connectivity=8).cases
    )


def as_brats(
    reference: np.ndarray, prediction: np.ndarray, dilations: int, limit: int
) -> tuple[float, int, int]:
    """The published steps of BraTS 2023 in their order: Dice, found lesions, false positives."""
    every, ball = np.ones((3, 3, 3)), ndimage.generate_binary_structure(3, 2)
    grown = ndimage.binary_dilation(reference, ball, iterations=dilations) if dilations else reference
    lesions = ndimage.label(grown, every)[0] * reference
    found = ndimage.label(prediction, every)[0]
    dice, hit, found_lesions = [], set(), 0
    for number in range(1, lesions.max() + 1):
        lesion = lesions == number
        reach = ndimage.binary_dilation(lesion, ball, iterations=dilations) if dilations else lesion
        own = set(np.unique(found[reach])) - {0}
        hit |= own
        called = np.isin(found, list(own))
        if lesion.sum() > limit:
            dice.append(2 * (lesion & called).sum() / (lesion.sum() + called.sum()))
            found_lesions += bool(own)
    alarms = len(set(np.unique(found)) - {0} - hit)
    return sum(dice) / (len(dice) + alarms), found_lesions, alarms


@pytest.mark.parametrize(("dilations", "radius"), [(0, 0), (1, 1.42)])
@pytest.mark.parametrize("limit", [0, 2])
@pytest.mark.parametrize("seed", range(5))
def test_the_lesionwise_dice_of_brats(seed: int, limit: int, dilations: int, radius: float) -> None:
    reference, prediction = boxes(seed)
    scattered = np.random.default_rng(seed).random(reference.shape) < 0.004
    for truth, called in ((reference, prediction), (reference | scattered, prediction)):
        row = lesionwise_scores(
            truth, called, (1, 1, 1), merge_within_mm=radius, min_volume_mm3=limit + 0.5
        ).cases.iloc[0]
        dice, found, alarms = as_brats(truth > 0, called > 0, dilations, limit)
        assert (row["lesionwise_dice"], row["n_found"], row["n_false_positives"]) == pytest.approx(
            (dice, found, alarms)
        )


@pytest.mark.parametrize("seed", range(4))
def test_panoptic_quality_is_that_of_monai(seed: int) -> None:
    masks = boxes(seed)
    row = lesionwise_scores(*masks, (1, 1, 1), connectivity=6).cases.iloc[0]
    reference, prediction = (torch.from_numpy(ndimage.label(mask)[0].astype(np.int32)) for mask in masks)
    for name, short in (("panoptic_quality", "pq"), ("recognition_quality", "rq")):
        expected = compute_panoptic_quality(prediction, reference, metric_name=short, smooth_numerator=0)
        assert row[name] == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize(("seed", "limit"), PANOPTICA)
def test_instances_are_matched_as_panoptica_does(seed: int, limit: float) -> None:
    reference, prediction, pairs, rq, sq, pq, dice = PANOPTICA[seed, limit]
    found = lesionwise_scores(*boxes(seed), (1, 1, 1), connectivity=6, rule=f"iou>={limit}")
    row = found.cases.iloc[0]
    assert (row["n_reference"], row["n_predicted"], row["n_found"]) == (reference, prediction, pairs)
    assert row["lesion_f1"] == pytest.approx(rq)
    assert found.lesions.query("found")["dice"].mean() == pytest.approx(dice)
    if limit == 0.5:
        measured = [row[f"{kind}_quality"] for kind in ("recognition", "segmentation", "panoptic")]
        assert measured == pytest.approx([rq, sq, pq])


def test_tables_name_lesions_components_and_places() -> None:
    reference, prediction = np.zeros((2, 10, 10, 10), dtype=int)
    reference[1:3, 1:3, 1:5], reference[7, 7, 7], reference[0, 9, 9] = 1, 1, 1
    prediction[1, 1, 1], prediction[2, 2, 3:5], prediction[5, 5, 0:2] = 1, 1, 1
    found = lesionwise_scores(reference, prediction, (2, 1, 1), case="P1", labels={"met": 1})
    assert found.lesions.columns.tolist() == [
        "case_id", "structure", "lesion_id", "volume_mm3", "centre_i", "centre_j", "centre_k", "found",
        "dice", "components",
    ]  # fmt: skip
    assert found.lesions["volume_mm3"].tolist() == [2, 32, 2]
    assert found.lesions.iloc[1][["centre_i", "centre_j", "centre_k"]].tolist() == [1.5, 1.5, 2.5]
    assert found.lesions["components"].tolist() == [(), (1, 2), ()]
    assert found.lesions["dice"].tolist() == pytest.approx([0, 2 * 3 / (16 + 3), 0])
    assert found.components["status"].tolist() == ["matched", "matched", "false_positive"]
    assert found.components["centre_k"].tolist() == [1, 3.5, 0.5]
    assert found.cases.iloc[0]["case_id"] == "P1"


def test_small_lesions_are_left_out_with_what_touches_them() -> None:
    reference, prediction = np.zeros((2, 9, 9), dtype=int)
    reference[0:3, 0:3] = prediction[0:3, 0:3] = 1
    reference[6, 6] = prediction[6, 6:8] = 1  # a small lesion, found
    prediction[0, 8] = 1  # a small false positive
    found = lesionwise_scores(reference, prediction, (1, 1), min_volume_mm3=2)
    row = found.cases.iloc[0]
    assert (row["n_reference"], row["n_found"], row["n_left_out"], row["n_false_positives"]) == (1, 1, 1, 1)
    assert (row["lesionwise_dice"], row["panoptic_quality"]) == pytest.approx((0.5, 2 / 3))
    assert found.components["status"].tolist() == ["matched", "false_positive", "left_out"]
    without = lesionwise_scores(reference, prediction, (1, 1), min_volume_mm3=2, min_predicted_mm3=2)
    assert without.cases.iloc[0]["lesionwise_dice"] == without.cases.iloc[0]["panoptic_quality"] == 1.0


def test_a_size_of_whole_voxels_is_not_lost_to_rounding() -> None:
    mask = np.zeros((9, 9, 9), dtype=int)
    mask[0, 0, :3] = 1
    row = lesionwise_scores(mask, mask, (0.7, 0.7, 0.7), min_volume_mm3=3 * 0.343).cases.iloc[0]
    assert row["n_reference"] == 1


def test_parts_that_lie_close_are_one_lesion() -> None:
    reference = np.zeros((3, 3, 20), dtype=int)
    reference[1, 1, [2, 5, 12]] = 1
    prediction = np.zeros_like(reference)
    prediction[1, 1, 7] = 1  # beside the lesion, not in it
    found = lesionwise_scores(reference, prediction, (1, 1, 1))
    assert found.cases.iloc[0]["n_reference"] == 3
    merged = lesionwise_scores(reference, prediction, (1, 1, 1), merge_within_mm=2)
    row = merged.cases.iloc[0]
    assert (row["n_reference"], row["n_found"], row["n_false_positives"]) == (2, 1, 0)
    assert merged.lesions["volume_mm3"].tolist() == [2, 1]
    assert merged.lesions["dice"].tolist() == [0, 0]


@pytest.mark.parametrize("spacing", [0.1, 0.3, 0.7, 1.1])
def test_a_radius_of_whole_voxels_is_not_lost_to_rounding(spacing: float) -> None:
    mask = np.zeros((1, 20), dtype=int)
    mask[0, [2, 9, 17]] = 1  # 7 and 8 voxels apart
    row = lesionwise_scores(mask, mask, (spacing,) * 2, merge_within_mm=3 * spacing).cases.iloc[0]
    assert row["n_reference"] == 2


def test_hungarian_finds_as_many_as_possible() -> None:
    reference, prediction = np.zeros((2, 4, 10), dtype=int)
    reference[:, 0:4] = reference[2:, 6:9] = 1
    prediction[0, 0:4] = prediction[2:, 0:7] = 1  # the second overlaps both lesions, the first one more
    chosen = {
        how: lesionwise_scores(reference, prediction, (1, 1), rule="iou>=0.1", assignment=how)
        for how in ("greedy", "hungarian")
    }
    assert chosen["greedy"].lesions["components"].tolist() == [(2,), ()]
    assert chosen["hungarian"].lesions["components"].tolist() == [(1,), (2,)]
    assert chosen["greedy"].components["status"].tolist() == ["false_positive", "matched"]


@pytest.mark.parametrize(
    ("filled", "status", "undefined", "zero"),
    [
        ((), "both_empty", ["lesion_sensitivity", "lesion_precision", "lesion_f1", "lesionwise_dice",
                            "panoptic_quality", "segmentation_quality", "recognition_quality"], []),
        ((1,), "reference_empty", ["lesion_sensitivity", "segmentation_quality"],
         ["lesion_precision", "lesion_f1", "lesionwise_dice", "panoptic_quality"]),
        ((0,), "prediction_empty", ["lesion_precision", "segmentation_quality"],
         ["lesion_sensitivity", "lesion_f1", "lesionwise_dice", "panoptic_quality"]),
    ],
)  # fmt: skip
def test_empty_masks(filled, status, undefined, zero) -> None:
    pair = np.zeros((2, 4, 4, 4), dtype=int)
    for mask in filled:
        pair[mask, 1, 1, 1:3] = 1
    found = lesionwise_scores(*pair, (1, 1, 1))
    row = found.cases.iloc[0]
    assert row["status"] == status
    assert all(math.isnan(row[name]) for name in undefined)
    assert all(row[name] == 0 for name in zero)
    assert row["n_false_positives"] == (1 in filled)
    assert row["false_positive_volume_mm3"] == 2 * (1 in filled)
    assert row["false_negative_volume_mm3"] == 2 * (0 in filled)
    assert len(found.lesions) == (0 in filled)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"connectivity": 8}, "connectivity=8 is not known in 3 dimensions: 6, 18, 26"),
        ({"rule": "distance<=5"}, "no rule for masks"),
        ({"rule": "iou>0.5"}, "is no hit rule"),
        ({"assignment": "munkres"}, "assignment"),
        ({"merge_within_mm": -1.0, "min_volume_mm3": math.nan}, "merge_within_mm=-1.0, min_volume_mm3=nan"),
    ],
)
def test_settings_that_are_impossible_are_refused(settings, message) -> None:
    with pytest.raises(EvaluationError, match=message):
        lesionwise_scores(*boxes(0), (1, 1, 1), **settings)


def test_masks_that_cannot_be_compared_are_refused() -> None:
    reference, prediction = boxes(0)
    with pytest.raises(EvaluationError, match="case P7: the reference has the shape"):
        lesionwise_scores(reference, prediction[1:], (1, 1, 1), case="P7")


@pytest.mark.parametrize("how", [{"merge_within_mm": "1"}, {"min_volume_mm3": None}, {"rule": None}])
def test_settings_of_another_type_are_refused(how) -> None:
    mask = np.ones((3, 3, 3), dtype=int)
    with pytest.raises(EvaluationError, match=next(iter(how))):
        lesionwise_scores(mask, mask, (1, 1, 1), **how)
