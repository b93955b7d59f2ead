"""Sample sizes of paired comparisons give the power that they promise, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from medvision.errors import EvaluationError
from medvision.evaluation.auroc_comparison import compare_auroc
from medvision.evaluation.mcnemar_test import mcnemar
from medvision.evaluation.paired_sizes import (
    allow_for_losses,
    design_effect,
    power_paired_auroc,
    sample_size_paired_auroc,
    sample_size_paired_proportions,
)


def test_two_areas_are_told_apart_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    labels, means = np.repeat([0, 1], 110), np.sqrt(2) * norm.ppf([0.85, 0.75])
    firsts, seconds, found = [], [], 0
    draws = 400
    for _ in range(draws):
        noise = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 220)
        tested = compare_auroc(labels, *(noise + labels[:, None] * means).T)
        firsts.append(tested.first.value)
        seconds.append(tested.second.value)
        found += tested.p < 0.05
    correlation = float(np.corrcoef(firsts, seconds)[0, 1])
    promised = power_paired_auroc(110, 110, 0.85, 0.75, correlation=correlation, scores="continuous")
    assert found / draws == pytest.approx(promised, abs=0.05)
    # The standard formula is for ratings on few levels; continuous scores find more than it promises.
    assert found / draws > power_paired_auroc(110, 110, 0.85, 0.75, correlation=correlation)


def test_size_and_power_agree() -> None:
    for ratio in (0.5, 1, 4):
        cases = sample_size_paired_auroc(0.9, 0.84, correlation=0.4, ratio=ratio, power=0.9)
        assert power_paired_auroc(*cases, 0.9, 0.84, correlation=0.4) == pytest.approx(0.9, abs=0.005)
    assert sample_size_paired_auroc(0.84, 0.9) == sample_size_paired_auroc(0.9, 0.84)
    fewer = sample_size_paired_auroc(0.9, 0.84, correlation=0.8)
    assert fewer.positive < sample_size_paired_auroc(0.9, 0.84, correlation=0.2).positive


def test_mcnemars_test_finds_as_often_as_promised() -> None:
    n = sample_size_paired_proportions(0.1, 0.2, power=0.8)
    rng = np.random.default_rng(2)
    cells = rng.multinomial(n, [0.15, 0.05, 0.8], 1000)
    found = np.mean([mcnemar(int(b), int(c), method="asymptotic").p < 0.05 for b, c, _ in cells])
    assert found == pytest.approx(0.8, abs=0.04)


def test_connor_by_hand() -> None:
    """Connor 1987, formula (3.1), with z = 1.959964 and 0.841621."""
    wanted = (1.959964 * math.sqrt(0.2) + 0.841621 * math.sqrt(0.2 - 0.01)) / 0.1
    assert sample_size_paired_proportions(0.1, 0.2) == math.ceil(wanted**2)


def test_clusters_and_losses() -> None:
    assert design_effect(1, 0.9) == 1
    assert design_effect(4, 0) == 1
    assert allow_for_losses(100, 0) == 100
    assert allow_for_losses(100, 0.2) == 125


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: sample_size_paired_auroc(0.8, 0.8), "no number of cases"),
        (lambda: sample_size_paired_auroc(0.8, 1.2), "expected_b=1.2"),
        (lambda: sample_size_paired_auroc(0.8, 0.7, correlation=1), "correlation=1"),
        (lambda: sample_size_paired_auroc(0.8, 0.7, sided=3), "sided=3"),
        (lambda: power_paired_auroc(0, 5, 0.8, 0.7), "both classes"),
        (lambda: sample_size_paired_proportions(0.3, 0.2), "at least as large"),
        (lambda: design_effect(0.5, 0.1), "units_per_patient=0.5"),
        (lambda: design_effect(2, 1.1), "icc=1.1"),
        (lambda: allow_for_losses(10, 10), "share_lost=10"),
    ],
)
def test_what_cannot_be_is_refused(call, told) -> None:  # type: ignore[no-untyped-def] # a call of each function
    with pytest.raises(EvaluationError, match=told):
        call()


@pytest.mark.parametrize("scores", ["nonsense", 3, None])
def test_another_kind_of_scores_is_refused(scores) -> None:
    """It was taken for ratings before."""
    for call in (
        lambda: sample_size_paired_auroc(0.8, 0.7, scores=scores),
        lambda: power_paired_auroc(50, 50, 0.8, 0.7, scores=scores),
    ):
        with pytest.raises(EvaluationError, match="ratings, continuous"):
            call()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, "90", None])
def test_numbers_that_are_none_are_refused(wrong) -> None:
    for call in (
        lambda: allow_for_losses(wrong, 0.1),
        lambda: allow_for_losses(90, wrong),
        lambda: design_effect(wrong, 0.1),
        lambda: design_effect(2, wrong),
        lambda: power_paired_auroc(wrong, 50, 0.8, 0.7),
        lambda: sample_size_paired_proportions(wrong, 0.2),
        lambda: sample_size_paired_proportions(0.1, wrong),
    ):
        with pytest.raises(EvaluationError):
            call()
    with pytest.raises(EvaluationError):
        allow_for_losses(-1, 0.1)
