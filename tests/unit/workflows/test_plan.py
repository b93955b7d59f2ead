"""A plan: the numbers of the functions, clusters and losses on top, and sentences that say the same."""

from __future__ import annotations

import json
import math

import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.sample_size import sample_size_auroc_interval, sample_size_proportion
from medvision.workflows.clusters import Clusters
from medvision.workflows.plan import plan_auroc, plan_comparison, plan_proportion


def test_cases_of_a_prevalence_contain_enough_of_both_kinds() -> None:
    found = plan_auroc(0.85, half_width=0.05, prevalence=0.25)
    numbers = sample_size_auroc_interval(0.85, 0.05, ratio=3)
    assert (found.positive, found.negative, found.cases) == (*numbers, numbers.total)
    rare = plan_proportion("sensitivity", 0.9, 0.05, prevalence=0.1)
    assert rare.positive == sample_size_proportion(0.9, 0.05, method="wilson")
    assert rare.cases == math.ceil(rare.positive / 0.1)
    common = plan_proportion("specificity", 0.9, 0.05, prevalence=0.1)
    assert common.negative == rare.positive
    assert common.cases < rare.cases


def test_clusters_and_losses_are_counted_by_hand() -> None:
    clusters = Clusters(per_patient=3, icc=0.25, lost=0.1)
    found = plan_proportion("sensitivity", 0.9, 0.05, clusters=clusters)
    assert found.design_effect == 1.5
    assert found.patients == math.ceil(math.ceil(found.cases * 1.5 / 3) / 0.9)
    assert "design effect of 1.50" in found.text
    assert str(found.patients) in found.text


def test_the_text_says_the_numbers() -> None:
    for found in (
        plan_auroc(0.85, null=0.75, power=0.9),
        plan_comparison("auroc", 0.85, 0.8, correlation=0.6, prevalence=0.3),
        plan_comparison("specificity", 0.9, 0.85, prevalence=0.3),
        plan_comparison("sensitivity", 0.9, 0.8, discordant=0.2),
    ):
        assert str(max(found.positive, 1)) in found.text or str(found.negative) in found.text
        assert json.loads(found.to_json())["patients"] == found.patients
        assert str(found).startswith(f"{found.patients} patients")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: plan_auroc(0.8), "one of the two"),
        (lambda: plan_auroc(0.8, half_width=0.1, null=0.5), "one of the two"),
        (lambda: plan_auroc(0.8, half_width=0.1, prevalence=20), "write 0.2 for 20%"),
        (lambda: plan_proportion("sensitivity", 0.9, 0.05, prevalence=0.0), "write 0.2 for 20%"),
        (lambda: plan_comparison("sensitivity", 0.9, 0.9), "not 0"),
        (lambda: plan_proportion("sensitivity", 0.9, 0.05, clusters=Clusters(0.5)), "units_per_patient"),
    ],
)
def test_what_cannot_be_planned_is_refused(call, told) -> None:  # type: ignore[no-untyped-def] # a call of each function
    with pytest.raises(EvaluationError, match=told):
        call()
