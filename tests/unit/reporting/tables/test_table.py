"""One table in four formats: the same cells, each with its own escapes."""

import csv
import io
import re

import pytest

from medvision.errors import RunError
from medvision.reporting.tables.table import Table

ROWS = (
    ("Group", "", ""),
    ("  50% of A_1 & B|2", "<0.001", "*x* `y`"),
    ("[IQR]", "1,5", 'say "hi"\nagain'),
)
TABLE = Table("demo", "T_1 & <T_2>", ("Name", "p|q", "100%"), ROWS, ("Note with _ and %.",))


def test_csv_gives_every_cell_back():
    rows = list(csv.reader(io.StringIO(TABLE.to_csv())))
    assert tuple(rows[0]) == TABLE.columns
    assert [tuple(row) for row in rows[1:]] == list(ROWS)


def test_latex_escapes_what_has_a_meaning():
    text = TABLE.to_latex()
    assert r"\caption{T\_1 \& $<$T\_2$>$}" in text
    assert r"\quad 50\% of A\_1 \& B\textbar{}2 & $<$0.001" in text
    assert r"\multicolumn{3}{l}{\textbf{Group}}" in text
    assert r"{[}IQR]" in text  # \\ followed by [ would be read as a length
    assert r"Note with \_ and \%." in text
    assert all(word in text for word in (r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:demo}"))


def test_latex_has_one_column_less_ampersand_in_every_row():
    body = TABLE.to_latex().split(r"\midrule")[1].split(r"\bottomrule")[0]
    ordinary = [line for line in body.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert [len(re.findall(r"(?<!\\)&", line)) for line in ordinary] == [2, 2]


def test_markdown_keeps_the_columns_apart():
    lines = [line for line in TABLE.to_markdown().splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(ROWS)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert r"\*x\* \`y\`" in lines[3]
    assert r"\<0.001" in lines[3]


def test_html_escapes_and_marks_headings():
    text = str(TABLE.to_html())
    assert "<caption>T_1 &amp; &lt;T_2&gt;</caption>" in text
    assert "&lt;0.001" in text
    assert '<th scope="rowgroup" colspan="3">Group</th>' in text
    assert '<tr class="indented"><th scope="row">50% of A_1 &amp; B|2</th>' in text


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(RunError, match="2 columns but 1 cells"):
        Table("bad", "Bad", ("a", "b"), (("only",),))
