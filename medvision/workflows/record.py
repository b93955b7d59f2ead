"""What a run remembers of how it was made: versions, hardware, hashes, times."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medvision.errors import RunError
from medvision.runs import RunFolder, atomic_json

_PACKAGES = (
    "medvision", "torch", "monai", "lightning", "pydicom", "nibabel",
    "numpy", "scipy", "pandas", "scikit-learn",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions that matter, Python's first.

    Example:
        >>> sorted(versions())[-1]
        'torch'
    """
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def hardware(device_name: str) -> dict[str, str | int]:
    """Return what the run computes on."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "device": device_name,
    }


def git_state(folder: Path) -> dict[str, str | bool] | None:
    """Return the commit of the repository that holds the study, or None where there is none."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {
            "commit": commit,
            "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


class Record:
    """The `record.json` of a run, kept up over all its starts.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.started = _now()
        self._clock = time.monotonic()
        self.content: dict[str, Any] = read_record(folder) or {"starts": []}

    def begin(self, facts: Mapping[str, object]) -> None:
        """Note what this start runs with; what was noted of finished folds stays."""
        self.content |= facts
        if unlocks := read_unlocks(self.folder):
            self.content["unlocks"] = unlocks
        self.content.setdefault("started", self.started)
        self.content["starts"].append({"started": self.started})
        self._write()

    def unlock(self, facts: Mapping[str, object]) -> None:
        """Note that the locked test set is opened now, before any of its files is.

        The note also goes into `unlocks.json`, which `--fresh` keeps: an opened test set stays opened.
        """
        entry = {"opened": _now(), **facts}
        atomic_json(self.folder.unlocks, [*read_unlocks(self.folder), entry])
        self.content["unlocks"] = read_unlocks(self.folder)
        self._write()

    def end(self, folds: Sequence[Mapping[str, object]]) -> None:
        """Note the times of all finished folds and of this start."""
        seconds = round(time.monotonic() - self._clock, 1)
        self.content["folds"] = list(folds)
        self.content["stopped"] = _now()
        self.content["starts"][-1] |= {"stopped": self.content["stopped"], "seconds": seconds}
        self.content["seconds"] = round(sum(start.get("seconds", 0) for start in self.content["starts"]), 1)
        self._write()

    def _write(self) -> None:
        atomic_json(self.folder.record, self.content)


def read_record(folder: RunFolder) -> dict[str, Any] | None:
    """Return the record of a run, or None where there is none yet.

    Raises:
        RunError: The file is not JSON.
    """
    if not folder.record.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(folder.record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{folder.record} is damaged ({error}); start anew with --fresh") from error
    return content


def read_unlocks(folder: RunFolder) -> list[dict[str, Any]]:
    """Return every time that the locked test set of a run folder was opened, the first one first.

    Where `unlocks.json` is gone, the record still has what it said.

    Raises:
        RunError: The file is not a list of objects.
    """
    if not folder.unlocks.exists():
        return list((read_record(folder) or {}).get("unlocks", []))
    try:
        content = json.loads(folder.unlocks.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise RunError(
            f"{folder.unlocks} is damaged; restore it: it says when the locked test set was opened"
        )
    return content


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
