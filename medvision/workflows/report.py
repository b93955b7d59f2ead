"""Make tables, figures and report of a run again."""

from __future__ import annotations

from pathlib import Path

from medvision.errors import RunError
from medvision.reporting import write_report
from medvision.runs import RunFolder


def report(run: str | Path) -> Path:
    """Write the tables, figures and `report.html` of a run, from its stored predictions and results.

    Args:
        run: A run folder.

    Returns:
        The page to open.

    Raises:
        RunError: The folder is no run, or the run has no results yet.
    """
    folder = RunFolder(Path(run))
    if not folder.results.exists():
        raise RunError(f"{folder.path} has no results.json; finish the run with medvision run")
    with folder.hold():
        return write_report(folder.path)
