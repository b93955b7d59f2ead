"""What an export holds: every file looked at once, one row a series."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from medvision.errors import MedvisionError
from medvision.runs import atomic_path
from medvision.wording import several
from medvision.workflows.export_walk import ExportFolder, count_files, walk_export
from medvision.workflows.inventory import inventory_table, judge_series, shown_path, with_one_issuer
from medvision.workflows.progress import Display, Task, counted, display
from medvision.workflows.scan_files import (
    INLINE_FILES,
    Chunk,
    FileRow,
    Pseudonyms,
    in_processes,
    processors,
    read_chunk,
)
from medvision.workflows.scan_state import ScanState, secret_key

CHUNK_FILES = 200
_STATE, _KEY = "inventory.state", "inventory.key"


@dataclass(frozen=True, eq=False)
class Scan:
    """What a scan found.

    Attributes:
        root: The export.
        folder: Where it was written.
        table: One row a series; see `medvision.workflows.inventory.COLUMNS`.
        problems: Files that could not be read: `path` and `problem`.
        files: Files that were looked at, now or before.
        read: Files that were read now.
    """

    root: Path
    folder: Path
    table: pd.DataFrame
    problems: pd.DataFrame
    files: int
    read: int

    @property
    def show_patient(self) -> bool:
        """Whether the table names patients."""
        return "patient_id" in self.table

    def state(self) -> ScanState:
        """What was kept of every file."""
        return ScanState(self.folder / _STATE, self.root, show_patient=self.show_patient)

    @property
    def inventory(self) -> Path:
        """The table as Parquet."""
        return self.folder / "inventory.parquet"

    def __str__(self) -> str:
        table = self.table
        patients = several(table.loc[table["patient"] != "", "patient"].nunique(), "patient")
        copies = int((table["duplicate_of"] != "").sum())
        return "\n".join([
            f"{several(self.files, 'file')}, {self.read} of them read now, {len(self.problems)} not readable",
            f"{len(table)} series of {patients}: {several(int(table['complete'].sum()), 'complete volume')}, "
            f"{copies} {'copy' if copies == 1 else 'copies'}",
        ])  # fmt: skip


def scan(
    export: str | Path,
    *,
    out: str | Path = "inventory",
    workers: int | None = None,
    show_patient: bool = False,
    quiet: bool = True,
) -> Scan:
    """List the series of an export, from the headers alone.

    Files that cannot be read are passed over and listed. What was read is remembered in
    `inventory.state`; a file of the same size and time of change is not read again. Patients, studies and
    series are called by pseudonyms that a secret key makes of their identifiers, `inventory.key`.

    Args:
        export: A folder.
        out: Where `inventory.parquet`, `problems.csv` and the state are written.
        workers: Processes that read; by default as many as there are processors, 0 for this one alone.
        show_patient: Also keep the patient's own number and name.
        quiet: Show no progress.

    Returns:
        What was found.

    Raises:
        MedvisionError: There is no such folder, it is also that of the results, or `workers` is negative.
        RunError: The results cannot be written, or another scan is writing them.

    Example:
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> folder = getfixture("tmp_path")
        >>> _ = write_dicom_series(thorax_phantom(1, shape=(48, 40, 16), lesions=1), folder / "export")
        >>> found = scan(folder / "export", out=folder / "inventory")
        >>> found.table[["modality", "slices", "orientation", "complete"]].values.tolist()
        [['CT', 16, 'axial', True]]
    """
    root, folder = Path(export).expanduser().absolute(), Path(out).expanduser().absolute()
    if not root.is_dir():
        raise MedvisionError(f"{export}: there is no such folder; give the folder of the export")
    if root.resolve() == folder.resolve():
        raise MedvisionError(f"{out}: is the export itself; choose a folder of its own with --out")
    if workers is not None and workers < 0:
        raise MedvisionError(f"workers: {workers} processes cannot read; give 0 or more")
    pseudonyms = Pseudonyms(secret_key(folder / _KEY), show_patient=show_patient)
    with ScanState(folder / _STATE, root, show_patient=show_patient) as state, display(quiet=quiet) as shown:
        read = _read_files(state, root, folder, pseudonyms, workers, shown)
        _judge(state, pseudonyms, shown)
        rows = with_one_issuer(list(state.rows()), pseudonyms)
        table = inventory_table(rows, show_patient=show_patient)
        problems = pd.DataFrame(
            [(shown_path(path), problem) for path, problem in state.problems()],
            columns=["path", "problem"],
            dtype="str",
        )
        found = Scan(root, folder, table, problems, state.count(), read)
    _write(found)
    return found


def _read_files(
    state: ScanState, root: Path, out: Path, pseudonyms: Pseudonyms, workers: int | None, shown: Display
) -> int:
    total = count_files(root, out)
    state.begin()
    count = 0
    with counted(shown, "files", total) as task:
        fresh = _Fresh(state, root, out, task)
        if workers is None:
            workers = processors() if total >= INLINE_FILES else 0
        work = partial(read_chunk, pseudonyms)
        for folder, rows in in_processes(work, fresh.chunks(), workers=workers):
            state.add(state.folder(Path(folder)), rows)
            count += len(rows)
            task.advance(fresh.unchanged + count)
            if count % (50 * CHUNK_FILES) < CHUNK_FILES:
                state.commit()
    state.forget_unseen()
    state.commit()
    return count


class _Fresh:
    """The files that are new or have changed, chunk by chunk; forgets those that are gone."""

    def __init__(self, state: ScanState, root: Path, out: Path, task: Task) -> None:
        self._state, self._root, self._out, self._task = state, root, out, task
        self.unchanged = 0

    def chunks(self) -> Iterator[Chunk]:
        for folder in walk_export(self._root, self._out):
            yield from self._of_folder(folder)

    def _of_folder(self, folder: ExportFolder) -> Iterator[Chunk]:
        number = self._state.folder(folder.path)
        known = self._state.known(number)
        found = folder.files | dict.fromkeys(folder.passed_over, (-1, -1))
        gone = [name for name, stat in known.items() if found.get(name) != stat]
        if gone:
            self._state.touch_folder(number)
            self._state.forget(number, gone)
        self._note_passed_over(number, folder)
        # In the order of the state, so that the facts of a series are kept of its first file.
        names = sorted(folder.files, key=os.fsencode)
        new = [(name, *folder.files[name]) for name in names if known.get(name) != folder.files[name]]
        self.unchanged += len(folder.files) - len(new)
        for start in range(0, len(new), CHUNK_FILES):
            yield os.fspath(folder.path), new[start : start + CHUNK_FILES]

    def _note_passed_over(self, number: int, folder: ExportFolder) -> None:
        rows = [
            FileRow(name, -1, -1, None, "", "", "", reason, False, "")
            for name, reason in folder.passed_over.items()
        ]
        if rows:
            self._state.add(number, rows)


def _judge(state: ScanState, pseudonyms: Pseudonyms, shown: Display) -> None:
    touched = state.touched()
    with counted(shown, "series", len(touched)) as task:
        for done, (series, uid) in enumerate(touched, start=1):
            state.keep_rows(series, judge_series(state, pseudonyms, series, uid))
            task.advance(done)
    state.commit()


def _write(found: Scan) -> None:
    with atomic_path(found.inventory) as temporary:
        found.table.to_parquet(temporary, index=False)
    with atomic_path(found.folder / "problems.csv") as temporary:
        found.problems.to_csv(temporary, index=False)
