"""Subgroups: estimates of the functions themselves, and a test that finds what differs and nothing else."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from medvision.errors import EvaluationError
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.proportions import proportion
from medvision.evaluation.roc import auroc
from medvision.evaluation.subgroup_analysis import adjusted_interactions, subgroups


def _cases(n: int = 120, seed: int = 0, gain: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.5
    return labels.astype(int), rng.normal(size=n) + gain * labels, rng.choice(["a", "b", "c"], n)


def test_estimates_are_those_of_each_group_alone() -> None:
    labels, scores, groups = _cases()
    found = subgroups(labels, scores, groups)
    for name, estimate in found.groups.items():
        assert estimate == auroc(labels[groups == name], scores[groups == name])
    at = subgroups(labels, scores, groups, metric="specificity", threshold=0.5)
    own = (groups == "a") & (labels == 0)
    assert at.groups["a"] == proportion(int((scores[own] < 0.5).sum()), int(own.sum()))
    assert list(at.differences) == [name for name in "abc" if name != at.reference]
    json.dumps(at.to_dict())


def test_patients_with_several_units_are_clusters() -> None:
    labels, scores, groups = _cases()
    patients = np.repeat(np.arange(40), 3)
    at = subgroups(labels, scores, groups, metric="sensitivity", threshold=0.5, patients=patients)
    own = (groups == "b") & (labels == 1)
    assert at.groups["b"] == clustered_proportion(scores[own] >= 0.5, patients[own])


def test_proportions_of_independent_units_are_tested_by_pearson() -> None:
    hits = np.repeat([1.0, 0.0, 1.0, 0.0, 1.0], [18, 2, 24, 16, 15])
    groups = np.repeat(["a", "b", "c"], [20, 40, 15])
    found = subgroups(np.ones(75, dtype=int), hits, groups, metric="sensitivity", threshold=0.5)
    expected = chi2_contingency([[18, 2], [24, 16], [15, 0]], correction=False)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_two_groups_of_clustered_proportions_against_the_formula() -> None:
    """(p1 - p2)² over the sum of each group's squared residuals around the common proportion, by hand."""
    hits, groups = np.repeat([1.0, 0.0, 1.0, 0.0], [18, 2, 24, 16]), np.repeat(["a", "b"], [20, 40])
    owners = np.repeat(np.arange(30), 2)
    found = subgroups(
        np.ones(60, dtype=int), hits, groups, metric="sensitivity", threshold=0.5, patients=owners
    )
    p = 42 / 60
    sums = np.bincount(owners, weights=hits - p)
    spread = (sums[:10] @ sums[:10]) / 20**2 * 10 / 9 + (sums[10:] @ sums[10:]) / 40**2 * 20 / 19
    assert found.statistic == pytest.approx((0.9 - 0.6) ** 2 / spread, rel=1e-12)


def test_a_group_in_which_everything_succeeded_is_tested() -> None:
    hits, groups = np.repeat([1.0, 1.0, 0.0], [20, 10, 10]), np.repeat(["a", "b"], 20)
    found = subgroups(np.ones(40, dtype=int), hits, groups, metric="sensitivity", threshold=0.5)
    assert found.p < 0.001
    same = subgroups(np.ones(40, dtype=int), np.ones(40), groups, metric="sensitivity", threshold=0.5)
    assert (same.statistic, same.p) == (0.0, 1.0)


def test_a_few_cases_support_no_claim() -> None:
    labels, scores, groups = _cases(100)
    groups = np.where(np.arange(100) < 12, "rare", groups)
    rare = subgroups(labels, scores, groups).groups["rare"]
    assert math.isnan(rare.low)
    assert not math.isnan(rare.value)
    assert rare.status == "fewer_than_10_units"
    assert subgroups(labels, scores, groups).df == 2  # a, b and c


def test_patients_seen_on_two_scanners_are_paired() -> None:
    rng = np.random.default_rng(2)
    labels = np.tile(rng.random(60) < 0.5, 2).astype(int)
    quality = np.tile(rng.normal(size=60), 2)
    scores = labels + quality + rng.normal(scale=0.1, size=120)
    groups, patients = np.repeat(["x", "y"], 60), np.tile(np.arange(60), 2)
    joint = subgroups(labels, scores, groups, patients=patients)
    apart = subgroups(labels, scores, groups)
    width = {
        name: next(iter(found.differences.values())) for name, found in (("joint", joint), ("apart", apart))
    }
    assert width["joint"].high - width["joint"].low < 0.5 * (width["apart"].high - width["apart"].low)


def test_type_one_error_with_clusters() -> None:
    """Two groups of 25 patients with three lesions each, intraclass correlation 0.3: 0.05 at most."""
    rng = np.random.default_rng(5)
    patients, groups = np.repeat(np.arange(50), 3), np.repeat(["a", "b"], 75)
    rejected = 0
    for _ in range(400):
        own = rng.beta(0.8 * 7 / 3, 0.2 * 7 / 3, 50)[patients]
        hits = (rng.random(150) < own).astype(float)
        ones = np.ones(150, dtype=int)
        found = subgroups(ones, hits, groups, metric="sensitivity", threshold=0.5, patients=patients)
        rejected += found.p < 0.05
    assert rejected / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_missing_groups_are_a_group_and_bad_input_is_refused() -> None:
    labels, scores, _ = _cases(60)
    groups = np.array(["a", None, "b"] * 20, dtype=object)
    assert list(subgroups(labels, scores, groups).groups) == ["a", "b", "missing"]
    with pytest.raises(EvaluationError, match="sensitivity needs a threshold"):
        subgroups(labels, scores, groups, metric="sensitivity")
    with pytest.raises(EvaluationError, match="differ in length"):
        subgroups(labels, scores, groups[:-1])


def test_interactions_of_several_covariates_are_one_family() -> None:
    labels, scores, groups = _cases(200)
    found = {"one": subgroups(labels, scores, groups), "two": subgroups(labels, scores, np.roll(groups, 7))}
    adjusted = adjusted_interactions(found)
    assert all(adjusted[name] >= one.p for name, one in found.items())


def test_the_difference_of_separate_groups_is_newcombes() -> None:
    # Newcombe, Stat Med 1998;17:873, Table II, method 10: 56/70 - 48/80 is 0.0524 to 0.3339.
    hits, groups = np.repeat([1, 0, 1, 0], [56, 14, 48, 32]), np.repeat(["A", "B"], [70, 80])
    found = subgroups(np.ones(150, dtype=int), hits, groups, metric="sensitivity", threshold=0.5)
    gap = found.differences["A"]
    assert (gap.low, gap.high) == pytest.approx((0.0524, 0.3339), abs=6e-5)
