"""What a scan remembers of every file, in one SQLite file: memory stays flat, a second scan is short."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from medvision.errors import RunError
from medvision.imaging.kinds import WITHOUT_PIXELS
from medvision.workflows.export_copies import copies_of
from medvision.workflows.scan_files import FileRow

VERSION = 3
"""Raised with every change of what is kept of a file, so that an older state is not read."""

_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE folders (id INTEGER PRIMARY KEY, path BLOB UNIQUE, seen INTEGER);
CREATE TABLE series (id INTEGER PRIMARY KEY, uid TEXT UNIQUE, touched INTEGER, rows TEXT);
CREATE TABLE files (
  folder INTEGER, name BLOB, size INTEGER, changed INTEGER, series INTEGER, instance TEXT, kind TEXT,
  slices TEXT, problem TEXT, blocking INTEGER, facts TEXT, PRIMARY KEY (folder, name)
) WITHOUT ROWID;
CREATE INDEX files_by_series ON files (series, folder);
"""


class ScanState:
    """The files and series of one export; `with ScanState(…) as state:` keeps other scans out.

    Args:
        path: The SQLite file; one that cannot be used is begun anew.
        root: The export.
        show_patient: Whether the rows hold the patient's own name and number.

    Raises:
        RunError: Another scan holds it, or it cannot be written.
    """

    def __init__(self, path: Path, root: Path, *, show_patient: bool) -> None:
        self.path = path
        settings = {
            "version": str(VERSION),
            "root": str(os.fsencode(root)),
            "show_patient": str(show_patient),
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._opened(settings)
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error):
                raise RunError(
                    f"{path.parent} is in use by another scan; wait for it, or choose another --out"
                ) from None
            raise RunError(
                f"{path}: cannot be written ({error}); choose another folder with --out"
            ) from error

    def _opened(self, settings: dict[str, str]) -> sqlite3.Connection:
        try:
            db = self._connect()
            found = dict(db.execute("SELECT name, value FROM settings"))
            if {name: found.get(name) for name in settings} == settings:
                return db
            db.close()
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
        for each in (self.path, self.path.with_name(self.path.name + "-journal")):
            each.unlink(missing_ok=True)
        db = self._connect()
        db.executescript(_TABLES)
        db.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())
        db.commit()
        return db

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=0)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA synchronous = OFF")  # what a power cut destroys is read again
        db.execute("BEGIN EXCLUSIVE")
        db.commit()
        return db

    def __enter__(self) -> ScanState:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.commit()
        self._db.close()

    def begin(self) -> None:
        """Forget which folders were seen."""
        self._db.execute("UPDATE folders SET seen = 0")

    def folder(self, path: Path) -> int:
        """The number of a folder, which is now seen."""
        encoded = os.fsencode(path)
        self._db.execute(
            "INSERT INTO folders (path, seen) VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET seen = 1",
            (encoded,),
        )
        return int(self._db.execute("SELECT id FROM folders WHERE path = ?", (encoded,)).fetchone()[0])

    def known(self, folder: int) -> dict[str, tuple[int, int]]:
        """Size and time of change of the files of a folder that were read before."""
        found = self._db.execute("SELECT name, size, changed FROM files WHERE folder = ?", (folder,))
        return {os.fsdecode(name): (size, changed) for name, size, changed in found}

    def forget(self, folder: int, names: Sequence[str]) -> None:
        """Forget files that are gone or have changed."""
        keys = [(folder, os.fsencode(name)) for name in names]
        self._db.executemany(
            "UPDATE series SET touched = 1 "
            "WHERE id IN (SELECT series FROM files WHERE folder = ? AND name = ?)",
            keys,
        )
        self._db.executemany("DELETE FROM files WHERE folder = ? AND name = ?", keys)

    def forget_unseen(self) -> None:
        """Forget the folders that are no longer there, and what was in them."""
        gone = [row[0] for row in self._db.execute("SELECT id FROM folders WHERE seen = 0")]
        for folder in gone:
            self.forget(folder, list(self.known(folder)))
        self._db.execute("DELETE FROM folders WHERE seen = 0")

    def add(self, folder: int, rows: Sequence[FileRow]) -> None:
        """Keep what was read of some files of a folder."""
        ids: dict[str, int] = {}
        for row in rows:
            if row.series is not None and row.series not in ids:
                ids[row.series] = self._series(row.series)
        self._db.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (folder, os.fsencode(r.name), r.size, r.changed, None if r.series is None else ids[r.series],
                 r.instance, r.kind, r.slices, r.problem, r.blocking, r.facts)
                for r in rows
            ],
        )  # fmt: skip
        if any(row.blocking for row in rows):
            self.touch_folder(folder)

    def touch_folder(self, folder: int) -> None:
        """Have every series of a folder judged again."""
        self._db.execute(
            "UPDATE series SET touched = 1 WHERE id IN (SELECT series FROM files WHERE folder = ?)", (folder,)
        )

    def commit(self) -> None:
        """Keep what was added even if the process ends now."""
        self._db.commit()

    def _series(self, uid: str) -> int:
        self._db.execute(
            "INSERT INTO series (uid, touched, rows) VALUES (?, 1, '[]') "
            "ON CONFLICT (uid) DO UPDATE SET touched = 1",
            (uid,),
        )
        return int(self._db.execute("SELECT id FROM series WHERE uid = ?", (uid,)).fetchone()[0])

    def touched(self) -> list[tuple[int, str]]:
        """Number and SeriesInstanceUID of the series that changed since they were judged."""
        self._db.execute(
            "DELETE FROM series WHERE id NOT IN (SELECT series FROM files WHERE series IS NOT NULL)"
        )
        return list(self._db.execute("SELECT id, uid FROM series WHERE touched = 1 ORDER BY id"))

    def places(self, series: int) -> Iterator[tuple[int, Path, str]]:
        """Folder, its path and SOPInstanceUID of every file of a series, sorted."""
        found = self._db.execute(
            "SELECT f.folder, d.path, f.instance FROM files f JOIN folders d ON d.id = f.folder "
            "WHERE f.series = ? ORDER BY d.path, f.instance",
            (series,),
        )
        for folder, path, instance in found:
            yield folder, Path(os.fsdecode(path)), instance

    def images(self, series: int, folders: Sequence[int]) -> list[tuple[Path, str, str]]:
        """Path, kind and packed slices of the images of a series in some folders, one a SOPInstanceUID."""
        marks = ",".join("?" * len(folders))
        found = self._db.execute(
            f"SELECT CAST(path AS BLOB), kind, slices FROM ("
            f"SELECT min(d.path || '/' || f.name) AS path, f.kind, f.slices FROM files f "
            f"JOIN folders d ON d.id = f.folder WHERE f.series = ? AND f.folder IN ({marks}) "
            f"GROUP BY f.instance) ORDER BY path",
            (series, *folders),
        )
        return [(Path(os.fsdecode(path)), kind, slices) for path, kind, slices in found]

    def first_file(self, series: int, folders: Sequence[int]) -> tuple[Path, str]:
        """The file that speaks for a series in some folders, with what it says if that was kept, else "".

        The first by path, of those with pixels where there are any.
        """
        marks, without = ",".join("?" * len(folders)), ",".join("?" * len(WITHOUT_PIXELS))
        query = (
            f"SELECT d.path, f.name, f.facts FROM files f JOIN folders d ON d.id = f.folder "
            f"WHERE f.series = ? AND f.folder IN ({marks}) "
            f"ORDER BY f.kind IN ({without}), d.path, f.name LIMIT 1"
        )
        path, name, facts = self._db.execute(query, (series, *folders, *WITHOUT_PIXELS)).fetchone()
        return Path(os.fsdecode(path)) / os.fsdecode(name), facts

    def files_of(self, uid: str) -> tuple[Path | None, list[Path]]:
        """The folder that holds a series and nothing else, None where there is none; and its files."""
        (series,) = self._db.execute("SELECT id FROM series WHERE uid = ?", (uid,)).fetchone()
        whole = copies_of(self.places(series), self.places(series))[0]
        files = [path for path, _, _ in self.images(series, whole.folders)]
        alone = len(whole.folders) == 1 and not whole.doubles and self.beside(whole.folders)[2] == 1
        if alone and not self._has_folders_below(whole.paths[0]):
            return whole.paths[0], files
        return None, files

    def middle_image(self, uid: str) -> tuple[Path, str] | None:
        """The file in the middle of a series, by InstanceNumber, and its slices; None where there is none."""
        (series,) = self._db.execute("SELECT id FROM series WHERE uid = ?", (uid,)).fetchone()
        whole = copies_of(self.places(series), self.places(series))[0]
        images = [
            (json.loads(slices)[0][1] or 0, path, slices)
            for path, _, slices in self.images(series, whole.folders)
            if slices
        ]
        return sorted(images)[len(images) // 2][1:] if images else None

    def _has_folders_below(self, folder: Path) -> bool:
        start = os.fsencode(folder)
        query = "SELECT 1 FROM folders WHERE path > ? AND path < ? LIMIT 1"
        return self._db.execute(query, (start + b"/", start + b"0")).fetchone() is not None  # "0" follows "/"

    def totals(self, series: int, folders: Sequence[int]) -> tuple[int, int]:
        """Files and bytes of a series in some folders."""
        marks = ",".join("?" * len(folders))
        query = f"SELECT count(*), sum(size) FROM files WHERE series = ? AND folder IN ({marks})"
        count, size = self._db.execute(query, (series, *folders)).fetchone()
        return int(count), int(size or 0)

    def beside(self, folders: Sequence[int]) -> tuple[int, int, int]:
        """In some folders: unreadable files that may be images, series of images, and all series."""
        marks = ",".join("?" * len(folders))
        query = (
            f"SELECT sum(blocking), count(DISTINCT CASE WHEN slices != '' THEN series END), "
            f"count(DISTINCT series) FROM files WHERE folder IN ({marks})"
        )
        blocking, image_series, all_series = self._db.execute(query, tuple(folders)).fetchone()
        return int(blocking or 0), int(image_series), int(all_series)

    def keep_rows(self, series: int, rows: Sequence[dict[str, object]]) -> None:
        """Keep the rows of a series in the inventory."""
        text = json.dumps(rows)
        self._db.execute("UPDATE series SET rows = ?, touched = 0 WHERE id = ?", (text, series))

    def rows(self) -> Iterator[dict[str, object]]:
        """All rows of the inventory."""
        for (text,) in self._db.execute("SELECT rows FROM series ORDER BY id"):
            yield from json.loads(text)

    def problems(self) -> Iterator[tuple[Path, str]]:
        """Path and problem of every file that could not be read, sorted."""
        found = self._db.execute(
            "SELECT d.path, f.name, f.problem FROM files f JOIN folders d ON d.id = f.folder "
            "WHERE f.problem != '' ORDER BY d.path, f.name"
        )
        for folder, name, problem in found:
            yield Path(os.fsdecode(folder)) / os.fsdecode(name), problem

    def count(self) -> int:
        """Files that were looked at."""
        return int(self._db.execute("SELECT count(*) FROM files").fetchone()[0])


def secret_key(path: Path) -> bytes:
    """The key of the pseudonyms beside an inventory; made once, readable for its owner only.

    Raises:
        RunError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(secrets.token_hex(32) + "\n")
        return bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: the key of the pseudonyms cannot be used ({error}); mend or delete it"
        ) from error
