"""The standardised difference against other formulas for it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import mahalanobis

from medvision.cohort import standardised_difference


def test_numbers_are_compared_by_the_mean_variance():
    rng = np.random.default_rng(0)
    one, two = rng.normal(1, 2, 50), rng.normal(0, 1, 80)
    expected = (one.mean() - two.mean()) / math.sqrt((one.var(ddof=1) + two.var(ddof=1)) / 2)
    assert standardised_difference(pd.Series(one), pd.Series(two)) == pytest.approx(expected)
    with_missing = pd.Series([*one, np.nan])
    assert standardised_difference(with_missing, pd.Series(two)) == pytest.approx(expected)


def test_shares_of_forty_and_twenty_per_cent():
    # Worked by hand: (0.4 - 0.2) / sqrt((0.24 + 0.16) / 2) = 0.4472136.
    one, two = pd.Series([1] * 4 + [0] * 6), pd.Series([1] * 2 + [0] * 8)
    assert standardised_difference(one, two) == pytest.approx(0.4472136)
    assert standardised_difference(two, one) == pytest.approx(-0.4472136)
    assert standardised_difference(one.astype(bool), two.astype(bool)) == pytest.approx(0.4472136)
    words = {1: "yes", 0: "no"}
    assert standardised_difference(one.map(words), two.map(words)) == pytest.approx(0.4472136)


def test_several_levels_are_a_mahalanobis_distance_whichever_level_is_left_out():
    one = pd.Series(list("aaabbc" * 5))
    two = pd.Series(list("abbccc" * 4))
    p, q = (np.array([(group == level).mean() for level in "ab"]) for group in (one, two))
    covariance = sum(np.diag(share) - np.outer(share, share) for share in (p, q)) / 2
    expected = mahalanobis(p, q, np.linalg.inv(covariance))
    assert standardised_difference(one, two) == pytest.approx(expected)


def test_what_does_not_vary():
    same, other = pd.Series([5, 5]), pd.Series([6, 6])
    assert standardised_difference(same, same) == 0
    assert math.isnan(standardised_difference(same, other))
    assert math.isnan(standardised_difference(pd.Series([None, None]), same))
    assert math.isnan(standardised_difference(pd.Series(list("ab")), pd.Series(list("cc"))))
    assert standardised_difference(pd.Series([3.0]), pd.Series([1.0, 2.0])) == pytest.approx(3.0)
