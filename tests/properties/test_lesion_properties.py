"""What must hold for the lesions of any two masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.evaluation import lesionwise_scores

ROLES = {
    "n_reference": "n_predicted",
    "false_positive_volume_mm3": "false_negative_volume_mm3",
    "lesion_sensitivity": "lesion_precision",
    "lesion_f1": "lesion_f1",
    "panoptic_quality": "panoptic_quality",
}


@st.composite
def masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = tuple(draw(st.integers(2, 5)) for _ in range(3))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    return tuple(rng.random(shape) < draw(st.sampled_from([0, 0.1, 0.25, 0.5])) for _ in range(2))


@given(masks(), st.sampled_from([6, 18, 26]))
@settings(max_examples=60, deadline=None)
def test_swapping_the_roles_swaps_misses_and_false_positives(pair, connectivity: int) -> None:
    one, other = (
        lesionwise_scores(*p, (1, 1, 1), connectivity=connectivity).cases.iloc[0] for p in (pair, pair[::-1])
    )
    assert one["n_false_positives"] == other["n_reference"] - other["n_found"]
    for name, swapped in ROLES.items():
        assert one[name] == pytest.approx(other[swapped], nan_ok=True)


@given(masks(), st.sampled_from([(0,), (1, 2), (0, 1, 2)]), st.sampled_from([0.0, 1.0, 1.5]))
@settings(max_examples=60, deadline=None)
def test_the_order_of_components_changes_nothing(pair, axes: tuple[int, ...], radius: float) -> None:
    spacing = (1, 2, 0.5)
    one, other = (
        lesionwise_scores(*p, spacing, merge_within_mm=radius).cases.iloc[0].drop("structure")
        for p in (pair, tuple(np.flip(mask, axes) for mask in pair))
    )
    assert one.drop("status").to_dict() == pytest.approx(other.drop("status").to_dict(), nan_ok=True)


@given(masks(), st.floats(0.1, 10))
@settings(max_examples=40, deadline=None)
def test_volumes_grow_with_the_spacing_and_nothing_else_does(pair, scale: float) -> None:
    small, large = (lesionwise_scores(*pair, spacing) for spacing in ((1, 1, 1), (scale,) * 3))
    for table in ("lesions", "components"):
        expected = getattr(small, table)["volume_mm3"] * scale**3
        assert getattr(large, table)["volume_mm3"].tolist() == pytest.approx(expected.tolist())
    assert small.lesions["dice"].tolist() == large.lesions["dice"].tolist()


@given(masks(), st.sampled_from(["any", "iou>=0.5", "iou>=1"]))
@settings(max_examples=40, deadline=None)
def test_a_perfect_prediction_scores_1(pair, rule: str) -> None:
    row = lesionwise_scores(pair[0], pair[0], (1, 1, 1), rule=rule).cases.iloc[0]
    names = ["lesion_sensitivity", "lesion_precision", "lesion_f1", "lesionwise_dice", "panoptic_quality"]
    if pair[0].any():
        assert [row[name] for name in names] == [1.0] * 5
    else:
        assert all(math.isnan(row[name]) for name in names)


@given(masks())
@settings(max_examples=40, deadline=None)
def test_the_parts_make_up_the_whole(pair) -> None:
    found = lesionwise_scores(*pair, (1, 1, 1))
    assert found.lesions["volume_mm3"].sum() == pair[0].sum()
    assert found.components["volume_mm3"].sum() == pair[1].sum()
    row = found.cases.iloc[0]
    assert row["n_found"] == found.lesions["found"].sum()
    assert row["n_false_positives"] == (found.components["status"] == "false_positive").sum()
