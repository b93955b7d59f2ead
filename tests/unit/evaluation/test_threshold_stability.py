"""Thresholds chosen on the evaluated cases, against loops written from the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import choose_threshold, optimism, threshold_interval
from medvision.evaluation.resampling import label_strata, patient_draws

RULES = ["youden", "cost:3", "sensitivity>=0.8", "specificity>=0.8"]


@pytest.fixture(scope="module")
def ranked() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    patients = rng.integers(0, 35, 60)
    labels = (rng.random(60) < 0.4).astype(int)
    return labels, np.round(rng.normal(size=60) + labels, 1), patients


def _loop(labels, scores, codes, rule, resamples, seed):
    """Each draw as a table of its own: the threshold, its rates there, and who was drawn and left out."""
    rows = []
    for block in patient_draws(label_strata(labels == 1, codes), resamples, seed):
        for counts in block:
            inside = np.repeat(np.arange(len(labels)), counts[codes].astype(int))
            try:
                limit = choose_threshold(labels[inside], scores[inside], rule=rule)
            except EvaluationError:
                continue
            rows.append((limit, inside, np.flatnonzero(counts[codes] == 0)))
    return rows


def _rates(labels, calls):
    return calls[labels == 1].mean(), (~calls[labels == 0]).mean()


@pytest.mark.parametrize("rule", RULES)
def test_the_interval_holds_the_thresholds_of_a_loop(ranked, rule: str) -> None:
    labels, scores, patients = ranked
    codes = np.unique(patients, return_inverse=True)[1]
    chosen = [row[0] for row in _loop(labels, scores, codes, rule, 150, 3)]
    found = threshold_interval(labels, scores, rule=rule, patients=patients, resamples=150, seed=3)
    assert found.value == choose_threshold(labels, scores, rule=rule)
    np.testing.assert_allclose([found.low, found.high], np.quantile(chosen, [0.025, 0.975]))


@pytest.mark.parametrize("rule", RULES)
def test_out_of_the_bag_is_a_loop_over_the_patients_left_out(ranked, rule: str) -> None:
    labels, scores, patients = ranked
    codes = np.unique(patients, return_inverse=True)[1]
    hits = np.zeros(4)
    for limit, _, rest in _loop(labels, scores, codes, rule, 60, 1):
        calls = scores[rest] >= limit
        sick = labels[rest] == 1
        hits += [calls[sick].sum(), sick.sum(), (~calls[~sick]).sum(), (~sick).sum()]
    found = optimism(labels, scores, rule=rule, patients=patients, resamples=60, seed=1)
    assert found.corrected["sensitivity"] == pytest.approx(hits[0] / hits[1])
    assert found.corrected["specificity"] == pytest.approx(hits[2] / hits[3])
    assert found.optimism["youden"] == pytest.approx(
        found.apparent["youden"] - found.corrected["sensitivity"] - found.corrected["specificity"] + 1
    )


@pytest.mark.parametrize("rule", RULES)
def test_harrells_optimism_is_a_loop_over_draws(ranked, rule: str) -> None:
    labels, scores, patients = ranked
    codes = np.unique(patients, return_inverse=True)[1]
    gains = [
        np.subtract(_rates(labels[inside], scores[inside] >= limit), _rates(labels, scores >= limit))
        for limit, inside, _ in _loop(labels, scores, codes, rule, 60, 1)
    ]
    found = optimism(labels, scores, rule=rule, patients=patients, method="harrell", resamples=60, seed=1)
    expected = np.mean(gains, axis=0)
    assert [found.optimism["sensitivity"], found.optimism["specificity"]] == pytest.approx(expected.tolist())


def test_scores_without_information_look_good_and_are_corrected_to_nothing() -> None:
    rng = np.random.default_rng(0)
    apparent, corrected, harrell = [], [], []
    for _ in range(150):
        labels, scores = rng.permutation(np.tile([0, 1], 20)), rng.normal(size=40)
        found = optimism(labels, scores, resamples=60)
        apparent.append(found.apparent["youden"])
        corrected.append(found.corrected["youden"])
        harrell.append(optimism(labels, scores, resamples=60, method="harrell").corrected["youden"])
    assert np.mean(apparent) == pytest.approx(0.17, abs=0.03)
    assert abs(np.mean(corrected)) < 0.03
    assert 0.03 < np.mean(harrell) < 0.11


def test_the_order_of_the_rows_does_not_matter(ranked) -> None:
    labels, scores, _ = ranked
    order = np.random.default_rng(0).permutation(60)
    for function in (optimism, threshold_interval):
        one, other = function(labels, scores, seed=2), function(labels[order], scores[order], seed=2)
        assert one == other


def test_a_fixed_threshold_neither_moves_nor_flatters(ranked) -> None:
    labels, scores, _ = ranked
    found = threshold_interval(labels, scores, rule="fixed:0.5")
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)
    assert set(optimism(labels, scores, rule="fixed:0.5").optimism.values()) == {0.0}


def test_a_single_positive_patient_cannot_be_corrected() -> None:
    found = optimism([0] * 9 + [1, 1], np.arange(11.0), patients=[*range(9), "A", "A"])
    assert math.isnan(found.corrected["sensitivity"])
    assert found.status == "a_class_is_never_left_out"


def test_draws_in_which_nothing_meets_the_rule_are_counted() -> None:
    labels, scores = np.array([0] * 10 + [1] * 10), np.arange(20.0) % 10
    scores[:1] = 11  # one control on top: many draws hold it twice
    found = optimism(labels, scores, rule="specificity>=0.9", resamples=200)
    assert found.undefined > 0
    assert found.resamples + found.undefined == 200
    assert found.status == f"{found.undefined}_of_200_draws_meet_no_threshold"
    with pytest.raises(EvaluationError, match="undefined in"):
        threshold_interval(labels, scores, rule="specificity>=0.9")


@pytest.mark.parametrize(
    "arguments", [{"method": "632"}, {"resamples": 0}, {"rule": "best"}, {"scores": [0.1, np.nan]}]
)
def test_what_cannot_be_is_refused(arguments) -> None:
    given = {"labels": [0, 1], "scores": [0.1, 0.9], **arguments}
    with pytest.raises(EvaluationError):
        optimism(given.pop("labels"), given.pop("scores"), **given)


def test_one_class_and_no_units_are_refused() -> None:
    for labels in ([], [1, 1], [0, 0]):
        with pytest.raises(EvaluationError, match="no "):
            optimism(labels, np.arange(len(labels)), rule="sensitivity>=0.9")
