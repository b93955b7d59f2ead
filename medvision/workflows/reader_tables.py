"""What a table of readings shows, as tables of a paper."""

from __future__ import annotations

import math

from medvision.evaluation.estimates import p_text
from medvision.reporting import Table
from medvision.reporting.estimates import estimate_from
from medvision.reporting.measures import measure
from medvision.reporting.wording import print_difference, print_estimate
from medvision.workflows.evaluate_readers import ReaderEvaluation

_MEAN = "Mean of readers"


def reader_tables(found: ReaderEvaluation) -> list[Table]:
    """The readers by modality with their mean, and the differences.

    Args:
        found: What `evaluate_readers` or `evaluate_ai_against_readers` returned.
    """
    several = len(found.comparisons) > 1
    rows = tuple(
        (
            f"{pair['a']} − {pair['b']}",
            print_difference(estimate_from(pair["difference"]), pair["metric"]),
            _p(pair["p"]),
            *([_p(pair["p_adjusted"])] if several else []),
            pair["method"],
        )
        for pair in found.comparisons
    )
    metric = measure(found.comparisons[0]["metric"]).label
    head = ("Compared", "Difference", "p", *(["p (Holm)"] if several else []), "Method")
    differences = Table("differences", f"{metric}: differences, first minus second", head, rows, found.notes)
    return [_readers_table(found), differences] if found.estimates else [differences]


def _readers_table(found: ReaderEvaluation) -> Table:
    title = measure(found.estimates[0]["metric"]).label
    if not found.study:
        own = tuple((r["reader"], print_estimate(estimate_from(r)), r["method"]) for r in found.estimates)
        return Table("readers", title, ("Reader", "Estimate", "Method"), own)
    cells: dict[str, dict[str, str]] = {}
    for record in found.estimates:
        row = cells.setdefault(record["reader"] or _MEAN, {})
        row[record["modality"]] = print_estimate(estimate_from(record))
    names = list(cells[_MEAN])
    order = [*(reader for reader in cells if reader != _MEAN), _MEAN]
    rows = tuple((reader, *(cells[reader][name] for name in names)) for reader in order)
    return Table("readers", f"{title} of each reader", ("Reader", *names), rows)


def _p(value: float | None) -> str:
    return p_text(math.nan if value is None else value)
