"""Calibration, against statsmodels and scikit-learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from medvision.errors import EvaluationError
from medvision.evaluation import calibration


@pytest.fixture(scope="module")
def overconfident() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    x = rng.normal(size=400)
    labels = (rng.random(400) < expit(0.3 + x)).astype(int)
    return labels, expit(2 * x)


def test_slope_and_intercept_as_statsmodels(overconfident) -> None:
    labels, p = overconfident
    found = calibration(labels, p, resamples=50)
    slope = sm.GLM(labels, sm.add_constant(logit(p)), family=sm.families.Binomial()).fit()
    offset = sm.GLM(labels, np.ones(400), family=sm.families.Binomial(), offset=logit(p)).fit()
    assert (found.slope.value, found.slope.standard_error) == pytest.approx(
        (slope.params[1], slope.bse[1]), rel=1e-6
    )
    assert (found.intercept.value, found.intercept.standard_error) == pytest.approx(
        (offset.params[0], offset.bse[0]), rel=1e-6
    )
    assert found.slope.high < 1  # twice too extreme


def test_copies_inside_patients_do_not_add_evidence(overconfident) -> None:
    labels, p = overconfident
    once = calibration(labels, p, resamples=20)
    copies = calibration(
        np.repeat(labels, 3), np.repeat(p, 3), patients=np.repeat(np.arange(400), 3), resamples=20
    )
    assert copies.slope.value == pytest.approx(once.slope.value)
    assert copies.slope.standard_error == pytest.approx(once.slope.standard_error, rel=0.15)
    assert copies.slope.n_patients == 400


def test_brier_and_its_scaled_form(overconfident) -> None:
    labels, p = overconfident
    found = calibration(labels, p, resamples=300)
    assert found.brier.value == pytest.approx(brier_score_loss(labels, p))
    prevalence = labels.mean()
    assert found.brier_scaled.value == pytest.approx(1 - found.brier.value / (prevalence * (1 - prevalence)))
    assert found.brier_scaled.low < found.brier_scaled.value < found.brier_scaled.high


def test_right_probabilities_pass_spiegelhalters_test_and_lie_in_the_band() -> None:
    rng = np.random.default_rng(7)
    p = rng.random(2000)
    found = calibration(rng.random(2000) < p, p, resamples=300)
    assert found.spiegelhalter_p > 0.01
    assert found.ece_if_calibrated[0] < found.ece.value < found.ece_if_calibrated[1]
    assert found.slope.low < 1 < found.slope.high


def test_wrong_probabilities_fail(overconfident) -> None:
    labels, p = overconfident
    found = calibration(labels, p, resamples=300)
    assert found.spiegelhalter_p < 0.001
    assert found.ece.value > found.ece_if_calibrated[1]


def test_equal_mass_keeps_ties_together() -> None:
    p = np.repeat([0.1, 0.2, 0.9], [50, 3, 47])
    bins = calibration(np.arange(100) % 2, p, bins=10, resamples=20).bins
    assert sum(part.n_units for part in bins) == 100
    assert all(before.high < after.low for before, after in itertools.pairwise(bins))


def test_equal_width_bins_hold_0_and_1() -> None:
    found = calibration([0, 1, 0, 1], [0.0, 1.0, 0.1, 0.3], binning="width", resamples=20)
    assert [(part.low, part.high) for part in found.bins] == [(0.0, 0.0), (0.1, 0.1), (0.3, 0.3), (1.0, 1.0)]
    assert found.clipped == 2


def test_no_interval_is_claimed_for_the_ece(overconfident) -> None:
    found = calibration(*overconfident, resamples=20).ece
    assert math.isnan(found.low)
    assert found.status == "no_interval_at_the_boundary"


def test_perfect_separation_has_no_slope() -> None:
    found = calibration([0] * 10 + [1] * 10, np.linspace(0.1, 0.9, 20), resamples=20)
    assert math.isnan(found.slope.value)
    assert found.slope.status == "perfect_separation"
    assert math.isfinite(found.intercept.value)


def test_one_class_and_no_units() -> None:
    one = calibration([1] * 12, [0.9] * 12, resamples=20)
    assert (one.slope.status, one.brier_scaled.status) == ("one_class", "one_class")
    assert one.brier.value == pytest.approx(0.01)
    none = calibration([], [])
    assert none.brier.status == "undefined_no_units"
    assert math.isnan(none.ece.value)


def test_probabilities_of_exactly_0_and_1_that_are_wrong_still_fit() -> None:
    labels = [0, 1] * 20
    found = calibration(labels, [0.0, 1.0] * 19 + [1.0, 0.0], resamples=20)
    assert math.isfinite(found.slope.value)
    assert found.clipped == 40


@pytest.mark.parametrize("arguments", [{"bins": 0}, {"binning": "depth"}])
def test_bins_that_are_none_are_refused(arguments) -> None:
    with pytest.raises(EvaluationError):
        calibration([0, 1], [0.1, 0.9], **arguments)


def test_the_brier_score_of_a_cohort_varies_with_its_prevalence() -> None:
    rng = np.random.default_rng(1)
    labels = (np.arange(300) % 8 == 0).astype(int)
    p = np.clip(0.125 + 0.1 * rng.normal(size=300) + 0.1 * labels, 0.01, 0.99)
    cohort, enriched = (calibration(labels, p, sampling=how, resamples=400) for how in ("cohort", "enriched"))
    assert cohort.brier.standard_error > 1.5 * enriched.brier.standard_error
    assert cohort.brier.standard_error == pytest.approx(((p - labels) ** 2).std() / np.sqrt(300), rel=0.1)
    assert cohort.brier.value == enriched.brier.value
    assert cohort.brier_scaled.low < cohort.brier_scaled.value < cohort.brier_scaled.high


def test_the_scaled_brier_score_of_few_cases_leaves_draws_of_one_class_out() -> None:
    found = calibration([0, 0, 0, 0, 1, 1], [0.1, 0.3, 0.2, 0.4, 0.6, 0.9], bins=2, resamples=400)
    assert np.isfinite([found.brier_scaled.low, found.brier_scaled.high]).all()


def test_the_range_of_a_right_model_does_not_depend_on_the_rows(overconfident) -> None:
    labels, p = overconfident
    order = np.random.default_rng(4).permutation(len(labels))
    once = calibration(labels, p, resamples=50).ece_if_calibrated
    assert calibration(labels[order], p[order], resamples=50).ece_if_calibrated == pytest.approx(once)
