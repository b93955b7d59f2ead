"""The cache of preprocessed cases: what is in it, and how it is emptied. No torch here."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medvision.errors import ConfigError
from medvision.reporting.tables.table import Table
from medvision.reporting.terminal import table_text
from medvision.runs import cache_folder
from medvision.store import LIMIT_VARIABLE, Entry, cache_limit, clear, entries, is_whole

_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
_AGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([hdw])\s*", re.IGNORECASE)
_MOST_SHOWN = 20


@dataclass(frozen=True)
class CacheContents:
    """What the cache holds; its text is what the command line prints.

    Args:
        folder: The cache.
        entries: The one last used first.
        limit_bytes: The most that it may hold; None where there is no limit.
        damaged: Folders of damaged entries, where their bytes were read; else None.
    """

    folder: Path
    entries: Sequence[Entry]
    limit_bytes: int | None
    damaged: frozenset[Path] | None = None

    @property
    def size_bytes(self) -> int:
        """Of all entries."""
        return sum(entry.size_bytes for entry in self.entries)

    def __str__(self) -> str:
        held = sum(entry.in_use for entry in self.entries)
        limit = "no limit" if self.limit_bytes is None else f"the limit is {_size(self.limit_bytes)}"
        lines = [
            f"{len(self.entries)} preprocessed cases, {_size(self.size_bytes)}, {held} in use by running "
            f"processes; {limit} ({LIMIT_VARIABLE}); in {self.folder}"
        ]
        if self.damaged is not None:
            lines.append(f"{len(self.damaged)} damaged; the next run that needs one makes it anew")
        if not self.entries:
            return lines[0]
        rows = tuple(self._row(entry) for entry in self.entries[:_MOST_SHOWN])
        more = len(self.entries) - len(rows)
        notes = (f"The {len(rows)} used last; {more} more.",) if more else ()
        columns = ("Entry", "Voxels", "Size", "Last used", "State")
        table = Table("cache", "Preprocessed cases", columns, rows, notes)
        return "\n".join([*lines, "", table_text(table)])

    def _row(self, entry: Entry) -> tuple[str, ...]:
        state = "in use" if entry.in_use else ""
        if self.damaged is not None and entry.folder in self.damaged:
            state = "damaged"
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        return entry.folder.name[:12], _voxels(entry.folder), _size(entry.size_bytes), used, state


def cache_contents(*, verify: bool = False) -> CacheContents:
    """Look at the cache.

    Args:
        verify: Also read every byte and compare it with its checksum.

    Raises:
        ConfigError: `$MEDVISION_CACHE_LIMIT` is no size.
    """
    found = entries()
    damaged = frozenset(entry.folder for entry in found if not is_whole(entry.folder)) if verify else None
    return CacheContents(cache_folder(), found, cache_limit(), damaged)


def clear_cache(older_than: str | None = None) -> str:
    """Remove what no running process uses, and say how much that was.

    Args:
        older_than: Keep what was used more lately: `12h`, `30d` or `4w`.

    Raises:
        ConfigError: `older_than` is no time.
        RunError: The cache cannot be written.
    """
    seconds = 0.0 if older_than is None else 86400 * _days(older_than)
    count, size = clear(older_than_seconds=seconds)
    held = sum(entry.in_use for entry in entries())
    kept = f"; {held} in use by running processes were kept" if held else ""
    return f"{count} preprocessed cases removed, {_size(size)}{kept}"


def _days(text: str) -> float:
    found = _AGE.fullmatch(text)
    if found is None:
        raise ConfigError(f"--older-than {text}: write hours, days or weeks, such as 12h, 30d or 4w")
    return float(found[1]) * _DAYS[found[2].lower()]


def _voxels(folder: Path) -> str:
    try:
        shape = json.loads((folder / "case.json").read_text(encoding="utf-8"))["shape"]
        return "×".join(str(side) for side in shape)
    except (OSError, ValueError, KeyError, TypeError):
        return "?"


def _size(count: int) -> str:
    """Write a number of bytes as disks are sold.

    Example:
        >>> _size(1_500_000_000), _size(20)
        ('1.5 GB', '20 bytes')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
