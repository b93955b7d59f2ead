"""Reading a run folder: what is wrong is named, and identifiers agree between the files."""

import json

import pandas as pd
import pytest

from medvision.errors import RunError
from medvision.reporting.contents import read_run


def test_missing_files_are_all_named(changed, classification_run):
    folder = changed(classification_run)
    (folder / "results.json").unlink()
    (folder / "cohort.parquet").unlink()
    with pytest.raises(RunError) as caught:
        read_run(folder)
    assert caught.value.problems == ("cohort.parquet", "results.json")


def test_a_damaged_file_is_named(changed, classification_run):
    folder = changed(classification_run)
    (folder / "results.json").write_text("{")
    with pytest.raises(RunError, match=r"results\.json cannot be read"):
        read_run(folder)


def test_a_damaged_study_is_named(changed, classification_run):
    folder = changed(classification_run)
    (folder / "experiment.yaml").write_text("name: nodules\n")
    with pytest.raises(RunError, match=r"experiment\.yaml is not a resolved study"):
        read_run(folder)


def test_missing_columns_are_named(changed, classification_run):
    folder = changed(classification_run)
    table = pd.read_parquet(folder / "predictions.parquet").drop(columns=["score", "threshold"])
    table.to_parquet(folder / "predictions.parquet")
    with pytest.raises(RunError, match="lacks score, threshold"):
        read_run(folder)


def test_numbers_as_identifiers_meet_their_text(changed, classification_run):
    folder = changed(classification_run)
    numbers = {case: n for n, case in enumerate(pd.read_parquet(folder / "cohort.parquet").case_id)}
    for name in ("cohort.parquet", "predictions.parquet"):
        table = pd.read_parquet(folder / name)
        table.assign(case_id=table.case_id.map(numbers)).to_parquet(folder / name)
    splits = json.loads((folder / "splits.json").read_text())
    for part in splits["parts"]:
        part["train"] = [numbers[case] for case in part["train"]]
        part["test"] = [str(numbers[case]) for case in part["test"]]
    (folder / "splits.json").write_text(json.dumps(splits))
    contents = read_run(folder)
    tested = {case for part in contents.split_parts for case in part.test}
    assert tested == set(contents.cohort.case_id) == set(contents.predictions.case_id)


def test_models_stand_in_the_order_of_the_study(classification):
    assert classification.models == ("image", "diameter")


def test_covariates_come_from_cohort_and_comparators_once(classification):
    assert classification.covariates == ("diameter_mm", "sex", "age_years")


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ({"label": "malignant", "positive": 1}, ("not malignant", "malignant")),
        ({"label": "malignant", "positive": True}, ("not malignant", "malignant")),
        ({"label": "grade", "positive": "high"}, ("not high", "high")),
        ({"label": "grade", "positive": "high", "negative": "low"}, ("low", "high")),
        ({"label": "label", "positive": 1}, ("negative", "positive")),
    ],
)
def test_classes_are_named_as_the_study_names_them(changed, edited_study, classification_run, task, names):
    folder = changed(classification_run)
    edited_study(folder, lambda study: study["task"].update({"negative": None, **task}))
    assert read_run(folder).class_names == names


def test_logs_and_thresholds_know_their_fold(classification):
    assert set(classification.logs.fold) == {0, 1, 2}
    assert len(classification.thresholds) == 6
    assert set(classification.thresholds.model) == {"image", "diameter"}


def test_estimates_are_found_by_their_properties(segmentation):
    found = segmentation.select(metric="dice", structure="anterior", aggregation="mean over cases")
    assert len(found) == 1
