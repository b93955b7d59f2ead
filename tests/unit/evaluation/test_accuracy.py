"""The 2×2 table and what is read from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

from medvision.errors import EvaluationError
from medvision.evaluation import clustered_proportion, diagnostic_accuracy, proportion

MEASURES = [
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc", "youden",
    "lr_positive", "lr_negative", "diagnostic_odds_ratio",
]  # fmt: skip


@pytest.fixture(scope="module")
def units() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = (rng.random(180) < 0.4).astype(int)
    return labels, np.where(rng.random(180) < 0.8, labels, 1 - labels), np.repeat(np.arange(60), 3)


def test_values_are_those_of_scikit_learn(units) -> None:
    labels, calls, _ = units
    found = diagnostic_accuracy(labels, calls, resamples=50)
    assert found.accuracy.value == pytest.approx(accuracy_score(labels, calls))
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, calls))
    assert found.f1.value == pytest.approx(f1_score(labels, calls))
    assert found.mcc.value == pytest.approx(matthews_corrcoef(labels, calls))
    assert found.youden.value == pytest.approx(2 * balanced_accuracy_score(labels, calls) - 1)


def test_counts_and_their_names(units) -> None:
    labels, calls, _ = units
    table = diagnostic_accuracy(labels, calls, resamples=20).table
    assert sum(table.to_dict().values()) == 180
    assert (table.tp, table["tn"]) == (int((labels & calls).sum()), int(((1 - labels) & (1 - calls)).sum()))


def test_proportions_are_wilson_where_units_are_independent(units) -> None:
    labels, calls, _ = units
    found = diagnostic_accuracy(labels, calls, resamples=20)
    expected = proportion(found.table.tp, int(labels.sum()))
    assert (found.sensitivity.low, found.sensitivity.high) == (expected.low, expected.high)
    one_each = diagnostic_accuracy(labels, calls, patients=np.arange(180), resamples=20)
    assert one_each.sensitivity == found.sensitivity


def test_proportions_are_clustered_where_patients_have_several(units) -> None:
    labels, calls, patients = units
    found = diagnostic_accuracy(labels, calls, patients=patients, resamples=20)
    sick = labels == 1
    expected = clustered_proportion(calls[sick], patients[sick])
    assert found.sensitivity == expected
    assert found.ppv.n_patients == len(np.unique(patients[calls == 1]))


def test_copies_inside_patients_do_not_narrow_any_interval(units) -> None:
    labels, calls, _ = units
    once = diagnostic_accuracy(labels, calls, resamples=300)
    copies = diagnostic_accuracy(
        np.repeat(labels, 4), np.repeat(calls, 4), patients=np.repeat(np.arange(180), 4), resamples=300
    )
    for name in MEASURES:
        one, four = getattr(once, name), getattr(copies, name)
        assert four.value == pytest.approx(one.value), name
        assert four.high - four.low > 0.9 * (one.high - one.low), name


def test_clustered_ratio_with_one_unit_a_patient_is_simels(units) -> None:
    labels, calls, _ = units
    plain = diagnostic_accuracy(labels, calls, resamples=20).lr_positive
    doubled = diagnostic_accuracy(
        np.repeat(labels, 2), np.repeat(calls, 2), patients=np.repeat(np.arange(180), 2), resamples=20
    ).lr_positive
    # The cluster estimator has a factor m / (m - 1) that the plain formula lacks.
    widths = [math.log(ratio.high / ratio.low) for ratio in (plain, doubled)]
    assert widths[1] == pytest.approx(widths[0] * math.sqrt(180 / 179), rel=1e-9)


def test_enriched_sampling_leaves_predictive_values_undefined(units) -> None:
    labels, calls, _ = units
    found = diagnostic_accuracy(labels, calls, sampling="enriched", resamples=20)
    for value in (found.ppv, found.npv):
        assert math.isnan(value.value)
        assert value.status == "enriched_sampling_needs_prevalence"
    assert found.accuracy.status == "holds_only_for_the_prevalence_of_this_sample"
    assert found.sensitivity.status == "ok"


def test_predictive_values_at_a_stated_prevalence_are_mercaldos(units) -> None:
    """Mercaldo, Lau and Zhou 2007: logit(PPV) with variance (1-se)/(se n1) + sp/((1-sp) n0)."""
    labels, calls, _ = units
    found = diagnostic_accuracy(labels, calls, sampling="enriched", prevalence=0.1, resamples=20)
    se, sp, n1, n0 = found.sensitivity.value, found.specificity.value, labels.sum(), (1 - labels).sum()
    ppv = se * 0.1 / (se * 0.1 + (1 - sp) * 0.9)
    npv = sp * 0.9 / (sp * 0.9 + (1 - se) * 0.1)
    assert (found.ppv.value, found.npv.value) == pytest.approx((ppv, npv))
    for value, variance, estimate in (
        (ppv, (1 - se) / (se * n1) + sp / ((1 - sp) * n0), found.ppv),
        (npv, se / ((1 - se) * n1) + (1 - sp) / (sp * n0), found.npv),
    ):
        logit = math.log(value / (1 - value)) + np.array([-1, 1]) * 1.959964 * math.sqrt(variance)
        assert (estimate.low, estimate.high) == pytest.approx(tuple(1 / (1 + np.exp(-logit))), abs=1e-6)


def test_at_the_prevalence_of_the_sample_predictive_values_are_the_plain_ones(units) -> None:
    labels, calls, _ = units
    plain = diagnostic_accuracy(labels, calls, resamples=20)
    stated = diagnostic_accuracy(labels, calls, prevalence=float(labels.mean()), resamples=20)
    assert (stated.ppv.value, stated.npv.value) == pytest.approx((plain.ppv.value, plain.npv.value))


def test_a_perfect_table_is_never_certain() -> None:
    found = diagnostic_accuracy([1] * 12 + [0] * 15, [1] * 12 + [0] * 15)
    for name in ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc"):
        estimate = getattr(found, name)
        assert (estimate.value, estimate.high) == (1.0, 1.0), name
        assert 0 < estimate.low < 0.9, name
    assert found.lr_positive.value == math.inf
    assert found.lr_positive.status == found.lr_negative.status == "zero_cell"
    assert 1 < found.lr_positive.low < found.lr_positive.high == math.inf
    assert found.lr_negative.low == found.lr_negative.value == 0.0 < found.lr_negative.high


def test_undefined_is_never_0() -> None:
    sick_only = diagnostic_accuracy([1] * 12, [1] * 11 + [0], resamples=20)
    assert math.isnan(sick_only.specificity.value)
    assert (sick_only.specificity.low, sick_only.specificity.high) == (0.0, 1.0)
    for name in ("balanced_accuracy", "mcc", "youden", "lr_positive"):
        assert math.isnan(getattr(sick_only, name).value), name
    healthy_only = diagnostic_accuracy([0] * 12, [1] + [0] * 11, resamples=20)
    for name in ("sensitivity", "f1", "mcc"):
        assert math.isnan(getattr(healthy_only, name).value), name
    nobody_called = diagnostic_accuracy([0, 1] * 10, [0] * 20, resamples=20)
    assert math.isnan(nobody_called.ppv.value)
    assert math.isnan(nobody_called.mcc.value)


def test_a_ratio_of_1_by_default_is_not_certain() -> None:
    found = diagnostic_accuracy([0, 1] * 10, [0] * 20, resamples=20).lr_negative
    assert found.value == 1.0
    assert found.low < 0.9 < 1.1 < found.high
    assert found.status == "zero_cell"


def test_no_units_at_all() -> None:
    for name, estimate in diagnostic_accuracy([], [], resamples=20).estimates().items():
        assert math.isnan(estimate.value), name
        assert estimate.status != "ok", name


def test_words_of_the_labels_are_understood_in_predictions() -> None:
    found = diagnostic_accuracy(["m", "b", "m"], ["m", "b", "b"], positive="m", resamples=20)
    assert found.table.to_dict() == {"tp": 1, "fp": 0, "fn": 1, "tn": 1}
    numbers = diagnostic_accuracy(["m", "b", "m"], [1, 0, 0], positive="m", resamples=20)
    assert numbers.table == found.table


@pytest.mark.parametrize("arguments", [{"prevalence": 5}, {"prevalence": 0.0}, {"sampling": "case-control"}])
def test_impossible_designs_are_refused(arguments) -> None:
    with pytest.raises(EvaluationError):
        diagnostic_accuracy([0, 1], [0, 1], **arguments)


def test_scores_are_no_predictions() -> None:
    with pytest.raises(EvaluationError, match="neither 0 nor 1"):
        diagnostic_accuracy([0, 1], [0.2, 0.9])


def test_a_measure_that_resamples_often_leave_undefined_has_no_interval() -> None:
    """One positive call: more than a third of the resamples have none, and MCC is 0/0 in them."""
    labels = [0] * 10 + [1] * 10
    found = diagnostic_accuracy(labels, [0] * 19 + [1], resamples=200)
    assert found.mcc.status == "too_many_undefined_replicates"
    assert math.isfinite(found.mcc.value)
    assert math.isnan(found.mcc.low)
    assert found.youden.status == "ok"


def test_youden_and_balanced_accuracy_square_and_add_the_limits_of_their_parts(units) -> None:
    labels, calls, _ = units
    found = diagnostic_accuracy(labels, calls, resamples=10)
    se, sp = found.sensitivity, found.specificity
    below = math.hypot(se.value - se.low, sp.value - sp.low)
    above = math.hypot(se.high - se.value, sp.high - sp.value)
    assert found.youden.low == pytest.approx(found.youden.value - below)
    assert found.youden.high == pytest.approx(found.youden.value + above)
    assert found.balanced_accuracy.low == pytest.approx(found.balanced_accuracy.value - below / 2)
    assert found.balanced_accuracy.high == pytest.approx(found.balanced_accuracy.value + above / 2)


def test_youden_of_two_independent_shares_is_newcombes_difference() -> None:
    # Newcombe, Stat Med 1998;17:873, Table II, method 10: 56/70 - 48/80 is 0.0524 to 0.3339.
    labels = np.repeat([1, 0], [70, 80])
    calls = np.repeat([1, 0, 1, 0], [56, 14, 48, 32])
    found = diagnostic_accuracy(labels, calls, resamples=10).youden
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=6e-5)


def test_units_of_both_kinds_that_fail_together_widen_the_sum() -> None:
    rng = np.random.default_rng(2)
    right = np.repeat(rng.random(60) < 0.8, 2)
    labels = np.tile([1, 0], 60)
    calls = np.where(right, labels, 1 - labels)
    together = diagnostic_accuracy(labels, calls, patients=np.repeat(np.arange(60), 2), resamples=10).youden
    apart = diagnostic_accuracy(labels, calls, patients=np.arange(120), resamples=10).youden
    assert together.high - together.low > 1.2 * (apart.high - apart.low)


def test_the_prevalence_of_a_cohort_is_chance_and_that_of_an_enriched_sample_is_not() -> None:
    labels = np.repeat([1, 0], [20, 180])
    calls = np.repeat([1, 0, 1, 0], [14, 6, 30, 150])
    cohort, enriched = (
        diagnostic_accuracy(labels, calls, sampling=sampling).f1 for sampling in ("cohort", "enriched")
    )
    assert cohort.high - cohort.low > 1.2 * (enriched.high - enriched.low)


def test_youden_adds_the_squared_distances_to_the_limits() -> None:
    labels, calls = np.repeat([1, 0], [30, 50]), np.repeat([1, 0, 1, 0], [27, 3, 10, 40])
    found = diagnostic_accuracy(labels, calls, resamples=20)
    se, sp = proportion(27, 30), proportion(40, 50)
    low = 0.9 + 0.8 - 1 - math.hypot(0.9 - se.low, 0.8 - sp.low)
    high = 0.9 + 0.8 - 1 + math.hypot(se.high - 0.9, sp.high - 0.8)
    assert (found.youden.low, found.youden.high) == pytest.approx((low, high))
    assert found.balanced_accuracy.low == pytest.approx((1 + low) / 2)
    assert found.balanced_accuracy.standard_error == pytest.approx(found.youden.standard_error / 2)
    assert found.youden.status == "ok"


def test_youden_of_patients_with_both_kinds_of_units_knows_their_correlation() -> None:
    rng = np.random.default_rng(5)
    owner, labels = np.repeat(np.arange(80), 2), np.tile([1, 0], 80)
    careful = rng.random(80) < 0.7  # both of a patient's units are right, or both are wrong
    calls = np.where(careful[owner], labels, 1 - labels)
    together = diagnostic_accuracy(labels, calls, patients=owner, resamples=20).youden
    apart = diagnostic_accuracy(labels, calls, resamples=20).youden
    assert together.standard_error == pytest.approx(np.sqrt(2) * apart.standard_error, rel=0.03)
    assert together.high - together.low > 1.3 * (apart.high - apart.low)


def test_the_prevalence_of_a_cohort_varies_and_that_of_an_enriched_set_does_not() -> None:
    labels, calls = np.repeat([1, 0], [30, 170]), np.repeat([1, 0, 1, 0], [24, 6, 20, 150])
    cohort = diagnostic_accuracy(labels, calls)
    enriched = diagnostic_accuracy(labels, calls, sampling="enriched", prevalence=0.1)
    for name in ("f1", "mcc"):
        wide, narrow = (getattr(found, name) for found in (cohort, enriched))
        assert wide.high - wide.low > 1.02 * (narrow.high - narrow.low)
        assert wide.value == narrow.value


def test_too_few_cases_to_let_the_prevalence_vary() -> None:
    labels, calls = np.repeat([1, 0], [2, 58]), np.repeat([1, 0, 1, 0], [1, 1, 9, 49])
    found = diagnostic_accuracy(labels, calls)
    assert found.f1.status == "too_few_cases_to_let_the_prevalence_vary"
    assert found.f1.low <= found.f1.value <= found.f1.high


@pytest.mark.parametrize("how", [{"resamples": 0}, {"resamples": -1}, {"seed": -1}])
def test_draws_that_cannot_be_made_are_refused(units, how) -> None:
    with pytest.raises(EvaluationError, match=next(iter(how))):
        diagnostic_accuracy(units[0], units[1], **how)
