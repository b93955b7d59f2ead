"""Subgroups of a table of predictions, on the command line's terms."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.subgroup_analysis import subgroups
from medvision.workflows.evaluate import evaluate
from medvision.workflows.evaluation_groups import groups_of


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 160)
    return pd.DataFrame(
        {
            "label": label,
            "score": label + rng.normal(size=160),
            "patient_id": np.arange(160) // 2,
            "sex": rng.choice(["F", "M"], 160),
            "age": rng.integers(20, 90, 160),
        }
    )


def test_records_are_those_of_the_function(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", patient="patient_id", threshold=0.5, by=["sex"])
    expected = subgroups(
        table["label"], table["score"], table["sex"], metric="sensitivity", threshold=0.5,
        patients=table["patient_id"],
    )  # fmt: skip
    records = {(r["metric"], r["group"]): r for r in found.estimates}
    assert records["sensitivity", "sex=F"]["low"] == expected.groups["F"].low
    other = next(iter(expected.differences))
    gap = records["sensitivity difference", f"sex={other} − {expected.reference}"]
    assert gap["value"] == expected.differences[other].value
    content = json.loads(found.to_json())
    assert content["interactions"]["sex"]["sensitivity"]["p"] == expected.p
    assert any(
        note.startswith("sex: test that Sensitivity is the same in all groups") for note in found.notes
    )


def test_numbers_are_cut_where_it_is_said(table: pd.DataFrame) -> None:
    groups = groups_of(table, ["age:40/65"], "the table")["age"]
    assert set(groups) == {"<40", "40–<65", "≥65"}
    assert np.array_equal(groups == "≥65", table["age"] >= 65)
    holes = table.assign(age=table["age"].where(table["age"] > 25))
    assert set(groups_of(holes, ["age:65"], "the table")["age"]) == {"<65", "≥65", "missing"}


def test_everything_wrong_is_named_at_once(table: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError) as error:
        groups_of(table.assign(site="A"), ["sx", "age", "site", "sex:3", "age:old"], "the table")
    told = str(error.value)
    assert "did you mean 'sex'" in told
    assert "'age' has" in told
    assert "'site' has 1 value;" in told
    assert told.count("write numbers at which to cut") == 2


def test_the_unit_and_the_clustering_are_said_first(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", patient="patient_id", unit="nodule")
    assert found.notes[0] == "160 nodules of 80 patients; intervals account for clustering"
    alone = evaluate(table, label="label", score="score", unit="nodule")
    assert alone.notes[0].endswith("each nodule is taken for a patient of its own")


def test_spaces_and_cuts_given_twice_do_not_count(table: pd.DataFrame) -> None:
    found = groups_of(table, [" sex ", "age: 65/65"], "the table")
    assert list(found) == ["sex", "age"]
    assert sorted(set(found["age"].tolist())) == ["<65", "≥65"]


def test_only_numbers_are_offered_to_be_cut(table: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError) as error:
        groups_of(table.assign(name=[f"n{i}" for i in range(len(table))]), ["name"], "the table")
    assert "cut a number" not in str(error.value)
