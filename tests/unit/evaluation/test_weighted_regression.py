"""Errors and correlations of weights: a weight is the same as that many copies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from medvision.evaluation import weighted_regression


def _lin(x: np.ndarray, y: np.ndarray) -> float:
    return 2 * np.mean((x - x.mean()) * (y - y.mean())) / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


ORACLES = {
    "mean_absolute_error": mean_absolute_error,
    "root_mean_squared_error": root_mean_squared_error,
    "bias": lambda x, y: np.mean(y - x),
    "explained_share": r2_score,
    "concordance_correlation": _lin,
    "pearson": lambda x, y: pearsonr(x, y).statistic,
    "spearman": lambda x, y: spearmanr(x, y).statistic,
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_weights_are_copies(name: str, offset: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, 30).astype(float) + offset
    y = (x + rng.normal(0, 2, 30)).round()
    weights = rng.integers(0, 4, (5, 30))
    found = getattr(weighted_regression, name)(x, y)(weights.astype(float))
    expected = [ORACLES[name](np.repeat(x, row), np.repeat(y, row)) for row in weights]
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", ["explained_share", "concordance_correlation", "pearson", "spearman"])
def test_a_resample_of_one_value_is_undefined(name: str) -> None:
    x = np.array([0.1, 0.2, 0.7])
    weights = np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])
    assert np.isnan(getattr(weighted_regression, name)(x, x)(weights)).all()
