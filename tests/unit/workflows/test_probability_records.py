"""Calibration and net benefit of a table of predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from medvision.errors import EvaluationError
from medvision.evaluation import calibration, calibration_curve, calibration_error, decision_curve
from medvision.workflows.evaluate import Evaluation, evaluate
from medvision.workflows.evaluation_tables import evaluation_tables
from medvision.workflows.probability_records import decision_thresholds

COLUMNS = {"label": "label", "score": "p", "patient": "patient_id"}


@pytest.fixture
def risks(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(p=expit(3 * (table["score"] - 0.5)))


def _record(found: Evaluation, metric: str, group: str = "all") -> dict[str, object]:
    return next(r for r in found.estimates if (r["metric"], r["group"]) == (metric, group))


def test_calibration_is_that_of_the_functions(risks: pd.DataFrame) -> None:
    found = evaluate(risks, calibration=True, **COLUMNS)
    given = {"labels": risks["label"], "probabilities": risks["p"], "patients": risks["patient_id"]}
    main, errors, curve = (
        function(**given) for function in (calibration, calibration_error, calibration_curve)
    )
    expected = {
        "calibration_intercept": main.intercept, "calibration_slope": main.slope, "brier": main.brier,
        "scaled_brier": main.brier_scaled, "ece": errors.ece, "ece_debiased": errors.ece_debiased,
        "ici": curve.ici, "e50": curve.e50, "e90": curve.e90,
    }  # fmt: skip
    for name, estimate in expected.items():
        record = _record(found, name)
        assert (record["value"], record["standard_error"]) == (estimate.value, estimate.standard_error), name
    assert any("Spiegelhalter" in note for note in found.notes)
    assert any(f"ICI of {curve.if_calibrated['ici'][0]:.3f}" in note for note in found.notes)


def test_net_benefit_is_that_of_the_function(risks: pd.DataFrame) -> None:
    found = evaluate(risks, decision_curve="0.1:0.5:0.2", **COLUMNS)
    expected = decision_curve(risks["label"], risks["p"], [0.1, 0.3, 0.5], patients=risks["patient_id"])
    for row in expected.to_dict("records"):
        record = _record(found, "net_benefit", f"threshold {row['threshold']:g}")
        assert (record["value"], record["low"], record["high"]) == (
            row["net_benefit"],
            row["low"],
            row["high"],
        )
        plain = _record(found, "interventions_avoided", f"threshold {row['threshold']:g}")
        assert (plain["value"], plain["low"]) == (row["interventions_avoided"], None)
    whole, curve = evaluation_tables(found)
    assert [row[0] for row in curve.rows] == ["0.1", "0.3", "0.5"]
    assert not any("net_benefit" in row[0] for row in whole.rows)


def test_folds_are_pooled(risks: pd.DataFrame) -> None:
    found = evaluate(risks, fold="fold", calibration=True, **COLUMNS)
    assert _record(found, "calibration_slope", "pooled")["n_patients"] == 80


def test_an_enriched_sample_needs_a_prevalence(risks: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match="stated prevalence"):
        evaluate(risks, sampling="enriched", decision_curve=[0.2], **COLUMNS)
    found = evaluate(
        risks, sampling="enriched", prevalence=0.05, decision_curve=[0.2], calibration=True, **COLUMNS
    )
    expected = decision_curve(risks["label"], risks["p"], [0.2], prevalence=0.05, resamples=0)["net_benefit"][
        0
    ]
    assert _record(found, "net_benefit", "threshold 0.2")["value"] == pytest.approx(expected)
    assert any(note.startswith("ENRICHED sampling: calibration") for note in found.notes)


@pytest.mark.parametrize("asked", [{"calibration": True}, {"decision_curve": "0.1:0.2"}])
def test_scores_that_are_no_probabilities_are_refused(table: pd.DataFrame, asked) -> None:
    wide = table.assign(score=table["score"] * 10)
    with pytest.raises(EvaluationError, match="needs probabilities, and the scores run from"):
        evaluate(wide, label="label", score="score", **asked)


def test_repeats_need_patients(risks: pd.DataFrame) -> None:
    twice = pd.concat([risks, risks]).assign(repeat=np.repeat([0, 1], len(risks)))
    with pytest.raises(EvaluationError, match="patient"):
        evaluate(twice, label="label", score="p", repeat="repeat", calibration=True)


def test_certain_probabilities_are_counted(risks: pd.DataFrame) -> None:
    sure = risks.assign(p=risks["p"].mask(risks.index < 3, 1.0))
    assert any(
        n.startswith("3 probabilities are 0 or 1") for n in evaluate(sure, calibration=True, **COLUMNS).notes
    )


def test_thresholds_in_every_form() -> None:
    assert decision_thresholds("0.01:0.04") == [0.01, 0.02, 0.03, 0.04]
    assert decision_thresholds("0.05:0.5:0.15") == [0.05, 0.2, 0.35, 0.5]
    assert decision_thresholds("0.2") == decision_thresholds([0.2, 0.2]) == [0.2]
    assert decision_thresholds("0.1,0.1,0.3") == [0.1, 0.3]


@pytest.mark.parametrize(
    "asked", ["", "a:b", "0.5:0.1", "0.1:1.0", "0.1:0.2:0", "0.1:0.2:0.1:1", "0:0.9:0.001"]
)
def test_thresholds_that_are_none_are_refused(asked: str) -> None:
    with pytest.raises(EvaluationError, match="decision_curve="):
        decision_thresholds(asked)


def test_several_prevalences_stand_beside_that_of_the_sample(risks: pd.DataFrame) -> None:
    found = evaluate(risks, threshold=0.5, prevalence=[0.01, 0.1], **COLUMNS)
    alone = evaluate(risks, threshold=0.5, prevalence=0.1, **COLUMNS)
    plain = evaluate(risks, threshold=0.5, **COLUMNS)
    assert _record(found, "ppv")["value"] == _record(plain, "ppv")["value"]
    for name in ("ppv", "npv"):
        one, other = _record(found, name, "prevalence 0.1"), _record(alone, name)
        assert {**one, "group": "all"} == other
    assert _record(found, "ppv", "prevalence 0.01")["value"] < _record(alone, "ppv")["value"]
    enriched = evaluate(risks, threshold=0.5, prevalence=[0.01, 0.1], sampling="enriched", **COLUMNS)
    assert _record(enriched, "ppv")["value"] is None
    assert any("at the stated prevalences only" in note for note in enriched.notes)
    assert evaluate(risks, threshold=0.5, prevalence=[0.1], **COLUMNS).to_json() == alone.to_json()
