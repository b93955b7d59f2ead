"""The paper's tables and figures, and a report that opens offline, from a run folder.

Example:
    >>> from medvision.reporting import Table
    >>> print(Table("demo", "A demonstration", ("Measure", "Value"), (("AUC", "0.91"),)).to_markdown())
    **A demonstration**
    <BLANKLINE>
    | Measure | Value |
    | --- | --- |
    | AUC | 0.91 |
    <BLANKLINE>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.reporting.report import write_report
    from medvision.reporting.tables.table import Table
    from medvision.reporting.terminal import table_text, terminal_summary

__all__ = ["Table", "table_text", "terminal_summary", "write_report"]

_HOMES = {
    "Table": "medvision.reporting.tables.table",
    "table_text": "medvision.reporting.terminal",
    "terminal_summary": "medvision.reporting.terminal",
    "write_report": "medvision.reporting.report",
}


def __getattr__(name: str) -> object:
    # Drawing and pandas load when they are first used, so that importing the package costs nothing.
    if name not in _HOMES:
        raise AttributeError(f"module 'medvision.reporting' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
