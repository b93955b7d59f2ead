"""A table of the paper: rows of text with a title and notes, in four formats."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from markupsafe import Markup

from medvision.errors import RunError
from medvision.reporting.tables.latex import escape_latex

INDENT = "  "
"""A row whose first cell starts so belongs to the row above it."""
_ONE_LINE = 32


@dataclass(frozen=True)
class Table:
    """A table of text, as it stands in the paper.

    Args:
        name: Stem of its files, such as `performance`.
        title: Caption without a number.
        columns: Headings.
        rows: Cells, one tuple a row; a first cell that starts with two spaces is indented.
        notes: Sentences below the table: units, methods, sample.

    Raises:
        RunError: A row has more or fewer cells than there are columns.

    Example:
        >>> table = Table("auc", "AUC", ("Model", "AUC (95% CI)"), (("image", "0.91 (0.88–0.93)"),))
        >>> print(table.to_csv(), end="")
        Model,AUC (95% CI)
        image,0.91 (0.88–0.93)
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise RunError(
                f"table {self.name}: {len(self.columns)} columns but {len(wrong[0])} cells in {wrong[0]}"
            )

    def to_csv(self) -> str:
        """Return the headings and rows as comma-separated values, quoted where RFC 4180 wants it."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return stream.getvalue()

    def to_markdown(self) -> str:
        """Return a pipe table between its title and its notes."""
        lines = [f"**{_markdown(self.title)}**", ""]
        lines.append(_piped(self.columns))
        lines.append(_piped(["---"] * len(self.columns), raw=True))
        lines.extend(_piped(row) for row in self.rows)
        if self.notes:
            lines += ["", *(f"- {_markdown(note)}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def to_latex(self) -> str:
        """Return a `table` environment that needs the package booktabs and nothing else."""
        head = " & ".join(escape_latex(column) for column in self.columns)
        body = [_latex_row(row) + r" \\" for row in self.rows]
        notes = [rf"\par\smallskip\footnotesize {escape_latex(' '.join(self.notes))}"] if self.notes else []
        lines = [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{escape_latex(self.title)}}}",
            rf"\label{{tab:{self.name}}}",
            r"\small",
            rf"\begin{{tabular}}{{{'l' * len(self.columns)}}}",
            r"\toprule",
            head + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *notes,
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def to_html(self) -> Markup:
        """Return a `<table>` with caption and notes; every cell is escaped."""
        head = Markup("").join(Markup('<th scope="col">{}</th>').format(column) for column in self.columns)
        body = Markup("").join(_html_row(row) for row in self.rows)
        notes = Markup("").join(Markup("<p>{}</p>").format(note) for note in self.notes)
        foot = Markup('<div class="notes">{}</div>').format(notes) if self.notes else Markup("")
        return Markup(
            '<div class="table" id="table-{}"><div class="scroll"><table><caption>{}</caption>'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}</div>"
        ).format(self.name, self.title, head, body, foot)


def _markdown(text: str) -> str:
    for character in "\\|*_<`":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.splitlines())


def _piped(cells: tuple[str, ...] | list[str], *, raw: bool = False) -> str:
    shown = cells if raw else [_indented(_markdown(cell), "&nbsp;&nbsp;") for cell in cells]
    return "| " + " | ".join(shown) + " |"


def _latex_row(row: tuple[str, ...]) -> str:
    if _is_heading(row):
        return rf"\multicolumn{{{len(row)}}}{{l}}{{\textbf{{{escape_latex(row[0])}}}}}"
    return " & ".join(_latex_cell(cell) for cell in row)


def _latex_cell(text: str) -> str:
    return _indented(escape_latex(text), r"\quad ")


def _indented(text: str, mark: str) -> str:
    return mark + text[len(INDENT) :] if text.startswith(INDENT) else text


def _is_heading(row: tuple[str, ...]) -> bool:
    """Whether a row has nothing but its first cell, and so heads the rows below it."""
    return len(row) > 1 and bool(row[0]) and not any(row[1:])


def _html_row(row: tuple[str, ...]) -> Markup:
    if _is_heading(row):
        heading = Markup('<tr class="heading"><th scope="rowgroup" colspan="{}">{}</th></tr>\n')
        return heading.format(len(row), row[0])
    style = Markup(' class="indented"') if row[0].startswith(INDENT) else Markup("")
    first = Markup('<th scope="row">{}</th>').format(row[0].strip())
    rest = Markup("").join(_html_cell(cell) for cell in row[1:])
    return Markup("<tr{}>{}{}</tr>\n").format(style, first, rest)


def _html_cell(text: str) -> Markup:
    # A number with its interval is read at a glance only on one line; words may be broken.
    whole = len(text) <= _ONE_LINE and not re.search("[a-z]{3}", text)
    return Markup('<td class="number">{}</td>' if whole else "<td>{}</td>").format(text)
