"""Numbers of R packages on data drawn in R: from_r.R makes them, from_r.json holds them and the versions."""

import json
from pathlib import Path

import numpy as np
import pytest

from medvision.evaluation import (
    adjust,
    auroc,
    calibration,
    choose_threshold,
    compare_auroc,
    diagnostic_accuracy,
    icc,
    kappa,
    mcnemar,
    partial_auroc,
    power_auroc,
    proportion,
    roc_coordinates,
    sample_size_auroc,
    sensitivity_at,
    specificity_at,
)

FROM_R = json.loads((Path(__file__).parent / "from_r.json").read_text(encoding="utf-8"))
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def each(name):
    return pytest.mark.parametrize("given", FROM_R[name], ids=range(len(FROM_R[name])))


def columns(given, *names):
    return [np.array(given[name]) for name in names]


@each("areas")
def test_area_and_delong_as_proc(given):
    y, a = columns(given, "y", "a")
    found = auroc(y, a, method="wald")
    assert found.value == pytest.approx(given["auc"], **CLOSE)
    assert found.standard_error**2 == pytest.approx(given["variance"], **CLOSE)
    low, _, high = given["interval"]
    assert (found.low, found.high) == pytest.approx((max(low, 0), min(high, 1)), **CLOSE)


@each("areas")
def test_paired_and_unpaired_comparison_as_proc(given):
    y, a, b, half = columns(given, "y", "a", "b", "half")
    paired = compare_auroc(y, a, b)
    assert (paired.statistic, paired.p) == pytest.approx((given["z"], given["p"]), **CLOSE)
    assert [paired.difference.low, paired.difference.high] == pytest.approx(given["difference"], **CLOSE)
    unpaired = compare_auroc(y[~half], a[~half], b[half], labels_b=y[half], paired=False)
    expected = given["d"], given["df"], given["p_unpaired"]
    assert (unpaired.statistic, unpaired.df, unpaired.p) == pytest.approx(expected, **CLOSE)


@each("areas")
def test_partial_areas_as_proc(given):
    y, a = columns(given, "y", "a")
    for part in given["parts"]:
        asked = {part["focus"]: (part["low"], part["high"])}
        plain, standardised = (
            partial_auroc(y, a, standardise=kind, resamples=5, **asked).value for kind in (False, True)
        )
        assert (plain, standardised) == pytest.approx((part["area"], part["standardised"]), **CLOSE)


@each("areas")
def test_coordinates_as_proc(given):
    y, a = columns(given, "y", "a")
    found = roc_coordinates(y, a, thresholds="midpoints")
    assert found.thresholds.tolist() == pytest.approx([float(text) for text in given["thresholds"]], abs=1e-9)
    assert found.sensitivity.tolist() == pytest.approx(given["sensitivity"], **CLOSE)
    assert found.specificity.tolist() == pytest.approx(given["specificity"], **CLOSE)
    best = choose_threshold(y, a, rule="youden")
    assert [np.mean(a[y == 1] >= best), np.mean(a[y == 0] < best)] == pytest.approx(given["youden"], **CLOSE)


@each("areas")
def test_one_rate_where_the_other_is_fixed_as_proc(given):
    y, a = columns(given, "y", "a")
    for rate, sensitivity, specificity in zip(
        given["at"], given["sensitivity_at"], given["specificity_at"], strict=True
    ):
        assert sensitivity_at(y, a, specificity=rate, resamples=5).value == pytest.approx(
            sensitivity, **CLOSE
        )
        assert specificity_at(y, a, sensitivity=rate, resamples=5).value == pytest.approx(
            specificity, **CLOSE
        )


def test_power_and_sample_size_of_an_area_as_proc():
    planned = FROM_R["planning"]
    assert power_auroc(41, 72, 0.73) == pytest.approx(planned["power"], abs=1e-6)
    needed = sample_size_auroc(0.8, power=0.95, level=0.99, ratio=3)
    assert needed == (np.ceil(planned["positive"]), np.ceil(planned["negative"]))
    assert sample_size_auroc(0.7, power=0.8, sided=1).positive == np.ceil(planned["one_sided"])


@each("kappas")
def test_kappa_as_psych(given):
    # The standard error of psych's weighted kappa is left out: for more than two categories it is
    # neither that of SAS nor that of the delta method; ours is (test_rater_agreement.py).
    x, y = columns(given, "x", "y")
    found = kappa(x, y)
    assert (found.value, found.standard_error) == pytest.approx((given["kappa"], given["error"]), **CLOSE)
    assert kappa(x, y, weights="quadratic").value == pytest.approx(given["quadratic"], **CLOSE)


@each("iccs")
def test_all_six_intraclass_correlations_as_psych(given):
    for place, form in enumerate(("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")):
        found = icc(given["ratings"], form=form)
        expected = (given["value"][place], given["low"][place], given["high"][place])
        assert (found.value, found.low, found.high) == pytest.approx(expected, **CLOSE)


@each("tables")
def test_the_measures_of_a_table_as_epir(given):
    tp, fp, fn, tn = given["cells"]
    labels, calls = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])
    found = diagnostic_accuracy(labels, calls, method="exact", resamples=10)
    names = {
        "se": "sensitivity", "sp": "specificity", "pv.pos": "ppv", "pv.neg": "npv", "diag.ac": "accuracy",
        "lr.pos": "lr_positive", "lr.neg": "lr_negative", "diag.or": "diagnostic_odds_ratio",
    }  # fmt: skip
    rows = zip(given["name"], given["value"], given["low"], given["high"], strict=True)
    compared = {name: expected for name, *expected in rows if name in names}
    assert set(compared) == set(names)
    for name, expected in compared.items():
        own = getattr(found, names[name])
        assert [own.value, own.low, own.high] == pytest.approx(expected, **CLOSE)


@each("shares")
def test_intervals_of_a_share_as_r(given):
    for method in ("exact", "wilson", "wilson_cc"):
        found = proportion(given["k"], given["n"], method=method)
        assert [found.low, found.high] == pytest.approx(given[method], **CLOSE)


@each("mcnemars")
def test_mcnemar_as_r(given):
    # R's corrected test subtracts 1 from |0| where b = c; ours, like Edwards, does not go below 0.
    for method in (
        ("asymptotic", "exact") if given["b"] == given["c"] else ("asymptotic", "corrected", "exact")
    ):
        assert mcnemar(given["b"], given["c"], method=method).p == pytest.approx(given[method], **CLOSE)


@each("calibrations")
def test_calibration_as_glm_and_rms(given):
    found = calibration(given["y"], given["p"], resamples=10)
    for name in ("intercept", "slope"):
        own = getattr(found, name)
        expected = given[name], given[f"{name}_error"]
        assert (own.value, own.standard_error) == pytest.approx(expected, rel=1e-7)
    assert found.brier.value == pytest.approx(given["brier"], **CLOSE)
    expected = given["z"], given["p_z"]
    assert (found.spiegelhalter_z, found.spiegelhalter_p) == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("method", ["holm", "bh", "by"])
def test_adjusted_p_values_as_r(method):
    given = FROM_R["adjusted"]
    assert adjust(given["p"], method=method).tolist() == pytest.approx(given[method], **CLOSE)
