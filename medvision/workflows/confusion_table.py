"""The confusion matrix of several classes as a table of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medvision.reporting import Table


def confusion_table(confusion: Mapping[str, Any]) -> Table:
    """Return a row for each true class: how many were called each class, and the share with its interval.

    Args:
        confusion: ``classes``, ``counts`` and ``shares``, as an evaluation holds them.
    """
    names = confusion["classes"]
    shares = {(record["true"], record["predicted"]): record for record in confusion["shares"]}
    rows = [
        (name, *(_cell(shares[name, other]) for other in names), str(sum(counts)))
        for name, counts in zip(names, confusion["counts"], strict=True)
    ]
    level = f"{100 * confusion['shares'][0]['level']:g}%"
    note = f"cells: cases, their share of the true class in percent, and its {level} confidence interval"
    columns = ("True class", *(f"Called {name}" for name in names), "Cases")
    return Table("confusion", "Confusion matrix", columns, tuple(rows), (note,))


def _cell(record: Mapping[str, Any]) -> str:
    if record["value"] is None:
        return "–"
    share = f"{100 * record['value']:.0f}%"
    if record["low"] is None:
        return f"{record['count']} ({share})"
    return f"{record['count']} ({share}, {100 * record['low']:.0f}–{100 * record['high']:.0f})"
