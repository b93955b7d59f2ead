"""Numbers of cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, power_auroc, sample_size_auroc, sample_size_proportion
from medvision.evaluation.sample_size import sample_size_auroc_interval


def test_more_certainty_and_rarer_disease_need_more_cases() -> None:
    assert sample_size_proportion(0.9, 0.05) == 139  # Buderer 1996: 1.96² · 0.9 · 0.1 / 0.05²
    assert sample_size_proportion(0.9, 0.05, prevalence=0.25) == 554
    assert sample_size_proportion(0.9, 0.05, level=0.99) > 139


@pytest.mark.parametrize("expected", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_the_number_of_cases_has_the_power_that_was_asked_for(expected: float, ratio: int) -> None:
    cases = sample_size_auroc(expected, power=0.9, ratio=ratio)
    assert power_auroc(*cases, expected) >= 0.9 - 1e-3
    assert power_auroc(cases.positive - 1, (cases.positive - 1) * ratio, expected) < 0.9
    assert cases.total == cases.positive + cases.negative


def test_power_of_the_example_of_proc() -> None:
    """pROC 1.18 tests/testthat/test-power.roc.test.R: ncases=41, ncontrols=72, auc=0.73 gives 0.9897453."""
    assert power_auroc(41, 72, 0.73) == pytest.approx(0.9897453, abs=1e-6)


@pytest.mark.parametrize(
    ("expected", "ratio", "cases"),
    [
        (0.6, 0.25, (334, 84)), (0.6, 1, (135, 135)), (0.6, 2, (102, 203)), (0.7, 0.25, (80, 20)),
        (0.7, 0.5, (49, 25)), (0.7, 1, (33, 33)), (0.7, 2, (25, 50)), (0.7, 4, (21, 84)), (0.8, 1, (14, 14)),
        (0.8, 2, (11, 21)),
    ],
)  # fmt: skip
def test_numbers_of_obuchowskis_table(expected: float, ratio: float, cases: tuple[int, int]) -> None:
    """Obuchowski, Lieber and Wians, Clin Chem 2004;50:1118, table 4, as pROC tests it: one-sided, 90%."""
    assert sample_size_auroc(expected, power=0.9, ratio=ratio, sided=1) == cases


def test_two_sides_need_more_than_one() -> None:
    assert sample_size_auroc(0.7).total > sample_size_auroc(0.7, sided=1).total


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_size_proportion(1.0, 0.05),
        lambda: sample_size_proportion(0.9, 0),
        lambda: sample_size_proportion(0.9, 0.05, prevalence=0),
        lambda: sample_size_auroc(0.5),
        lambda: sample_size_auroc(0.8, sided=3),
        lambda: sample_size_auroc(0.8, power=1.0),
        lambda: power_auroc(0, 10, 0.8),
    ],
)
def test_impossible_designs_are_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()


@pytest.mark.parametrize(("p", "width"), [(0.98, 0.03), (0.9, 0.05), (0.5, 0.1), (0.0, 0.05)])
def test_wilson_sizes_are_the_fewest_whose_interval_is_short_enough(p: float, width: float) -> None:
    from medvision.evaluation.proportions import _wilson

    p = max(p, 1e-9)
    n = sample_size_proportion(p, width, method="wilson")
    short, longer = (_wilson(p * size, size, 0.05) for size in (n, n - 1))
    assert (short[1] - short[0]) / 2 <= width < (longer[1] - longer[0]) / 2


def test_an_areas_interval_is_as_short_as_promised() -> None:
    """Mean DeLong standard error of binormal scores with the cases that were asked for."""
    rng = np.random.default_rng(0)
    positive, negative = sample_size_auroc_interval(0.85, 0.05, ratio=2, scores="continuous")
    labels = np.repeat([0, 1], [negative, positive])
    shift = np.sqrt(2) * norm.ppf(0.85)
    errors = [
        auroc(labels, rng.normal(size=len(labels)) + shift * labels, method="wald").standard_error
        for _ in range(200)
    ]
    assert 1.96 * np.mean(errors) == pytest.approx(0.05, rel=0.03)
    assert sample_size_auroc_interval(0.85, 0.05, ratio=2).total > positive + negative


@pytest.mark.parametrize("cases", [math.nan, math.inf, 0, -3, 10.5, "20", None])
def test_cases_that_are_no_number_have_no_power(cases) -> None:
    for call in (lambda: power_auroc(cases, 20, 0.8), lambda: power_auroc(20, cases, 0.8)):
        with pytest.raises(EvaluationError, match="whole number of cases"):
            call()


@pytest.mark.parametrize("value", ["0.8", None, math.nan])
def test_numbers_that_are_none_are_refused(value) -> None:
    for call in (
        lambda: sample_size_auroc(value),
        lambda: sample_size_proportion(value, 0.05),
        lambda: sample_size_auroc_interval(0.8, value),
    ):
        with pytest.raises(EvaluationError, match="must lie between"):
            call()
