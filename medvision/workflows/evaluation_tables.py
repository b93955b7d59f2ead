"""An evaluation or a comparison as tables: for a terminal, and as files that paste into a paper."""

from __future__ import annotations

import math
from pathlib import Path

from medvision.evaluation.estimates import p_text
from medvision.reporting import Table, table_text
from medvision.runs import atomic_write
from medvision.workflows.compare import ComparedModels
from medvision.workflows.evaluation_result import Evaluation, text_of

_HEAD = ("Metric", "Group", "Estimate", "Units", "Patients", "Method", "Status")


def evaluation_table(found: Evaluation) -> Table:
    """Return every estimate of an evaluation, its notes below.

    Args:
        found: What `evaluate` returned.
    """
    rows = tuple(
        (
            record["metric"],
            record["group"],
            text_of(record),
            str(record["n_units"]),
            str(record["n_patients"]),
            record["method"],
            record["status"],
        )
        for record in found.estimates
    )
    counts = ", ".join(f"{cell} {count}" for cell, count in found.table.items())
    notes = found.notes if not counts else (f"2×2 table: {counts}", *found.notes)
    return Table("evaluation", f"Evaluation of {found.input.get('name', 'predictions')}", _HEAD, rows, notes)


def comparison_tables(found: ComparedModels) -> list[Table]:
    """Return the models' own estimates, and their differences with the notes below.

    Args:
        found: What `compare` returned.
    """
    own = tuple((record["group"], record["metric"], text_of(record)) for record in found.estimates)
    pairs = tuple(
        (
            f"{pair['a']} − {pair['b']}",
            pair["metric"],
            text_of(pair["difference"]),
            _p(pair["p"]),
            _p(pair["p_adjusted"]),
            pair["method"],
        )
        for pair in found.comparisons
    )
    head = ("Models", "Metric", "Difference", "p", "p (Holm)", "Method")
    return [
        Table("models", "Models", ("Model", "Metric", "Estimate"), own),
        Table("comparison", "Differences, first minus second", head, pairs, found.notes),
    ]


def show_tables(tables: list[Table], out: Path | None, json_text: str) -> str:
    """Return the tables as text, and write them as files where `out` names a folder.

    Args:
        tables: What to show.
        out: A folder for CSV, Markdown, LaTeX, HTML and JSON, or None.
        json_text: The same as JSON.
    """
    if out is not None:
        for table in tables:
            atomic_write(out / f"{table.name}.csv", table.to_csv())
            atomic_write(out / f"{table.name}.md", table.to_markdown())
            atomic_write(out / f"{table.name}.tex", table.to_latex())
            atomic_write(out / f"{table.name}.html", str(table.to_html()))
        atomic_write(out / f"{tables[-1].name}.json", json_text + "\n")
    return "\n".join(table_text(table).rstrip() for table in tables)


def _p(value: float | None) -> str:
    return p_text(math.nan if value is None else value)
