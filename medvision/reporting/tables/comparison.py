"""The difference between two models, with its interval and test."""

from __future__ import annotations

from medvision.reporting.contents import RunContents
from medvision.reporting.measures import measure
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import print_difference, print_number, print_p, print_sample


def comparison_table(contents: RunContents) -> Table | None:
    """Return one row a comparison; None where the study compares nothing."""
    if not contents.comparisons:
        return None
    rows = tuple(
        (
            f"{c.a} − {c.b}",
            measure(c.metric).label,
            print_difference(c.difference, c.metric),
            print_number(c.statistic, 2),
            print_p(c.p),
            "not adjusted" if c.p_adjusted != c.p_adjusted and c.p == c.p else print_p(c.p_adjusted),
            print_sample(c.difference.n_units, c.difference.n_patients, contents.unit),
            "; ".join(dict.fromkeys(text for text in (c.method, c.difference.method) if text))
            or "not recorded",
        )
        for c in contents.comparisons
    )
    level = f"{100 * contents.level:g}% CI"
    columns = (
        "Models", "Measure", f"Difference ({level})", "Statistic", "p", "Adjusted p", "Sample", "Method",
    )  # fmt: skip
    notes = (
        "Differences are first minus second model on the same cases; p-values are two-sided. Adjusted p: "
        f"for the number of comparisons in this table ({len(rows)}).",
    )
    return Table("comparison", "Comparison of the models", columns, rows, notes)
