"""Average precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit
from sklearn.metrics import average_precision_score

from medvision.errors import EvaluationError
from medvision.evaluation import average_precision


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_as_scikit_learn(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    labels = (rng.random(120) < 0.3).astype(int)
    scores = np.round(rng.normal(size=120) + labels, decimals)
    found = average_precision(labels, scores, resamples=100)
    assert found.value == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert found.low < found.value < found.high


def test_a_perfect_ranking_is_not_certain() -> None:
    found = average_precision([0] * 12 + [1] * 8, range(20), resamples=50)
    assert (found.value, found.high, found.status) == (1.0, 1.0, "degenerate_variance")
    assert found.low == pytest.approx(0.025 ** (1 / 8))


@pytest.mark.parametrize("labels", [[1, 1], [0, 0]])
def test_one_class_is_undefined(labels) -> None:
    found = average_precision(labels, [1, 2])
    assert math.isnan(found.value)
    assert found.status == "one_class"


def test_the_prevalence_of_a_cohort_is_chance_and_that_of_an_enriched_sample_is_not() -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], [180, 20])
    scores = rng.normal(size=200) + 1.5 * labels
    cohort, enriched = (average_precision(labels, scores, sampling=s) for s in ("cohort", "enriched"))
    assert cohort.value == enriched.value
    assert cohort.standard_error > 1.05 * enriched.standard_error
    assert 0 < cohort.low < cohort.value < cohort.high < 1


def test_few_positive_patients_are_never_drawn_away() -> None:
    found = average_precision([0] * 20 + [1, 1], [*range(10, 30), 12.5, 40])
    assert found.low < found.value < found.high


def test_an_unknown_sampling_is_refused() -> None:
    with pytest.raises(EvaluationError, match="sampling"):
        average_precision([0, 1], [1, 2], sampling="convenience")


def test_limits_lie_on_the_logit_scale() -> None:
    rng = np.random.default_rng(2)
    labels = (np.arange(150) % 4 == 0).astype(int)
    found = average_precision(labels, rng.normal(size=150) + labels, resamples=300)
    quantile = stats.t.ppf(0.975, 37) * np.sqrt(38 / 37)  # 38 positive patients
    half = quantile * found.standard_error / (found.value * (1 - found.value))
    assert [logit(found.low), logit(found.high)] == pytest.approx(
        [logit(found.value) - half, logit(found.value) + half], rel=1e-5
    )


def test_a_cohort_has_the_wider_interval() -> None:
    rng = np.random.default_rng(3)
    labels = (np.arange(300) % 10 == 0).astype(int)
    scores = rng.normal(size=300) + labels
    cohort, enriched = (average_precision(labels, scores, sampling=how) for how in ("cohort", "enriched"))
    assert cohort.value == enriched.value
    assert cohort.standard_error > 1.02 * enriched.standard_error
    with pytest.raises(EvaluationError, match="sampling"):
        average_precision(labels, scores, sampling="random")


def test_two_positive_units_keep_their_classes_and_say_so() -> None:
    found = average_precision([0] * 20 + [1, 1], [*range(20), 15, 30], resamples=100)
    assert found.status == "too_few_cases_to_let_the_prevalence_vary"
    assert 0 < found.low < found.value < found.high < 1
