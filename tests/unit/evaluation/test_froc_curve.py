"""The FROC curve, read at rates of false positives, against plain loops and a curve drawn by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.errors import EvaluationError
from medvision.evaluation.froc_curve import RATES, compare_froc, froc

# By hand: 4 scans, 4 lesions. At 0.9 one lesion; at 0.8 two and, tied, a false positive; at 0.6 another false
# positive; at 0.5 the third lesion, once more at 0.4; the fourth is never marked.
MARKS = pd.DataFrame(
    [("A", 0.9, 1), ("B", 0.8, 1), ("A", 0.8, None), ("C", 0.6, None), ("D", 0.5, 1), ("D", 0.4, 1)],
    columns=["case_id", "score", "lesion_id"],
)
LESIONS = pd.DataFrame({"case_id": ["A", "B", "D", "D"], "lesion_id": [1, 1, 1, 2]})
CASES = ["A", "B", "C", "D"]


def _slow(marks, lesions, n_scans: int, rate: float, interpolation: str) -> float:
    """Sensitivity at a rate, threshold by threshold."""
    points = [(0.0, 0.0)]
    best = marks.dropna(subset=["lesion_id"]).groupby(["case_id", "lesion_id"])["score"].max()
    alarms = marks[marks["lesion_id"].isna()]["score"]
    for threshold in sorted(set(marks["score"]), reverse=True):
        points.append(((alarms >= threshold).sum() / n_scans, (best >= threshold).sum() / len(lesions)))
    x, y = max(point for point in points if point[0] <= rate)
    later = [point for point in points if point[0] > rate]
    if interpolation == "step" or not later:
        return y
    end = min(later)  # The first point beyond; along a vertical piece of the curve the line reaches its foot.
    return y + (rate - x) / (end[0] - x) * (end[1] - y)


def test_the_curve_drawn_by_hand() -> None:
    found = froc(MARKS, LESIONS, cases=CASES, resamples=50)
    assert found.curve.values.tolist() == [
        [math.inf, 0, 0],
        [0.9, 0, 0.25],
        [0.8, 0.25, 0.5],
        [0.6, 0.5, 0.5],
        [0.5, 0.5, 0.75],
    ]
    values = {rate: estimate.value for rate, estimate in found.sensitivity_at.items()}
    # Half-way up the tied step; the upper end of the vertical piece at 1/2; flat beyond the last point.
    assert values == {0.125: 0.375, 0.25: 0.5, 0.5: 0.75, 1: 0.75, 2: 0.75, 4: 0.75, 8: 0.75}
    assert found.score.value == pytest.approx((0.375 + 0.5 + 5 * 0.75) / 7)
    stepped = froc(MARKS, LESIONS, cases=CASES, interpolation="step", resamples=50)
    assert stepped.sensitivity_at[0.125].value == 0.25
    assert (stepped.score.n_units, stepped.score.n_patients) == (4, 4)
    assert stepped.score.status == "fewer_than_10_patients"
    assert str(found).startswith("FROC score 0.661 (95% CI")


def test_further_marks_are_ignored_or_false_positives() -> None:
    strict = froc(MARKS, LESIONS, cases=CASES, duplicates="false_positive", resamples=50)
    assert strict.false_positives.tolist() == [0, 0, 0.25, 0.5, 0.5, 0.75]
    assert strict.sensitivity[-1] == 0.75
    assert strict.to_dict()["duplicates"] == "false_positive"
    assert json.dumps(strict.to_dict())


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["linear", "step"]))
def test_equals_the_slow_reading(study, seed: int, interpolation: str) -> None:
    marks, lesions, cases = study(seed)
    rates = sorted([0.1, 0.3, *RATES])
    found = froc(marks, lesions, cases=cases, rates=rates, interpolation=interpolation, resamples=2)
    expected = [_slow(marks, lesions, len(cases), rate, interpolation) for rate in rates]
    values = [estimate.value for estimate in found.sensitivity_at.values()]
    np.testing.assert_allclose(values, expected, atol=1e-9)
    assert found.score.value == pytest.approx(np.mean(expected), abs=1e-9)
    assert values == sorted(values)


@pytest.mark.parametrize("interpolation", ["linear", "step"])
def test_jackknife_is_the_study_without_each_patient(study, interpolation) -> None:
    marks, lesions, cases = study(4, cases=20, levels=50)
    found = froc(marks, lesions, cases=cases, interval="jackknife", interpolation=interpolation)
    left = []
    for case in cases:
        kept = [name for name in cases if name != case]
        own = (table[table["case_id"] != case] for table in (marks, lesions))
        left.append(froc(*own, cases=kept, interpolation=interpolation, resamples=2).score.value)
    spread = math.sqrt(19 / 20 * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert found.score.standard_error == pytest.approx(spread, abs=1e-12)
    assert "jackknife" in found.score.method


def test_a_resample_is_the_study_with_patients_repeated(study) -> None:
    marks, lesions, cases = study(6, cases=10, levels=50)
    owners = pd.DataFrame({"case_id": cases, "patient_id": np.arange(10) // 2})
    twice = []
    for copy in ("first", "second"):
        twice.append([t.assign(case_id=t["case_id"] + copy) for t in (marks, lesions)])
    doubled = [pd.concat(pair, ignore_index=True) for pair in zip(*twice, strict=True)]
    names = [name + copy for copy in ("first", "second") for name in cases]
    one = froc(marks, lesions, cases=owners)
    two = froc(*doubled, cases=names, patients=list(owners["patient_id"]) * 2)
    # The same patients, each with every scan twice: the same rates, the same spread.
    assert two.score.value == pytest.approx(one.score.value)
    assert two.score.standard_error == pytest.approx(one.score.standard_error)
    assert (two.score.n_units, two.score.n_patients) == (2 * one.score.n_units, 5)


def test_neither_order_nor_call_changes_a_draw(study) -> None:
    marks, lesions, cases = study(7, cases=30)
    shuffled = (table.sample(frac=1, random_state=0) for table in (marks, lesions))
    one = froc(marks, lesions, cases=cases, resamples=120, seed=3)
    assert froc(*shuffled, cases=sorted(cases), resamples=120, seed=3).to_dict() == one.to_dict()
    assert froc(marks, lesions, cases=cases, resamples=120, seed=4).score.low != one.score.low


def test_intervals_nest_in_the_level(study) -> None:
    marks, lesions, cases = study(9, cases=40)
    for interval in ("bootstrap", "jackknife"):
        wide, narrow = (
            froc(marks, lesions, cases=cases, interval=interval, level=level).score for level in (0.95, 0.8)
        )
        assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_all_found_at_once_keeps_an_honest_lower_limit() -> None:
    names = [f"C{n}" for n in range(20)]
    lesions = pd.DataFrame({"case_id": names[:10], "lesion_id": 1})
    found = froc(lesions.assign(score=1.0), lesions, cases=names, resamples=50).score
    assert (found.value, found.high, found.status) == (1, 1, "degenerate_variance")
    assert found.low == pytest.approx(0.6915, abs=1e-4)  # exact, 10 of 10


def test_no_lesions_and_no_marks() -> None:
    none = froc(MARKS[:0], LESIONS[:0], cases=CASES, resamples=10)
    assert none.score.status == "undefined_no_units"
    assert math.isnan(none.score.value)
    blind = froc(MARKS[:0], LESIONS, cases=CASES, resamples=10).score
    assert (blind.value, blind.low, blind.status) == (0, 0, "degenerate_variance")
    assert blind.high == pytest.approx(0.7076, abs=1e-4)  # exact, 0 of 3 patients with lesions
    alone = froc(MARKS[:1], LESIONS[:1], cases=["A"], interval="jackknife").score
    assert (alone.value, alone.status) == (1, "degenerate_variance")


def test_comparison_is_paired_and_turns_round(study) -> None:
    marks, lesions, cases = study(11, cases=60, levels=1000)
    worse = marks.assign(score=np.random.default_rng(0).permutation(marks["score"]))
    for interval in ("bootstrap", "jackknife"):
        found = compare_froc(marks, worse, lesions, cases=cases, interval=interval, rates=[1])
        turned = compare_froc(worse, marks, lesions, cases=cases, interval=interval, rates=[1])
        own = froc(marks, lesions, cases=cases, interval=interval, rates=[1]).score
        assert found.first == own
        assert found.difference.value == pytest.approx(found.first.value - found.second.value)
        assert (turned.difference.value, turned.p) == pytest.approx((-found.difference.value, found.p))
        assert found.df == (59 if interval == "jackknife" else None)
    same = compare_froc(marks, marks, lesions, cases=cases, resamples=100)
    assert (same.difference.value, same.p, same.status) == (0, 1, "degenerate_variance")


def test_a_bootstrap_p_is_never_zero() -> None:
    names = [f"C{n:02}" for n in range(30)]
    lesions = pd.DataFrame({"case_id": names, "lesion_id": 1})
    most, few = (lesions.assign(score=1.0)[:n] for n in (28, 2))
    assert compare_froc(most, few, lesions, cases=names, resamples=999).p == pytest.approx(2 / 1000)
    whole = compare_froc(lesions.assign(score=1.0), few[:0], lesions, cases=names, resamples=99)
    assert (whole.difference.value, whole.status) == (1, "degenerate_variance")
    assert math.isnan(whole.p)


def test_wrong_words() -> None:
    for wrong in ({"rates": []}, {"rates": [0]}, {"interpolation": "cubic"}, {"interval": "exact"}):
        with pytest.raises(EvaluationError):
            froc(MARKS, LESIONS, cases=CASES, **wrong)
    with pytest.raises(EvaluationError, match="level=95"):
        froc(MARKS, LESIONS, cases=CASES, level=95)
