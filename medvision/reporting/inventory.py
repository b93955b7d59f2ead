"""The page of an inventory: one row a series, opens without a network."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import zip_longest

import pandas as pd
from markupsafe import Markup

from medvision.reporting.html import page_template

# What decides whether a series can be used comes first: the last columns lie beyond the edge of a screen.
_HEADINGS = (
    "Patient", "Study date", "Modality", "Description", "Kernel or sequence", "Slices", "Spacing (mm)",
    "Orientation", "Contrast", "Complete", "Kind", "Scanner", "Transfer syntax", "Same as", "Series",
)  # fmt: skip
_ON_ONE_LINE = ("Patient", "Study date", "Spacing (mm)", "Same as", "Series")


def render_inventory(
    table: pd.DataFrame,
    problems: pd.DataFrame,
    *,
    title: str,
    files: int,
    thumbnails: Mapping[str, str] | None = None,
) -> str:
    """Return the page as one HTML document without any link to the outside.

    Patients, studies and series stand there by their pseudonyms, and there is no path: paths often hold a
    name. Where the table names patients (`patient_id`), so does the page, and it lists the paths of files
    that could not be read.

    Args:
        table: The inventory.
        problems: `path` and `problem` of the files that could not be read.
        title: Of the page.
        files: How many files were looked at.
        thumbnails: PNG as a data URI, by series.
    """
    shows = "patient_id" in table
    counts = problems["problem"].value_counts()
    return page_template("inventory.html.j2").render(
        title=title,
        headlines=_headlines(table, problems, files),
        headings=(
            *(("Picture",) if thumbnails else ()),
            *_HEADINGS,
            *(("Number and name",) if shows else ()),
        ),
        rows=[_cells(row, shows=shows) for row in table.to_dict("records")],
        thumbnails=None if not thumbnails else {name: Markup(uri) for name, uri in thumbnails.items()},
        problems=[(str(problem), int(count)) for problem, count in counts.items()],
        paths=list(problems.itertuples(index=False, name=None)) if shows else [],
        unknown=int((table["patient"] == "").sum()),
    )


def _headlines(table: pd.DataFrame, problems: pd.DataFrame, files: int) -> list[tuple[str, str]]:
    known = table.loc[table["patient"] != ""]
    return [
        ("Files", f"{files:,}"),
        ("Patients", f"{known['patient'].nunique():,}"),
        ("Studies", f"{known['study'].nunique():,}"),
        ("Series", f"{len(table):,}"),
        ("Complete volumes", f"{int(table['complete'].sum()):,}"),
        ("Copies", f"{int((table['duplicate_of'] != '').sum()):,}"),
        ("Unreadable files", f"{len(problems):,}"),
    ]


def _cells(row: Mapping[Hashable, object], *, shows: bool) -> dict[str, object]:
    def text(name: str) -> str:
        value = row[name]
        return "" if value is None or value is pd.NA or value != value else str(value)

    def millimetres(name: str) -> str:
        value = text(name)
        return f"{float(value):.3g}" if value else "–"

    date = text("study_date")
    spacing = f"{millimetres('pixel_spacing_mm')} × {millimetres('slice_spacing_mm')}"
    notes = f"yes ({text('notes')})" if text("notes") else "yes"
    cells = [
        text("patient") or "unknown",
        f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else date,
        text("modality"),
        text("description"),
        text("kernel") or text("sequence"),
        text("slices"),
        "" if spacing == "– × –" else spacing,
        text("orientation"),
        text("contrast"),
        notes if row["complete"] else text("why_not"),
        text("kind"),
        " ".join(part for part in (text("manufacturer"), text("model")) if part),
        text("transfer_syntax"),
        text("duplicate_of"),
        text("series"),
    ]
    if shows:
        cells.append(" ".join(text(name) for name in ("patient_id", "issuer", "patient_name")).strip())
    state = "complete" if row["complete"] else "copy" if text("duplicate_of") else "not"
    styles = ["verdict" if name == "Complete" else "name" * (name in _ON_ONE_LINE) for name in _HEADINGS]
    styled = list(zip_longest(cells, styles, fillvalue=""))
    return {"series": text("series"), "cells": styled, "state": state}
