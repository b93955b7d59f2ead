"""What lies at a path, asked without an error for paths that no file can have."""

from __future__ import annotations

from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether a path leads to a regular file: no pipe, no device, no loop of links, no name too long.

    Example:
        >>> is_file(Path("x" * 300)), is_file(Path("/dev/null"))
        (False, False)
    """
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder.

    Example:
        >>> is_folder(Path("x" * 300)), is_folder(Path("."))
        (False, True)
    """
    try:
        return path.is_dir()
    except OSError:
        return False
