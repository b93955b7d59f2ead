"""The files of an export, folder by folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class ExportFolder:
    """One folder with what lies directly in it.

    Attributes:
        path: The folder.
        files: Size in bytes and time of change in ns by name; regular files and links to them.
        passed_over: What is neither file nor folder, or cannot be looked at, with the reason.
    """

    path: Path
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    passed_over: dict[str, str] = field(default_factory=dict)


def walk_export(root: Path, leave_out: Path) -> Iterator[ExportFolder]:
    """Walk a tree of folders, in the order of their names.

    Hidden files and folders are passed over silently. Links to folders are not followed, so that a loop
    of links has an end; they are reported. Depth is limited by memory alone, not by recursion.

    Args:
        root: Where to start.
        leave_out: A folder that is not entered, such as that of the results.
    """
    waiting = [root]
    while waiting:
        folder = ExportFolder(waiting.pop())
        below = []
        try:
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and _look_at(entry, folder):
                        below.append(folder.path / entry.name)
        except OSError as error:
            folder.passed_over["."] = f"the folder cannot be read ({error.strerror})"
        waiting += [path for path in sorted(below, reverse=True) if path != leave_out]
        yield folder


def _look_at(entry: os.DirEntry[str], folder: ExportFolder) -> bool:
    """Note a file; whether it is a folder to enter."""
    try:
        if entry.is_dir(follow_symlinks=False):
            return True
        if entry.is_symlink() and entry.is_dir():
            folder.passed_over[entry.name] = "a link to a folder, not followed"
        elif entry.is_file():
            found = entry.stat()
            folder.files[entry.name] = (found.st_size, found.st_mtime_ns)
        else:
            folder.passed_over[entry.name] = "no regular file"
    except OSError as error:
        folder.passed_over[entry.name] = f"cannot be looked at ({error.strerror})"
    return False


def count_files(root: Path, leave_out: Path) -> int:
    """How many files there are to look at, without looking at them."""
    count, waiting = 0, [str(root)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if entry.path != str(leave_out):
                            waiting.append(entry.path)
                    else:
                        count += 1
        except OSError:
            continue  # reported by the walk itself
    return count
