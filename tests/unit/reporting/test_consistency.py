"""A report never joins numbers of different runs, and never shows a leak as a result."""

import pandas as pd
import pytest

from medvision.errors import LeakageError
from medvision.reporting import write_report
from medvision.reporting.consistency import check_split, confusion_counts, disagreements, unfinished
from medvision.reporting.contents import read_run


def test_a_clean_run_has_nothing_to_report(classification, segmentation):
    for contents in (classification, segmentation):
        check_split(contents)
        assert disagreements(contents) == ()
        assert unfinished(contents) == ()


def test_a_patient_in_both_parts_stops_the_report(changed, classification_run):
    def leak(splits):
        splits["parts"][0]["train"].append(splits["parts"][0]["test"][0])

    folder = changed(classification_run, splits=leak)
    with pytest.raises(LeakageError) as caught:
        write_report(folder)
    patient = read_run(folder).split_parts[0].test[0].split("-")[0]
    assert caught.value.problems == (f"repeat 0, fold 0: patient {patient} is in both parts",)
    assert not (folder / "report.html").exists()
    assert not (folder / "tables").exists()


def test_two_cases_of_one_patient_leak_as_one_case_does(changed, classification_run):
    cohort = pd.read_parquet(classification_run / "cohort.parquet")
    several = cohort.groupby("patient_id").case_id.apply(list)
    first, second = next(cases for cases in several if len(cases) > 1)[:2]

    def cross(splits):
        part = next(part for part in splits["parts"] if first in part["test"])
        part["test"].remove(second)
        part["train"].append(second)

    with pytest.raises(LeakageError, match="training and test cases are mixed"):
        check_split(read_run(changed(classification_run, splits=cross)))


def test_a_prediction_by_a_model_that_saw_its_case_stops_the_report(changed, classification_run):
    folder = changed(classification_run)
    table = pd.read_parquet(folder / "predictions.parquet")
    table.loc[0, "fold"] = (table.loc[0, "fold"] + 1) % 3
    table.to_parquet(folder / "predictions.parquet")
    with pytest.raises(LeakageError) as caught:
        check_split(read_run(folder))
    assert "was predicted but is not in the test part" in caught.value.problems[0]


def test_a_case_that_nobody_knows_is_named(changed, classification_run):
    folder = changed(classification_run, splits=lambda splits: splits["parts"][0]["train"].append("ghost"))
    with pytest.raises(LeakageError) as caught:
        check_split(read_run(folder))
    assert caught.value.problems == ("repeat 0, fold 0: case ghost is not in cohort.parquet",)


def test_many_problems_are_counted_not_listed(changed, classification_run):
    def leak(splits):
        splits["parts"][0]["train"] += splits["parts"][0]["test"]

    with pytest.raises(LeakageError) as caught:
        check_split(read_run(changed(classification_run, splits=leak)))
    assert len(caught.value.problems) == 11
    assert caught.value.problems[-1].startswith("and ")


def test_a_wrong_two_by_two_table_is_reported(changed, classification_run):
    folder = changed(classification_run, results=lambda r: r["confusion"]["image"].update(tp=0))
    (text,) = disagreements(read_run(folder))
    assert text.startswith("2×2 table of image: results.json says 0 TP")


def test_a_wrong_sensitivity_is_reported_and_stands_first_in_the_report(
    changed, classification_run, monkeypatch
):
    monkeypatch.setattr("medvision.reporting.report.make_figures", lambda contents: iter(()))

    def spoil(results):
        for entry in results["estimates"]:
            if entry["metric"] == "sensitivity" and entry["model"] == "diameter":
                entry["value"] = 0.9999

    folder = changed(classification_run, results=spoil)
    (text,) = disagreements(read_run(folder))
    assert text.startswith("Sensitivity of diameter: results.json says 0.9999")
    page = write_report(folder).read_text()
    assert page.index("Sensitivity of diameter: results.json says") < page.index('id="headlines"')


def test_a_wrong_dice_is_reported(changed, segmentation_run):
    def spoil(results):
        results["estimates"][0]["value"] = 0.1234

    (text,) = disagreements(read_run(changed(segmentation_run, results=spoil)))
    assert text.startswith("mean Dice of anterior: results.json says 0.1234")


def test_a_run_with_missing_folds_says_so(changed, classification_run):
    folder = changed(classification_run)
    table = pd.read_parquet(folder / "predictions.parquet")
    table[table.fold != 2].to_parquet(folder / "predictions.parquet")
    (text,) = unfinished(read_run(folder))
    assert text.startswith("Only 2 of 3 folds are finished (repeat 0, fold 2 missing)")


def test_rows_without_a_label_are_not_counted():
    table = pd.DataFrame({"label": [1, None, 0], "prediction": [1, 1, 1], "prediction_a": [0, 0, 0]})
    assert confusion_counts(table, "image") == {"tp": 1, "fp": 1, "fn": 0, "tn": 0}
    assert confusion_counts(table, "a") == {"tp": 0, "fp": 0, "fn": 1, "tn": 1}
