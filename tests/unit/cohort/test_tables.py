"""Tables as they stand in their files."""

from __future__ import annotations

import pytest

from medvision.cohort.tables import as_text, read_table
from medvision.errors import CohortError


def read(tmp_path, text, name="t.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_table(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a,b\n1,x y\n", "t.csv"),
        ("a;b\n1;x y\n", "t.csv"),
        ("a\tb\n1\tx y\n", "t.tsv"),
        ("\ufeffa,b\r\n1,x y\r\n", "t.csv"),
        (" a , b \n 1 , x y \n", "t.csv"),
        ('"a","b"\n"1","x y"\n', "t.csv"),
        ("a,b\n\n1,x y\n\n", "t.csv"),
    ],
)
def test_dialects(tmp_path, text, name):
    assert read(tmp_path, text, name).columns == {"a": ["1"], "b": ["x y"]}


def test_places_are_lines_of_the_file(tmp_path):
    table = read(tmp_path, 'a,b\n1,"two\nlines"\n\n2,x\n')
    assert table.columns["b"] == ["two\nlines", "x"]
    assert table.places == ["t.csv:2", "t.csv:5"]


@pytest.mark.parametrize("cell", ["", "NA", "na", "NaN", "N/A", "#N/A", "null"])
def test_missing_cells(tmp_path, cell):
    assert read(tmp_path, f"a,b\n1,{cell}\n").columns["b"] == [None]


def test_a_word_that_only_looks_missing(tmp_path):
    # A category may be called so: calcification "None".
    assert read(tmp_path, "a,b\n1,None\n").columns["b"] == ["None"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the table has no rows"),
        ("a,b\n", "the table has no rows"),
        ("a,b\n1\n", "t.csv:2: 1 fields, but the header names 2 columns"),
        ("a,b\n1,2\n1,2,3\n", "t.csv:3: 3 fields, but the header names 2 columns"),
        ("a,a\n1,2\n", "t.csv:1: two columns are named 'a'"),
        ('a,b\n1,"2\n', "is no CSV table"),
    ],
)
def test_irregular_tables(tmp_path, text, words):
    with pytest.raises(CohortError, match=words):
        read(tmp_path, text)


def test_other_encodings_and_endings(tmp_path):
    with pytest.raises(CohortError, match="is not UTF-8"):
        read(tmp_path, "a\nMüller\n", encoding="latin-1")
    with pytest.raises(CohortError, match=r"ends in \.csv, \.tsv, \.parquet or \.xlsx, not '\.json'"):
        read(tmp_path, "{}", "t.json")
    with pytest.raises(CohortError, match="there is no table"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(CohortError, match="cannot be read"):
        read(tmp_path, "not parquet", "t.parquet")
    with pytest.raises(CohortError, match="cannot be read"):
        read(tmp_path, "not excel", "t.xlsx")


@pytest.mark.parametrize(
    ("value", "text"),
    [("007", "007"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (None, ""), (" x ", "x"), (True, "True")],
)
def test_identifiers_are_text(value, text):
    assert as_text(value) == text
