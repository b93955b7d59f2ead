"""Counts at every observed score."""

from __future__ import annotations

import numpy as np

from medvision.evaluation.operating_steps import Steps


def test_steps_join_equal_scores() -> None:
    steps = Steps.of(np.array([True, False, True]), np.array([2.0, 2.0, 1.0]))
    counts = steps.counts(np.ones((1, 3)))
    assert counts.true_positive.tolist() == [[1.0, 2.0]]
    assert counts.false_positive.tolist() == [[1.0, 1.0]]


def test_weights_are_copies() -> None:
    rng = np.random.default_rng(0)
    labels, scores, weights = rng.random(30) < 0.4, rng.integers(0, 8, 30) / 2, rng.integers(0, 3, 30)
    found = Steps.of(labels, scores)
    counts = found.counts(weights[None, :].astype(float))
    for step, threshold in enumerate(found.thresholds):
        called = np.repeat(scores >= threshold, weights)
        assert counts.true_positive[0, step] == (called & np.repeat(labels, weights)).sum()
        assert counts.false_positive[0, step] == (called & ~np.repeat(labels, weights)).sum()


def test_a_score_that_was_not_drawn_is_never_chosen() -> None:
    steps = Steps.of(np.array([True, True, False]), np.array([3.0, 2.0, 1.0]))
    drawn = steps.counts(np.array([[0.0, 1.0, 1.0]]))
    assert [int(drawn.chosen(*rule)[0]) for rule in (("youden", 0), ("sensitivity", 1), ("cost", 1))] == [
        1
    ] * 3
    assert int(drawn.chosen("specificity", 1.0)[0]) == 1
    assert int(steps.counts(np.array([[0.0, 0.0, 1.0]])).chosen("sensitivity", 0.5)[0]) == -1
