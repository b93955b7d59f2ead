"""The result of a run as text for a terminal."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from medvision.reporting.contents import RunContents, read_run
from medvision.reporting.tables.comparison import comparison_table
from medvision.reporting.tables.locked_test import locked_test_table
from medvision.reporting.tables.performance import performance_table
from medvision.reporting.tables.segmentation import segmentation_table
from medvision.reporting.tables.table import Table

_WIDEST, _NARROWEST, _NARROW = 140, 60, 100
_METHOD, _LEVEL = "Method", re.compile(r"\((\d+(?:\.\d+)?%) CI ")
_BETWEEN, _LITTLE = 3, 12
_WORD = re.compile(r"^ *\S+|\S+", re.MULTILINE)  # the first one with the indentation of its line


def terminal_summary(run: Path) -> str:
    """Return the performance table of a run, the comparisons, and what both rest on.

    Args:
        run: Folder of a finished run.
    """
    contents = read_run(run)
    return "\n".join(table_text(table).rstrip() for table in _tables(contents))


def table_text(table: Table, width: int | None = None) -> str:
    """Return a table as text with its title and notes; in a narrow one methods stand in the notes.

    Args:
        table: The table.
        width: Characters a line; by default those of the terminal.

    Example:
        >>> print(table_text(Table("demo", "Result", ("Measure", "Value"), (("AUC", "0.91"),)), 40))
        Result
        <BLANKLINE>
         Measure   Value
        ─────────────────
         AUC       0.91
        <BLANKLINE>
    """
    columns = width or min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((120, 24)).columns))
    if columns < _NARROW and table.rows:
        table = _narrowed(table)
    stream = io.StringIO()
    console = Console(file=stream, width=columns, force_terminal=False, highlight=False, markup=False)
    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=True)
    by_column = list(zip(table.columns, *table.rows, strict=True))
    if width is None:
        # A line beyond the edge is easier to read than names in pieces.
        columns = max(columns, min(_room_of(by_column), _NARROW))
        console.width = columns
    for column, fitted in zip(table.columns, _widths(by_column, columns), strict=True):
        grid.add_column(column, overflow="fold", width=fitted)
    for row in table.rows:
        grid.add_row(*row)
    console.print(table.title, "", grid, sep="\n")
    for note in table.notes:
        console.print(f"- {note}")
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines) + "\n"


def _narrowed(table: Table) -> Table:
    """The table with methods in its notes, and the level of intervals in its head, where it has them."""
    if _METHOD in table.columns:
        table = _methods_below(table)
    columns, cells = [], []
    for name, *column in zip(table.columns, *table.rows, strict=True):
        levels = {level for cell in column for level in _LEVEL.findall(cell)}
        one = levels.pop() if len(levels) == 1 else None
        columns.append(name if one is None else f"{name} ({one} CI)")
        cells.append(column if one is None else [_LEVEL.sub("(", cell) for cell in column])
    return replace(table, columns=tuple(columns), rows=tuple(zip(*cells, strict=True)))


def _methods_below(table: Table) -> Table:
    place = table.columns.index(_METHOD)
    used: dict[str, set[str]] = {}
    for row in table.rows:
        used.setdefault(row[0], set()).add(row[place])
    methods: dict[str, dict[str, None]] = {}
    for row in table.rows:
        # A measure of several methods is told apart by its next cell, such as the fold.
        name = row[0].strip() if len(used[row[0]]) == 1 else f"{row[0].strip()} {row[1]}"
        methods.setdefault(row[place], {})[name] = None
    rows = tuple((*row[:place], *row[place + 1 :]) for row in table.rows)
    columns = (*table.columns[:place], *table.columns[place + 1 :])
    notes = [f"method of {', '.join(names)}: {method}" for method, names in methods.items() if method]
    return replace(table, columns=columns, rows=rows, notes=(*table.notes, *notes))


def _longest_words(by_column: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, _WORD.findall("\n".join(cells))), default=0) for cells in by_column]


def _room_of(by_column: Sequence[Sequence[str]]) -> int:
    """Characters a line that keep every word whole."""
    return sum(_longest_words(by_column)) + _BETWEEN * len(by_column)


def _widths(by_column: Sequence[Sequence[str]], room: int) -> list[int | None]:
    """Widths that keep every word whole, and after that as many columns as possible on one line."""
    words = _longest_words(by_column)
    wanted = [max(map(len, cells)) - word for cells, word in zip(by_column, words, strict=True)]
    spare = room - sum(words) - _BETWEEN * len(words)
    if spare < 0:
        return [None] * len(words)
    widths: list[int | None] = [*words]
    # What wants little is served first and whole, such as a number with its interval, before the name of a
    # method; the others share what is left.
    for rank, column in enumerate(sorted(range(len(words)), key=wanted.__getitem__)):
        given = min(wanted[column], max(spare // (len(words) - rank), min(spare, _LITTLE)))
        widths[column] = words[column] + given
        spare -= given
    return widths


def _tables(contents: RunContents) -> list[Table]:
    main = segmentation_table(contents) if contents.is_segmentation else performance_table(contents)
    optional = (comparison_table(contents), locked_test_table(contents))
    return [main, *(table for table in optional if table is not None)]
