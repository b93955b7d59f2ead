"""The interval of nested cross-validation, beside nothing else: it answers another question."""

from __future__ import annotations

from medvision.reporting.contents import RunContents
from medvision.reporting.estimates import estimate_from
from medvision.reporting.measures import measure
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import print_estimate, print_sample


def nested_table(contents: RunContents) -> Table | None:
    """Return what nested cross-validation found; None where the study did not ask for it."""
    section = contents.results.get("nested")
    if not section:
        return None
    rows = []
    for entry in section["estimates"]:
        found = estimate_from(entry)
        label = measure(found.metric).label
        rows.append(
            (
                f"{found.structure}: {label}" if found.structure else label,
                print_estimate(found, interval_name=False),
                print_sample(found.n_units, found.n_patients, contents.unit),
            )
        )
    notes = tuple(str(note)[:1].upper() + str(note)[1:] + "." for note in section.get("notes") or ())
    columns = ("Measure", f"Estimate ({100 * contents.level:g}% CI)", "Sample")
    title = "Nested cross-validation: how good is the method, training included?"
    return Table("nested", title, columns, tuple(rows), notes)
