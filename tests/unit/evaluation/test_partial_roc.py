"""Parts of the ROC curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, partial_auroc, proportion


@pytest.fixture(scope="module")
def ranked() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    labels = (rng.random(150) < 0.4).astype(int)
    return labels, np.round(rng.normal(size=150) + labels, 1)


@pytest.mark.parametrize("low", [0.5, 0.8, 0.9, 0.97])
def test_standardised_over_specificity_as_scikit_learn(ranked, low: float) -> None:
    found = partial_auroc(*ranked, specificity=(low, 1.0), standardise=True, resamples=20)
    assert found.value == pytest.approx(roc_auc_score(*ranked, max_fpr=1 - low), abs=1e-12)


@pytest.mark.parametrize("side", ["specificity", "sensitivity"])
def test_the_whole_range_is_the_area(ranked, side: str) -> None:
    found = partial_auroc(*ranked, **{side: (0.0, 1.0)}, resamples=20)
    assert found.value == pytest.approx(auroc(*ranked).value, abs=1e-12)


@pytest.mark.parametrize("side", ["specificity", "sensitivity"])
def test_parts_add_up(ranked, side: str) -> None:
    parts = [(0.0, 0.3), (0.3, 0.65), (0.65, 1.0)]
    total = sum(partial_auroc(*ranked, **{side: part}, resamples=20).value for part in parts)
    assert total == pytest.approx(auroc(*ranked).value, abs=1e-12)


def test_sensitivity_is_specificity_of_the_turned_problem(ranked) -> None:
    labels, scores = ranked
    over = partial_auroc(labels, scores, sensitivity=(0.8, 1.0), resamples=200, seed=3)
    turned = partial_auroc(1 - labels, -scores, specificity=(0.8, 1.0), resamples=20)
    assert over.value == pytest.approx(turned.value, abs=1e-12)
    assert over.low < over.value < over.high


def test_the_order_of_rows_does_not_matter(ranked) -> None:
    labels, scores = ranked
    order = np.random.default_rng(0).permutation(len(labels))
    one = partial_auroc(labels, scores, resamples=60, seed=1)
    other = partial_auroc(labels[order], scores[order], resamples=60, seed=1)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)


def test_perfect_separation_says_so() -> None:
    found = partial_auroc([0] * 10 + [1] * 10, range(20), standardise=True, resamples=20)
    assert found.value == 1.0
    assert found.status == "degenerate_variance"
    limit = 0.1 * proportion(10, 10, method="exact").low  # of the width of the range
    assert found.low == pytest.approx((1 + (limit - 0.005) / 0.095) / 2)
    assert found.high == 1.0


@pytest.mark.parametrize(
    "arguments",
    [
        {"specificity": (0.9, 0.8)},
        {"sensitivity": (0.5, 1.2)},
        {"specificity": (0.9, 1), "sensitivity": (0.9, 1)},
    ],
)
def test_ranges_that_are_none_are_refused(ranked, arguments) -> None:
    with pytest.raises(EvaluationError):
        partial_auroc(*ranked, **arguments)


def test_limits_lie_on_the_logit_scale_of_the_share_of_the_range(ranked) -> None:
    found = partial_auroc(*ranked, specificity=(0.8, 1.0), resamples=200)
    share, low, high = (part / 0.2 for part in (found.value, found.low, found.high))
    centre = (logit(low) + logit(high)) / 2
    assert centre == pytest.approx(logit(share))
    rarer = min(ranked[0].sum(), (1 - ranked[0]).sum())
    quantile = stats.t.ppf(0.975, rarer - 1) * np.sqrt(rarer / (rarer - 1))
    half = quantile * found.standard_error / 0.2 / (share * (1 - share))
    assert logit(high) - centre == pytest.approx(half, rel=1e-5)


def test_standardising_moves_value_limits_and_error_alike(ranked) -> None:
    plain = partial_auroc(*ranked, specificity=(0.8, 1.0), resamples=200)
    scaled = partial_auroc(*ranked, specificity=(0.8, 1.0), resamples=200, standardise=True)
    for part in ("value", "low", "high"):
        assert getattr(scaled, part) == pytest.approx((1 + (getattr(plain, part) - 0.02) / 0.18) / 2)
    assert scaled.standard_error == pytest.approx(plain.standard_error / 0.36)
