"""Rows without a score in a table of predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import missing_data_bounds
from medvision.workflows.evaluate import Evaluation, evaluate

COLUMNS = {"label": "label", "score": "score", "patient": "patient_id"}


@pytest.fixture
def gappy(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(score=table["score"].mask(table.index % 13 == 0))


def _record(found: Evaluation, metric: str, group: str = "all") -> dict[str, object]:
    return next(r for r in found.estimates if (r["metric"], r["group"]) == (metric, group))


def test_by_default_they_are_refused_by_name(gappy: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match="missing=bounds") as error:
        evaluate(gappy, **COLUMNS)
    assert len(error.value.problems) == 13


def test_dropped_rows_are_counted_in_words_and_in_the_status(gappy: pd.DataFrame) -> None:
    found = evaluate(gappy, threshold=0.5, missing="drop", **COLUMNS)
    kept = gappy.dropna()
    expected = evaluate(kept, threshold=0.5, **COLUMNS)
    for one, other in zip(found.estimates, expected.estimates, strict=True):
        assert one["value"] == pytest.approx(other["value"])
        assert "13_rows_without_a_score_left_out" in one["status"]
    assert found.table == expected.table
    (note,) = [note for note in found.notes if "have no score" in note]
    sick = int(gappy.loc[gappy["score"].isna(), "label"].sum())
    assert note.startswith(f"13 of 160 rows have no score and are left out ({sick} positive, {13 - sick} neg")


def test_bounds_are_those_of_the_function(gappy: pd.DataFrame) -> None:
    found = evaluate(gappy, threshold=0.5, missing="bounds", **COLUMNS)
    expected = missing_data_bounds(
        gappy["label"], gappy["score"], threshold=0.5, patients=gappy["patient_id"]
    )
    for name in ("auroc", "sensitivity", "specificity", "accuracy"):
        for group, case in (
            ("worst case", expected.worst),
            ("all", expected.complete),
            ("best case", expected.best),
        ):
            record = _record(found, name, group)
            assert (record["value"], record["low"]) == (case[name].value, case[name].low), (name, group)
    assert any("something between" in note for note in found.notes)


def test_bounds_of_folds_and_of_a_threshold_for_each_row(gappy: pd.DataFrame) -> None:
    own = gappy.assign(limit=0.4 + gappy["fold"] / 20)
    found = evaluate(own, fold="fold", threshold="limit", missing="bounds", **COLUMNS)
    values = [
        _record(found, "auroc", group)["value"] for group in ("worst case", "fold-averaged", "best case")
    ]
    assert values == sorted(values)
    assert (
        _record(found, "sensitivity", "worst case")["value"]
        < _record(found, "sensitivity", "pooled")["value"]
    )
    assert _record(found, "sensitivity", "worst case")["n_units"] == (own["label"] == 1).sum()


def test_groups_and_a_chosen_threshold_see_complete_cases(gappy: pd.DataFrame) -> None:
    own = gappy.assign(sex=np.where(gappy.index % 2, "f", "m"))
    found = evaluate(own, threshold_rule="youden", by=["sex"], missing="bounds", **COLUMNS)
    assert _record(found, "auroc", "sex=f")["n_units"] == own.dropna()["sex"].eq("f").sum()
    assert "optimistic" in _record(found, "sensitivity", "worst case")["status"]


def test_a_whole_table_is_the_same_whatever_is_asked(table: pd.DataFrame) -> None:
    plain = evaluate(table, threshold=0.5, **COLUMNS)
    assert plain.to_json() == evaluate(table, threshold=0.5, missing="bounds", **COLUMNS).to_json()


def test_infinite_scores_and_a_table_without_any_are_refused(gappy: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match="1 problem in"):
        evaluate(
            gappy.assign(score=gappy["score"].replace(gappy["score"].max(), np.inf)),
            missing="drop",
            **COLUMNS,
        )
    with pytest.raises(EvaluationError, match="no row has a score"):
        evaluate(gappy.assign(score=np.nan), missing="drop", **COLUMNS)
    with pytest.raises(EvaluationError, match="did you mean 'bounds'"):
        evaluate(gappy, missing="bound", **COLUMNS)
