"""A table of predictions in, every number with its interval and its warning out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError, GeometryError
from medvision.evaluation import auroc, cross_validated_auroc, diagnostic_accuracy
from medvision.workflows.evaluate import Evaluation, evaluate, evaluate_masks


def _record(found: Evaluation, metric: str, group: str = "all") -> dict[str, object]:
    return next(r for r in found.estimates if (r["metric"], r["group"]) == (metric, group))


def test_numbers_are_those_of_the_functions(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", patient="patient_id", threshold=0.5)
    area = auroc(table["label"], table["score"], patients=table["patient_id"])
    record = _record(found, "auroc")
    assert (record["value"], record["low"], record["high"]) == (area.value, area.low, area.high)
    accuracy = diagnostic_accuracy(table["label"], table["score"] >= 0.5, patients=table["patient_id"])
    assert _record(found, "sensitivity")["value"] == accuracy.sensitivity.value
    assert found.table == accuracy.table.to_dict()
    assert record["n_patients"] == 80


def test_folds_give_both_areas_labelled(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", patient="patient_id", fold="fold", threshold=0.5)
    expected = cross_validated_auroc(
        table["label"], table["score"], table["fold"], patients=table["patient_id"]
    )
    assert _record(found, "auroc", "fold-averaged")["value"] == expected.fold_averaged.value
    assert _record(found, "auroc", "pooled")["value"] == expected.pooled.value
    assert [r["group"] for r in found.estimates if str(r["group"]).startswith("fold ")] == [
        f"fold {k}" for k in range(5)
    ]
    assert any("pooled AUC" in note and "biased" in note for note in found.notes)
    assert _record(found, "sensitivity", "pooled")["status"] == "ok"


def test_without_a_threshold_only_ranking_is_measured(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score")
    assert {r["metric"] for r in found.estimates} == {"auroc", "average_precision"}
    assert found.table == {}
    assert any("no threshold" in note for note in found.notes)


def test_enriched_samples_have_no_predictive_values(table: pd.DataFrame) -> None:
    found = evaluate(table, label="label", score="score", threshold=0.5, sampling="enriched")
    assert _record(found, "ppv")["value"] is None
    assert any(note.startswith("ENRICHED") for note in found.notes)
    stated = evaluate(
        table, label="label", score="score", threshold=0.5, sampling="enriched", prevalence=0.05
    )
    assert _record(stated, "ppv")["value"] < 0.5
    both = evaluate(table, label="label", score="score", threshold_rule="youden", sampling="enriched")
    assert "prevalence" in _record(both, "f1")["status"]
    assert "optimistic" in _record(both, "f1")["status"]


def test_few_cases_one_class_and_reversed_scores_are_noted(table: pd.DataFrame) -> None:
    few = table.groupby("label").head(6)
    assert any("only 6 positive cases" in n for n in evaluate(few, label="label", score="score").notes)
    one = evaluate(table.assign(label=0), label="label", score="score", threshold=0.5)
    assert any("no positive case" in note for note in one.notes)
    assert _record(one, "auroc")["value"] is None
    assert _record(one, "auroc")["status"] == "one_class"
    turned = evaluate(table.assign(score=-table["score"]), label="label", score="score")
    assert any("below 0.5" in note for note in turned.notes)
    assert _record(turned, "auroc")["value"] < 0.5


def test_repeats_do_not_multiply_patients(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table]).assign(repeat=np.repeat([0, 1], len(table)))
    once = evaluate(table, label="label", score="score", patient="patient_id", fold="fold")
    found = evaluate(
        twice,
        label="label",
        score="score",
        patient="patient_id",
        fold="fold",
        case="case_id",
        repeat="repeat",
    )
    one, two = (_record(e, "auroc", "fold-averaged") for e in (once, found))
    assert two["n_patients"] == 80
    assert two["standard_error"] == pytest.approx(one["standard_error"], rel=0.05)


def test_json_and_markdown(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    table.assign(label=0).to_csv(path, index=False)
    found = evaluate(path, label="label", score="score", threshold=0.5)
    content = json.loads(found.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(content) == {"estimates", "table", "notes", "input", "threshold"}
    assert content["input"]["name"] == "predictions.csv"
    assert content["input"]["rows"] == 160
    text = found.to_markdown()
    assert "| auroc | all | undefined (one class) | 160 | 160 |" in text
    assert "- no positive case" in text


def test_the_result_is_the_same_every_time(table: pd.DataFrame) -> None:
    arguments = {"label": "label", "score": "score", "patient": "patient_id", "threshold": 0.5}
    shuffled = table.sample(frac=1, random_state=1)
    one, other = (evaluate(t, **arguments) for t in (table, shuffled))
    for first, second in zip(one.estimates, other.estimates, strict=True):
        for key in ("value", "low", "high"):
            assert first[key] == pytest.approx(second[key], abs=1e-9)


def _save(path: Path, mask: np.ndarray, shift_mm: float = 0.0) -> None:
    import nibabel as nib

    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[0, 3] = shift_mm
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(mask.astype(np.uint8), affine), path)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for number in range(3):
        mask = np.zeros((12, 12, 12), dtype=np.uint8)
        mask[2:6, 2:6, 2:6], mask[7:10, 7:10, 7:10] = 1, 2
        _save(tmp_path / "reference" / f"case{number}.nii.gz", mask)
        _save(tmp_path / "prediction" / f"case{number}.nii.gz", np.roll(mask, number, axis=0))
    return tmp_path / "reference", tmp_path / "prediction"


def test_masks_are_scored_case_by_case(folders: tuple[Path, Path]) -> None:
    found = evaluate_masks(*folders, labels={"head": 1, "tail": 2}, nsd_tolerance_mm=1.0)
    assert len(found.cases) == 6
    dice = found.cases.query("structure == 'head'")["dice"].tolist()
    assert dice == pytest.approx([1.0, 0.75, 0.5])
    record = _record(found, "dice (mean)", "head")
    assert record["value"] == pytest.approx(0.75)
    assert record["n_patients"] == 3
    assert record["status"] == "fewer_than_10_patients"
    assert len(json.loads(found.to_json())["cases"]) == 6


def test_patients_of_the_masks(folders: tuple[Path, Path]) -> None:
    found = evaluate_masks(
        *folders,
        labels={"head": 1},
        nsd_tolerance_mm=1.0,
        patients={"case0": "A", "case1": "A", "case2": "B"},
    )
    assert _record(found, "dice (mean)", "head")["n_patients"] == 2
    with pytest.raises(EvaluationError, match="2 cases have no patient"):
        evaluate_masks(*folders, labels={"head": 1}, nsd_tolerance_mm=1.0, patients={"case0": "A"})


def test_empty_masks_are_noted(folders: tuple[Path, Path]) -> None:
    _save(folders[1] / "case2.nii.gz", np.zeros((12, 12, 12)))
    found = evaluate_masks(*folders, labels={"head": 1, "absent": 9}, nsd_tolerance_mm=1.0)
    assert any("head: prediction empty in 1 cases, such as case2" in note for note in found.notes)
    assert any("absent: both empty in 3 cases" in note for note in found.notes)


def test_a_missing_prediction_is_never_left_out(folders: tuple[Path, Path]) -> None:
    (folders[1] / "case1.nii.gz").unlink()
    with pytest.raises(EvaluationError, match="1 of 3 references") as error:
        evaluate_masks(*folders, labels={"head": 1}, nsd_tolerance_mm=1.0)
    assert error.value.problems == ("case1",)


def test_an_extra_prediction_is_noted(folders: tuple[Path, Path]) -> None:
    _save(folders[1] / "case9.nii.gz", np.zeros((12, 12, 12)))
    found = evaluate_masks(*folders, labels={"head": 1}, nsd_tolerance_mm=1.0)
    assert any("case9" in note for note in found.notes)


def test_masks_on_different_grids_are_refused(folders: tuple[Path, Path]) -> None:
    _save(folders[1] / "case1.nii.gz", np.zeros((12, 12, 12)), shift_mm=5)
    with pytest.raises(GeometryError, match="case1"):
        evaluate_masks(*folders, labels={"head": 1}, nsd_tolerance_mm=1.0)


@pytest.mark.parametrize("which", [0, 1])
def test_folders_without_masks_are_refused(folders: tuple[Path, Path], tmp_path: Path, which: int) -> None:
    pair = list(folders)
    pair[which] = tmp_path / "nowhere"
    with pytest.raises(EvaluationError, match="is no folder"):
        evaluate_masks(*pair, labels={"head": 1}, nsd_tolerance_mm=1.0)
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(EvaluationError, match="holds no NIfTI masks"):
        evaluate_masks(*pair, labels={"head": 1}, nsd_tolerance_mm=1.0)


def test_repeats_without_patients_are_counted_by_the_case_or_refused(table: pd.DataFrame) -> None:
    rows = table.assign(case_id=range(len(table)))
    repeated = pd.concat([rows.assign(repeat=r) for r in range(5)])
    columns = {"label": "label", "score": "score", "threshold": 0.5}
    with pytest.raises(EvaluationError, match="name the patient of each row, or its case"):
        evaluate(repeated, repeat="repeat", **columns)
    by_case = evaluate(repeated, repeat="repeat", case="case_id", **columns)
    as_patients = evaluate(repeated, repeat="repeat", patient="case_id", **columns)
    assert by_case.estimates == as_patients.estimates
    assert {record["n_patients"] for record in by_case.estimates} <= set(range(len(table) + 1))
    assert any("each case is taken for a patient" in note for note in by_case.notes)


def test_few_cases_in_each_repeat_are_noted(table: pd.DataFrame) -> None:
    few = pd.concat([table[table["label"] == 1].head(4), table[table["label"] == 0]])
    rows = few.assign(case_id=range(len(few)))
    repeated = pd.concat([rows.assign(repeat=r) for r in range(5)])
    found = evaluate(repeated, label="label", score="score", repeat="repeat", case="case_id")
    assert any("only 4 positive cases" in note for note in found.notes)


def test_a_prevalence_that_nothing_would_use_is_refused(table: pd.DataFrame) -> None:
    for prevalence in (0.05, [0.01, 0.05]):
        with pytest.raises(EvaluationError, match="which need a threshold"):
            evaluate(table, label="label", score="score", prevalence=prevalence)


def test_a_threshold_on_another_scale_is_noted(table: pd.DataFrame) -> None:
    percent = table.assign(score=table["score"].rank())
    found = evaluate(percent, label="label", score="score", threshold=0.5)
    assert any(note.startswith("every prediction is positive") for note in found.notes)
    found = evaluate(percent, label="label", score="score", threshold=1e6)
    assert any(note.startswith("no prediction is positive") for note in found.notes)


def test_a_structure_that_no_mask_holds_is_asked_about(folders: tuple[Path, Path]) -> None:
    found = evaluate_masks(*folders, labels={"head": 1, "stone": 9}, nsd_tolerance_mm=1.0)
    assert "no mask holds stone (value 9): is that its value?" in found.notes
