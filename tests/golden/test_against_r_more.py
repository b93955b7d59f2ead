"""Further numbers of R packages: from_r_more.R makes them, from_r_more.json holds them and the versions."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit, stdtrit

from medvision.evaluation import (
    bland_altman,
    clustered_proportion,
    compare_proportions,
    harrell_c,
    ordinal_c_index,
    regression_scores,
    sample_size_proportion,
    uno_c,
)
from medvision.evaluation.signed_rank import hodges_lehmann, signed_rank

FROM_R = json.loads((Path(__file__).parent / "from_r_more.json").read_text(encoding="utf-8"))
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def each(name):
    return pytest.mark.parametrize("given", FROM_R[name], ids=range(len(FROM_R[name])))


def columns(given, *names):
    return [np.array(given[name]) for name in names]


def correction(patients):
    """R's robust variances sum squares; ours have the factor m / (m - 1) besides."""
    m = len(np.unique(patients))
    return np.sqrt(m / (m - 1))


@each("survivals")
def test_harrell_and_its_error_as_survival(given):
    time, event, risk, patient = columns(given, "time", "event", "risk", "patient")
    found = harrell_c(time, event, risk)
    assert found.value == pytest.approx(given["harrell"], **CLOSE)
    assert found.standard_error == pytest.approx(given["error"] * correction(np.arange(len(time))), **CLOSE)
    owned = harrell_c(time, event, risk, patients=patient)
    assert owned.standard_error == pytest.approx(given["error_patients"] * correction(patient), **CLOSE)


@each("survivals")
def test_uno_as_survival(given):
    # The error of survival takes the censoring for known; ours is checked in test_survival_concordance.py.
    found = uno_c(*columns(given, "time", "event", "risk"), tau=given["tau"])
    assert found.value == pytest.approx(given["uno"], **CLOSE)


@each("ordinals")
def test_ordinal_index_as_survival(given):
    found = ordinal_c_index(*columns(given, "class", "score"))
    assert found.value == pytest.approx(given["value"], **CLOSE)
    # The same sum of squares, with the n / (n - 1) of each class.
    assert 1 < found.standard_error / given["error"] < 1.1


@each("ranks")
def test_signed_rank_as_r_and_coin(given):
    d = np.array(given["d"])
    assert signed_rank(d).p == pytest.approx(given["drop"], **CLOSE)
    assert signed_rank(d, zeros="pratt").p == pytest.approx(given["pratt"], **CLOSE)
    if given["p"] not in (None, {}):
        found, centre = signed_rank(d), hodges_lehmann(d)
        assert (found.statistic, found.p) == pytest.approx((given["statistic"], given["p"]), **CLOSE)
        assert centre.value == pytest.approx(given["centre"], **CLOSE)
        assert [centre.low, centre.high] == pytest.approx(given["interval"], **CLOSE)


@each("concordances")
def test_lins_coefficient_as_epir(given):
    found = regression_scores(*columns(given, "x", "y")).ccc
    assert [found.value, found.low, found.high] == pytest.approx(given["ccc"], **CLOSE)


@each("repeats")
def test_limits_of_agreement_of_equal_numbers_of_units_as_the_mixed_model(given):
    d, patients = columns(given, "d", "id")
    found = bland_altman(d, np.zeros(len(d)), patients=patients)
    assert found.bias.value == pytest.approx(given["bias"], **CLOSE)
    assert found.bias.standard_error == pytest.approx(given["error"], rel=1e-6)
    assert found.standard_deviation == pytest.approx(given["sd"], rel=1e-6)


@each("shares")
def test_clustered_proportions_as_geepack(given):
    patients, first, second = columns(given, "id", "first", "second")
    found = clustered_proportion(first, patients)
    m = len(np.unique(patients))
    half = stdtrit(m - 1, 0.975) * given["logit_error"] * correction(patients)
    assert logit(found.value) == pytest.approx(given["logit"], **CLOSE)
    assert [found.low, found.high] == pytest.approx(expit(given["logit"] + np.array([-half, half])), rel=1e-7)
    pairs = compare_proportions(first, second, patients=patients).difference
    assert pairs.value == pytest.approx(given["gap"], **CLOSE)
    assert pairs.standard_error == pytest.approx(given["gap_error"] * correction(patients), rel=1e-7)


@each("slopes")
def test_proportional_bias_of_patients_as_geepack(given):
    patients, first, second = columns(given, "id", "first", "second")
    found, n = bland_altman(first, second, patients=patients).slope, len(patients)
    assert found.value == pytest.approx(given["slope"], **CLOSE)
    factor = correction(patients) * np.sqrt((n - 1) / (n - 2))
    assert found.standard_error == pytest.approx(given["error"] * factor, rel=1e-7)


def test_size_for_a_proportion_as_epir():
    assert sample_size_proportion(0.85, 0.05) == np.ceil(FROM_R["size"])
