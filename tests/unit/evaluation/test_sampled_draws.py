"""Draws like those that made the sample."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.evaluation import bootstrap
from medvision.evaluation.sampled_draws import as_sampled


def _table(positive: int, n: int = 100) -> dict[str, np.ndarray]:
    labels = (np.arange(n) < positive).astype(int)
    return {"label": labels, "prediction": (np.arange(n) % 3 == 0).astype(int)}


def test_a_cohort_is_drawn_without_strata_and_an_enriched_set_with() -> None:
    for sampling, stratified in (("cohort", False), ("enriched", True)):
        found = as_sampled("f1", _table(30), None, sampling, resamples=100, seed=1, level=0.9)["f1"]
        same = bootstrap(
            ["f1"], _table(30), patients=None, resamples=100, seed=1, level=0.9, stratified=stratified
        )["f1"]
        assert np.array_equal(found.replicates, same.replicates)
        assert found == same


def test_two_cases_hold_the_prevalence() -> None:
    found = as_sampled("f1", _table(2), None, "cohort", resamples=200, seed=1, level=0.95)["f1"]
    assert found.status == "too_few_cases_to_let_the_prevalence_vary"
    assert found.undefined_replicates == 0


def test_patients_are_drawn_whole() -> None:
    owners = np.repeat(np.arange(50), 2)
    found = as_sampled("accuracy", _table(30), owners, "cohort", resamples=100, seed=1, level=0.95)[
        "accuracy"
    ]
    assert found.n_patients == 50
    assert found.value == pytest.approx(np.mean(_table(30)["label"] == _table(30)["prediction"]))
