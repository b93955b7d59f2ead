"""What was found on the locked test set, apart from everything else, with every time it was opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medvision.reporting.contents import RunContents
from medvision.reporting.estimates import ReportedEstimate, comparison_from, estimate_from
from medvision.reporting.measures import measure
from medvision.reporting.tables.describe import Rows
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import print_difference, print_estimate, print_p, print_sample, reason


def locked_test_table(contents: RunContents) -> Table | None:
    """Return the estimates of the locked test set; None where it was not opened."""
    section = contents.locked_results
    if not section:
        return None
    rows: Rows = [_row(estimate_from(entry), contents) for entry in section["estimates"]]
    rows += [_compared(entry, contents) for entry in section.get("comparisons") or ()]
    columns = ("Model", "Measure", f"Estimate ({100 * contents.level:g}% CI)", "Sample", "Interval")
    unlocks: Sequence[Mapping[str, Any]] = section.get("unlocks") or ()
    notes = [str(note)[:1].upper() + str(note)[1:] + "." for note in section.get("notes") or ()]
    return Table(
        "locked_test",
        _title(unlocks),
        columns,
        tuple(rows),
        (*notes, *(_unlock(n, u) for n, u in enumerate(unlocks, 1))),
    )


def _title(unlocks: Sequence[Mapping[str, Any]]) -> str:
    last = str(unlocks[-1].get("opened", "an unknown date"))[:10] if unlocks else "an unknown date"
    return f"Locked test set, opened on {last}, for the {ordinal(len(unlocks))} time in this run folder"


def ordinal(n: int) -> str:
    """Return the ordinal number.

    Example:
        >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 22)]
        ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _row(estimate: ReportedEstimate, contents: RunContents) -> tuple[str, ...]:
    name = measure(estimate.metric).label
    if estimate.structure or estimate.aggregation.endswith(" over patients"):
        structure = estimate.structure or "all structures"
        name = f"{structure}: {name}, {estimate.aggregation.rpartition(', ')[2]}"
    care = "" if estimate.status == "ok" or not estimate.defined else f"; {reason(estimate.status)}"
    return (
        estimate.model,
        name,
        print_estimate(estimate, interval_name=False),
        print_sample(estimate.n_units, estimate.n_patients, contents.unit),
        (estimate.method or "not recorded") + care,
    )


def _compared(entry: Mapping[str, Any], contents: RunContents) -> tuple[str, ...]:
    found = comparison_from(entry)
    return (
        f"{found.a} − {found.b}",
        f"{measure(found.metric).label}, difference",
        f"{print_difference(found.difference, found.metric)}, p {print_p(found.p)}, adjusted "
        + print_p(found.p_adjusted),
        print_sample(found.difference.n_units, found.difference.n_patients, contents.unit),
        found.method or "not recorded",
    )


def _unlock(number: int, unlock: Mapping[str, Any]) -> str:
    study, version = (
        str(unlock.get("study_sha256", "not recorded"))[:12],
        unlock.get("medvision", "not recorded"),
    )
    git = unlock.get("git") or {}
    commit = (
        f", commit {str(git.get('commit'))[:12]}{' (changed)' if git.get('dirty') else ''}" if git else ""
    )
    opened = unlock.get("opened", "not recorded")
    return f"Opening {number}: {opened}, study {study}, medvision {version}{commit}."
