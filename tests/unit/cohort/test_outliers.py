"""Robust z, ranks and distances against their definitions and SciPy."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medvision.cohort.outliers import (
    THRESHOLD,
    fault_z,
    find_outliers,
    histogram_distances,
    robust_z,
    unusual,
)

numbers = arrays(np.float64, st.integers(3, 30), elements=st.floats(-100, 100).map(lambda x: round(x, 3)))


@given(numbers)
def test_robust_z_is_scipys_scaled_median_absolute_deviation(values):
    mad = scipy.stats.median_abs_deviation(values, scale="normal")
    found = robust_z(values)
    if mad > 1e-6:
        # SciPy's scale is Φ⁻¹(0.75) = 0.67448975…, that of Iglewicz and Hoaglin 0.6745.
        expected = ((values - np.median(values)) / mad).clip(-1000, 1000)
        assert found == pytest.approx(expected, rel=2e-5, abs=1e-9)


def test_where_most_values_agree_the_mean_absolute_deviation_takes_over():
    found = robust_z([5, 5, 5, 5, 9])
    # IBM SPSS, modified z score: (9 − 5) / (1.253314 · 4/5).
    assert found.tolist() == pytest.approx([0, 0, 0, 0, 4 / (1.253314 * 0.8)])
    assert robust_z([2, 2, 2]).tolist() == [0, 0, 0]


def test_a_fault_is_odd_even_beside_a_much_larger_one():
    values = [0.0] * 24 + [1e-4, 0.5]
    assert robust_z(values)[24] < 0.01
    found = find_outliers(pd.DataFrame({"not_finite": values}), faults=("not_finite",))
    assert (found.score[24:] > THRESHOLD).all()
    assert found.order[:2] == (25, 24)
    assert (found.score[:24] == 0).all()
    assert np.isnan(fault_z([np.nan, 0, 0])[0])


def test_missing_values_stay_missing_and_do_not_count():
    found = robust_z([1, np.nan, 2, 3])
    assert np.isnan(found[1])
    assert found[[0, 2, 3]].tolist() == pytest.approx([-0.6745, 0, 0.6745])
    assert np.isnan(robust_z([np.nan])).all()


@given(numbers, st.floats(0.1, 10), st.floats(-50, 50))
def test_robust_z_does_not_depend_on_unit_and_origin(values, factor, shift):
    if scipy.stats.median_abs_deviation(values) > 1e-3:
        assert robust_z(values * factor + shift) == pytest.approx(robust_z(values), rel=1e-6, abs=1e-6)


def test_cases_are_ranked_by_their_oddest_measure():
    table = pd.DataFrame(
        {"a": [1.0, 2, 3, 4, 5], "b": [10.0, 11, 12, 13, 900], "c": [np.nan] * 5}, index=list("vwxyz")
    )
    found = find_outliers(table)
    assert found.order[0] == 4
    assert found.measure[4] == "b"
    assert found.score[2] == 0
    assert list(found.z.index) == list("vwxyz")
    nothing = find_outliers(pd.DataFrame(index=list("ab")))
    assert nothing.order == (0, 1)
    assert nothing.measure == ("", "")


@given(st.integers(0, 2**32 - 1))
def test_the_distance_is_scipys_wasserstein_distance(seed):
    profiles = np.sort(np.random.default_rng(seed).normal(size=(5, 101)), axis=1)
    centre = np.median(profiles, axis=0)
    expected = [scipy.stats.wasserstein_distance(row, centre) for row in profiles]
    assert histogram_distances(profiles) == pytest.approx(expected)


def test_a_profile_without_values_has_no_distance():
    found = histogram_distances(np.array([[np.nan, np.nan], [1.0, 2.0]]))
    assert np.isnan(found[0])
    assert found[1] == 0
    assert np.isnan(histogram_distances(np.full((2, 3), np.nan))).all()


def test_rare_values_are_named_only_where_one_value_is_common():
    assert unusual(["a"] * 60 + ["b"] * 3 + ["c"] * 20) == {"b": 3}
    assert unusual(["a", "b", "c"] * 10 + ["d"]) == {}
    assert unusual([]) == {}
