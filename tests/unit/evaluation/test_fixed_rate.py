import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_curve

from medvision.errors import EvaluationError
from medvision.evaluation import compare_at, proportion, sensitivity_at, specificity_at


def binormal(seed, positives, negatives, shift):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=positives + negatives)
    scores[:positives] += shift
    return np.repeat([1, 0], [positives, negatives]), scores


def drawn(seed, n=30, values=9):
    rng = np.random.default_rng(seed)
    return np.r_[0, 1, rng.integers(0, 2, n)], rng.integers(0, values, n + 2).astype(float)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_the_linear_curve_is_interpolated_between_scikit_learns_points(seed, specificity):
    labels, scores = drawn(seed)
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    false, top = np.unique(false), np.array([true[false == each].max() for each in np.unique(false)])
    bottom = np.array(
        [true[roc_curve(labels, scores, drop_intermediate=False)[0] == each].min() for each in false]
    )
    right = np.searchsorted(false, 1 - specificity - 1e-12)
    if abs(false[right] - (1 - specificity)) < 1e-9:
        expected = top[right]
    else:
        part = (1 - specificity - false[right - 1]) / (false[right] - false[right - 1])
        expected = top[right - 1] + part * (bottom[right] - top[right - 1])
    found = sensitivity_at(labels, scores, specificity=specificity, resamples=10)
    assert found.value == pytest.approx(expected, abs=1e-7)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 10))
def test_the_step_curve_takes_the_best_threshold_that_keeps_the_rate(seed, tenths):
    labels, scores = drawn(seed)
    wanted = tenths / 10
    rates = [
        (np.mean(scores[labels == 1] >= t), np.mean(scores[labels == 0] < t))
        for t in [*np.unique(scores), np.inf]
    ]
    best = max(se for se, sp in rates if sp >= wanted - 1e-12)
    assert sensitivity_at(labels, scores, specificity=wanted, curve="step", resamples=5).value == best
    best = max(sp for se, sp in rates if se >= wanted - 1e-12)
    assert specificity_at(labels, scores, sensitivity=wanted, curve="step", resamples=5).value == best


def test_exchanged_classes_exchange_the_two():
    labels, scores = binormal(5, 40, 60, 1.4)
    one = specificity_at(labels, scores, sensitivity=0.9)
    other = sensitivity_at(1 - labels, -scores, specificity=0.9)
    assert (one.value, one.low, one.high) == (other.value, other.low, other.high)


@pytest.mark.parametrize("change", [np.exp, lambda s: 3 * s - 7])
def test_a_rising_change_of_the_score_changes_nothing(change):
    labels, scores = binormal(6, 30, 50, 1.0)
    assert sensitivity_at(labels, scores, specificity=0.8) == sensitivity_at(
        labels, change(scores), specificity=0.8
    )


def test_rows_in_another_order_and_patients_of_one_unit_change_nothing():
    labels, scores = binormal(7, 30, 50, 1.0)
    turned = np.random.default_rng(0).permutation(80)
    found = sensitivity_at(labels, scores, specificity=0.8)
    assert sensitivity_at(labels[turned], scores[turned], specificity=0.8) == found
    alone = sensitivity_at(labels, scores, specificity=0.8, patients=np.arange(80))
    assert alone.value == found.value
    assert alone.low == pytest.approx(found.low, abs=0.02)


def test_doubling_every_unit_inside_its_patient_keeps_the_interval():
    labels, scores = binormal(8, 40, 60, 1.2)
    once = sensitivity_at(labels, scores, specificity=0.9, patients=np.arange(100))
    twice = sensitivity_at(
        np.repeat(labels, 2), np.repeat(scores, 2), specificity=0.9, patients=np.repeat(np.arange(100), 2)
    )
    assert twice.value == pytest.approx(once.value)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=0.02)
    assert (twice.n_units, twice.n_patients) == (200, 100)


def test_the_interval_is_wider_than_that_of_a_known_threshold():
    labels, scores = binormal(9, 100, 30, norm.ppf(0.8) + norm.ppf(0.9))
    found = sensitivity_at(labels, scores, specificity=0.9)
    known = proportion(round(found.value * 100), 100)
    assert found.high - found.low > known.high - known.low


def test_perfect_separation_has_exact_limits_and_says_so():
    found = sensitivity_at([0] * 20 + [1] * 20, [*range(20), *range(50, 70)], specificity=0.9)
    assert found.value == 1
    assert found.low == pytest.approx(0.025 ** (1 / 20))  # Clopper and Pearson's limit of 20 successes in 20
    assert found.status == "degenerate_variance"


def test_the_limits_enclose_the_estimate_near_one():
    labels, scores = binormal(10, 30, 30, 3.2)
    found = sensitivity_at(labels, scores, specificity=0.8)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_one_class_is_undefined():
    assert sensitivity_at([1, 1], [0.1, 0.2], specificity=0.9).status == "one_class"
    assert compare_at([1, 1], [0.1, 0.2], [0.1, 0.3], specificity=0.9).status == "one_class"


def test_a_difference_is_that_of_the_two_and_turns_its_sign():
    labels, a = binormal(11, 60, 60, 1.5)
    b = a + np.random.default_rng(1).normal(size=120)
    found, back = compare_at(labels, a, b, specificity=0.8), compare_at(labels, b, a, specificity=0.8)
    assert found.difference.value == pytest.approx(found.first.value - found.second.value)
    assert found.first.value == sensitivity_at(labels, a, specificity=0.8).value
    assert back.difference.value == pytest.approx(-found.difference.value)
    assert back.p == pytest.approx(found.p, abs=0.02)
    assert found.difference.low < found.difference.value < found.difference.high


def test_a_score_does_not_differ_from_itself():
    labels, a = binormal(12, 30, 30, 1.0)
    found = compare_at(labels, a, 2 * a, sensitivity=0.9)
    assert (found.difference.value, found.statistic, found.p) == (0, 0, 1)


@pytest.mark.parametrize("rates", [{}, {"specificity": 0.9, "sensitivity": 0.9}])
def test_a_comparison_is_at_one_rate(rates):
    with pytest.raises(EvaluationError, match="and not both"):
        compare_at([0, 1], [1, 2], [1, 2], **rates)


def test_a_rate_in_percent_and_an_unknown_curve_are_refused():
    with pytest.raises(EvaluationError, match=r"write 0\.9 for 90%"):
        sensitivity_at([0, 1], [1, 2], specificity=90)
    with pytest.raises(EvaluationError, match="curve"):
        specificity_at([0, 1], [1, 2], sensitivity=0.9, curve="smooth")
