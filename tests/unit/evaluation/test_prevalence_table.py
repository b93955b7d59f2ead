"""Predictive values at other prevalences, against Bayes' theorem and the formula of the logit interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit

from medvision.errors import EvaluationError
from medvision.evaluation import diagnostic_accuracy, predictive_values

LABELS = np.repeat([1, 0], [744, 842])
CALLS = np.repeat([1, 0, 1, 0], [670, 74, 202, 640])


def test_values_and_limits_by_their_formulas() -> None:
    se, sp, n1, n0 = 670 / 744, 640 / 842, 744, 842
    row = predictive_values(LABELS, CALLS, prevalences=[0.03]).iloc[0]
    ppv = se * 0.03 / (se * 0.03 + (1 - sp) * 0.97)
    npv = sp * 0.97 / (sp * 0.97 + (1 - se) * 0.03)
    half = 1.959964 * math.sqrt((1 - se) / (se * n1) + sp / ((1 - sp) * n0))
    other = 1.959964 * math.sqrt(se / ((1 - se) * n1) + (1 - sp) / (sp * n0))
    assert [row["ppv"], row["ppv_low"], row["ppv_high"]] == pytest.approx(
        [ppv, expit(logit(ppv) - half), expit(logit(ppv) + half)], rel=1e-6
    )
    assert [row["npv"], row["npv_low"], row["npv_high"]] == pytest.approx(
        [npv, expit(logit(npv) - other), expit(logit(npv) + other)], rel=1e-6
    )


def test_each_row_is_that_of_diagnostic_accuracy() -> None:
    patients = np.arange(1586) // 2
    table = predictive_values(LABELS, CALLS, prevalences=[0.01, 0.1, 0.5], patients=patients)
    for row in table.itertuples():
        found = diagnostic_accuracy(LABELS, CALLS, prevalence=row.prevalence, patients=patients, resamples=2)
        assert (row.ppv, row.ppv_low, row.ppv_high) == (found.ppv.value, found.ppv.low, found.ppv.high)
        assert (row.npv, row.npv_low, row.npv_high) == (found.npv.value, found.npv.low, found.npv.high)


def test_the_prevalence_of_the_sample_gives_its_own_values() -> None:
    row = predictive_values(LABELS, CALLS, prevalences=744 / 1586).iloc[0]
    assert [row["ppv"], row["npv"]] == pytest.approx([670 / 872, 640 / 714])


def test_more_disease_more_positive_and_less_negative_value() -> None:
    table = predictive_values(LABELS, CALLS, prevalences=np.linspace(0.01, 0.99, 20))
    assert (np.diff(table["ppv"]) > 0).all()
    assert (np.diff(table["npv"]) < 0).all()
    assert (table["ppv_low"] < table["ppv"]).all()


def test_an_empty_cell_is_told_and_one_class_is_undefined() -> None:
    none = predictive_values([1] * 5 + [0] * 5, [1] * 5 + [0] * 5, prevalences=[0.1]).iloc[0]
    assert (none["ppv"], none["ppv_high"], none["status"]) == (1.0, 1.0, "zero_cell")
    one = predictive_values([1, 1], [1, 0], prevalences=[0.1]).iloc[0]
    assert math.isnan(one["ppv"])
    assert one["status"] == "undefined_no_units"


def test_words_may_stand_for_labels() -> None:
    words = predictive_values(
        ["ill", "well", "ill"], ["ill", "well", "well"], prevalences=0.2, positive="ill"
    )
    pd_plain = predictive_values([1, 0, 1], [1, 0, 0], prevalences=0.2)
    assert words.equals(pd_plain)


def test_every_impossible_prevalence_is_named() -> None:
    with pytest.raises(EvaluationError) as error:
        predictive_values([0, 1], [0, 1], prevalences=[5, 0.1, 0.0])
    assert len(error.value.problems) == 2
