"""What patients contribute adds up to the variances of other formulas."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.influence import area_influence, share_influence
from medvision.evaluation.roc import auroc


def test_squares_of_single_units_are_delongs_variance() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(60) < 0.4
    scores = np.round(rng.normal(size=60) + truth, 1)
    added = area_influence(truth, scores, np.arange(60), np.ones(60, dtype=bool))
    expected = auroc(truth, scores, method="wald").standard_error
    assert np.sqrt(added @ added) == pytest.approx(expected, rel=1e-12)


def test_squares_of_clusters_are_the_ratio_estimators_variance() -> None:
    rng = np.random.default_rng(4)
    codes = np.sort(rng.integers(0, 15, 50))
    right = rng.random(50) < 0.7
    among = np.ones(50, dtype=bool)
    added = share_influence(right - right.mean(), among, np.unique(codes, return_inverse=True)[1])
    assert np.sqrt(added @ added) == pytest.approx(
        clustered_proportion(right, codes).standard_error, rel=1e-12
    )


def test_too_few_units_contribute_nothing() -> None:
    truth = np.array([True, False, False])
    assert area_influence(truth, np.arange(3.0), np.arange(3), np.ones(3, dtype=bool)).tolist() == [0, 0, 0]
    assert share_influence([0.5], np.array([True, False]), np.arange(2)).tolist() == [0, 0]
