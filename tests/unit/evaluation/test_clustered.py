"""Proportions of units that share patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from medvision.evaluation import clustered_proportion, proportion


def _lesions(seed: int, patients: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, patients)
    rate = np.repeat(rng.beta(4, 1.5, patients), sizes)
    return (rng.random(len(rate)) < rate).astype(int), np.repeat(np.arange(patients), sizes)


def test_the_variance_is_that_of_gee_with_independent_working_correlation() -> None:
    """The sandwich variance of an intercept-only GEE is the ratio estimator's without m / (m - 1)."""
    hits, patients = _lesions(3, 40)
    gee = sm.GEE(hits, np.ones(len(hits)), groups=patients, family=sm.families.Gaussian()).fit()
    found = clustered_proportion(hits, patients)
    assert found.value == pytest.approx(gee.params[0])
    assert found.standard_error == pytest.approx(float(gee.bse[0]) * math.sqrt(40 / 39), rel=1e-9)


def test_units_of_one_patient_widen_the_interval() -> None:
    hits, patients = _lesions(5, 40)
    clustered, naive = clustered_proportion(hits, patients), proportion(int(hits.sum()), len(hits))
    assert clustered.design_effect > 1
    assert 0 < clustered.icc < 1
    assert clustered.high - clustered.low > naive.high - naive.low
    assert (clustered.n_units, clustered.n_patients) == (len(hits), 40)


@pytest.mark.parametrize("hit", [0, 1])
def test_all_alike_falls_back_to_patients(hit: int) -> None:
    found = clustered_proportion([hit] * 30, np.repeat(np.arange(15), 2))
    expected = proportion(15 * hit, 15, method="exact")
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found.status == "degenerate_variance"


def test_patients_that_are_all_alike_do_not_collapse_the_interval() -> None:
    found = clustered_proportion([0, 1] * 20, np.repeat(np.arange(20), 2))
    assert found.value == 0.5
    assert found.low < 0.4
    assert found.high > 0.6
    assert found.status == "degenerate_variance"


def test_one_patient_says_nothing_about_others() -> None:
    found = clustered_proportion([0, 1, 1], ["A", "A", "A"])
    assert (found.low, found.high, found.status) == (0.0, 1.0, "one_patient")


def test_without_units_it_is_undefined() -> None:
    found = clustered_proportion([], [])
    assert math.isnan(found.value)
    assert (found.low, found.high, found.status) == (0.0, 1.0, "undefined_no_units")
