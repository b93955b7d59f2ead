"""Rank correlations of weights: a weight is the same as that many copies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from medvision.evaluation.weighted_ranks import weighted_spearman


def test_weights_are_copies() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, 30).astype(float)
    y = (x + rng.normal(0, 2, 30)).round()
    weights = rng.integers(0, 4, (5, 30))
    found = weighted_spearman(x, y)(weights.astype(float))
    expected = [spearmanr(np.repeat(x, row), np.repeat(y, row)).statistic for row in weights]
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_resample_of_one_value_is_undefined() -> None:
    x = np.array([0.1, 0.2, 0.7])
    assert np.isnan(weighted_spearman(x, x)(np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0]]))).all()
