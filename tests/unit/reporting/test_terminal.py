"""Tables in a terminal keep within its width, and words whole."""

import re

import pytest

from medvision.reporting.tables.table import Table
from medvision.reporting.terminal import table_text

ROWS = (
    ("AUC", "0.910 (0.884–0.935)", "0.915 (0.890–0.939)", "mean over folds, influence function (LeDell)"),
    ("  Sensitivity", "90.8% (85.4–94.3)", "90.0% (84.5–93.6)", "logit-t, ratio estimator over patients"),
)
TABLE = Table("demo", "Performance", ("Measure", "image", "image_and_diameter", "Interval"), ROWS)


def grid(width: int) -> list[str]:
    return table_text(TABLE, width).splitlines()[2:]


@pytest.mark.parametrize("width", [66, 80, 100, 160])
def test_every_word_stays_whole_and_no_line_is_too_long(width):
    lines = grid(width)
    assert max(map(len, lines)) <= width
    words = {word for cells in (TABLE.columns, *ROWS) for cell in cells for word in cell.split()}
    assert words <= set(" ".join(lines).split())


def test_numbers_stay_on_one_line_with_their_intervals_before_methods_do():
    text = "\n".join(grid(90))
    assert "0.910 (0.884–0.935)" in text
    assert "90.0% (84.5–93.6)" in text
    assert "mean over folds, influence function (LeDell)" not in text


def test_where_words_do_not_fit_nothing_is_lost():
    def letters(text: str) -> int:
        return len(re.findall(r"\w", text))

    cells = "".join("".join(cells) for cells in (TABLE.columns, *ROWS))
    assert letters("".join(grid(40))) == letters(cells)


def test_a_narrow_terminal_has_methods_below_and_no_line_beyond_its_edge(monkeypatch):
    rows = (
        ("AUC", "0.910 (95% CI 0.884–0.935)", "DeLong, logit"),
        ("F1 score", "0.843 (95% CI 0.731–0.911)", "bootstrap over patients, percentile"),
        ("MCC", "0.643 (95% CI 0.431–0.811)", "bootstrap over patients, percentile"),
    )
    table = Table("demo", "Performance", ("Measure", "Estimate", "Method"), rows, ("2×2 table",))
    monkeypatch.setenv("COLUMNS", "80")
    lines = table_text(table).splitlines()
    assert max(map(len, lines)) <= 80
    assert " MCC        0.643 (0.431–0.811)" in lines
    assert " Measure    Estimate (95% CI)" in lines
    assert lines[-2:] == [
        "- method of AUC: DeLong, logit",
        "- method of F1 score, MCC: bootstrap over patients, percentile",
    ]
    monkeypatch.setenv("COLUMNS", "120")
    assert "Method" in table_text(table)


def test_methods_of_one_measure_are_told_apart_by_the_next_cell(monkeypatch):
    rows = (
        ("AUC", "fold-averaged", "0.9", "mean over folds"),
        ("AUC", "pooled", "0.8", "DeLong"),
        ("MCC", "pooled", "0.5", "bootstrap"),
    )
    monkeypatch.setenv("COLUMNS", "80")
    text = table_text(Table("demo", "Performance", ("Measure", "Group", "Estimate", "Method"), rows))
    assert "- method of AUC fold-averaged: mean over folds" in text
    assert "- method of AUC pooled: DeLong" in text
    assert "- method of MCC: bootstrap" in text


def test_names_stay_whole_where_a_terminal_is_too_narrow_for_them(monkeypatch):
    names = ("PatientBirthDate", "InstitutionalDepartmentName", "RequestingPhysician")
    table = Table("demo", "Headers", ("Element", "Element below", "And below"), (names,))
    monkeypatch.setenv("COLUMNS", "60")
    assert all(name in table_text(table) for name in names)
