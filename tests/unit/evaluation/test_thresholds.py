"""Operating points, against a search over every observed score."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import choose_threshold


@pytest.fixture(scope="module")
def ranked() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    labels = (rng.random(90) < 0.4).astype(int)
    return labels, np.round(rng.normal(size=90) + labels, 1)


def _at(labels: np.ndarray, scores: np.ndarray, threshold: float) -> tuple[float, float]:
    calls = scores >= threshold
    return calls[labels == 1].mean(), (~calls[labels == 0]).mean()


@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95, 1.0])
def test_sensitivity_is_reached_by_the_highest_threshold_that_can(ranked, wanted: float) -> None:
    chosen = choose_threshold(*ranked, rule=f"sensitivity>={wanted}")
    reaching = [t for t in np.unique(ranked[1]) if _at(*ranked, t)[0] >= wanted]
    assert chosen == max(reaching)


@pytest.mark.parametrize("wanted", [0.0, 0.5, 0.9])
def test_specificity_is_reached_by_the_lowest_threshold_that_can(ranked, wanted: float) -> None:
    chosen = choose_threshold(*ranked, rule=f"specificity >= {wanted}")
    reaching = [t for t in np.unique(ranked[1]) if _at(*ranked, t)[1] >= wanted]
    assert chosen == min(reaching)


def test_youden_is_the_largest_sum(ranked) -> None:
    best = max(sum(_at(*ranked, t)) for t in np.unique(ranked[1]))
    assert sum(_at(*ranked, choose_threshold(*ranked, rule="youden"))) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("cost", [0.2, 1, 5, 50])
def test_cost_is_the_smallest_loss(ranked, cost: float) -> None:
    labels, scores = ranked

    def loss(threshold: float) -> float:
        calls = scores >= threshold
        return cost * (~calls & (labels == 1)).sum() + (calls & (labels == 0)).sum()

    chosen = choose_threshold(labels, scores, rule=f"cost:{cost}")
    assert loss(chosen) == pytest.approx(min(loss(t) for t in np.unique(scores)))


def test_a_fixed_threshold_looks_at_nothing() -> None:
    assert choose_threshold([], [], rule="fixed:0.5") == 0.5
    assert choose_threshold([], [], rule="fixed:-1.5") == -1.5


def test_a_rule_that_nothing_meets_names_the_best() -> None:
    with pytest.raises(EvaluationError, match=r"the best is 0\.667 at a threshold of 0\.9"):
        choose_threshold([0, 0, 0, 1], [0.1, 0.2, 0.9, 0.8], rule="specificity>=0.9")


@pytest.mark.parametrize(
    ("labels", "rule"),
    [([0, 0], "sensitivity>=0.9"), ([1, 1], "specificity>=0.9"), ([1, 1], "youden"), ([], "cost:2")],
)
def test_a_missing_class_is_named(labels, rule) -> None:
    with pytest.raises(EvaluationError, match=r"no (positive|negative)"):
        choose_threshold(labels, np.arange(len(labels)), rule=rule)


@pytest.mark.parametrize(
    "rule",
    [
        "yuden",
        "youden:2",
        "fixed",
        "fixed:",
        "fixed:nan",
        "sensitivity>=95",
        "sensitivity=0.9",
        "cost:0",
        "cost:-1",
        "",
    ],
)
def test_a_rule_that_is_none_is_answered_with_those_that_are(rule: str) -> None:
    with pytest.raises(EvaluationError, match="write youden"):
        choose_threshold([0, 1], [0.1, 0.9], rule=rule)


def test_the_sign_of_a_web_page_is_understood() -> None:
    assert choose_threshold([0, 1], [0.1, 0.9], rule="sensitivity ≥ 0.5") == 0.9


def test_a_rule_that_is_no_text_is_refused(ranked) -> None:
    with pytest.raises(EvaluationError, match="rule=3"):
        choose_threshold(*ranked, rule=3)  # type: ignore[arg-type] # the wrong type is what is tested
