"""Binned calibration errors, against loops and the package of their authors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import brier_decomposition, calibration, calibration_error
from medvision.evaluation.probability_bins import bin_places


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    p = rng.random(240)
    return (rng.random(240) < p**1.4).astype(int), p


def _groups(labels, p, bins, binning):
    places = bin_places(np.asarray(p, dtype=float), bins, binning)
    return [(np.asarray(labels)[places == k], np.asarray(p)[places == k]) for k in np.unique(places)]


@pytest.mark.parametrize("binning", ["mass", "width"])
def test_errors_are_a_loop_over_bins(sample, binning) -> None:
    labels, p = sample
    groups = _groups(labels, p, 8, binning)
    ece = sum(len(y) * abs(y.mean() - q.mean()) for y, q in groups) / 240
    square = sum(len(y) * (y.mean() - q.mean()) ** 2 for y, q in groups) / 240
    noise = sum(len(y) * y.mean() * (1 - y.mean()) / (len(y) - 1) for y, q in groups) / 240
    found = calibration_error(labels, p, bins=8, binning=binning, resamples=50)
    assert found.ece.value == pytest.approx(ece)
    assert found.rms.value == pytest.approx(math.sqrt(square))
    assert found.rms_debiased.value == pytest.approx(math.sqrt(max(square - noise, 0)))
    plain = calibration(labels, p, bins=8, binning=binning, resamples=20)
    assert found.ece.value == pytest.approx(plain.ece.value)


def test_the_debiased_error_is_that_of_simulated_noise(sample) -> None:
    labels, p = sample
    rng = np.random.default_rng(0)
    plain = noisy = 0.0
    for y, q in _groups(labels, p, 8, "mass"):
        gap = y.mean() - q.mean()
        noise = rng.normal(scale=math.sqrt(y.mean() * (1 - y.mean()) / (len(y) - 1)), size=200_000)
        plain += len(y) / 240 * abs(gap)
        noisy += len(y) / 240 * np.abs(gap + noise).mean()
    found = calibration_error(labels, p, bins=8, resamples=50)
    assert found.ece_debiased.value == pytest.approx(2 * plain - noisy, abs=3e-4)


def test_as_the_package_of_the_authors() -> None:
    # uncertainty-calibration 0.1.4 on ten equal-mass bins: plugin_ce, unbiased_l2_ce and normal_debiased_ce
    # (20,000 draws, and a variance over n instead of n - 1).
    rng = np.random.default_rng(0)
    p = rng.random(500)
    found = calibration_error(rng.random(500) < p**1.3, p, resamples=20)
    assert found.ece.value == pytest.approx(0.07435813112048022, rel=1e-9)
    assert found.rms_debiased.value == pytest.approx(0.06803412445488183, rel=1e-9)
    assert found.ece_debiased.value == pytest.approx(0.06626, abs=5e-4)


def test_two_bins_of_published_probabilities() -> None:
    # util_test.py, test_get_binary_ce, of p-lambda/verified_calibration: 4/9 * 0.25 + 5/9 * 0.2, and squared.
    p = [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6]
    found = calibration_error([0, 1, 0, 1, 0, 1, 1, 1, 0], p, bins=9, resamples=50)
    assert found.ece.value == pytest.approx(4 / 9 * 0.25 + 5 / 9 * 0.2)
    assert found.rms.value == pytest.approx(math.sqrt(4 / 9 * 0.25**2 + 5 / 9 * 0.2**2))
    assert found.ece_debiased.value < found.ece.value


def test_debiasing_takes_bias_off_right_probabilities() -> None:
    rng = np.random.default_rng(2)
    plain, debiased, squares = [], [], []
    for _ in range(150):
        p = rng.random(200)
        y = rng.random(200) < p
        found = calibration_error(y, p, resamples=1)
        plain.append(found.ece.value)
        debiased.append(found.ece_debiased.value)
        parts = brier_decomposition(y, p)
        squares.append(parts.reliability_corrected)
    assert np.mean(plain) == pytest.approx(0.071, abs=0.004)
    assert np.mean(debiased) == pytest.approx(0.041, abs=0.004)
    assert abs(np.mean(squares)) < 0.001


def test_right_probabilities_lie_in_the_range_and_wrong_ones_above(sample) -> None:
    labels, p = sample
    rng = np.random.default_rng(1)
    right = calibration_error(rng.random(240) < p, p)
    assert right.ece_if_calibrated[0] < right.ece.value < right.ece_if_calibrated[1]
    wrong = calibration_error(labels, 1 - p)
    assert wrong.ece.value > wrong.ece_if_calibrated[1]
    assert wrong.ece_debiased.value > wrong.ece_debiased_if_calibrated[1]


def test_copies_inside_patients_change_no_debiased_error(sample) -> None:
    labels, p = sample
    once = calibration_error(labels, p, bins=5, resamples=20)
    copies = calibration_error(
        np.repeat(labels, 3), np.repeat(p, 3), bins=5, patients=np.repeat(np.arange(240), 3), resamples=20
    )
    naive = calibration_error(np.repeat(labels, 3), np.repeat(p, 3), bins=5, resamples=20)
    assert copies.ece_debiased.value == pytest.approx(once.ece_debiased.value)
    assert copies.rms_debiased.value == pytest.approx(once.rms_debiased.value)
    assert naive.ece_debiased.value > once.ece_debiased.value
    assert copies.ece.n_patients == 240


def test_a_bin_of_one_unit_has_no_debiased_error() -> None:
    found = calibration_error([0, 1, 1, 0], [0.05, 0.1, 0.12, 0.95], binning="width", resamples=20)
    assert math.isnan(found.ece_debiased.value)
    assert found.ece_debiased.status == "a_bin_with_one_patient"
    assert found.ece.status == "no_interval_at_the_boundary"
    assert math.isfinite(found.ece.value)


def test_nothing_and_one_class() -> None:
    none = calibration_error([], [])
    assert none.ece.status == none.rms_debiased.status == "undefined_no_units"
    one = calibration_error([1] * 20, [0.9] * 20, resamples=20)
    assert one.ece.value == pytest.approx(0.1)
    assert one.ece_debiased.value == pytest.approx(0.1)


@pytest.mark.parametrize("arguments", [{"bins": 0}, {"binning": "depth"}, {"probabilities": [0.1, 1.2]}])
def test_what_cannot_be_is_refused(arguments) -> None:
    p = arguments.pop("probabilities", [0.1, 0.9])
    with pytest.raises(EvaluationError):
        calibration_error([0, 1], p, **arguments)


def test_the_range_of_a_right_model_does_not_depend_on_the_rows(sample) -> None:
    labels, p = sample
    order = np.random.default_rng(4).permutation(len(labels))
    once = calibration_error(labels, p, resamples=50).ece_if_calibrated
    assert calibration_error(labels[order], p[order], resamples=50).ece_if_calibrated == pytest.approx(once)
    with pytest.raises(EvaluationError, match="resamples="):
        calibration_error(labels, p, resamples=0)
