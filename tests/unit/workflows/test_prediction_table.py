"""Tables of predictions as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.workflows.prediction_table import read_predictions, read_table, rows_note, word


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": ["007", "007", "010", "011"],
            "case_id": ["a", "b", "c", "d"],
            "label": [0, 1, 0, 1],
            "score": [0.25, 0.5, 0.125, 0.75],
        }
    )


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx"])
def test_every_kind_of_file_gives_the_same_table(frame: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"predictions{suffix}"
    match suffix:
        case ".parquet":
            frame.to_parquet(path)
        case ".xlsx":
            frame.to_excel(path, index=False)
        case _:
            frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    found = read_predictions(path, label="label", score="score", patient="patient_id", case="case_id")
    assert found.scores.tolist() == frame["score"].tolist()
    assert found.labels.tolist() == [False, True, False, True]
    assert found.patients.tolist() == ["007", "007", "010", "011"]  # not 7
    assert found.source["rows"] == 4
    assert len(found.source["sha256"]) == 64


def test_a_spreadsheet_with_decimal_commas(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    frame.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig")
    found = read_predictions(path, label="label", score="score")
    assert found.scores.tolist() == [0.25, 0.5, 0.125, 0.75]


@pytest.mark.parametrize("positive", [1, "1", 1.0, True, "true", " 1 "])
@pytest.mark.parametrize("labels", [[0, 1], ["0", "1"], [0.0, 1.0], [False, True], ["False", "True"]])
def test_the_positive_label_is_compared_by_meaning(positive, labels) -> None:
    table = pd.DataFrame({"label": labels, "score": [0.1, 0.2]})
    found = read_predictions(table, label="label", score="score", positive=positive)
    assert found.labels.tolist() == [False, True]


def test_words_ignore_case_and_spaces() -> None:
    table = pd.DataFrame({"label": ["Benign", "malignant "], "score": [0.1, 0.2]})
    assert read_predictions(table, label="label", score="score", positive="MALIGNANT").labels.tolist() == [
        False,
        True,
    ]
    assert word(2.5) == "2.5"


def test_a_positive_label_that_no_row_has_is_refused() -> None:
    table = pd.DataFrame({"label": ["benign", "malignant"], "score": [0.1, 0.2]})
    with pytest.raises(EvaluationError, match="its labels are benign, malignant"):
        read_predictions(table, label="label", score="score")


def test_more_than_two_labels_are_noted() -> None:
    table = pd.DataFrame({"label": [0, 1, 2], "score": [0.1, 0.2, 0.3]})
    found = read_predictions(table, label="label", score="score")
    assert found.labels.tolist() == [False, True, False]
    assert "'1' is positive, 0, 2 negative" in found.notes[0]


def test_wrong_columns_are_all_named_with_the_nearest(frame: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match="has the columns") as error:
        read_predictions(frame, label="lable", score="Score", patient="patient")
    assert list(error.value.problems) == [
        "label: there is no column 'lable'; did you mean 'label'?",
        "score: there is no column 'Score'; did you mean 'score'?",
        "patient: there is no column 'patient'; did you mean 'patient_id'?",
    ]


def test_wrong_rows_are_all_named_as_a_spreadsheet_counts_them(frame: pd.DataFrame) -> None:
    broken = frame.astype({"score": object, "label": object})
    broken.loc[0, "score"], broken.loc[1, "label"], broken.loc[2, "score"] = np.nan, None, "n/a"
    broken.loc[3, "score"] = np.inf
    with pytest.raises(EvaluationError, match="4 problems") as error:
        read_predictions(broken, label="label", score="score", patient="patient_id")
    text = str(error.value)
    assert "row 2 (patient_id 007): the score 'nan' is no finite number" in text
    assert "row 3 (patient_id 007): the label is missing" in text
    assert "row 4 (patient_id 010): the score 'n/a'" in text
    assert "row 5 (patient_id 011): the score 'inf'" in text


def test_a_case_twice_is_refused_unless_repeats_are_named(frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame]).assign(repeat=[0] * 4 + [1] * 4)
    with pytest.raises(EvaluationError, match="4 problems") as error:
        read_predictions(twice, label="label", score="score", case="case_id")
    assert "the case a stands in 2 rows" in error.value.problems
    found = read_predictions(twice, label="label", score="score", case="case_id", repeat="repeat")
    assert len(found.scores) == 8


def test_an_unnamed_patient_column_with_repeats_is_noted(frame: pd.DataFrame) -> None:
    found = read_predictions(frame, label="label", score="score")
    assert any("'patient_id' has 3 values in 4 rows" in note for note in found.notes)
    assert not any("case_id" in note for note in found.notes)
    named = read_predictions(frame, label="label", score="score", patient="patient_id")
    assert named.notes == ()


@pytest.mark.parametrize(("name", "content", "message"), [
    ("absent.csv", None, "is not there"),
    ("table.json", "{}", "are read"),
    ("empty.csv", "", "cannot be read"),
    ("broken.parquet", "no parquet", "cannot be read"),
])  # fmt: skip
def test_files_that_cannot_be_read_say_why(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(EvaluationError, match=message):
        read_table(tmp_path / name)


def test_a_table_without_rows_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match="no rows"):
        read_predictions(frame.iloc[:0], label="label", score="score")


def test_the_index_of_a_frame_does_not_matter(frame: pd.DataFrame) -> None:
    odd = frame.set_axis([9, 9, 3, 1])
    assert read_predictions(odd, label="label", score="score").scores.tolist() == frame["score"].tolist()


def test_one_patient_under_two_spellings_is_pointed_out():
    frame = pd.DataFrame({"label": [0, 1, 1], "score": [0.1, 0.2, 0.3], "patient": ["P1", "p1", "P2"]})
    (note,) = read_predictions(frame, label="label", score="score", patient="patient").notes
    assert note.startswith("patients: 'P1' (row 2) and 'p1' (row 3) may be one patient")


def test_a_positive_label_that_no_zero_or_one_is_is_refused() -> None:
    table = pd.DataFrame({"label": [0, 1], "score": [0.1, 0.2]})
    with pytest.raises(EvaluationError, match="no row of 'label' is 7"):
        read_predictions(table, label="label", score="score", positive=7)
    ones = pd.DataFrame({"label": [1, 1], "score": [0.1, 0.2]})
    assert read_predictions(ones, label="label", score="score", positive=0).labels.tolist() == [False, False]


def test_labels_of_1_and_2_are_pointed_out() -> None:
    table = pd.DataFrame({"label": [1, 2], "score": [0.1, 0.2]})
    assert "if 2 means" in read_predictions(table, label="label", score="score").notes[0]
    assert read_predictions(table, label="label", score="score", positive=2).notes == ()


def test_a_score_in_words_or_in_the_way_of_a_spreadsheet_has_its_cure_beside_it() -> None:
    table = pd.DataFrame({"label": [0, 1, 1], "score": ["85%", "0,5", "0.5"]})
    with pytest.raises(EvaluationError) as error:
        read_predictions(table, label="label", score="score")
    assert "'85%' is no finite number; write 0.85" in str(error.value)
    assert "'0,5' is no finite number; write a decimal point" in str(error.value)
    with pytest.raises(EvaluationError, match=r"no number in any of 3 rows, such as 'low'"):
        read_predictions(table.assign(score="low"), label="label", score="score")


def test_missing_labels_say_what_counts_as_missing() -> None:
    table = pd.DataFrame({"label": [None, 1], "score": [0.1, 0.5]})
    with pytest.raises(EvaluationError, match=r"1 problem in the table; .* NA, None, null and nan count as"):
        read_predictions(table, label="label", score="score")


@pytest.mark.parametrize(
    ("unit", "many"),
    [("nodule", "nodules"), ("biopsy", "biopsies"), ("mass", "masses"), ("nodules", "nodules")],
)
def test_the_plural_of_a_unit(unit: str, many: str) -> None:
    assert rows_note(2, None, unit).startswith(f"2 {many};")
