"""The corrected resampled t-test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from medvision.errors import EvaluationError
from medvision.evaluation import corrected_resampled_t


def test_it_is_the_plain_t_test_with_a_wider_variance() -> None:
    gains = np.random.default_rng(0).normal(0.01, 0.03, 50)
    plain, found = ttest_1samp(gains, 0), corrected_resampled_t(gains, 80, 20)
    assert found.statistic == pytest.approx(plain.statistic * math.sqrt((1 / 50) / (1 / 50 + 20 / 80)))
    assert found.df == 49
    assert found.difference.low < gains.mean() < found.difference.high


def test_no_difference_at_all() -> None:
    found = corrected_resampled_t([0.0] * 10, 90, 10)
    assert (found.statistic, found.p) == (0.0, 1.0)
    constant = corrected_resampled_t([0.02] * 10, 90, 10)
    assert math.isnan(constant.p)
    assert constant.difference.status == "degenerate_variance"


@pytest.mark.parametrize("gains", [[], [0.1]])
def test_too_few_splits(gains) -> None:
    assert math.isnan(corrected_resampled_t(gains, 90, 10).p)


@pytest.mark.parametrize(
    "call",
    [lambda: corrected_resampled_t([0.1, np.nan], 9, 1), lambda: corrected_resampled_t([0.1, 0.2], 0, 1)],
)
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()


@pytest.mark.parametrize(
    ("sizes", "status"), [((45, 5), "fewer_than_10_test_cases"), ((90, 10), "ok"), ((0.9, 0.1), "ok")]
)
def test_small_test_parts_say_so(sizes: tuple[float, float], status: str) -> None:
    assert corrected_resampled_t([0.02, 0.01, 0.03, -0.01], *sizes).status == status


@pytest.mark.parametrize("size", [math.inf, math.nan, "90", None])
def test_sizes_that_are_no_number_of_cases_are_refused(size) -> None:
    for sizes in ((size, 10), (90, size)):
        with pytest.raises(EvaluationError, match="must be numbers of cases"):
            corrected_resampled_t([0.1, 0.2, 0.3], *sizes)
