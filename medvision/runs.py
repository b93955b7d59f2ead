"""The run folder: everything that a paper needs to trust, in one place.

Every file is written under a temporary name and renamed, so a kill leaves the old file or the new one.
One process at a time holds a folder. A folder belongs to one study: its resolved text is stored, and a
different study is refused instead of mixed in.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from medvision.errors import RunError

_TEMPORARY = ".unfinished-"


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    r"""Give a temporary path beside `path`, and rename it to `path` when the block ends without an error.

    Raises:
        RunError: The disk is full or the folder cannot be written; the old file is untouched.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "scores.csv"
        >>> with atomic_path(target) as temporary:
        ...     _ = temporary.write_text("auc\\n0.91\\n")
        >>> target.read_text()
        'auc\\n0.91\\n'
    """
    # The suffix stays, because writers such as nibabel and matplotlib choose the format by it.
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def atomic_write(path: Path, data: str | bytes) -> None:
    """Write `data` (text as UTF-8) to `path` as a whole or not at all.

    Raises:
        RunError: The disk is full or the folder cannot be written; the old file is untouched.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def atomic_json(path: Path, value: object) -> None:
    """Write `value` as readable JSON with sorted keys; NaN becomes null, since JSON has none."""
    atomic_write(path, json.dumps(_without_nan(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def write_error(path: Path, error: OSError) -> RunError:
    """Say in one sentence why `path` could not be written and what to do."""
    again = "then give the same command again; what is finished is kept"
    # NumPy says "212400 requested and 93152 written", without a number of the system.
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or "requested and" in str(error):
        return RunError(
            f"{path.parent}: the disk is full while writing {path.name}; free some space, {again}"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        cure = "set $MEDVISION_CACHE to" if cache_folder() in path.parents else "choose with --out"
        return RunError(f"{path.parent} cannot be written ({error.strerror}); {cure} another folder")
    return RunError(f"{path}: {error.strerror or error}; mend that, {again}")


def cache_folder() -> Path:
    """Return where preprocessed cases are kept: `$MEDVISION_CACHE`, or `~/.cache/medvision`."""
    named = os.environ.get("MEDVISION_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "medvision"


def _flush(path: Path) -> None:
    # Without this a power cut may keep the rename and lose the content.
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _without_nan(value: object) -> object:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return value


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run; `with folder.hold():` keeps other processes out.

    Args:
        path: The folder, such as `runs/hippocampus`.
    """

    path: Path

    @property
    def experiment(self) -> Path:
        """The resolved study, all defaults written out."""
        return self.path / "experiment.yaml"

    @property
    def record(self) -> Path:
        """Seeds, versions, hardware, hashes and times."""
        return self.path / "record.json"

    @property
    def splits(self) -> Path:
        """Who is in which part of which fold."""
        return self.path / "splits.json"

    @property
    def cohort(self) -> Path:
        """The table of cases as the study read it."""
        return self.path / "cohort.parquet"

    @property
    def predictions(self) -> Path:
        """One row a case and repeat."""
        return self.path / "predictions.parquet"

    @property
    def segmentation(self) -> Path:
        """One row a case, repeat and structure with its overlap and distances."""
        return self.path / "segmentation.parquet"

    @property
    def results(self) -> Path:
        """Every estimate."""
        return self.path / "results.json"

    @property
    def masks(self) -> Path:
        """Predicted masks in each scan's own geometry."""
        return self.path / "segmentations"

    @property
    def locked_test(self) -> Path:
        """Predictions of the locked test set, once it was opened."""
        return self.path / "locked_test"

    @property
    def unlocks(self) -> Path:
        """Every time that the locked test set was opened; `--fresh` keeps it."""
        return self.path / "unlocks.json"

    def fold(self, repeat: int, fold: int) -> Path:
        """The folder of one fold of one repeat."""
        return self.path / "folds" / f"{repeat}-{fold}"

    def hold(self) -> HeldRun:
        """Keep the folder for this process until the `with` block ends.

        Raises:
            RunError: Another process holds it, or it cannot be written.
        """
        return HeldRun(self)

    def clear(self) -> None:
        """Remove the results of an earlier run, for `--fresh`; files that are not a run's stay.

        So do the unlocks of its test set: what was opened stays opened.
        """
        for name in ("folds", "nested", "segmentations", "locked_test", "tables", "figures"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in (
            "experiment.yaml", "record.json", "splits.json", "cohort.parquet", "predictions.parquet",
            "segmentation.parquet", "results.json", "report.html",
        ):  # fmt: skip
            (self.path / name).unlink(missing_ok=True)


class HeldRun:
    """A run folder that this process holds; see `RunFolder.hold`."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        # The operating system drops the lock when the process ends, however it ends.
        self._lock = FileLock(folder.path / ".lock", timeout=0)

    def __enter__(self) -> RunFolder:
        path = self._folder.path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise RunError(
                f"{path} is in use by another medvision process; wait for it, or choose another with --out"
            ) from None
        except OSError as error:
            raise write_error(path / ".lock", error) from error
        _sweep(path)
        return self._folder

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


def _sweep(path: Path) -> None:
    """Remove what a killed process left half written."""
    for leftover in path.rglob(f"{_TEMPORARY}*"):
        leftover.unlink(missing_ok=True)
