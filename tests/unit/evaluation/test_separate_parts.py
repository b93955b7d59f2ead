"""Mean areas over parts of unequal size, against sums of variances, simulation and edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, compare_auroc, compare_mean_auroc, cross_validated_auroc, mean_auroc


def drawn(rng, sizes=((60, 60), (8, 40), (30, 6)), shift=1.0):
    """Labels, scores and parts; each part has its own numbers of positive and negative units."""
    labels = np.concatenate([np.repeat([1, 0], size) for size in sizes])
    parts = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    return labels, rng.normal(size=len(labels)) + shift * labels, parts


def test_the_mean_and_its_error_are_those_of_independent_areas():
    labels, scores, parts = drawn(np.random.default_rng(1))
    each = [auroc(labels[parts == k], scores[parts == k]) for k in range(3)]
    found = mean_auroc(labels, scores, parts)
    assert found.value == pytest.approx(np.mean([area.value for area in each]))
    assert found.standard_error == pytest.approx(math.hypot(*(area.standard_error for area in each)) / 3)
    assert found.method == "mean over parts, DeLong within each, logit"
    assert (found.n_units, found.status) == (204, "ok")


def test_several_units_of_a_patient_widen_it():
    labels, scores, parts = drawn(np.random.default_rng(1))
    twice = [np.repeat(values, 2) for values in (labels, scores, parts)]
    patients = np.repeat(np.arange(len(labels)), 2)
    once, found = mean_auroc(labels, scores, parts), mean_auroc(*twice, patients=patients)
    assert found.standard_error == pytest.approx(once.standard_error, rel=0.03)
    assert mean_auroc(*twice).standard_error < 0.75 * once.standard_error
    assert "Obuchowski" in found.method


def test_in_equal_balanced_parts_it_agrees_with_ledell():
    labels, scores, parts = drawn(np.random.default_rng(2), sizes=((100, 100),) * 4)
    found = mean_auroc(labels, scores, parts)
    other = cross_validated_auroc(labels, scores, parts).fold_averaged
    assert found.value == pytest.approx(other.value)
    assert found.standard_error == pytest.approx(other.standard_error, rel=0.02)


@pytest.mark.slow
def test_in_unequal_parts_it_covers_where_ledell_does_not():
    # 800 draws: a true coverage of 0.95 lies within 0.935 to 0.965 with probability 0.95.
    truth, rng = norm.cdf(1 / math.sqrt(2)), np.random.default_rng(3)
    hits = np.zeros(2)
    for _ in range(800):
        data = drawn(rng)
        for place, found in enumerate((mean_auroc(*data), cross_validated_auroc(*data).fold_averaged)):
            hits[place] += found.low <= truth <= found.high
    assert hits[0] / 800 > 0.925
    assert hits[1] / 800 < hits[0] / 800 - 0.03


def test_differences_are_paired_within_parts():
    labels, scores, parts = drawn(np.random.default_rng(4))
    other = scores + np.random.default_rng(5).normal(size=len(scores))
    found = compare_mean_auroc(labels, scores, other, parts)
    each = [compare_auroc(labels[parts == k], scores[parts == k], other[parts == k]) for k in range(3)]
    assert found.difference.value == pytest.approx(np.mean([one.difference.value for one in each]))
    error = math.hypot(*(one.difference.standard_error for one in each)) / 3
    assert found.difference.standard_error == pytest.approx(error)
    assert found.statistic == pytest.approx(found.difference.value / error)
    back = compare_mean_auroc(labels, other, scores, parts)
    assert (back.difference.value, back.p) == pytest.approx((-found.difference.value, found.p))


def test_equal_scores_do_not_differ():
    labels, scores, parts = drawn(np.random.default_rng(6))
    found = compare_mean_auroc(labels, scores, 2 * scores, parts)
    assert (found.difference.value, found.p) == (0, 1)


def test_what_is_undefined_says_so():
    one_class = mean_auroc([0, 1, 1, 1], [1, 2, 3, 4], list("AABB"))
    assert (one_class.status, one_class.n_units) == ("one_class_in_a_fold", 4)
    assert math.isnan(one_class.value)
    assert mean_auroc([1, 1], [1, 2], list("AB")).status == "one_class"
    compared = compare_mean_auroc([0, 1, 1, 1], [1, 2, 3, 4], [1, 2, 3, 4], list("AABB"))
    assert math.isnan(compared.difference.value)


def test_a_part_that_ranks_perfectly_is_marked():
    labels, parts = [0, 0, 1, 1, 0, 0, 1, 1], list("AAAABBBB")
    found = mean_auroc(labels, [1, 2, 3, 4, 1, 3, 2, 4], parts)
    assert found.status == "a_part_ranks_perfectly_and_adds_no_variance"
    everywhere = mean_auroc(labels, [1, 2, 3, 4, 1, 2, 3, 4], parts)
    assert (everywhere.value, everywhere.status) == (1, "degenerate_variance")


def test_a_patient_in_two_parts_is_refused():
    with pytest.raises(EvaluationError, match="stand in several folds"):
        mean_auroc([0, 1, 0, 1], [1, 2, 3, 4], list("AABB"), patients=list("xyxz"))
