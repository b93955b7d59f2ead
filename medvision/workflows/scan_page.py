"""The verb `scan`: the inventory, its page, and what a rule file takes from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from medvision.config.selection import load_selection
from medvision.reporting.inventory import render_inventory
from medvision.runs import atomic_write
from medvision.workflows.scan import scan
from medvision.workflows.select import select
from medvision.workflows.thumbnails import thumbnails


def scan_export(
    export: Path,
    *,
    out: Path,
    rules: Path | None = None,
    with_thumbnails: bool = False,
    show_patient: bool = False,
    workers: int | None = None,
    quiet: bool = True,
) -> Iterator[str]:
    """Scan an export, write its page and, with rules, a manifest; yields what to tell, line by line.

    Args:
        export: A folder.
        out: Where everything is written.
        rules: A rule file; checked before anything is read.
        with_thumbnails: Show a picture of each complete series on the page.
        show_patient: Show the patients' own numbers and names.
        workers: Processes that read.
        quiet: Show no progress.

    Raises:
        MedvisionError: As `scan` and `select` of this package.
    """
    selection = None if rules is None else load_selection(rules)
    found = scan(export, out=out, workers=workers, show_patient=show_patient, quiet=quiet)
    pictures = thumbnails(found, quiet=quiet) if with_thumbnails else None
    page = found.folder / "inventory.html"
    title = f"Inventory of {export.name}" if show_patient else "Inventory"
    atomic_write(
        page,
        render_inventory(found.table, found.problems, title=title, files=found.files, thumbnails=pictures),
    )
    yield str(found)
    yield f"Inventory: {found.inventory}"
    yield f"Page:      {page}"
    if selection is not None:
        chosen = select(found, selection, workers=workers, quiet=quiet)
        yield str(chosen)
        yield f"Manifest:  {chosen.path}"
        yield f"Flow:      {chosen.folder / 'flow.svg'}"
