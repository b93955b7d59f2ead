"""Where the threshold of an evaluation came from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import optimism
from medvision.workflows.evaluate import Evaluation, evaluate
from medvision.workflows.operating_point import OPTIMISTIC

COLUMNS = {"label": "label", "score": "score"}


def _record(found: Evaluation, metric: str, group: str = "all") -> dict[str, object]:
    return next(r for r in found.estimates if (r["metric"], r["group"]) == (metric, group))


def test_a_threshold_chosen_on_the_same_cases_is_stamped(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", threshold_rule="youden")
    assert any(note.startswith("OPTIMISTIC") for note in found.notes)
    assert "optimistic" in _record(found, "sensitivity")["status"]
    assert "optimistic" not in _record(found, "auroc")["status"]
    assert found.threshold in table["score"].to_numpy()


def test_its_optimism_is_told_in_numbers(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", patient="patient_id", threshold_rule="youden")
    (note,) = [note for note in found.notes if note.startswith("estimated optimism")]
    measured = optimism(table["label"], table["score"], patients=table["patient_id"])
    assert f"Youden {_record(found, 'youden')['value']:.3f}, about {measured.corrected['youden']:.3f}" in note
    one = evaluate(table.assign(label=1), label="label", score="score", threshold_rule="sensitivity>=0.9")
    assert not any(note.startswith("estimated optimism") for note in one.notes)


def test_a_threshold_chosen_on_other_patients_is_not(table: pd.DataFrame) -> None:
    tuning, test = table.iloc[:60], table.iloc[60:]
    found = evaluate(
        test,
        label="label",
        score="score",
        patient="patient_id",
        threshold_rule="sensitivity>=0.9",
        fit_on=tuning,
    )
    assert not any("OPTIMISTIC" in note for note in found.notes)
    assert _record(found, "sensitivity")["status"] == "ok"
    sick = tuning.loc[tuning["label"] == 1, "score"]
    assert (sick >= found.threshold).mean() >= 0.9


def test_patients_in_both_tables_are_found_out(table: pd.DataFrame) -> None:
    found = evaluate(
        table.iloc[50:],
        label="label",
        score="score",
        patient="patient_id",
        threshold_rule="youden",
        fit_on=table.iloc[:60],
    )
    assert any("OPTIMISTIC: 5 patients" in note for note in found.notes)
    assert "optimistic" in _record(found, "youden")["status"]


def test_a_fixed_rule_looks_at_nothing(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", threshold_rule="fixed:0.5")
    assert found.threshold == 0.5
    assert not any("OPTIMISTIC" in note for note in found.notes)


def test_each_row_may_have_its_own_threshold(table: pd.DataFrame) -> None:
    own = table.assign(threshold=table["fold"] / 10)
    found = evaluate(own, label="label", score="score", patient="patient_id", threshold="threshold")
    calls = own["score"] >= own["threshold"]
    assert found.table["tp"] == int((calls & (own["label"] == 1)).sum())
    assert found.threshold is None
    with pytest.raises(EvaluationError, match="did you mean 'threshold'"):
        evaluate(own, label="label", score="score", threshold="treshold")


@pytest.mark.parametrize(
    "arguments",
    [
        {"threshold": 0.5, "threshold_rule": "youden"},
        {"fit_on": pd.DataFrame()},
        {"threshold": float("nan")},
        {"threshold_rule": "best"},
        {"prevalence": 5, "threshold": 0.5},
    ],
)
def test_contradictions_are_refused(table: pd.DataFrame, arguments) -> None:
    with pytest.raises(EvaluationError):
        evaluate(table, label="label", score="score", **arguments)


def test_the_evaluated_table_is_no_other_table(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    table.to_csv(path, index=False)
    for source in (table, path):
        found = evaluate(source, label="label", score="score", threshold_rule="youden", fit_on=source)
        assert any("on the evaluated table itself" in note for note in found.notes)
        stamped = [record for record in found.estimates if record["metric"] == "sensitivity"]
        assert stamped[0]["status"] == OPTIMISTIC


def test_a_threshold_that_is_neither_number_nor_column(table: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match=r"'50%' is neither a number, such as 0.5, nor a column"):
        evaluate(table, label="label", score="score", threshold="50%")
