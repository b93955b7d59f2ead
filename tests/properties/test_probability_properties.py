"""What must hold for any probabilities, thresholds and missing scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.evaluation import (
    brier_decomposition,
    calibration_curve,
    calibration_error,
    missing_data_bounds,
    optimism,
    predictive_values,
    threshold_interval,
)


@st.composite
def risks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities with ties, 0 and 1 among them."""
    n = draw(st.integers(1, 40))
    labels = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    tenths = np.array(draw(st.lists(st.integers(0, 10), min_size=n, max_size=n)))
    return labels, tenths / 10


@st.composite
def gaps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels of both classes, and scores of which some are missing."""
    labels, scores = draw(risks())
    lost = np.array(draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels))))
    return np.r_[labels, True, False], np.r_[np.where(lost, np.nan, scores), 0.4, 0.6]


@st.composite
def ranked(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = draw(risks())
    return np.r_[labels, True, True, False, False], np.r_[scores, 0.3, 0.6, 0.2, 0.5]


@given(risks(), st.integers(1, 12), st.sampled_from(["mass", "width"]))
def test_the_parts_of_the_brier_score_sum(sample, bins: int, binning: str) -> None:
    labels, p = sample
    found = brier_decomposition(labels, p, bins=bins, binning=binning)
    whole = found.reliability - found.resolution + found.uncertainty
    assert whole + found.within_variance - found.within_covariance == pytest.approx(found.brier, abs=1e-12)
    assert found.brier == pytest.approx(np.mean((p - labels) ** 2))
    assert min(found.reliability, found.resolution, found.uncertainty, found.within_variance) >= 0


@given(risks(), st.integers(1, 12), st.sampled_from(["mass", "width"]))
def test_debiasing_never_adds(sample, bins: int, binning: str) -> None:
    found = calibration_error(*sample, bins=bins, binning=binning, resamples=2)
    assert 0 <= found.ece.value <= found.rms.value + 1e-12 <= 1 + 1e-9
    for plain, debiased in ((found.ece, found.ece_debiased), (found.rms, found.rms_debiased)):
        assert math.isnan(debiased.value) or 0 <= debiased.value <= plain.value + 1e-12


@given(risks())
def test_turning_labels_and_probabilities_round_mirrors_the_curve(sample) -> None:
    labels, p = sample
    one, other = calibration_curve(labels, p, resamples=2), calibration_curve(~labels, 1 - p, resamples=2)
    np.testing.assert_allclose(one.observed, 1 - other.observed[::-1], atol=1e-7)
    assert one.ici.value == pytest.approx(other.ici.value, abs=1e-7)
    assert one.e50.value <= one.e90.value <= one.emax.value
    assert one.ici.value <= one.emax.value + 1e-12
    assert ((one.observed >= 0) & (one.observed <= 1)).all()
    assert np.isfinite(one.low).all()


@given(gaps(), st.floats(0.05, 0.95))
def test_complete_cases_lie_between_the_worst_and_the_best(sample, threshold: float) -> None:
    labels, scores = sample
    found = missing_data_bounds(labels, scores, threshold=threshold)
    for name in ("auroc", "sensitivity", "specificity", "accuracy"):
        worst, complete, best = (case[name].value for case in (found.worst, found.complete, found.best))
        assert worst - 1e-12 <= complete <= best + 1e-12, name
        assert found.worst[name].n_units == found.best[name].n_units
    assert found.n_missing == np.isnan(scores).sum()


@given(ranked(), st.sampled_from(["youden", "cost:2", "sensitivity>=0.5"]))
def test_optimism_and_interval_know_only_ranks(sample, rule: str) -> None:
    labels, scores = sample
    one, other = (optimism(labels, s, rule=rule, resamples=20, seed=1) for s in (scores, np.exp(5 * scores)))
    assert one.corrected == pytest.approx(other.corrected, nan_ok=True)
    assert other.threshold == pytest.approx(np.exp(5 * one.threshold))
    found = threshold_interval(labels, scores, rule=rule, resamples=20, seed=1)
    assert math.isnan(found.low) or found.low <= found.high
    assert math.isnan(found.low) or scores.min() <= found.low


@given(ranked(), st.floats(0.01, 0.98), st.floats(1e-3, 0.01))
def test_predictive_values_follow_the_prevalence(sample, prevalence: float, more: float) -> None:
    labels, scores = sample
    table = predictive_values(labels, scores >= 0.4, prevalences=[prevalence, prevalence + more])
    for name, sign in (("ppv", 1), ("npv", -1)):
        values = table[name].to_numpy()
        if np.isfinite(values).all():
            assert sign * (values[1] - values[0]) >= -1e-12
            assert (table[f"{name}_low"] <= values + 1e-12).all()
            assert (values <= table[f"{name}_high"] + 1e-12).all()
