"""Predicted numbers and times to an event, as tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import bland_altman, harrell_c, regression_scores, uno_c
from medvision.workflows.evaluate_numbers import evaluate_regression, evaluate_survival


@pytest.fixture
def volumes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ml = rng.normal(30, 8, 60)
    return pd.DataFrame(
        {"ml": ml, "predicted": ml + rng.normal(1, 3, 60), "patient_id": [f"P{i // 2}" for i in range(60)]}
    )


@pytest.fixture
def followed() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    risk = rng.normal(size=80)
    time, end = rng.exponential(np.exp(-risk)), rng.exponential(1.5, 80)
    return pd.DataFrame(
        {"months": np.minimum(time, end), "died": np.where(time <= end, "yes", "no"), "risk": risk,
         "patient_id": np.arange(80) // 2}
    )  # fmt: skip


@pytest.mark.parametrize("patient", [None, "patient_id"])
def test_numbers_of_a_regression_are_those_of_the_functions(volumes: pd.DataFrame, patient) -> None:
    found = evaluate_regression(volumes, label="ml", score="predicted", patient=patient, unit="lesion")
    owners = None if patient is None else volumes[patient]
    expected = regression_scores(volumes["ml"], volumes["predicted"], patients=owners).estimates()
    limits = bland_altman(volumes["predicted"], volumes["ml"], patients=owners)
    expected |= {
        "loa_lower": limits.lower_limit,
        "loa_upper": limits.upper_limit,
    }
    records = {record["metric"]: record for record in found.estimates}
    for name, one in expected.items():
        assert records[name]["value"] == one.value
        assert (records[name]["low"], records[name]["high"]) == (one.low, one.high)
    assert found.notes[0].startswith("60 lesions")
    assert any("true value to vary" in note for note in found.notes) == (patient is not None)


def test_what_could_mislead_is_noted(volumes: pd.DataFrame) -> None:
    steep = evaluate_regression(volumes.assign(predicted=volumes["ml"] * 2), label="ml", score="predicted")
    assert any("slope" in note for note in steep.notes)
    assert any("R² is below 0" in note for note in steep.notes)
    assert any("patient_id" in note for note in steep.notes)


def test_numbers_of_survival_are_those_of_the_functions(followed: pd.DataFrame, tmp_path: Path) -> None:
    followed.to_csv(tmp_path / "followed.csv", index=False)
    found = evaluate_survival(
        tmp_path / "followed.csv", time="months", event="died", score="risk", tau=1.0, positive="yes",
        patient="patient_id",
    )  # fmt: skip
    seen = followed["died"] == "yes"
    harrell = harrell_c(followed["months"], seen, followed["risk"], patients=followed["patient_id"])
    uno = uno_c(followed["months"], seen, followed["risk"], tau=1.0, patients=followed["patient_id"])
    assert [r["metric"] for r in found.estimates] == ["harrell_c", "uno_c"]
    for record, one in zip(found.estimates, (harrell, uno), strict=True):
        assert (record["value"], record["low"], record["high"]) == pytest.approx(
            (one.value, one.low, one.high)
        )
    assert f"{seen.sum()} events" in " ".join(found.notes)


def test_notes_of_survival(followed: pd.DataFrame) -> None:
    turned = evaluate_survival(
        followed.assign(risk=-followed["risk"]), time="months", event="died", score="risk", positive="yes"
    )
    assert any("below 0.5" in note for note in turned.notes)
    assert any("no tau" in note for note in turned.notes)
    few = evaluate_survival(followed.head(12), time="months", event="died", score="risk", positive="yes")
    assert any("fewer than 10 events" in note for note in few.notes)


def test_all_problems_are_named_at_once(volumes: pd.DataFrame, followed: pd.DataFrame) -> None:
    broken = volumes.astype({"ml": object})
    broken.loc[2, "ml"], broken.loc[5, "predicted"] = "large", np.nan
    with pytest.raises(EvaluationError) as caught:
        evaluate_regression(broken, label="ml", score="predicted", patient="patient_id")
    assert len(caught.value.problems) == 2
    assert "row 4 (patient_id P1): the label 'large' is no finite number" in caught.value.problems
    followed.loc[1, "months"], followed.loc[3, "risk"] = -2, np.inf
    with pytest.raises(EvaluationError) as caught:
        evaluate_survival(followed, time="months", event="died", score="risk")
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "row 3: the time -2.0 in 'months' lies below 0" in told
    assert "'died' has the values no, yes" in told
