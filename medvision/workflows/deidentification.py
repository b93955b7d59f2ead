"""Find what in a folder of scans still tells whom they show: headers, private tags, letters in pixels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from medvision.errors import MedvisionError
from medvision.imaging.decoding import unreadable
from medvision.imaging.text_regions import TextRegion, text_regions
from medvision.reporting.deidentification import Finding, deidentification_page, deidentification_tables
from medvision.reporting.tables.table import Table
from medvision.reporting.terminal import table_text
from medvision.runs import atomic_write
from medvision.workflows.deidentification_tally import PRONE, Tally, hash_of, quiet_pydicom, tally_files
from medvision.workflows.progress import Display, display

_GRAVE = ("identity", "free text", "place or device", "graphics", "private", "other")
_CHUNK, _IN_ONE_PROCESS = 200, 400
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Deidentification:
    """What a check of a folder found.

    Attributes:
        folder: The folder.
        tally: Counts by attribute, flag and format.
        texts: Regions that look like text, by file.
        undecoded: Files whose pixels were to be looked at and could not be decoded.
        looked_at: Files whose pixels were looked at.
        page: The HTML page, where one was written.
        shows_patient: Whether values and paths may be shown.
    """

    folder: Path
    tally: Tally
    texts: dict[Path, tuple[TextRegion, ...]]
    undecoded: int
    looked_at: int
    page: Path | None
    shows_patient: bool

    @property
    def identifies(self) -> bool:
        """Whether something was found that must be mended before the folder may leave.

        That is a value, other than an evident dummy, of an attribute that the basic profile removes or
        replaces (but for dates, UIDs and patient characteristics, which its options may keep), a private
        tag, a patient's name in a path, BurnedInAnnotation YES, or pixels that look like text.
        """
        grave = any(
            entry.kind in _GRAVE and count.files > count.dummies
            for entry, count in self.tally.attributes.items()
        )
        burned = self.tally.flags["BurnedInAnnotation", "YES"]
        return bool(grave or burned or self.texts or self.tally.names["the patient's name"])

    def tables(self) -> tuple[Table, ...]:
        """The report as tables: what was found, what the files say of themselves, the pixels."""
        found = [
            Finding(entry, count.files, count.dummies, len(count.digests), tuple(count.examples))
            for entry, count in self.tally.attributes.items()
        ]
        texts = [
            (
                self._name(path),
                f"rows {r.rows[0]}–{r.rows[1]}, columns {r.columns[0]}–{r.columns[1]}",
                r.marks,
            )
            for path, regions in sorted(self.texts.items())
            for r in regions
        ]
        return deidentification_tables(
            found,
            formats=self.tally.formats,
            flags=self.tally.flags,
            roots=self.tally.roots,
            names=self.tally.names,
            texts=texts,
            unread=[self._name(path) for path in sorted(self.tally.unread)],
            pixels=self._pixels(),
            shows_patient=self.shows_patient,
        )

    def verdict(self) -> str:
        """One sentence that stands first."""
        if self.identifies:
            return "Something in these files may still tell whom they show; see the first table."
        if not self.tally.formats["DICOM"] + self.tally.formats["NIfTI"]:
            return "No DICOM and no NIfTI was found here, so nothing is known."
        return "Nothing was found that the basic profile removes; that is no proof that nothing is there."

    def __str__(self) -> str:
        first = self.tables()[0]
        short = Table(first.name, first.title, first.columns, first.rows[:25], first.notes)
        more = len(first.rows) - len(short.rows)
        lines = [self.verdict(), "", table_text(short).rstrip(), self._pixels()]
        lines += [f"… and {more} more attributes"] * (more > 0)
        return "\n".join([*lines, f"Report: {self.page}"] if self.page else lines)

    def _name(self, path: Path) -> str:
        """A file as it may be called: its path may hold a name, so a digest stands for it."""
        name = path.relative_to(self.folder).as_posix()
        return name if self.shows_patient else f"file {hash_of(name):016x}"[:17]

    def _pixels(self) -> str:
        many = self.tally.unflagged
        text = (
            f"Pixels of {self.looked_at} files were looked at; {len(self.texts)} of them have regions that "
            f"look like text, {self.undecoded} more could not be decoded."
        )
        prone = f" {many} files of {', '.join(PRONE[:5])}, … do not say whether text is burned in."
        return text + prone * (many > 0)


def check_deidentified(
    folder: str | Path,
    *,
    out: str | Path | None = None,
    frames: int = 3,
    show_patient: bool = False,
    processes: int | None = None,
    quiet: bool = True,
) -> Deidentification:
    """Look for everything in a folder's files that PS3.15's basic profile would remove; change nothing.

    Args:
        folder: A folder with DICOM, NIfTI and JSON, searched with its subfolders.
        out: Where `deidentification.html` and the tables as CSV are written; None writes nothing.
        frames: Files of each series whose (middle) frame is searched for letters; 0 looks at no pixels.
            Of ultrasound, secondary captures and other kinds prone to it, every file is.
        show_patient: Show up to three values of each attribute, and paths. Otherwise no value and no path
            is printed or written.
        processes: How many work at a time; by default as many as there are processors.
        quiet: Show no progress.

    Returns:
        What was found.

    Raises:
        MedvisionError: No such folder, no file in it, or nothing that is read.

    Example:
        >>> import tempfile
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     phantom = thorax_phantom(1, shape=(48, 48, 16), lesions=1)
        ...     files = write_dicom_series(phantom, folder)
        ...     found = check_deidentified(folder, frames=0)
        >>> sorted(entry.keyword for entry in found.tally.attributes if entry.kind == "identity")
        ['PatientID', 'PatientName', 'StudyID']
    """
    root = Path(folder)
    if not root.is_dir():
        raise MedvisionError(f"there is no folder {str(folder)!r}; name the folder of an export")
    if frames < 0:
        raise MedvisionError(f"--frames {frames}: give the number of files of each series, 0 for none")
    with display(quiet=quiet) as shown:
        tally = _headers(root, shown, show=show_patient, frames=frames, processes=processes)
        chosen = sorted({path for paths in tally.series.values() for path in paths}) if frames else []
        texts, undecoded = _look_at_pixels(chosen, shown, processes)
    page = Path(out) / "deidentification.html" if out is not None else None
    looked_at = len(chosen) - undecoded
    found = Deidentification(root, tally, texts, undecoded, looked_at, page, show_patient)
    if page is not None:
        _write(found, page)
    return found


def _write(found: Deidentification, page: Path) -> None:
    tables = found.tables()
    for table in tables:
        atomic_write(page.parent / f"{table.name}.csv", table.to_csv())
    count = found.tally.formats.total()
    atomic_write(page, deidentification_page(found.verdict(), found.identifies, count, tables))


def _headers(root: Path, shown: Display, *, show: bool, frames: int, processes: int | None) -> Tally:
    files = sorted(_files(root))
    if not files:
        raise MedvisionError(f"{root}: no file in it; name the folder of an export")
    work = partial(tally_files, root=root, show=show, frames=max(frames, 1))
    total = Tally()
    task = shown.task("reading headers", len(files))
    done = 0
    for chunk, part in _spread(work, files, processes):
        total.add(part, max(frames, 1))
        task.advance(done := done + len(chunk))
    return total


def _look_at_pixels(
    chosen: Sequence[Path], shown: Display, processes: int | None
) -> tuple[dict[Path, tuple[TextRegion, ...]], int]:
    task = shown.task("looking at pixels", len(chosen))
    found: dict[Path, tuple[TextRegion, ...]] = {}
    undecoded = done = 0
    for chunk, part in _spread(_texts, chosen, processes):
        for path, regions in zip(chunk, part, strict=True):
            undecoded += regions is None
            if regions:
                found[path] = regions
        task.advance(done := done + len(chunk))
    return found, undecoded


def _spread(
    work: Callable[[Sequence[Path]], _Result], paths: Sequence[Path], processes: int | None
) -> Iterator[tuple[Sequence[Path], _Result]]:
    """Work on paths, chunk by chunk, in several processes where there are many."""
    chunks = list(_chunks(paths))
    workers = processes or os.cpu_count() or 1
    if workers == 1 or len(paths) <= _IN_ONE_PROCESS:
        yield from ((chunk, work(chunk)) for chunk in chunks)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from zip(chunks, pool.map(work, chunks), strict=True)


def _chunks(paths: Iterable[Path]) -> Iterator[Sequence[Path]]:
    waiting = iter(paths)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _files(root: Path) -> Iterator[Path]:
    # os.walk follows no link to a folder, so a loop of links ends.
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file():
                yield path


def _texts(paths: Sequence[Path]) -> list[tuple[TextRegion, ...] | None]:
    return [_text_in(path) for path in paths]


def _text_in(path: Path) -> tuple[TextRegion, ...] | None:
    """Regions in the middle frame of a file; None where it cannot be decoded."""
    from pydicom import dcmread
    from pydicom.pixels.utils import pixel_array

    with quiet_pydicom():
        try:
            dataset = dcmread(path, force=True)
            middle = int(dataset.get("NumberOfFrames") or 1) // 2
            return text_regions(pixel_array(dataset, index=middle))
        except unreadable():
            return None
