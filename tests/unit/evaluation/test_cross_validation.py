"""Out-of-fold areas: averaged, pooled, repeated, compared."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, compare_auroc, compare_cross_validated_auroc, cross_validated_auroc


@pytest.fixture(scope="module")
def validated() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(9)
    patients = np.repeat(np.arange(100), 2)
    labels = (rng.random(200) < 0.4).astype(int)
    return {
        "labels": labels,
        "scores": rng.normal(size=200) + labels + 0.5 * rng.normal(size=100)[patients],
        "folds": patients % 5,
        "patients": patients,
    }


def test_the_average_is_the_mean_of_the_folds(validated) -> None:
    found = cross_validated_auroc(validated["labels"], validated["scores"], validated["folds"])
    areas = [
        roc_auc_score(validated["labels"][own], validated["scores"][own])
        for own in (validated["folds"] == fold for fold in range(5))
    ]
    assert found.fold_averaged.value == pytest.approx(np.mean(areas))
    assert [found.folds[fold].value for fold in range(5)] == pytest.approx(areas)
    assert found.pooled == auroc(validated["labels"], validated["scores"])


def test_a_shift_of_a_fold_moves_the_pooled_area_only(validated) -> None:
    shifted = validated["scores"] + 10 * validated["folds"]
    before = cross_validated_auroc(validated["labels"], validated["scores"], validated["folds"])
    after = cross_validated_auroc(validated["labels"], shifted, validated["folds"])
    assert after.fold_averaged.value == pytest.approx(before.fold_averaged.value)
    assert abs(after.pooled.value - before.pooled.value) > 0.05


def test_one_fold_of_independent_units_is_nearly_delong(validated) -> None:
    """With a single fold LeDell's variance is DeLong's with n in place of n - 1 in both classes."""
    labels, scores = validated["labels"], validated["scores"]
    found = cross_validated_auroc(labels, scores, np.zeros(200)).fold_averaged
    assert found.standard_error == pytest.approx(auroc(labels, scores).standard_error, rel=0.01)


def test_copies_inside_patients_do_not_add_evidence(validated) -> None:
    columns = [np.repeat(validated[name], 3) for name in ("labels", "scores", "folds")]
    once = cross_validated_auroc(*(validated[name] for name in ("labels", "scores", "folds")))
    copies = cross_validated_auroc(*columns, patients=np.repeat(np.arange(200), 3))
    assert copies.fold_averaged.standard_error == pytest.approx(once.fold_averaged.standard_error, rel=1e-9)
    naive = cross_validated_auroc(*columns)
    assert naive.fold_averaged.standard_error == pytest.approx(
        once.fold_averaged.standard_error / math.sqrt(3)
    )


def test_repeats_do_not_add_evidence(validated) -> None:
    labels, scores, patients = (validated[name] for name in ("labels", "scores", "patients"))
    order = np.random.default_rng(1).permutation(100)
    twice = cross_validated_auroc(
        np.tile(labels, 2),
        np.tile(scores, 2),
        np.concatenate([validated["folds"], order[patients] % 5]),
        patients=np.tile(patients, 2),
        repeats=np.repeat([1, 2], 200),
    )
    once = cross_validated_auroc(labels, scores, validated["folds"], patients=patients)
    assert len(twice.folds) == 10
    assert twice.fold_averaged.n_patients == 100
    assert twice.fold_averaged.standard_error == pytest.approx(once.fold_averaged.standard_error, rel=0.1)


def test_names_that_tell_repeats_apart_stay(validated) -> None:
    names = np.array([f"{repeat}-{fold}" for repeat in (1, 2) for fold in validated["folds"]])
    columns = [np.tile(validated[name], 2) for name in ("labels", "scores")]
    patients, repeats = np.tile(validated["patients"], 2), np.repeat([1, 2], 200)
    named = cross_validated_auroc(*columns, names, patients=patients, repeats=repeats)
    numbered = cross_validated_auroc(
        *columns, np.tile(validated["folds"], 2), patients=patients, repeats=repeats
    )
    assert sorted(named.folds) == sorted(numbered.folds) == sorted(set(names.tolist()))
    assert named.fold_averaged == numbered.fold_averaged


def test_a_patient_in_two_folds_is_refused(validated) -> None:
    folds = validated["folds"].copy()
    folds[0] = 4
    with pytest.raises(EvaluationError, match="1 patients stand in several folds") as error:
        cross_validated_auroc(validated["labels"], validated["scores"], folds, patients=validated["patients"])
    assert error.value.problems == ("patient 0",)


def test_repeats_need_patients(validated) -> None:
    with pytest.raises(EvaluationError, match="needs patients"):
        cross_validated_auroc([0, 1], [1, 2], [0, 0], repeats=[1, 1])


def test_a_fold_with_one_class_leaves_the_average_undefined() -> None:
    found = cross_validated_auroc([0, 1, 0, 0], [1, 2, 3, 4], [0, 0, 1, 1])
    assert math.isnan(found.fold_averaged.value)
    assert found.fold_averaged.status == "one_class_in_a_fold"
    assert found.folds[1].status == "one_class"
    assert found.pooled.value == pytest.approx(1 / 3)


def test_perfect_folds_are_never_certain() -> None:
    found = cross_validated_auroc([0, 1] * 10, np.arange(20) % 2, np.repeat([0, 1], 10)).fold_averaged
    assert (found.value, found.high, found.status) == (1.0, 1.0, "degenerate_variance")
    assert found.low == pytest.approx(0.025**0.1)


def test_ties_count_half_or_nothing_in_the_variance_only() -> None:
    labels, scores, folds = [0, 0, 1, 1, 0, 1, 0, 1], [1, 2, 2, 3, 1, 1, 2, 3], [0] * 4 + [1] * 4
    half, cvauc = (cross_validated_auroc(labels, scores, folds, ties=ties) for ties in ("half", "cvauc"))
    assert half.fold_averaged.value == cvauc.fold_averaged.value
    assert half.fold_averaged.standard_error != cvauc.fold_averaged.standard_error


def test_the_logit_interval_stays_inside() -> None:
    labels, scores = [0, 0, 1, 1] * 6, [1, 2, 3, 4, 1, 3, 2, 4] * 3
    folds = np.repeat([0, 1, 2], 8)
    wald = cross_validated_auroc(labels, scores, folds).fold_averaged
    logit = cross_validated_auroc(labels, scores, folds, method="logit").fold_averaged
    assert logit.high < 1
    # Four of each class in each fold: n - 1 divides the squares in place of n.
    assert logit.standard_error == pytest.approx(wald.standard_error * np.sqrt(4 / 3))


def test_identical_models_have_z_0_and_p_1(validated) -> None:
    found = compare_cross_validated_auroc(
        validated["labels"], validated["scores"], validated["scores"], validated["folds"]
    )
    assert (found.statistic, found.p, found.difference.value) == (0.0, 1.0, 0.0)


def test_the_difference_is_that_of_the_averages(validated) -> None:
    rng = np.random.default_rng(2)
    other = validated["scores"] + rng.normal(size=200)
    arguments = validated["labels"], validated["scores"], other, validated["folds"]
    found = compare_cross_validated_auroc(*arguments, patients=validated["patients"])
    swapped = compare_cross_validated_auroc(
        arguments[0], other, validated["scores"], validated["folds"], patients=validated["patients"]
    )
    assert found.difference.value == pytest.approx(found.first.value - found.second.value)
    assert found.statistic == pytest.approx(-swapped.statistic)
    # Pairing helps where the models agree on much.
    unpaired = math.hypot(found.first.standard_error, found.second.standard_error)
    assert found.difference.standard_error < unpaired


def test_a_comparison_without_both_classes_is_undefined() -> None:
    found = compare_cross_validated_auroc([1, 1], [1, 2], [2, 1], [0, 0])
    assert math.isnan(found.p)
    assert found.difference.status == "one_class"


def test_results_become_json(validated) -> None:
    plain = cross_validated_auroc(validated["labels"], validated["scores"], validated["folds"]).to_dict()
    assert set(plain["folds"]) == {"0", "1", "2", "3", "4"}


def test_a_missing_fold_is_named() -> None:
    with pytest.raises(EvaluationError, match="row 1"):
        cross_validated_auroc([0, 1], [1, 2], [0, None])


def test_one_fold_on_the_logit_scale_is_delong() -> None:
    rng = np.random.default_rng(8)
    labels = np.repeat([1, 0], [20, 30])
    scores = rng.normal(size=50) + labels
    found = cross_validated_auroc(labels, scores, np.zeros(50), method="logit").fold_averaged
    same = auroc(labels, scores)
    assert found.standard_error == pytest.approx(same.standard_error)
    assert (found.low, found.high) == pytest.approx((same.low, same.high))


def test_a_difference_on_one_fold_is_the_paired_delong_test() -> None:
    rng = np.random.default_rng(9)
    labels = np.repeat([1, 0], [20, 30])
    first, second = rng.normal(size=(2, 50)) + labels
    found = compare_cross_validated_auroc(labels, first, second, np.zeros(50))
    same = compare_auroc(labels, first, second)
    assert (found.statistic, found.p) == pytest.approx((same.statistic, same.p))


@pytest.mark.parametrize(
    ("fewest", "status", "on_logit_scale"),
    [
        (1, "one_of_a_class_in_a_fold", "one_of_a_class_in_a_fold"),
        (3, "fewer_than_4_of_a_class_in_a_fold", "ok"),
        (4, "ok", "ok"),
    ],
)
def test_folds_with_few_of_a_class_say_so(fewest: int, status: str, on_logit_scale: str) -> None:
    rng = np.random.default_rng(1)
    labels, folds = np.tile(np.repeat([1, 0], [fewest, 12]), 3), np.repeat([0, 1, 2], fewest + 12)
    first, second = rng.normal(size=(2, len(labels))) + labels
    assert cross_validated_auroc(labels, first, folds).fold_averaged.status == status
    logit = cross_validated_auroc(labels, first, folds, method="logit").fold_averaged
    assert logit.status == on_logit_scale
    assert compare_cross_validated_auroc(labels, first, second, folds).status == on_logit_scale
    twice = np.repeat(np.arange(len(labels)), 2)  # two units of each patient are no more patients
    found = cross_validated_auroc(
        np.repeat(labels, 2), np.repeat(first, 2), np.repeat(folds, 2), patients=twice
    )
    assert found.fold_averaged.status == status
