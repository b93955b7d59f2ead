"""What must hold of concordance and regression whatever the numbers are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.evaluation import harrell_c, ordinal_c_index, regression_scores, uno_c

UNITS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-5, 5), st.booleans(), st.integers(0, 4)),
    min_size=1,
    max_size=25,
)


def _columns(units):
    labels, scores, events, patients = (np.array(column) for column in zip(*units, strict=True))
    return labels, scores.astype(float), events, patients


def _same(one, other) -> bool:
    pairs = [(one.value, other.value), (one.low, other.low), (one.high, other.high)]
    return one.status == other.status and all(
        (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b, abs=1e-9) for a, b in pairs
    )


def _indices(labels, scores, events, patients):
    times = labels + 1.0
    yield ordinal_c_index(labels, scores, patients=patients)
    yield harrell_c(times, events, scores, patients=patients)
    yield uno_c(times, events, scores, tau=float(times.max()), patients=patients)


@settings(max_examples=60, deadline=None)
@given(UNITS, st.randoms())
def test_the_order_of_units_and_any_rising_score_give_the_same(units, random) -> None:
    mixed = list(units)
    random.shuffle(mixed)
    labels, scores, events, patients = _columns(mixed)
    for one, other in zip(
        _indices(*_columns(units)), _indices(labels, np.exp(scores), events, patients), strict=True
    ):
        assert _same(one, other)


@settings(max_examples=60, deadline=None)
@given(UNITS)
def test_a_reversed_score_gives_the_rest_of_one(units) -> None:
    labels, scores, events, patients = _columns(units)
    turned = _indices(labels, -scores, events, patients)
    for one, other in zip(_indices(labels, scores, events, patients), turned, strict=True):
        assert math.isnan(one.value) == math.isnan(other.value)
        if not math.isnan(one.value):
            assert other.value == pytest.approx(1 - one.value)
            assert 0 <= one.value <= 1
        if not math.isnan(one.low):
            assert 0 <= one.low <= one.value <= one.high <= 1
            assert (other.low, other.high) == pytest.approx((1 - one.high, 1 - one.low), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(UNITS, st.floats(-1e3, 1e3), st.floats(0.1, 100))
def test_regression_follows_its_unit(units, shift: float, scale: float) -> None:
    labels, scores, _, patients = _columns(units)
    reference = labels + scores
    plain = regression_scores(reference, scores, patients=patients, resamples=20).estimates()
    other = regression_scores(
        shift + scale * reference, shift + scale * scores, patients=patients, resamples=20
    ).estimates()
    for name, one in plain.items():
        factor = scale if name in ("mae", "rmse", "bias") else 1.0
        if math.isnan(one.value):
            assert math.isnan(other[name].value)
        else:
            assert other[name].value == pytest.approx(factor * one.value, rel=1e-6, abs=1e-6 * factor)
        if not math.isnan(one.low):
            assert one.low <= one.value + 1e-12
            assert one.value <= one.high + 1e-12


@settings(max_examples=40, deadline=None)
@given(UNITS)
def test_bounds_between_errors_and_correlations(units) -> None:
    labels, scores, _, patients = _columns(units)
    found = regression_scores(labels.astype(float), scores, patients=patients, resamples=20)
    assert abs(found.bias.value) <= found.mae.value + 1e-12
    assert found.mae.value <= found.rmse.value + 1e-12
    if not math.isnan(found.ccc.value):
        assert abs(found.ccc.value) <= abs(found.pearson.value) + 1e-12
        assert found.r_squared.value <= found.pearson.value**2 + 1e-12
