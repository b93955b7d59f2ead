"""The folder of preprocessed cases: whole entries, their size, and what has to go.

    <cache>/cases/ab/abcd…/    one entry: arrays, a description, and checksums.json, written last
    <cache>/in_use/            which entries running processes use; see `medvision.leases`

An entry is whole if every file has the length and the CRC-32 that checksums.json says. The date of that
file is when the entry was last used.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from medvision.errors import ConfigError
from medvision.leases import held, turn
from medvision.runs import cache_folder, write_error

CHECKSUMS = "checksums.json"
LIMIT_VARIABLE = "MEDVISION_CACHE_LIMIT"
UNFINISHED, REMOVED = ".unfinished-", ".removed-"

_HOURS_UNTIL_ABANDONED = 24.0
_UNITS = {"": 1, "b": 1} | {
    letter + ending: base**power
    for power, letter in enumerate("kmgt", start=1)
    for ending, base in (("b", 1000), ("ib", 1024))
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_CHUNK = 1 << 20

Stamp: TypeAlias = tuple[tuple[str, int, int, int], ...]

_found_whole: dict[Path, Stamp] = {}


@dataclass(frozen=True)
class Entry:
    """One preprocessed case.

    Args:
        folder: Where it lies.
        size_bytes: Of all its files.
        used: When it was last used, seconds since 1970.
        in_use: Whether a running process uses it.
    """

    folder: Path
    size_bytes: int
    used: float
    in_use: bool


def place(root: Path, name: str) -> Path:
    """Return the folder of an entry."""
    return root / "cases" / name[:2] / name


def seal(folder: Path) -> None:
    """Write the checksums of all files of a folder, after which it is whole.

    Args:
        folder: With every file of the entry.
    """
    sums = {file.name: [file.stat().st_size, crc32(file)] for file in sorted(folder.iterdir())}
    (folder / CHECKSUMS).write_text(json.dumps(sums), encoding="ascii")


def is_whole(folder: Path) -> bool:
    """Whether an entry has every byte that was written; read once a process, unless a file has changed.

    Args:
        folder: The entry.
    """
    try:
        sums = json.loads((folder / CHECKSUMS).read_text(encoding="ascii"))
        stamp = tuple(_stat(folder / name) for name in sorted(sums))
        if _found_whole.get(folder) == stamp:
            return True
        whole = all([(folder / name).stat().st_size, crc32(folder / name)] == sums[name] for name in sums)
    except (OSError, ValueError, TypeError, AttributeError):
        return False
    if whole and sums:
        _found_whole[folder] = stamp
        return True
    return False


def publish(unfinished: Path, folder: Path) -> None:
    """Put a sealed folder in its place, whatever other processes do there meanwhile.

    A damaged entry is replaced file by file: a process that reads it never finds a file gone.

    Args:
        unfinished: The sealed folder.
        folder: Its place.
    """
    if not folder.exists():
        with contextlib.suppress(OSError):  # another process has made the same entry at this moment
            unfinished.rename(folder)
            return
    if is_whole(folder):
        return
    names = [file.name for file in unfinished.iterdir() if file.name != CHECKSUMS]
    folder.mkdir(exist_ok=True)
    for name in (*names, CHECKSUMS):
        (unfinished / name).replace(folder / name)


def touch(folder: Path) -> None:
    """Note that an entry is used now; a cache that can only be read keeps its dates."""
    with contextlib.suppress(OSError):
        os.utime(folder / CHECKSUMS)


def entries(root: Path | None = None) -> list[Entry]:
    """Return every entry of the cache, the one last used first.

    Args:
        root: The cache; by default `cache_folder()`.
    """
    root = root or cache_folder()
    if not (root / "cases").is_dir():
        return []
    names: set[str] = set()
    # Nobody can say that he uses a cache that can only be read.
    with contextlib.suppress(OSError), turn(root):
        names = held(root)
    found = [_entry(folder, folder.name in names) for folder in _folders(root)]
    return sorted((entry for entry in found if entry is not None), key=lambda entry: -entry.used)


def clear(root: Path | None = None, *, older_than_seconds: float = 0.0) -> tuple[int, int]:
    """Remove the entries that no running process uses, and what killed processes left.

    Args:
        root: The cache; by default `cache_folder()`.
        older_than_seconds: Keep what was used more lately than that.

    Returns:
        Number of entries removed, and their bytes.

    Raises:
        RunError: The cache cannot be written.
    """
    root = root or cache_folder()
    before = time.time() - older_than_seconds
    _sweep(root)
    return _remove(root, [entry for entry in entries(root) if entry.used <= before])


def make_room(root: Path | None = None, limit_bytes: int | None = None) -> int:
    """Remove the entries that were not used for longest, until the cache is within its limit.

    What running processes use stays, so the cache may be larger than its limit for as long as they run.

    Args:
        root: The cache; by default `cache_folder()`.
        limit_bytes: By default `cache_limit()`.

    Returns:
        Bytes by which the cache is still over its limit, 0 where it is within or has none.

    Raises:
        RunError: The cache cannot be written.
    """
    root = root or cache_folder()
    limit = cache_limit() if limit_bytes is None else limit_bytes
    if limit is None:
        return 0
    found = entries(root)
    over = sum(entry.size_bytes for entry in found) - limit
    chosen = []
    for entry in reversed(found):
        if over <= 0:
            break
        if not entry.in_use:
            chosen.append(entry)
            over -= entry.size_bytes
    _remove(root, chosen)
    return max(over, 0)


def cache_limit() -> int | None:
    """Return the largest size of the cache in bytes, `$MEDVISION_CACHE_LIMIT`; None where it is not set.

    Raises:
        ConfigError: It is no size.

    Example:
        >>> getfixture("monkeypatch").setenv("MEDVISION_CACHE_LIMIT", "1.5 GB")
        >>> cache_limit()
        1500000000
    """
    text = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    if found is None or found[2].lower() not in _UNITS:
        raise ConfigError(f"{LIMIT_VARIABLE}: {text!r} is no size; write it as 50 GB, 500 MB or 2 TiB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def crc32(file: Path) -> int:
    """Return the CRC-32 of a file."""
    from isal import isal_zlib

    value = 0
    buffer = memoryview(bytearray(_CHUNK))
    with file.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            value = isal_zlib.crc32(buffer[:count], value)
    return value


def _stat(file: Path) -> tuple[str, int, int, int]:
    status = file.stat()
    return file.name, status.st_size, status.st_mtime_ns, status.st_ino


def _folders(root: Path) -> Iterator[Path]:
    for shelf in (root / "cases").iterdir():
        if shelf.is_dir():
            yield from (folder for folder in shelf.iterdir() if not folder.name.startswith("."))


def _entry(folder: Path, in_use: bool) -> Entry | None:
    try:
        stats = {item.name: item.stat() for item in os.scandir(folder)}
    except OSError:
        return None  # another process has just removed it
    newest = max((status.st_mtime for status in stats.values()), default=0.0)
    used = stats[CHECKSUMS].st_mtime if CHECKSUMS in stats else newest
    return Entry(folder, sum(status.st_size for status in stats.values()), used, in_use)


def _remove(root: Path, chosen: list[Entry]) -> tuple[int, int]:
    """Take entries out of their places while no process can begin to use them, then remove their files."""
    taken: list[tuple[Path, int]] = []
    try:
        with turn(root):
            names = held(root) if chosen else set()
            for entry in chosen:
                away = entry.folder.with_name(f"{REMOVED}{uuid.uuid4().hex}")
                if entry.folder.name not in names:
                    with contextlib.suppress(FileNotFoundError):
                        entry.folder.rename(away)
                        taken.append((away, entry.size_bytes))
    except OSError as error:
        raise write_error(root / "cases", error) from error
    finally:
        for away, _ in taken:
            shutil.rmtree(away, ignore_errors=True)
    return len(taken), sum(size for _, size in taken)


def _sweep(root: Path) -> None:
    """Remove what killed processes left half written or half removed."""
    before = time.time() - 3600 * _HOURS_UNTIL_ABANDONED
    for folder in [*root.glob(f"cases/*/{UNFINISHED}*"), *root.glob(f"cases/*/{REMOVED}*")]:
        with contextlib.suppress(OSError):
            if folder.name.startswith(REMOVED) or folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)
