"""Delete files and cut them short."""

from __future__ import annotations

import shutil
from pathlib import Path


def delete(path: Path) -> tuple[Path, ...]:
    """Remove a file or a folder with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return (path,)


def truncate(path: Path) -> tuple[Path, ...]:
    """Keep the first 60 % of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.6)])
    return (path,)
