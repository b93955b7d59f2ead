"""Several classes, and several labels a row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score, roc_auc_score

from medvision.errors import EvaluationError
from medvision.evaluation import kappa, multiclass_accuracy, multiclass_auroc, ordinal_c_index
from medvision.workflows.evaluate import Evaluation, evaluate
from medvision.workflows.evaluation_tables import evaluation_tables, show_tables

CLASSES = {"low": "p_low", "mid": "p_mid", "high": "p_high"}


@pytest.fixture
def grades() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    place = rng.integers(0, 3, 90)
    raw = rng.random((90, 3)) + 0.5 * np.eye(3)[place]
    scores = raw / raw.sum(axis=1, keepdims=True)
    frame = pd.DataFrame(scores, columns=list(CLASSES.values()))
    return frame.assign(grade=np.array(list(CLASSES))[place], patient_id=[f"P{i // 2}" for i in range(90)])


@pytest.fixture
def findings() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    labels = rng.random((80, 3)) < [0.5, 0.3, 0.2]
    frame = pd.DataFrame(labels.astype(int), columns=["mass", "cyst", "stone"])
    for name in list(frame):
        frame[f"p_{name}"] = frame[name] * 0.5 + rng.random(80)
    return frame.assign(patient_id=np.arange(80) // 2)


def _value(found: Evaluation, metric: str, group: str = "all") -> float:
    return next(r["value"] for r in found.estimates if (r["metric"], r["group"]) == (metric, group))


def test_numbers_are_those_of_scikit_learn(grades: pd.DataFrame) -> None:
    found = evaluate(grades, label="grade", score=CLASSES, ordinal=True)
    place = grades["grade"].map({"low": 0, "mid": 1, "high": 2})
    scores = grades[list(CLASSES.values())].to_numpy()
    called = scores.argmax(axis=1)
    assert _value(found, "macro_auroc") == pytest.approx(roc_auc_score(place, scores, multi_class="ovr"))
    weighted = roc_auc_score(place, scores, multi_class="ovr", average="weighted")
    assert _value(found, "weighted_auroc") == pytest.approx(weighted)
    assert _value(found, "hand_till_auroc") == pytest.approx(roc_auc_score(place, scores, multi_class="ovo"))
    assert _value(found, "auroc", "mid") == pytest.approx(roc_auc_score(place == 1, scores[:, 1]))
    assert _value(found, "accuracy") == pytest.approx(accuracy_score(place, called))
    assert _value(found, "macro_f1") == pytest.approx(f1_score(place, called, average="macro"))
    agreement = cohen_kappa_score(place, called, weights="quadratic")
    assert _value(found, "quadratic_kappa") == pytest.approx(agreement)
    assert _value(found, "ordinal_c_index") == ordinal_c_index(place, scores @ [0, 1, 2]).value
    assert found.confusion["counts"] == confusion_matrix(place, called).tolist()
    assert _value(found, "sensitivity", "high") == pytest.approx(np.mean(called[place == 2] == 2))
    assert _value(found, "specificity", "high") == pytest.approx(np.mean(called[place != 2] != 2))


def test_intervals_count_patients(grades: pd.DataFrame) -> None:
    found = evaluate(grades, label="grade", score=CLASSES, patient="patient_id", ordinal=True, unit="lesion")
    place, scores = grades["grade"].map({"low": 0, "mid": 1, "high": 2}), grades[list(CLASSES.values())]
    owners, called = grades["patient_id"], scores.to_numpy().argmax(axis=1)
    areas = multiclass_auroc(place, scores, patients=owners)
    counted = multiclass_accuracy(place, called, patients=owners)
    expected = {
        ("auroc", "low"): areas.per_class["0"],
        ("macro_auroc", "all"): areas.macro,
        ("accuracy", "all"): counted.accuracy,
        ("sensitivity", "mid"): counted.sensitivity["1"],
        ("quadratic_kappa", "all"): kappa(place, called, weights="quadratic", patients=owners),
    }
    records = {(r["metric"], r["group"]): r for r in found.estimates}
    for key, one in expected.items():
        assert (records[key]["low"], records[key]["high"]) == (one.low, one.high)
    assert {r["n_patients"] for r in found.estimates if r["metric"] != "sensitivity"} >= {45}
    assert found.notes[0] == "90 lesions of 45 patients; intervals account for clustering"
    assert any("low < mid < high" in note for note in found.notes)


def test_every_metric_and_group_stands_once(grades: pd.DataFrame) -> None:
    renamed = grades.replace({"grade": {"low": "all"}})
    found = evaluate(renamed, label="grade", score={"all": "p_low", "mid": "p_mid", "high": "p_high"})
    keys = [(r["metric"], r["group"]) for r in found.estimates]
    assert len(set(keys)) == len(keys)


def test_numbered_classes_are_matched_by_meaning(grades: pd.DataFrame, tmp_path: Path) -> None:
    numbered = grades.replace({"grade": {"low": 0.0, "mid": 1.0, "high": 2.0}})
    numbered["grade"] = numbered["grade"].astype(float)
    numbered.to_csv(tmp_path / "grades.csv", index=False)
    found = evaluate(
        tmp_path / "grades.csv", label="grade", score={"0": "p_low", "1": "p_mid", "2": "p_high"}
    )
    assert found.confusion["counts"] == evaluate(grades, label="grade", score=CLASSES).confusion["counts"]


def test_two_of_several_classes_make_the_binary_area(grades: pd.DataFrame) -> None:
    two = grades[grades["grade"] != "mid"]
    found = evaluate(two, label="grade", score={"low": "p_low", "high": "p_high"})
    binary = evaluate(two, label="grade", score="p_high", positive="high")
    assert _value(found, "auroc", "high") == _value(binary, "auroc")
    assert not any(r["metric"].startswith("top_") for r in found.estimates)


def test_all_problems_are_named_at_once(grades: pd.DataFrame) -> None:
    broken = grades.copy()
    broken.loc[3, "grade"] = "giant"
    broken.loc[4, "grade"] = None
    broken.loc[5, "p_mid"] = np.nan
    with pytest.raises(EvaluationError) as caught:
        evaluate(broken, label="grade", score=CLASSES, patient="patient_id")
    told = "\n".join(caught.value.problems)
    assert "3 problems" in str(caught.value)
    assert "row 6 (patient_id P2): the label is missing" in told
    assert "the score of mid 'nan' is no finite number" in told
    assert "'giant' has no column of scores (1 rows, the first row 5)" in told


def test_missing_columns_are_all_named(grades: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(grades, label="grad", score=CLASSES | {"high": "p_hi"})
    assert len(caught.value.problems) == 2


def test_what_could_mislead_is_noted(grades: pd.DataFrame) -> None:
    logits = grades.assign(p_low=grades["p_low"] * 5 - 1)
    assert any("no probabilities" in n for n in evaluate(logits, label="grade", score=CLASSES).notes)
    odd = evaluate(logits, label="grade", score=CLASSES, ordinal=True)
    assert "ordinal_c_index" not in {r["metric"] for r in odd.estimates}
    halved = grades.assign(p_low=grades["p_low"] / 2)
    assert any("add up to 1" in n for n in evaluate(halved, label="grade", score=CLASSES).notes)
    tied = grades.assign(p_low=1.0, p_mid=1.0)
    found = evaluate(tied, label="grade", score=CLASSES)
    assert any("share the highest score" in note for note in found.notes)
    few = grades[(grades["grade"] != "mid") | (np.arange(90) < 9)]
    assert any("cases of mid" in note for note in evaluate(few, label="grade", score=CLASSES).notes)
    swapped = evaluate(grades, label="grade", score=CLASSES | {"low": "p_high", "high": "p_low"})
    assert any("AUC of high lies below 0.5: see whether its column" in note for note in swapped.notes)
    none = evaluate(grades[grades["grade"] != "mid"], label="grade", score=CLASSES)
    assert any("no case of mid" in note for note in none.notes)
    assert _value(none, "macro_auroc") is None
    assert _value(none, "auroc", "mid") is None
    assert _value(none, "accuracy") > 0.5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"fold": "patient_id"}, "fold"),
        ({"threshold": 0.0}, "threshold"),
        ({"by": ["patient_id"], "prevalence": 0.0}, "prevalence, by"),
        ({"fit_on": pd.DataFrame({"a": [1]}), "threshold_rule": "youden"}, "threshold_rule"),
        ({"positive": "low"}, "positive"),
        ({"score": ["p_low", "p_mid"]}, "which class"),
        ({"score": {"low": "p_low", "LOW": "p_mid"}}, "named twice"),
        ({"score": {"low": "p_low", "mid": "p_low"}}, "used twice"),
        ({"score": {"low": "p_low"}}, "there is one class"),
        ({"score": "p_low", "ordinal": True, "positive": "low"}, "ordinal"),
        ({"score": "p_low", "threshold": [0.1, 0.2], "positive": "low"}, "one label has one threshold"),
    ],
)
def test_options_that_do_not_hold_are_refused(grades: pd.DataFrame, options: dict, told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        evaluate(grades, **({"label": "grade", "score": CLASSES} | options))


def test_the_confusion_matrix_comes_in_every_format(grades: pd.DataFrame, tmp_path: Path) -> None:
    found = evaluate(grades, label="grade", score=CLASSES)
    text = show_tables(evaluation_tables(found), tmp_path, found.to_json(), "evaluation")
    assert "Called high" in text
    assert {path.name for path in tmp_path.iterdir()} >= {
        *(f"confusion.{suffix}" for suffix in ("csv", "md", "tex", "html")), "evaluation.json",
    }  # fmt: skip
    rows = pd.read_csv(tmp_path / "confusion.csv")
    counts = found.confusion["counts"]
    assert rows["Cases"].tolist() == [sum(row) for row in counts]
    assert rows["Called low"][0].startswith(f"{counts[0][0]} (")
    assert "| true class | called low | called mid | called high |" in found.to_markdown()
    none = evaluate(grades[grades["grade"] != "mid"], label="grade", score=CLASSES)
    assert "–" in show_tables(evaluation_tables(none), None, none.to_json())


def test_labels_have_their_own_areas_and_thresholds(findings: pd.DataFrame) -> None:
    names = ["mass", "cyst", "stone"]
    columns = [f"p_{name}" for name in names]
    found = evaluate(findings, label=names, score=columns, threshold=[0.5, 0.6, 0.7], patient="patient_id")
    one = evaluate(findings, label="cyst", score="p_cyst", threshold=0.6, patient="patient_id")
    for record in one.estimates:
        own = next(r for r in found.estimates if (r["metric"], r["group"]) == (record["metric"], "cyst"))
        # Resampling orders rows that tie by their content, which is another for the whole table.
        if not str(record["method"]).startswith("bootstrap"):
            assert {**own, "group": "all"} == record
    assert found.tables["cyst"] == one.table
    assert found.thresholds == {"mass": 0.5, "cyst": 0.6, "stone": 0.7}
    mean = roc_auc_score(findings[names], findings[columns], average="macro")
    assert _value(found, "macro_auroc") == pytest.approx(mean)
    assert evaluate(findings, label=names, score=columns, threshold=0.5).thresholds["stone"] == 0.5
    assert any("no threshold" in note for note in evaluate(findings, label=names, score=columns).notes)


def test_a_reversed_label_is_noted(findings: pd.DataFrame) -> None:
    turned = findings.assign(p_mass=-findings["p_mass"])
    found = evaluate(turned, label=["mass", "cyst"], score=["p_mass", "p_cyst"])
    assert next(n for n in found.notes if "below 0.5" in n).startswith("the AUC of mass")


def test_a_label_that_no_case_has_is_left_out_of_the_mean(findings: pd.DataFrame) -> None:
    found = evaluate(findings.assign(cyst=0), label=["mass", "cyst"], score=["p_mass", "p_cyst"])
    assert _value(found, "auroc", "cyst") is None
    assert _value(found, "macro_auroc") == _value(found, "auroc", "mass")
    assert any("cyst: all cases are alike" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"score": ["p_mass"]}, "2 columns of labels and 1 of scores"),
        ({"score": "p_mass"}, "2 columns of labels and 1 of scores"),
        ({"score": {"a": "p_mass", "b": "p_cyst"}}, "names a column for each"),
        ({"score": ["p_mass", "p_mass"]}, "used twice"),
        ({"threshold": [0.5]}, "one for each"),
        ({"threshold": "p_cyst"}, "one number"),
        ({"threshold": [0.5, np.nan]}, "one for each"),
        ({"ordinal": True}, "ordinal"),
        ({"fold": "patient_id"}, "fold"),
    ],
)
def test_what_does_not_hold_for_labels_is_refused(findings: pd.DataFrame, options: dict, told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        evaluate(findings, **({"label": ["mass", "cyst"], "score": ["p_mass", "p_cyst"]} | options))


def test_labels_with_a_third_value_are_refused(findings: pd.DataFrame) -> None:
    unsure = findings.assign(mass=findings["mass"].where(findings.index > 3, -1), cyst=np.nan)
    with pytest.raises(EvaluationError) as caught:
        evaluate(unsure, label=["mass", "cyst"], score=["p_mass", "p_cyst"])
    told = "\n".join(caught.value.problems)
    assert "the label cyst is missing" in told or "and " in caught.value.problems[-1]
    words = evaluate(
        findings.replace({"mass": {0: "no", 1: "yes"}, "cyst": {0: "no", 1: "yes"}}),
        label=["mass", "cyst"], score=["p_mass", "p_cyst"], positive="yes",
    )  # fmt: skip
    assert _value(words, "auroc", "mass") > 0.5


def test_json_is_plain(findings: pd.DataFrame) -> None:
    found = evaluate(findings, label=["mass", "cyst"], score=["p_mass", "p_cyst"], threshold=9)
    content = json.loads(found.to_json())
    assert content["tables"]["mass"]["tp"] == 0
    assert content["thresholds"] == {"mass": 9.0, "cyst": 9.0}
