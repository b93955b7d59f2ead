"""Two areas: paired, clustered, unpaired, and the cases without variance."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, auroc_comparison, compare_auroc


@pytest.fixture(scope="module")
def models() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    labels = (rng.random(160) < 0.4).astype(int)
    shared = rng.normal(size=160)
    return labels, labels + shared + rng.normal(size=160), 0.5 * labels + shared + rng.normal(size=160)


def _delong_covariance(labels: np.ndarray, *scores: np.ndarray) -> np.ndarray:
    columns, rows = [], []
    for values in scores:
        wins = (values[labels == 1][:, None] > values[labels == 0][None, :]).astype(float)
        columns.append(wins.mean(axis=1))
        rows.append(wins.mean(axis=0))
    return np.cov(columns) / (labels == 1).sum() + np.cov(rows) / (labels == 0).sum()


def test_paired_z_from_the_covariance_of_both_areas(models) -> None:
    labels, a, b = models
    covariance = _delong_covariance(labels, a, b)
    found = compare_auroc(labels, a, b)
    error = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert found.difference.value == pytest.approx(auroc(labels, a).value - auroc(labels, b).value)
    assert found.statistic == pytest.approx(found.difference.value / error, rel=1e-10)
    assert found.difference.standard_error == pytest.approx(error, rel=1e-10)
    assert found.first.value == auroc(labels, a).value


def test_identical_scores_have_z_0_and_p_1(models) -> None:
    labels, a, _ = models
    found = compare_auroc(labels, a, a)
    assert (found.statistic, found.p, found.difference.value) == (0.0, 1.0, 0.0)
    assert found.difference.low < 0 < found.difference.high


def test_scores_with_the_same_ranks_have_p_1(models) -> None:
    labels, a, _ = models
    assert compare_auroc(labels, a, np.exp(a)).p == 1.0


def test_swapping_the_models_turns_the_sign(models) -> None:
    labels, a, b = models
    one, other = compare_auroc(labels, a, b), compare_auroc(labels, b, a)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.p == pytest.approx(other.p)
    assert one.difference.low == pytest.approx(-other.difference.high)


def test_patients_with_one_unit_give_delong(models) -> None:
    labels, a, b = models
    plain, clustered = compare_auroc(labels, a, b), compare_auroc(labels, a, b, patients=np.arange(160))
    assert clustered.statistic == pytest.approx(plain.statistic, rel=1e-12)


def test_copies_inside_patients_do_not_add_evidence(models) -> None:
    labels, a, b = (np.repeat(column, 3) for column in models)
    tripled = compare_auroc(labels, a, b, patients=np.repeat(np.arange(160), 3))
    assert tripled.statistic == pytest.approx(compare_auroc(*models).statistic, rel=1e-10)
    assert abs(compare_auroc(labels, a, b).statistic) > 1.6 * abs(tripled.statistic)


def test_unpaired_is_a_t_with_satterthwaites_degrees_of_freedom(models) -> None:
    """pROC's roc.test for unpaired curves: D = (A1 - A2) / sqrt(v1 + v2), df from v and the cases."""
    labels, a, b = models
    half = slice(0, 80), slice(80, 160)
    found = compare_auroc(labels[half[0]], a[half[0]], b[half[1]], labels_b=labels[half[1]], paired=False)
    v = [_delong_covariance(labels[h], s[h], s[h])[0, 0] for h, s in zip(half, (a, b), strict=True)]
    assert found.statistic == pytest.approx(found.difference.value / math.sqrt(sum(v)), rel=1e-10)
    assert found.df == pytest.approx(sum(v) ** 2 / (v[0] ** 2 / 79 + v[1] ** 2 / 79), rel=1e-10)
    assert found.difference.n_units == 160


def test_two_perfect_models_are_alike_within_an_interval() -> None:
    labels = [0] * 10 + [1] * 10
    found = compare_auroc(labels, range(20), np.arange(20) ** 2)
    assert found.p == 1.0
    assert found.difference.status == "degenerate_variance"
    assert found.difference.low < -0.1


def test_a_difference_without_variance_is_tested_by_permutation() -> None:
    labels = [0] * 8 + [1] * 8
    found = compare_auroc(labels, np.arange(16), -np.arange(16))
    assert found.difference.value == 1.0
    assert 1 / 2001 <= found.p < 0.01
    assert "permutation" in found.method
    assert math.isnan(found.statistic)


def test_one_class_has_no_comparison() -> None:
    found = compare_auroc([1, 1], [1, 2], [2, 1])
    assert math.isnan(found.p)
    assert found.difference.status == "one_class"
    unpaired = compare_auroc([1, 1], [1, 2], [2, 1], labels_b=[0, 1], paired=False)
    assert unpaired.difference.status == "one_class"


def test_labels_of_the_second_belong_to_unpaired_models() -> None:
    with pytest.raises(EvaluationError, match="paired=False"):
        compare_auroc([0, 1], [1, 2], [1, 2], labels_b=[0, 1])


def test_unpaired_perfect_models_do_not_divide_by_zero() -> None:
    found = compare_auroc([0, 0, 1, 1], [1, 2, 3, 4], [1, 2, 3, 4], paired=False)
    assert found.p == 1.0
    assert found.difference.status == "degenerate_variance"


def test_unpaired_areas_keep_the_t_unless_a_variance_is_degenerate(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    labels, scores = np.tile([0, 1], 20), rng.normal(size=40)
    plain = compare_auroc(labels, scores, scores[::-1], paired=False)
    flagged = replace(auroc(labels, scores), status="fewer_than_10_units")
    monkeypatch.setattr(auroc_comparison, "auroc", lambda *_, **__: flagged)
    found = compare_auroc(labels, scores, scores, paired=False)
    assert found.method == plain.method
    assert found.p == 1.0
    assert found.df is not None


@pytest.mark.parametrize(("positive", "status"), [(9, "fewer_than_10_patients_of_a_class"), (10, "ok")])
def test_few_patients_of_a_class_say_so_where_patients_have_several_units(positive: int, status: str) -> None:
    rng = np.random.default_rng(7)
    owners = np.repeat(np.arange(50), 2)
    labels = (owners < positive).astype(int)
    first, second = rng.normal(size=(2, 100)) + labels
    assert compare_auroc(labels, first, second, patients=owners).status == status
    assert compare_auroc(labels, first, second).status == "ok"
