"""Models compared on the same cases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import compare_auroc, compare_cross_validated_auroc, compare_proportions
from medvision.workflows.compare import compare


@pytest.fixture(scope="module")
def models() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(1)
    n = 120
    labels = (rng.random(n) < 0.4).astype(int)
    base = pd.DataFrame(
        {
            "case_id": [f"C{i}" for i in range(n)],
            "patient_id": np.arange(n) // 2,
            "fold": (np.arange(n) // 2) % 3,
            "label": labels,
        }
    )
    shared = rng.normal(size=n)
    return {
        name: base.assign(score=weight * labels + shared + rng.normal(size=n))
        for name, weight in (("new", 2.0), ("old", 1.0), ("chance", 0.0))
    }


ON = {"on": "case_id", "label": "label", "score": "score"}


def test_numbers_are_those_of_the_function_whatever_the_order_of_rows(models) -> None:
    shuffled = models["old"].sample(frac=1, random_state=3)
    found = compare({"new": models["new"], "old": shuffled}, **ON)
    # By case, as text: that is the order in which the rows are matched.
    new, old = (models[name].sort_values("case_id") for name in ("new", "old"))
    expected = compare_auroc(new["label"], new["score"], old["score"])
    record = found.comparisons[0]
    assert (record["a"], record["b"], record["metric"]) == ("new", "old", "auroc")
    assert record["difference"]["value"] == pytest.approx(expected.difference.value)
    assert record["p"] == pytest.approx(expected.p)


def test_patients_and_folds_count(models) -> None:
    found = compare({k: models[k] for k in ("new", "old")}, **ON, patient="patient_id", fold="fold")
    new, old = (models[name].sort_values("case_id") for name in ("new", "old"))
    expected = compare_cross_validated_auroc(
        new["label"], new["score"], old["score"], new["fold"], patients=new["patient_id"]
    )
    assert found.comparisons[0]["difference"]["low"] == pytest.approx(expected.difference.low)
    assert found.comparisons[0]["difference"]["n_patients"] == 60
    assert any("fold-averaged" in note for note in found.notes)


def test_a_threshold_adds_sensitivity_and_specificity(models) -> None:
    found = compare({k: models[k] for k in ("new", "old")}, **ON, threshold=0.8)
    assert [record["metric"] for record in found.comparisons] == ["auroc", "sensitivity", "specificity"]
    sick = models["new"]["label"] == 1
    expected = compare_proportions(*(models[k].loc[sick, "score"] >= 0.8 for k in ("new", "old")))
    assert found.comparisons[1]["difference"]["value"] == pytest.approx(expected.difference.value)
    assert found.comparisons[1]["p"] == pytest.approx(expected.p)


def test_three_models_are_adjusted_within_a_metric(models) -> None:
    found = compare(models, **ON, threshold=0.8)
    areas = [record for record in found.comparisons if record["metric"] == "auroc"]
    assert [(r["a"], r["b"]) for r in areas] == [("new", "old"), ("new", "chance"), ("old", "chance")]
    smallest = min(areas, key=lambda record: record["p"])
    assert smallest["p_adjusted"] == pytest.approx(3 * smallest["p"])
    assert any("Holm" in note for note in found.notes)
    assert [e["group"] for e in found.estimates if e["metric"] == "auroc"] == ["new", "old", "chance"]


def test_a_model_against_itself(models) -> None:
    found = compare({"one": models["new"], "same": models["new"]}, **ON)
    assert found.comparisons[0]["p"] == 1.0
    assert found.comparisons[0]["difference"]["value"] == 0.0


def test_files_are_named_after_themselves(models, tmp_path: Path) -> None:
    paths = [
        tmp_path / "first" / "predictions.csv",
        tmp_path / "second" / "predictions.csv",
        tmp_path / "third.csv",
    ]
    for path, frame in zip(paths, models.values(), strict=True):
        path.parent.mkdir(exist_ok=True)
        frame.to_csv(path, index=False)
    found = compare(paths, **ON)
    assert [e["group"] for e in found.estimates] == ["first/predictions", "second/predictions", "third"]
    assert json.loads(found.to_json())["input"]["third"]["rows"] == 120


def test_tables_print_and_become_json(models) -> None:
    found = compare(models, **ON)
    assert "| new − old | auroc |" in found.to_markdown()
    content = json.loads(found.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(content) == {"estimates", "comparisons", "notes", "input"}


def test_what_differs_between_the_tables_is_named_at_once(models) -> None:
    other = models["old"].iloc[:-2].copy()
    other.loc[0, "label"] = 1 - other.loc[0, "label"]
    other.loc[[4, 5], "fold"] = 9
    labels = ("negative", "positive") if other.loc[0, "label"] else ("positive", "negative")
    with pytest.raises(EvaluationError, match="do not hold the same cases") as error:
        compare({"new": models["new"], "old": other}, **ON, fold="fold")
    assert list(error.value.problems) == [
        "2 cases are not in old: C118, C119",
        f"the label of 1 case differs between new and old: C0 (C0: {' and '.join(labels)})",
        "the fold of 2 cases differs between new and old: C4, C5 (C4: 2 and 9)",
    ]


def test_one_class_is_undefined_not_an_error(models) -> None:
    found = compare({k: models[k].assign(label=0) for k in ("new", "old")}, **ON)
    assert found.comparisons[0]["p"] is None
    assert found.comparisons[0]["p_adjusted"] is None
    assert "undefined" in found.to_markdown()


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_models_are_refused(models, count: int) -> None:
    with pytest.raises(EvaluationError, match="at least two"):
        compare(list(models.values())[:count], **ON)


def test_everything_wrong_with_any_table_is_named_at_once(models) -> None:
    new, old = (models[name] for name in list(models)[:2])
    with pytest.raises(EvaluationError) as error:
        compare({"a": new.drop(columns="score"), "b": old.assign(score="x"), "c": new}, **ON)
    assert "2 of 3 tables cannot be compared" in str(error.value)
    assert "there is no column 'score'" in str(error.value)
    assert "no number in any" in str(error.value)


def test_cases_that_a_spreadsheet_wrote_otherwise_are_told(models) -> None:
    new = next(iter(models.values()))
    other = new.assign(case_id=[f"00{case}" for case in range(len(new))])
    with pytest.raises(EvaluationError, match=r"may be 00\d+ of b, and \d+ more are written so"):
        compare({"a": new.assign(case_id=range(len(new))), "b": other}, **ON)


def test_folds_are_compared_by_meaning_and_thresholds_are_numbers(models) -> None:
    new = next(iter(models.values())).assign(fold=lambda rows: np.arange(len(rows)) % 4)
    folds = compare({"a": new, "b": new.assign(fold=new["fold"].astype(float))}, **ON, fold="fold")
    assert folds.estimates[0]["n_units"] == len(new)
    with pytest.raises(EvaluationError, match="no finite number"):
        compare({"a": new, "b": new}, **ON, threshold=float("nan"))


def test_a_comparison_says_what_a_unit_is_and_takes_no_table_twice(models, tmp_path: Path) -> None:
    new = next(iter(models.values()))
    assert compare({"a": new, "b": new}, **ON).notes[0].startswith(f"{len(new)} cases")
    path = tmp_path / "a.csv"
    new.to_csv(path, index=False)
    with pytest.raises(EvaluationError, match="given twice"):
        compare([path, path], **ON)
