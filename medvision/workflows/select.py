"""From an inventory and a rule file to a manifest, with the flow of series into it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medvision.cohort.assemble import case_names
from medvision.cohort.selection import Selected, select_series, without
from medvision.config.selection import Selection, load_selection
from medvision.errors import MedvisionError
from medvision.imaging.load import inspect
from medvision.reporting.figures.flow import flow_figure
from medvision.reporting.tables.flow import flow_table, open_units_table
from medvision.reporting.tables.table import Table
from medvision.runs import atomic_path, atomic_write, write_error
from medvision.workflows.conditions import steps_of
from medvision.workflows.progress import counted, display
from medvision.workflows.scan import Scan
from medvision.workflows.scan_files import in_processes, processors

_COLUMNS = (
    "patient_id", "case_id", "image", "study", "series", "study_date", "modality", "description", "kernel",
    "sequence", "manufacturer", "model", "contrast", "orientation", "slices", "slice_spacing_mm",
    "pixel_spacing_mm", "series_uid",
)  # fmt: skip
_FEW = 4


@dataclass(frozen=True, eq=False)
class Chosen:
    """A manifest and how it came about.

    Attributes:
        folder: Where it was written.
        selected: What was taken and what was not.
        manifest: One row a case, as `read_manifest` reads it.
    """

    folder: Path
    selected: Selected
    manifest: pd.DataFrame

    @property
    def path(self) -> Path:
        """The manifest."""
        return self.folder / "manifest.csv"

    def __str__(self) -> str:
        unit = "studies" if self.selected.unit == "study" else "patients"
        ties = self.selected.ties[self.selected.unit].nunique()
        fits = len(self.selected.unmatched)
        return (
            f"{len(self.manifest)} series taken; {unit} without one: {fits} have none that fits, {ties} a tie"
        )


def select(
    found: Scan, rules: str | Path | Selection, *, workers: int | None = None, quiet: bool = True
) -> Chosen:
    """Take the series that a rule file asks for, check that each can be read, and write a manifest.

    Where the folder of a series holds anything else, the manifest names a folder of links to its files.

    Args:
        found: The scan.
        rules: A rule file, or a `Selection` made in Python.
        workers: Processes that check the series; by default as many as there are processors.
        quiet: Show no progress.

    Returns:
        The manifest; beside it lie `left_out.csv` (every other series with the reason), `flow.svg`, `.pdf`
        and `.png`, and the tables `flow` and `open`.

    Raises:
        ConfigError: The rule file is wrong.
        MedvisionError: It takes no series at all; the flow diagram is written nevertheless.
        RunError: The results cannot be written.
    """
    selection = rules if isinstance(rules, Selection) else load_selection(rules)
    table = found.table
    selected = select_series(
        table, steps_of(selection, table), one_per=selection.one_per, prefer=selection.prefer
    )
    folder = found.folder / selection.name
    images = _images(found, selected.chosen, folder)
    refused = _refused(selected.chosen, images, workers, quiet)
    selected = without(selected, refused, "read without complaint")
    manifest = _manifest(selected, images)
    _write(folder, selection, selected, manifest)
    chosen = Chosen(folder, selected, manifest)
    if manifest.empty:
        raise MedvisionError(
            f"{selection.name}: no series of the inventory fits; {folder / 'flow.svg'} says why"
        )
    return chosen


def _images(found: Scan, chosen: pd.DataFrame, folder: Path) -> dict[str, Path]:
    """Where each series can be read from: its own folder, or one of links."""
    places: dict[str, Path] = {}
    links = folder / "series"
    shutil.rmtree(links, ignore_errors=True)
    with found.state() as state:
        for series, uid in zip(chosen["series"], chosen["series_uid"], strict=True):
            own, files = state.files_of(uid)
            own = None if own is None or not _is_text(own) else own
            places[series] = own or _linked(links / series, files)
    return places


def _linked(folder: Path, files: list[Path]) -> Path:
    try:
        folder.mkdir(parents=True)
        for number, file in enumerate(files, start=1):
            (folder / f"{number:05d}.dcm").symlink_to(file)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


def _is_text(path: Path) -> bool:
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    # A table of comma-separated values strips spaces around a cell.
    return str(path) == str(path).strip() and "\n" not in str(path)


def _refused(
    chosen: pd.DataFrame, images: dict[str, Path], workers: int | None, quiet: bool
) -> dict[str, str]:
    """Series that cannot be read after all, by reading their headers as training will."""
    jobs = [
        (images[series], uid, int(slices))
        for series, uid, slices in zip(chosen["series"], chosen["series_uid"], chosen["slices"], strict=True)
    ]
    if workers is None:
        workers = processors() if len(jobs) > _FEW else 0
    refused = {}
    with display(quiet=quiet) as shown, counted(shown, "checked", len(jobs)) as task:
        answers = in_processes(_complaint, jobs, workers=workers)
        for done, (series, complaint) in enumerate(zip(chosen["series"], answers, strict=True), start=1):
            task.advance(done)
            if complaint:
                refused[str(series)] = complaint
    return refused


def _complaint(job: tuple[Path, str, int]) -> str:
    """Why a series cannot be read; the words of the error itself may name the patient."""
    image, uid, slices = job
    try:
        header = inspect(image)
    except MedvisionError:
        return "reading it is refused"
    if header.provenance.series_uid != uid or header.shape[2] != slices:
        return "reading it gives another series"
    return ""


def _manifest(selected: Selected, images: dict[str, Path]) -> pd.DataFrame:
    chosen = selected.chosen.rename(columns={"patient_id": "source_patient_id"})
    table = chosen.rename(columns={"patient": "patient_id"})
    table = table.assign(
        case_id=case_names([str(one) for one in table["patient_id"]]),
        image=[str(images[series]) for series in table["series"]],
    )
    return table[
        [name for name in (*_COLUMNS, "source_patient_id", "issuer", "patient_name") if name in table]
    ]


def _write(folder: Path, selection: Selection, selected: Selected, manifest: pd.DataFrame) -> None:
    for name, table in (("manifest", manifest), ("left_out", selected.left_out)):
        with atomic_path(folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False)
    flow_figure(selected, selection.name).save(folder)
    for shown in (flow_table(selected), open_units_table(selected)):
        write_table(folder / "tables", shown)


def write_table(folder: Path, table: Table) -> None:
    """Write a table as CSV, Markdown, LaTeX and HTML."""
    texts = {
        "csv": table.to_csv(),
        "md": table.to_markdown(),
        "tex": table.to_latex(),
        "html": str(table.to_html()),
    }
    for kind, text in texts.items():
        atomic_write(folder / f"{table.name}.{kind}", text)
