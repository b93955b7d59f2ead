"""The parts of the Brier score, against a loop over bins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from medvision.errors import EvaluationError
from medvision.evaluation import brier_decomposition, calibration_error
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
def test_the_parts_sum_to_the_brier_score(sample, binning) -> None:
    labels, p = sample
    found = brier_decomposition(labels, p, bins=6, binning=binning)
    assert found.brier == pytest.approx(brier_score_loss(labels, p))
    inside = found.within_variance - found.within_covariance
    assert found.reliability - found.resolution + found.uncertainty + inside == pytest.approx(found.brier)
    corrected = found.reliability_corrected - found.resolution_corrected + found.uncertainty_corrected
    assert corrected + inside == pytest.approx(found.brier)


def test_the_parts_are_a_loop_over_bins(sample) -> None:
    labels, p = sample
    groups = _groups(labels, p, 6, "mass")
    found = brier_decomposition(labels, p, bins=6)
    overall = labels.mean()
    loops = {
        "reliability": sum(len(y) * (q.mean() - y.mean()) ** 2 for y, q in groups) / 240,
        "resolution": sum(len(y) * (y.mean() - overall) ** 2 for y, q in groups) / 240,
        "uncertainty": overall * (1 - overall),
        "within_variance": sum(((q - q.mean()) ** 2).sum() for y, q in groups) / 240,
        "within_covariance": 2 * sum(((q - q.mean()) * (y - y.mean())).sum() for y, q in groups) / 240,
    }
    for name, expected in loops.items():
        assert getattr(found, name) == pytest.approx(expected), name


def test_one_probability_a_bin_leaves_nothing_inside() -> None:
    found = brier_decomposition([0, 1, 0, 1, 1], [0.2, 0.2, 0.8, 0.8, 0.8], bins=5)
    assert found.within_variance == pytest.approx(0)
    assert found.within_covariance == pytest.approx(0)


def test_the_corrected_reliability_is_the_debiased_square(sample) -> None:
    found, error = brier_decomposition(*sample), calibration_error(*sample, resamples=20)
    assert found.reliability == pytest.approx(error.rms.value**2)
    assert found.reliability_corrected == pytest.approx(error.rms_debiased.value**2)


def test_a_bin_of_one_unit_no_units_and_one_class() -> None:
    lone = brier_decomposition([0, 1, 1, 0], [0.05, 0.1, 0.12, 0.95], bins=4)
    assert math.isnan(lone.reliability_corrected)
    assert math.isnan(brier_decomposition([], []).brier)
    assert brier_decomposition([1] * 20, [0.9] * 20).uncertainty == 0


@pytest.mark.parametrize("arguments", [{"bins": 0}, {"binning": "depth"}, {"probabilities": [0.1, 1.2]}])
def test_what_cannot_be_is_refused(arguments) -> None:
    p = arguments.pop("probabilities", [0.1, 0.9])
    with pytest.raises(EvaluationError):
        brier_decomposition([0, 1], p, **arguments)
