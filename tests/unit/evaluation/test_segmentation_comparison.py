"""Two models on the same cases: what is compared, on which patients, and what is left out."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.errors import EvaluationError
from medvision.evaluation import bootstrap, compare_segmentation
from medvision.evaluation.signed_rank import hodges_lehmann, signed_rank

RNG = np.random.default_rng(0)
SECOND = RNG.beta(8, 2, 40)
FIRST = np.clip(SECOND + RNG.normal(0.02, 0.05, 40), 0, 1)


def test_mean_rank_test_and_centre_of_the_differences() -> None:
    found = compare_segmentation(FIRST, SECOND, resamples=500)
    assert found.difference.value == pytest.approx((FIRST - SECOND).mean())
    assert (found.first.value, found.second.value) == pytest.approx((FIRST.mean(), SECOND.mean()))
    expected = bootstrap(
        ["mean:d"], {"d": FIRST - SECOND, "one": FIRST, "two": SECOND}, patients=None, resamples=500, seed=0
    )["mean:d"]
    assert found.difference.high - found.difference.low == pytest.approx(
        expected.high - expected.low, rel=0.2
    )
    assert found.p == signed_rank(FIRST - SECOND).p
    assert found.hodges_lehmann.low == hodges_lehmann(FIRST - SECOND).low
    assert (found.difference.n_units, found.difference.n_patients) == (40, 40)
    assert found.method == "Wilcoxon signed-rank, exact"


def test_patients_count_once() -> None:
    patients = [f"P{number}" for number in np.repeat(np.arange(20), 2)]
    found = compare_segmentation(FIRST, SECOND, patients=patients, resamples=200)
    halves = [values.reshape(20, 2).mean(axis=1) for values in (FIRST, SECOND)]
    own = compare_segmentation(*halves, resamples=200)
    assert found.difference.value == pytest.approx(own.difference.value)
    assert found.p == pytest.approx(own.p)
    assert (found.difference.n_units, found.difference.n_patients) == (40, 20)
    assert found.hodges_lehmann.n_units == 40
    assert "patients' means first" in found.method
    uneven = compare_segmentation([1, 1, 1, 0], [0, 0, 0, 0.5], patients=list("AAAB"), resamples=50)
    assert uneven.difference.value == pytest.approx(0.25)


def test_undefined_cases_are_named_and_counted() -> None:
    first, second = FIRST.copy(), SECOND.copy()
    first[[3, 5]], second[[3]] = np.nan, np.nan
    second[5] = 0.0  # the second model outlined what is not there
    found = compare_segmentation(first, second, cases=[f"C{i}" for i in range(40)], resamples=100)
    assert found.undefined == ("C3", "C5")
    assert found.undefined_in_one == ("C5",)
    assert found.status == "2_of_40_cases_undefined"
    assert found.difference.n_units == 38
    kept = np.setdiff1d(np.arange(40), [3, 5])
    assert found.p == compare_segmentation(FIRST[kept], SECOND[kept], resamples=100).p
    assert json.loads(json.dumps(found.to_dict()))["undefined_in_one"] == ["C5"]


def test_nothing_is_defined() -> None:
    found = compare_segmentation([math.nan] * 3, [0.5, math.nan, 0.1])
    assert math.isnan(found.p)
    assert found.difference.status == found.hodges_lehmann.status == "undefined_no_units"
    assert found.undefined == ("0", "1", "2")


def test_the_same_scores_do_not_differ() -> None:
    found = compare_segmentation(FIRST, FIRST, resamples=50)
    assert (found.difference.value, found.p, found.hodges_lehmann.value) == (0, 1, 0)
    assert found.difference.status == "degenerate_variance"
    assert "40 zeros dropped" in found.method
    assert "Pratt" in compare_segmentation(FIRST, FIRST, zeros="pratt", resamples=50).method


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores_b": SECOND[1:]}, "differ in length"),
        ({"scores_a": np.r_[np.inf, FIRST[1:]]}, "infinite in 1 rows"),
        ({"scores_a": ["a"] * 40}, "not numbers"),
        ({"patients": [None, *range(39)]}, "have no patient"),
        ({"cases": ["A"]}, "differ in length"),
        ({"zeros": "wilcox"}, "zeros"),
        ({"level": 95}, "level"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message) -> None:
    arguments = {"scores_a": FIRST, "scores_b": SECOND, **change}
    first, second = arguments.pop("scores_a"), arguments.pop("scores_b")
    with pytest.raises(EvaluationError, match=message):
        compare_segmentation(first, second, **arguments)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=6, max_size=25), st.randoms())
@settings(max_examples=40, deadline=None)
def test_swapping_flips_and_order_changes_nothing(pairs, random) -> None:
    first, second = np.array(pairs, dtype=float).T / 20
    one = compare_segmentation(first, second, resamples=50)
    other = compare_segmentation(second, first, resamples=50)
    assert other.p == pytest.approx(one.p)
    assert other.difference.value == pytest.approx(-one.difference.value)
    centre, swapped = one.hodges_lehmann, other.hodges_lehmann
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx(
        (-centre.value, -centre.high, -centre.low), nan_ok=True
    )
    order = random.sample(range(len(pairs)), len(pairs))
    shuffled = compare_segmentation(first[order], second[order], resamples=50)
    assert shuffled.p == one.p
    assert shuffled.difference.low == pytest.approx(one.difference.low, nan_ok=True)
