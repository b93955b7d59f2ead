"""What must hold for any predictions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from medvision.evaluation import (
    Estimate,
    adjust,
    auroc,
    bootstrap,
    choose_threshold,
    clustered_proportion,
    compare_auroc,
    compare_cross_validated_auroc,
    compare_proportions,
    cross_validated_auroc,
    diagnostic_accuracy,
    icc,
    kappa,
    mcnemar,
    proportion,
    segmentation_scores,
)
from medvision.evaluation.surfaces import surface_distances

METHODS = ("wilson", "wilson_cc", "exact", "midp", "agresti_coull", "jeffreys")


@st.composite
def predictions(draw: st.DrawFn, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels of both classes, and scores with many ties."""
    positive, negative = draw(st.integers(least, 20)), draw(st.integers(least, 20))
    n = positive + negative
    labels = np.array(draw(st.permutations([1] * positive + [0] * negative)))
    return labels, np.array(draw(st.lists(st.integers(-8, 8), min_size=n, max_size=n)), dtype=float)


@st.composite
def masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = tuple(draw(st.integers(2, 6)) for _ in range(3))
    bits = [np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n))) for n in [math.prod(shape)] * 2]
    return bits[0].reshape(shape), bits[1].reshape(shape)


def _ordered(estimate: Estimate) -> bool:
    return estimate.low <= estimate.value <= estimate.high


@given(st.integers(0, 300), st.integers(1, 300), st.sampled_from(METHODS))
def test_a_proportion_lies_in_its_interval_and_intervals_nest(k: int, n: int, method: str) -> None:
    assume(k <= n)
    found = [proportion(k, n, method=method, level=level) for level in (0.8, 0.9, 0.95, 0.99)]
    for estimate in found:
        assert 0 <= estimate.low <= k / n <= estimate.high <= 1
        assert estimate.low < estimate.high
    for inner, outer in itertools.pairwise(found):
        assert outer.low <= inner.low
        assert inner.high <= outer.high


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from(METHODS))
def test_failures_mirror_successes(k: int, n: int, method: str) -> None:
    assume(k <= n)
    one, other = proportion(k, n, method=method), proportion(n - k, n, method=method)
    assert one.low == pytest.approx(1 - other.high, abs=1e-9)


@given(predictions())
def test_the_area_is_that_of_scikit_learn_and_turns_with_the_score(data) -> None:
    labels, scores = data
    found = auroc(labels, scores)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert auroc(labels, -scores).value == pytest.approx(1 - found.value, abs=1e-12)
    assert auroc(1 - labels, scores).value == pytest.approx(1 - found.value, abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


@given(predictions())
def test_monotone_transforms_change_nothing(data) -> None:
    labels, scores = data
    assert auroc(labels, np.exp(scores / 3) - 7) == auroc(labels, scores)


@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(data, random) -> None:
    labels, scores = data
    order = np.array(random.sample(range(len(labels)), len(labels)))
    one, other = auroc(labels, scores), auroc(labels[order], scores[order])
    assert other.value == pytest.approx(one.value, abs=1e-12)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-9)


@given(predictions())
def test_delong_is_the_clustered_area_of_patients_with_one_unit(data) -> None:
    labels, scores = data
    plain, clustered = auroc(labels, scores), auroc(labels, scores, patients=np.arange(len(labels)))
    assert (clustered.low, clustered.high) == pytest.approx((plain.low, plain.high), abs=1e-12)
    assert clustered.standard_error == pytest.approx(plain.standard_error, abs=1e-12)


@given(predictions(), st.integers(2, 4))
def test_copies_inside_patients_leave_the_clustered_error_unchanged(data, copies: int) -> None:
    labels, scores = data
    once = auroc(labels, scores)
    assume(once.status == "ok")
    many = np.repeat(labels, copies), np.repeat(scores, copies)
    clustered = auroc(*many, patients=np.repeat(np.arange(len(labels)), copies))
    assert clustered.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    # n / (n - 1) in each class makes the naive one shrink by a little more than the root of the copies.
    naive = auroc(*many).standard_error
    assert naive < once.standard_error / math.sqrt(copies) * (1 + 1e-9)


@given(predictions(), st.lists(st.integers(0, 5), min_size=40, max_size=40))
def test_levels_nest_for_clustered_areas(data, owners) -> None:
    labels, scores = data
    patients = owners[: len(labels)]
    found = [auroc(labels, scores, patients=patients, level=level) for level in (0.8, 0.95)]
    assert found[1].low <= found[0].low <= found[0].value <= found[0].high <= found[1].high


@given(predictions(), st.lists(st.integers(-8, 8), min_size=40, max_size=40))
def test_swapping_models_turns_z(data, others) -> None:
    labels, first = data
    second = np.array(others[: len(labels)], dtype=float)
    one, other = compare_auroc(labels, first, second), compare_auroc(labels, second, first)
    assert one.difference.value == pytest.approx(-other.difference.value, abs=1e-12)
    assert _ordered(one.difference)
    assert 0 <= one.p <= 1
    if not math.isnan(one.statistic):
        assert one.statistic == pytest.approx(-other.statistic, abs=1e-9)
        assert one.p == pytest.approx(other.p, abs=1e-9)
    assert compare_auroc(labels, first, first).p == 1.0


@given(predictions(4), st.integers(2, 4))
def test_fold_averages_ignore_shifts_and_lie_in_their_interval(data, folds: int) -> None:
    labels, scores = data
    held_out = np.arange(len(labels)) % folds
    found = cross_validated_auroc(labels, scores, held_out)
    shifted = cross_validated_auroc(labels, scores + 100.0 * held_out, held_out)
    if math.isnan(found.fold_averaged.value):
        assert found.fold_averaged.status == "one_class_in_a_fold"
    else:
        assert shifted.fold_averaged.value == pytest.approx(found.fold_averaged.value)
        assert 0 <= found.fold_averaged.low <= found.fold_averaged.value <= found.fold_averaged.high <= 1
        assert found.fold_averaged.low < found.fold_averaged.high
        assert compare_cross_validated_auroc(labels, scores, scores, held_out).p == 1.0


@given(predictions(), st.integers(0, 2**32))
def test_bootstrap_replicates_are_areas_of_the_drawn_rows(data, seed: int) -> None:
    labels, scores = data
    found = bootstrap(
        {"ours": "auroc", "theirs": lambda drawn: roc_auc_score(drawn["label"], drawn["score"])},
        {"label": labels, "score": scores},
        patients=np.arange(len(labels)) // 2,
        resamples=8,
        seed=seed,
    )
    np.testing.assert_allclose(found["ours"].replicates, found["theirs"].replicates, rtol=0, atol=1e-12)
    assert found["ours"].undefined_replicates == 0


@given(predictions(), st.integers(1, 60), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_the_bootstrap_depends_neither_on_chunks_nor_on_rows(data, chunk: int, seed: int, random) -> None:
    labels, scores = data
    patients = np.array([f"P{i // 2}" for i in range(len(labels))])
    order = np.array(random.sample(range(len(labels)), len(labels)))
    one = bootstrap(["auroc"], {"label": labels, "score": scores}, patients=patients, resamples=60, seed=seed)
    other = bootstrap(
        ["auroc"],
        {"label": labels[order], "score": scores[order]},
        patients=patients[order],
        resamples=60,
        seed=seed,
        chunk_size=chunk,
    )
    np.testing.assert_array_equal(one["auroc"].replicates, other["auroc"].replicates)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7)), min_size=1, max_size=60))
def test_clustered_proportions_lie_in_their_interval(units) -> None:
    hits, patients = (list(column) for column in zip(*units, strict=True))
    found = [clustered_proportion(hits, patients, level=level) for level in (0.8, 0.95)]
    for estimate in found:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
        assert estimate.low < estimate.high
    assert found[1].low <= found[0].low
    assert found[0].high <= found[1].high


@given(predictions(1), st.sampled_from(["youden", "sensitivity>=0.9", "cost:3", "cost:0.3"]))
def test_a_chosen_threshold_is_an_observed_score(data, rule: str) -> None:
    labels, scores = data
    chosen = choose_threshold(labels, scores, rule=rule)
    assert chosen in scores
    if rule.startswith("sensitivity"):
        assert (scores[labels == 1] >= chosen).mean() >= 0.9


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=0, max_size=40))
def test_every_measure_is_undefined_or_lies_in_its_interval(units) -> None:
    labels, calls = ([pair[i] for pair in units] for i in (0, 1))
    found = diagnostic_accuracy(labels, calls, resamples=40)
    for name, estimate in found.estimates().items():
        if math.isnan(estimate.value):
            assert estimate.status != "ok", name
        elif not math.isnan(estimate.low):
            assert _ordered(estimate), name
            assert estimate.low < estimate.high, name


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60),
    st.sampled_from(["tango", "newcombe"]),
)
def test_paired_differences_lie_in_their_interval(pairs, method: str) -> None:
    first, second = ([pair[i] for pair in pairs] for i in (0, 1))
    found = compare_proportions(first, second, method=method)
    assert -1 <= found.difference.low <= found.difference.value <= found.difference.high <= 1
    assert found.difference.low < found.difference.high
    assert 0 <= found.p <= 1


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.lists(st.booleans(), min_size=1, max_size=40))
def test_independent_differences_lie_in_their_interval(first, second) -> None:
    for method in ("newcombe", "miettinen_nurminen"):
        found = compare_proportions(first, second, paired=False, method=method)
        assert -1 <= found.difference.low <= found.difference.value <= found.difference.high <= 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_midp_lies_below_exact(b: int, c: int) -> None:
    assert 0 <= mcnemar(b, c).p <= mcnemar(b, c, method="exact").p <= 1
    assert mcnemar(b, c).p == mcnemar(c, b).p


@given(
    st.lists(st.floats(0, 1) | st.just(math.nan), max_size=30),
    st.sampled_from(["holm", "bh", "by", "bonferroni"]),
)
def test_adjusted_p_values_are_larger_and_keep_their_order(p, method: str) -> None:
    found, p = adjust(p, method=method), np.array(p, dtype=float)
    defined = ~np.isnan(p)
    assert (np.isnan(found) == np.isnan(p)).all()
    assert (found[defined] >= p[defined] - 1e-15).all()
    assert (found[defined] <= 1).all()
    order = np.argsort(p[defined], kind="stable")
    assert (np.diff(found[defined][order]) >= 0).all()


@given(masks())
def test_overlap_is_symmetric_and_bounded(pair) -> None:
    first, second = pair
    one = segmentation_scores(first, second, (1.0, 2.0, 0.5)).iloc[0]
    other = segmentation_scores(second, first, (1.0, 2.0, 0.5)).iloc[0]
    for measure in ("dice", "iou", "nsd", "hd95_mm", "assd_mm"):
        assert one[measure] == pytest.approx(other[measure], nan_ok=True), measure
    assert one["volume_error_ml"] == -other["volume_error_ml"]
    if one["status"] != "both_empty":
        assert 0 <= one["iou"] <= one["dice"] <= 1
        assert 0 <= one["nsd"] <= 1 + 1e-12
        assert one["assd_mm"] <= np.linalg.norm(np.array(first.shape) * (1.0, 2.0, 0.5)) + 1e-9


@given(masks(), st.floats(0.2, 5))
def test_distances_scale_with_the_spacing(pair, scale: float) -> None:
    assume(pair[0].any() and pair[1].any())
    one, other = (
        surface_distances(*pair, (1.0, 2.0, 0.5)),
        surface_distances(*pair, (scale, 2 * scale, 0.5 * scale)),
    )
    assert other.percentile(95) == pytest.approx(scale * one.percentile(95), rel=1e-6)
    assert other.average() == pytest.approx(scale * one.average(), rel=1e-6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_kappa_is_symmetric_and_at_most_1(pairs) -> None:
    first, second = ([pair[i] for pair in pairs] for i in (0, 1))
    for weights in (None, "linear", "quadratic"):
        one, other = (
            kappa(*both, weights=weights, categories=range(4)) for both in ((first, second), (second, first))
        )
        assert one.value == pytest.approx(other.value, nan_ok=True, abs=1e-12)
        assert math.isnan(one.value) or one.low <= one.value <= one.high <= 1


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=3, max_size=15),
    st.integers(-50, 50),
)
def test_agreement_of_measurements_does_not_depend_on_the_zero(ratings, shift: int) -> None:
    for form in ("1,1", "2,1", "3,1"):
        one, other = icc(ratings, form=form), icc(np.array(ratings) + shift, form=form)
        assert one.value == pytest.approx(other.value, nan_ok=True, abs=1e-6)
