"""Which entries of the cache a running process uses, so that no other process removes them.

Each process that reads the cache keeps one list of names and holds a lock on it for as long as it lives. The
operating system drops the lock when the process ends, however it ends; whoever finds a list without its lock
removes both. Adding a name and choosing what to remove take turns, by one lock of the whole cache.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

_FOLDER = "in_use"
_OURS: dict[tuple[int, Path], _Lease] = {}
_THREADS = threading.RLock()


@dataclass(frozen=True)
class _Lease:
    """The list of this process."""

    names: set[str]
    path: Path
    lock: FileLock


@contextlib.contextmanager
def turn(root: Path) -> Iterator[None]:
    """Keep the other processes of a cache waiting until the block ends.

    Args:
        root: The cache.

    Raises:
        OSError: The cache cannot be written.
    """
    with _THREADS:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock", poll_interval=0.005):
            yield


def hold(root: Path, name: str) -> None:
    """Say that this process uses an entry, until it ends.

    Args:
        root: The cache.
        name: The entry, which need not be there yet.

    Raises:
        OSError: The cache cannot be written.
    """
    with _THREADS:
        # A forked process keeps its parent's list alive and writes one of its own.
        ours = _OURS.get((os.getpid(), root))
        if ours is not None and name in ours.names:
            return
        with turn(root):
            ours = ours or _begin(root)
            with ours.path.open("a", encoding="ascii") as stream:
                stream.write(f"{name}\n")
        ours.names.add(name)


def held(root: Path) -> set[str]:
    """Return every entry that a running process uses; call it in a `turn`.

    Args:
        root: The cache.
    """
    names: set[str] = set()
    for path in (root / _FOLDER).glob("*.txt"):
        if _is_alive(path):
            names.update(path.read_text(encoding="ascii").split())
        else:
            path.with_suffix(".lock").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    return names


def _begin(root: Path) -> _Lease:
    path = root / _FOLDER / f"{uuid.uuid4().hex}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"))
    lock.acquire(timeout=0)
    path.touch()
    return _OURS.setdefault((os.getpid(), root), _Lease(set(), path, lock))


def _is_alive(path: Path) -> bool:
    if any(path == ours.path for (process, _), ours in _OURS.items() if process == os.getpid()):
        return True
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
