"""Write the tables, the figures and the report of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup, escape

from medvision.reporting.consistency import check_split, disagreements, unfinished
from medvision.reporting.contents import RunContents, read_run
from medvision.reporting.figures.agreement import agreement_figure
from medvision.reporting.figures.confusion import confusion_figure
from medvision.reporting.figures.dice import dice_figure
from medvision.reporting.figures.learning import learning_figure
from medvision.reporting.figures.montage import montage_figure
from medvision.reporting.figures.roc import roc_figure
from medvision.reporting.figures.style import PaperFigure
from medvision.reporting.html import embed, render_report
from medvision.reporting.tables.cohort import (
    cohort_table,
    fold_balance_table,
    part_balance_table,
    split_table,
)
from medvision.reporting.tables.comparison import comparison_table
from medvision.reporting.tables.locked_test import locked_test_table
from medvision.reporting.tables.nested import nested_table
from medvision.reporting.tables.performance import estimates_table, fold_results_table, performance_table
from medvision.reporting.tables.segmentation import segmentation_table
from medvision.reporting.tables.table import Table
from medvision.reporting.tables.thresholds import thresholds_table
from medvision.runs import atomic_write


def write_report(run: Path) -> Path:
    """Write `tables/`, `figures/` and `report.html` into a run folder.

    Every file is written whole or not at all, and the same run gives the same bytes. Where
    `results.json` and the predictions disagree, the report says so before anything else.

    Args:
        run: Folder of a finished run.

    Returns:
        The path of `report.html`.

    Raises:
        RunError: Files are missing, cannot be read, or the folder cannot be written.
        LeakageError: A patient stands in the training and test part of a fold, or a prediction is not
            out of fold; nothing is written then.
    """
    contents = read_run(Path(run))
    check_split(contents)
    tables = {table.name: table for table in make_tables(contents)}
    for table in tables.values():
        _save_table(table, contents.folder / "tables")
    # One at a time: a drawing with many pixels is let go before the next is made.
    figures = [
        embed(figure, figure.save(contents.folder / "figures")[figure.inline])
        for figure in make_figures(contents)
    ]
    page = render_report(contents, tables, figures, [*unfinished(contents), *disagreements(contents)])
    path = contents.folder / "report.html"
    atomic_write(path, page)
    return path


def make_tables(contents: RunContents) -> Iterator[Table]:
    """Yield the tables that the run has data for."""
    yield cohort_table(contents)
    yield fold_balance_table(contents)
    yield split_table(contents)
    yield part_balance_table(contents)
    yield segmentation_table(contents) if contents.is_segmentation else performance_table(contents)
    optional = (fold_results_table, comparison_table, thresholds_table, nested_table, locked_test_table)
    yield from (table for make in optional if (table := make(contents)) is not None)
    yield estimates_table(contents)


def make_figures(contents: RunContents) -> Iterator[PaperFigure]:
    """Yield the figures that the run has data for."""
    classification = (roc_figure, confusion_figure)
    segmentation = (dice_figure, agreement_figure)
    makers = segmentation if contents.is_segmentation else classification
    for make in (*makers, montage_figure, learning_figure):
        figure = make(contents)
        if figure is not None:
            yield figure


def _save_table(table: Table, folder: Path) -> None:
    atomic_write(folder / f"{table.name}.csv", table.to_csv())
    atomic_write(folder / f"{table.name}.md", table.to_markdown())
    atomic_write(folder / f"{table.name}.tex", table.to_latex())
    page = Markup('<!DOCTYPE html>\n<meta charset="utf-8">\n<title>{}</title>\n{}\n')
    atomic_write(folder / f"{table.name}.html", page.format(escape(table.title), table.to_html()))
