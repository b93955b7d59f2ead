"""The flow of series into a study as a table, and who was left without one."""

from __future__ import annotations

from medvision.cohort.selection import Selected
from medvision.reporting.tables.table import INDENT, Table


def flow_table(selected: Selected) -> Table:
    """A row for each step with what remains, below it what was left out and why."""
    rows: list[tuple[str, ...]] = []
    for step in selected.flow:
        left = step.left
        rows.append((_capital(step.name), str(left.series), str(left.studies), str(left.patients), ""))
        lost = _lost(step.lost, selected.unit)
        for number, (why, count) in enumerate(step.excluded.items()):
            rows.append((f"{INDENT}left out: {why}", f"−{count}", "", "", lost if number == 0 else ""))
    return Table(
        "flow",
        "Series from the export to the study",
        ("Step", "Series", "Studies", "Patients", "Left without a series"),
        tuple(rows),
        (
            "A series is counted at the first step that it does not meet.",
            f"One series for each {selected.unit}; ties and those without a match stand in the table 'open'.",
        ),
    )


def open_units_table(selected: Selected) -> Table:
    """Studies or patients without a series: those with a tie, and those with nothing that fits."""
    unit = selected.unit
    rows = [
        (str(key), str(rows["patient"].iloc[0]), f"a tie between {', '.join(map(str, rows['series']))}")
        for key, rows in selected.ties.groupby(unit, sort=True)
    ]
    tied = {row[0] for row in rows}
    rows += [
        (str(key), str(patient), f"no series left at: {step}")
        for key, patient, step in zip(
            selected.unmatched[unit],
            selected.unmatched["patient"],
            selected.unmatched["ended_at"],
            strict=True,
        )
        if str(key) not in tied
    ]
    return Table(
        "open",
        f"{_capital(unit)}s without a series" if unit == "patient" else "Studies without a series",
        (_capital(unit), "Of patient", "Why"),
        tuple(rows),
        ("Nothing is guessed: change the rules, or name the series by hand in the manifest.",),
    )


def _lost(count: int, unit: str) -> str:
    if not count:
        return ""
    plural = "studies" if unit == "study" else "patients"
    return f"{count} {unit if count == 1 else plural}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
