"""Files of tables as spreadsheets, R and other countries write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.workflows.prediction_table import read_predictions
from medvision.workflows.table_files import read_table

FRAME = pd.DataFrame({"id": ["007", "010"], "label": [0, 1], "score": [0.25, 0.5]})


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "id,label,score\n007,0,0.25\n010,1,0.5\n",
        "id,label,score\r\n007,0,0.25\r\n010,1,0.5\r\n",
        "\ufeffid;label;score\n007;0;0,25\n010;1;0,5\n",
        "sep=;\r\nid;label;score\r\n007;0;0,25\r\n010;1;0,5\r\n",
        '"id","label","score"\n"007","0","0.25"\n"010","1","0.5"\n',
        "\n id , label , score \n007,0,0.25\n010,1,0.5\n",
        "id\tlabel\tscore\n007\t0\t0.25\n010\t1\t0.5\n",
    ],
)
def test_what_programs_write_is_one_table(tmp_path: Path, text: str) -> None:
    found, _ = read_table(write(tmp_path, text), text_columns=["id"])
    pd.testing.assert_frame_equal(found, FRAME, check_dtype=False)


def test_rows_with_more_values_than_headings_are_refused(tmp_path: Path) -> None:
    # As R writes a table with names of rows: every column would be taken for its neighbour.
    with pytest.raises(EvaluationError, match="line 2 has 3 values under 2 headings"):
        read_table(write(tmp_path, "label,score\n1,0,0.25\n2,1,0.5\n"))
    with pytest.raises(EvaluationError, match="line 4 has 3 values"):
        read_table(write(tmp_path, 'label,score\n1,"0\n0"\n2,1,0.5\n'))


@pytest.mark.parametrize("headings", ["label,score,score", "label,score, score"])
def test_a_heading_that_stands_twice_is_refused_where_it_is_used(tmp_path: Path, headings: str) -> None:
    path = write(tmp_path, f"{headings}\n0,0.25,7\n1,0.5,8\n")
    with pytest.raises(EvaluationError, match="several columns are headed 'score'"):
        read_predictions(path, label="label", score="score")
    book = tmp_path / "book.xlsx"
    pd.read_csv(path, header=None).to_excel(book, index=False, header=False)
    with pytest.raises(EvaluationError, match="several columns are headed 'score'"):
        read_predictions(book, label="label", score="score")
    with pytest.raises(EvaluationError, match="several columns are headed 'score'"):
        read_predictions(
            pd.DataFrame([[0, 1, 2]], columns=["label", "score", "score"]), label="label", score="score"
        )


def test_what_is_no_text_is_refused_with_its_line_and_the_cure(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="line 2 is no UTF-8 text; save the file as UTF-8"):
        read_table(write(tmp_path, "label,score,device\n1,0.5,Gerät\n", "latin-1"))
    with pytest.raises(EvaluationError, match="it is empty"):
        read_table(write(tmp_path, " \n\n"))
    with pytest.raises(EvaluationError, match="is a folder"):
        read_table(tmp_path)


def test_the_sheet_that_was_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        FRAME.to_excel(book, sheet_name="test set", index=False)
        FRAME.to_excel(book, sheet_name="training", index=False)
    assert read_table(path, text_columns=["id"])[1]["name"] == "book.xlsx, sheet 'test set' of 2"


def test_the_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    FRAME.set_index("id").to_parquet(path)
    assert list(read_table(path)[0].columns) == ["id", "label", "score"]
