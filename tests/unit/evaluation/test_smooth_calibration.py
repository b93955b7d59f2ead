"""The smooth calibration curve, against statsmodels and loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from medvision.errors import EvaluationError
from medvision.evaluation import calibration_curve
from medvision.evaluation.resampling import patient_draws


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    p = np.round(rng.beta(2, 3, 160), 3)
    return (rng.random(160) < p**1.5).astype(int), p


def _lowess(labels, p, at, span=2 / 3):
    fitted = sm.nonparametric.lowess(np.asarray(labels, dtype=float), p, frac=span, it=0, delta=0, xvals=at)
    return np.clip(fitted, 0, 1)


@pytest.mark.parametrize("span", [0.3, 2 / 3, 1.0])
def test_the_curve_is_lowess_of_statsmodels(sample, span: float) -> None:
    labels, p = sample
    found = calibration_curve(labels, p, span=span, resamples=2)
    np.testing.assert_allclose(found.observed, _lowess(labels, p, found.probabilities, span), atol=1e-12)
    assert found.probabilities[0] == p.min()
    assert found.probabilities[-1] == p.max()


def test_distances_are_those_of_austin_and_steyerberg(sample) -> None:
    labels, p = sample
    found = calibration_curve(labels, p, resamples=2)
    gap = np.abs(_lowess(labels, p, p) - p)
    expected = [gap.mean(), np.median(gap), np.quantile(gap, 0.9), gap.max()]
    measured = [found.ici.value, found.e50.value, found.e90.value, found.emax.value]
    assert measured == pytest.approx(expected, abs=1e-3)  # read between 101 points
    few = np.round(p, 1)
    gap = np.abs(_lowess(labels, few, few) - few)
    assert calibration_curve(labels, few, resamples=2).ici.value == pytest.approx(gap.mean(), abs=1e-12)


def test_the_band_is_a_loop_over_drawn_patients(sample) -> None:
    labels, p = sample
    patients = np.arange(160) // 4
    found = calibration_curve(labels, p, patients=patients, resamples=60, seed=2)
    curves, distances = [], []
    for block in patient_draws(np.zeros(40, dtype=np.int64), 60, 2):
        for counts in block:
            inside = np.repeat(np.arange(160), counts[patients].astype(int))
            curve = _lowess(labels[inside], p[inside], found.probabilities)
            curves.append(curve)
            distances.append(np.abs(np.interp(p[inside], found.probabilities, curve) - p[inside]).mean())
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(found.low, low, atol=1e-9)
    np.testing.assert_allclose(found.high, high, atol=1e-9)
    assert found.ici.standard_error == pytest.approx(np.std(distances, ddof=1))
    assert found.ici.n_patients == 40
    assert math.isnan(found.ici.low)
    assert found.ici.status == "no_interval_at_the_boundary"


def test_right_probabilities_lie_in_the_range_and_wrong_ones_above() -> None:
    rng = np.random.default_rng(7)
    p = rng.random(300)
    right = calibration_curve(rng.random(300) < p, p, resamples=200)
    wrong = calibration_curve(rng.random(300) < 1 - p, p, resamples=200)
    for name in ("ici", "e50", "e90", "emax"):
        low, high = right.if_calibrated[name]
        assert low < getattr(right, name).value < high, name
        assert getattr(wrong, name).value > wrong.if_calibrated[name][1], name


def test_many_probabilities_are_joined_without_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    p = rng.random(800)
    labels = rng.random(800) < p
    joined = calibration_curve(labels, p, resamples=40)
    monkeypatch.setattr("medvision.evaluation.smooth_calibration._PLACES", 800)
    exact = calibration_curve(labels, p, resamples=40)
    np.testing.assert_allclose(joined.low, exact.low, atol=2e-3)
    np.testing.assert_allclose(joined.high, exact.high, atol=2e-3)
    np.testing.assert_array_equal(joined.observed, exact.observed)
    assert joined.if_calibrated["ici"] == pytest.approx(exact.if_calibrated["ici"], abs=1e-3)


def test_copies_inside_patients_leave_the_band_alone(sample) -> None:
    labels, p = sample
    once = calibration_curve(labels, p, patients=np.arange(160), resamples=80)
    copies = calibration_curve(
        np.repeat(labels, 2), np.repeat(p, 2), patients=np.repeat(np.arange(160), 2), resamples=80
    )
    assert copies.ici.value == pytest.approx(once.ici.value, abs=2e-3)
    assert copies.ici.standard_error == pytest.approx(once.ici.standard_error, rel=0.05)


def test_the_order_of_the_rows_does_not_matter(sample) -> None:
    labels, p = sample
    order = np.random.default_rng(0).permutation(160)
    one, other = (calibration_curve(y, q, resamples=20) for y, q in ((labels, p), (labels[order], p[order])))
    np.testing.assert_allclose(one.low, other.low)
    assert one.ici.value == pytest.approx(other.ici.value)


def test_constant_probabilities_and_one_class() -> None:
    flat = calibration_curve([0, 1] * 10, [0.3] * 20, resamples=20)
    assert flat.observed.tolist() == [0.5]
    assert flat.low[0] < 0.5 < flat.high[0]
    assert [flat.ici.value, flat.emax.value] == pytest.approx([0.2, 0.2])
    one = calibration_curve([1] * 20, np.linspace(0.5, 0.9, 20), resamples=20)
    assert one.ici.status == "one_class"
    np.testing.assert_allclose(one.observed, 1.0)


def test_no_units_are_undefined() -> None:
    found = calibration_curve([], [])
    assert found.ici.status == "undefined_no_units"
    assert math.isnan(found.if_calibrated["ici"][0])
    assert len(found.observed) == 0


def test_a_single_unit_has_a_curve_of_one_point() -> None:
    assert calibration_curve([1], [0.4], resamples=5).observed.tolist() == [1.0]


@pytest.mark.parametrize("arguments", [{"span": 0}, {"span": 1.5}, {"resamples": 0}, {"level": 95}])
def test_what_cannot_be_is_refused(arguments) -> None:
    with pytest.raises(EvaluationError):
        calibration_curve([0, 1], [0.1, 0.9], **arguments)
    with pytest.raises(EvaluationError, match="outside 0 to 1"):
        calibration_curve([0, 1], [0.1, 1.9])


def test_the_range_of_a_right_model_does_not_depend_on_the_rows(sample) -> None:
    labels, p = sample
    patients, order = np.arange(len(p)), np.random.default_rng(4).permutation(len(p))
    once = calibration_curve(labels, p, patients=patients, resamples=20).if_calibrated["ici"]
    other = calibration_curve(labels[order], p[order], patients=patients[order], resamples=20)
    assert other.if_calibrated["ici"] == pytest.approx(once)
