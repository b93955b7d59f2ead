"""Local straight lines."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from medvision.evaluation.local_regression import local_linear


def test_weights_are_copies() -> None:
    rng = np.random.default_rng(0)
    x, y, weights = rng.random(50), rng.random(50), rng.integers(0, 4, 50)
    at = np.linspace(0.1, 0.9, 7)
    copies = sm.nonparametric.lowess(
        np.repeat(y, weights), np.repeat(x, weights), frac=0.5, it=0, delta=0, xvals=at
    )
    np.testing.assert_allclose(local_linear(x, y, at, weights[None, :].astype(float), 0.5)[0], copies)


def test_a_line_comes_back_as_it_is() -> None:
    x = np.arange(20.0)
    found = local_linear(x, 3 * x - 1, np.array([0.0, 7.3, 19.0]), np.ones((1, 20)), 0.4)
    assert found[0].tolist() == pytest.approx([-1, 20.9, 56])


def test_many_outcomes_at_once_are_each_alone() -> None:
    rng = np.random.default_rng(1)
    x, y, at = rng.random(30), rng.random((3, 30)), np.array([0.3, 0.6])
    once = np.ones((1, 30))
    together = local_linear(x, y, at, once, 0.6)
    for row, own in zip(together, y, strict=True):
        np.testing.assert_allclose(row, local_linear(x, own, at, once, 0.6)[0])


def test_neighbours_in_one_place_are_averaged() -> None:
    x, y = np.array([1.0, 1.0, 1.0, 5.0]), np.array([0.0, 1.0, 1.0, 9.0])
    assert local_linear(x, y, np.array([1.0]), np.ones((1, 4)), 0.5)[0, 0] == pytest.approx(2 / 3)


def test_neighbours_in_one_place_away_from_the_point_are_averaged_there() -> None:
    x, y = np.array([1.0, 3.0, 3.0, 3.0, 9.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    drawn = np.array([[0.0, 1.0, 1.0, 1.0, 1.0]])
    assert local_linear(x, y, np.array([1.0]), drawn, 0.5)[0, 0] == pytest.approx(2 / 3)
