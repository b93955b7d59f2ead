import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from medvision.errors import EvaluationError
from medvision.evaluation import choose_threshold, diagnostic_accuracy, roc_coordinates

# Hanley and McNeil, Radiology 1982;143:29, Table I: ratings 1 to 5 of 58 normal and 51 abnormal CT scans.
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
RATINGS = np.repeat([*range(1, 6), *range(1, 6)], [*NORMAL, *ABNORMAL])
TRUTH = np.repeat([0, 1], [58, 51])


def test_coordinates_of_a_published_rating_table():
    found = roc_coordinates(TRUTH, RATINGS)
    assert found.thresholds.tolist() == [1, 2, 3, 4, 5, np.inf]
    assert found.true_positive.tolist() == [51, 48, 46, 44, 33, 0]
    assert found.false_positive.tolist() == [58, 25, 19, 13, 2, 0]
    assert (found.positives, found.negatives) == (51, 58)


def test_midpoints_call_the_same_units_positive():
    observed, between = (
        roc_coordinates(TRUTH, RATINGS, thresholds=kind) for kind in ("observed", "midpoints")
    )
    assert between.thresholds.tolist() == [-np.inf, 1.5, 2.5, 3.5, 4.5, np.inf]
    assert between.true_positive.tolist() == observed.true_positive.tolist()
    assert between.false_positive.tolist() == observed.false_positive.tolist()


@given(st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=2, max_size=40))
def test_every_row_is_the_table_at_its_threshold(units):
    labels, scores = (np.array(column) for column in zip(*units, strict=True))
    for row in roc_coordinates(labels, scores).to_frame().itertuples():
        counts = diagnostic_accuracy(labels, scores >= row.threshold, resamples=1).table
        assert (row.tp, row.fp, row.fn, row.tn) == (counts.tp, counts.fp, counts.fn, counts.tn)


@given(st.integers(0, 2**32 - 1))
def test_rates_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    labels, scores = np.r_[0, 1, rng.integers(0, 2, 30)], rng.integers(0, 9, 32).astype(float)
    found = roc_coordinates(labels, scores)
    false, true, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.sensitivity[::-1], true, atol=1e-15)
    np.testing.assert_allclose(1 - found.specificity[::-1], false, atol=1e-15)
    np.testing.assert_array_equal(found.thresholds[::-1], thresholds)


def test_the_threshold_of_a_rule_is_a_row():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 60)
    scores = rng.normal(size=60) + labels
    frame = roc_coordinates(labels, scores).to_frame()
    best = frame.loc[(frame.sensitivity + frame.specificity).idxmax(), "threshold"]
    assert choose_threshold(labels, scores, rule="youden") == best


def test_a_missing_class_leaves_its_rate_undefined():
    found = roc_coordinates([1, 1], [0.2, 0.5])
    assert np.isnan(found.specificity).all()
    assert found.sensitivity.tolist() == [1.0, 0.5, 0.0]
    assert roc_coordinates([], []).thresholds.tolist() == [np.inf]


def test_a_score_that_is_not_finite_and_an_unknown_kind_are_refused():
    with pytest.raises(EvaluationError, match="missing or infinite"):
        roc_coordinates([0, 1], [0.1, np.nan])
    with pytest.raises(EvaluationError, match="thresholds"):
        roc_coordinates([0, 1], [0.1, 0.2], thresholds="middle")
