"""What a report says of splits that are no k-fold, and of a locked test set."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from medvision.errors import LeakageError
from medvision.reporting import write_report
from medvision.reporting.consistency import disagreements
from medvision.reporting.contents import read_run
from medvision.reporting.figures.roc import roc_figure
from medvision.reporting.methods import design_words, methods_text
from medvision.reporting.tables.cohort import cohort_table, part_balance_table, split_table
from medvision.reporting.tables.locked_test import locked_test_table
from medvision.reporting.tables.performance import fold_results_table, performance_table
from medvision.reporting.terminal import terminal_summary

UNLOCK = {
    "opened": "2026-11-23T10:00:00+00:00",
    "study_sha256": "ab" * 32,
    "medvision": "0.1.0",
    "git": {"commit": "c0ffee" * 6, "dirty": True},
}


def methods(contents):
    return dict(methods_text(contents))


@pytest.fixture
def designed(changed, classification_run, edited_study):
    """A run whose split is said to be another one."""

    def make(kind, split, rename=lambda aggregation: aggregation, name="", keep=None):
        def splits(data):
            data["kind"] = kind
            data["parts"] = data["parts"][:keep]
            for part in data["parts"]:
                part["name"] = f"{name} {part['fold']}" if name else ""

        def results(data):
            for estimate in data["estimates"]:
                estimate["aggregation"] = rename(estimate["aggregation"])
                if estimate["fold"] is not None and name:
                    estimate["part"] = f"{name} {estimate['fold']}"

        folder = changed(classification_run, splits=splits, results=results)
        if keep == 1:
            table = pd.read_parquet(folder / "predictions.parquet")
            table[table["fold"] == 0].to_parquet(folder / "predictions.parquet")
        edited_study(folder, lambda study: study.update(split={"kind": kind, **split}))
        return read_run(folder)

    return make


def test_sites_are_called_by_their_names(designed):
    names = {"fold-averaged": "site-averaged", "pooled out-of-fold": "pooled over sites"}
    contents = designed("site", {"column": "hospital"}, lambda a: names.get(a, a), name="hospital")
    assert contents.averaged == "site-averaged"
    text = methods(contents)["Cross-validation"]
    assert text.startswith("Leave-one-out cross-validation over ")
    assert "hospitals: each is tested by the model that learned from all others" in text
    assert "balanced by" not in text
    performance = performance_table(contents)
    assert "Site-averaged" in [row[0] for row in performance.rows]
    assert "Fold-averaged" not in str(performance)
    assert any("not for other sites" in note for note in performance.notes)
    results = fold_results_table(contents)
    assert results.title == "Results of the single sites"
    assert "hospital 0" in results.columns
    assert "0 (hospital 0)" in [row[1] for row in split_table(contents).rows]
    assert next(row[0] for row in part_balance_table(contents).rows if not any(row[1:])) == "Hospital 0"
    assert "site-averaged" in roc_figure(contents).caption


def test_one_test_part_is_never_called_a_fold_average(designed):
    contents = designed(
        "time", {"column": "year", "test_from": 2020}, lambda a: "held-out test part", "year from", 1
    )
    assert design_words(contents) == "temporal validation"
    text = methods(contents)["Test part"]
    assert "by year" in text
    caption = roc_figure(contents).caption
    assert "test part (Year from 0), which is not cross-validated" in caption
    assert "average" not in caption
    assert split_table(contents).title == "Training and test parts"
    tested = contents.predictions
    sample = f"{len(tested)} nodules of {tested['patient_id'].nunique()} patients"
    assert any(note.startswith(sample) for note in performance_table(contents).notes)


@pytest.mark.parametrize(
    ("kind", "split", "words"),
    [
        ("time", {"column": "year", "windows": 5}, "expanding windows by year"),
        ("column", {"column": "part"}, "Official training and test parts by part"),
        ("hash", {"folds": 5}, "each fold chosen by a hash of patient and seed and not balanced"),
        (
            "kfold",
            {"folds": 5, "inner_folds": 3},
            "Nested: each training part was divided into 3 inner folds",
        ),
    ],
)
def test_methods_say_how_the_cohort_was_split(designed, kind, split, words):
    assert words in methods(designed(kind, split))["Cross-validation"]


def test_methods_say_who_validated(designed):
    official = designed("column", {"column": "part", "validation_values": ["val", "tune"]})
    assert "the official validation part (val and tune)" in methods(official)["Training"]


def test_nested_folds_are_told_once(designed):
    nested = designed("kfold", {"inner_folds": 3})
    assert "set aside to validate" not in methods(nested)["Training"]


@pytest.fixture
def locked_run(changed, classification_run):
    """A run of which some patients, who are in no fold any more, were locked away and opened twice."""

    def make(opened=2, **section):
        def lock(data):
            cohort = pd.read_parquet(classification_run / "cohort.parquet")
            chosen = set(cohort["patient_id"].unique()[:8])
            cases = cohort.loc[cohort["patient_id"].isin(chosen), "case_id"].tolist()
            for part in data["parts"]:
                part["train"] = [case for case in part["train"] if case not in cases]
                part["test"] = [case for case in part["test"] if case not in cases]
            data["locked_test"] = {"cases": cases, "sha256": "0"}

        def results(data):
            if opened:
                estimates = [
                    {**e, "aggregation": "locked test set"} for e in data["estimates"] if e["fold"] is None
                ]
                data["locked_test"] = {
                    "unlocks": [UNLOCK] * opened,
                    "estimates": estimates[:3],
                    "comparisons": data["comparisons"],
                    "confusion": {},
                    "notes": ["note of the test set"],
                    **section,
                }

        folder = changed(classification_run, splits=lock, results=results)
        locked = json.loads((folder / "splits.json").read_text())["locked_test"]["cases"]
        table = pd.read_parquet(folder / "predictions.parquet")
        table[~table["case_id"].isin(locked)].to_parquet(folder / "predictions.parquet")
        (folder / "locked_test").mkdir()
        table[table["case_id"].isin(locked)].to_parquet(folder / "locked_test" / "predictions.parquet")
        return folder

    return make


def test_an_opened_test_set_stands_apart_with_every_opening(locked_run):
    folder = locked_run()
    contents = read_run(folder)
    table = locked_test_table(contents)
    assert table.title == "Locked test set, opened on 2026-11-23, for the 2nd time in this run folder"
    assert "Note of the test set." in table.notes
    opening = "Opening 2: 2026-11-23T10:00:00+00:00, study abababababab, medvision 0.1.0, commit "
    opening += "c0ffeec0ffee (changed)."
    assert opening in table.notes
    assert any(row[1] == "AUC, difference" for row in table.rows)
    assert "its results stand apart" in methods(contents)["Cross-validation"]
    assert len(contents.cohort) + len(contents.locked) == len(pd.read_parquet(folder / "cohort.parquet"))
    assert any(note.startswith("Without the locked test set: ") for note in cohort_table(contents).notes)
    assert "Locked test set" in [row[0] for row in part_balance_table(contents).rows]
    page = write_report(folder).read_text(encoding="utf-8")
    assert "<h2>Locked test set</h2>" in page
    assert "for the 2nd time in this run folder" in terminal_summary(folder)


def test_a_closed_test_set_has_no_table(locked_run):
    contents = read_run(locked_run(opened=0))
    assert locked_test_table(contents) is None
    assert "and not opened" in methods(contents)["Cross-validation"]
    assert disagreements(contents) == () or "locked" not in str(disagreements(contents))


def test_results_that_its_predictions_do_not_give_are_named(locked_run):
    wrong = {"image": {"tp": 1000, "fp": 0, "fn": 0, "tn": 0}}
    contents = read_run(locked_run(confusion=wrong))
    assert any(
        "image on the locked test set: results.json says 1000 TP" in text for text in disagreements(contents)
    )
    (contents.folder / "locked_test" / "predictions.parquet").unlink()
    assert any("its predictions are not there" in text for text in disagreements(contents))


def test_a_patient_in_the_locked_set_and_in_the_rest_stops_the_report(locked_run):
    folder = locked_run()
    path = folder / "splits.json"
    data = json.loads(path.read_text())
    cohort = pd.read_parquet(folder / "cohort.parquet")
    owner = dict(zip(cohort["case_id"], cohort["patient_id"], strict=True))
    cases = data["locked_test"]["cases"]
    several = next(case for case in cases if sum(owner[other] == owner[case] for other in cases) > 1)
    data["locked_test"]["cases"] = [case for case in cases if case != several]
    path.write_text(json.dumps(data))
    with pytest.raises(
        LeakageError, match=f"patient {owner[several]} is in the locked test set and in the rest"
    ):
        write_report(folder)
