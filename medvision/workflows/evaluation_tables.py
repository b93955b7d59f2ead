"""An evaluation or a comparison as tables: for a terminal, and as files that paste into a paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medvision.evaluation.estimates import p_text
from medvision.reporting import Table, table_text
from medvision.reporting.estimates import estimate_from
from medvision.reporting.measures import measure
from medvision.reporting.tables.table import INDENT
from medvision.reporting.wording import print_difference, print_estimate, reason
from medvision.runs import atomic_write
from medvision.workflows.compare import ComparedModels
from medvision.workflows.confusion_table import confusion_table
from medvision.workflows.evaluation_result import Evaluation
from medvision.workflows.mask_tables import mask_tables
from medvision.workflows.probability_records import NET_BENEFIT

_MARK = " †"


def evaluation_table(found: Evaluation) -> Table:
    """Return every estimate of an evaluation, its notes below.

    Estimates are printed as in the report of a run. A column that would say the same in every row is left
    out; a dagger marks a number to be read with care, and a note says why.

    Args:
        found: What `evaluate` returned.
    """
    records = [record for record in found.estimates if _of_all(found, record)]
    columns: dict[str, list[str]] = {"Measure": [measure(record["metric"]).label for record in records]}
    if len({record["group"] for record in records}) > 1:
        columns["Group"] = [str(record["group"]) for record in records]
    columns["Estimate"] = [_printed(record) for record in records]
    columns["Units"] = [str(record["n_units"]) for record in records]
    if any(record["n_units"] != record["n_patients"] for record in records):
        columns["Patients"] = [str(record["n_patients"]) for record in records]
    columns["Method"] = [str(record["method"]) for record in records]
    counts = ", ".join(f"{cell} {count}" for cell, count in found.table.items())
    notes = (*_cautions(records), *([f"2×2 table: {counts}"] if counts else []), *found.notes)
    title = f"Evaluation of {found.input.get('name', 'predictions')}"
    return Table("evaluation", title, tuple(columns), tuple(zip(*columns.values(), strict=True)), notes)


def _printed(record: Mapping[str, Any]) -> str:
    estimate = estimate_from(record)
    return print_estimate(estimate) + (_MARK if estimate.defined and estimate.status != "ok" else "")


def _cautions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence a reason, naming the measures that it belongs to."""
    measures: dict[str, dict[str, None]] = {}
    for record in records:
        if _printed(record).endswith(_MARK):
            measures.setdefault(record["status"], {})[_label(record["metric"])] = None
    return [f"† {reason(status)}: {', '.join(names)}" for status, names in measures.items()]


def evaluation_tables(found: Evaluation) -> list[Table]:
    """Return the estimates of all cases, and the tables of subgroups and of net benefit that were asked for.

    Of masks it is the scores by structure, the presence of structures, and the lesions.

    Args:
        found: What `evaluate` returned.
    """
    if found.structures:
        return mask_tables(found)
    tables = [evaluation_table(found)]
    if found.interactions:
        tables.append(_subgroup_table(found))
    if found.confusion:
        tables.append(confusion_table(found.confusion))
    if any(record["metric"] in NET_BENEFIT for record in found.estimates):
        tables.append(_net_benefit_table(found))
    return tables


def _of_all(found: Evaluation, record: Mapping[str, Any]) -> bool:
    return not _of_subgroup(found, record) and record["metric"] not in NET_BENEFIT


def _net_benefit_table(found: Evaluation) -> Table:
    """One row a threshold: the model, treating all, and how many interventions the model spares."""
    rows: dict[str, list[str]] = {}
    for record in found.estimates:
        if record["metric"] in NET_BENEFIT:
            row = rows.setdefault(record["group"], [str(record["group"]).removeprefix("threshold ")])
            row.append(_printed(record) if record["metric"] == NET_BENEFIT[0] else _number(record["value"]))
    head = ("Threshold", "Net benefit", "Treating all", "Interventions avoided")
    notes = ("Interventions avoided are counted against treating all, at the same number of cases found.",)
    return Table("decision_curve", "Net benefit", head, tuple(map(tuple, rows.values())), notes)


def _of_subgroup(found: Evaluation, record: Mapping[str, Any]) -> bool:
    return any(str(record["group"]).startswith(f"{name}=") for name in found.interactions)


def _subgroup_table(found: Evaluation) -> Table:
    """One row a group, one column a measure, the test for a difference below each covariate's groups."""
    metrics = list(next(iter(found.interactions.values())))
    by_group: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in found.estimates:
        if record["metric"] in metrics and _of_subgroup(found, record):
            by_group.setdefault(record["group"], {})[record["metric"]] = record
    rows: list[tuple[str, ...]] = []
    for name, tests in found.interactions.items():
        rows.append((name, *[""] * len(metrics)))
        for group, records in by_group.items():
            if group.startswith(f"{name}="):
                cells = [f"{_printed(records[m])}, n = {records[m]['n_units']}" for m in metrics]
                rows.append((f"{INDENT}{group.removeprefix(f'{name}=')}", *cells))
        rows.append((f"{INDENT}test for a difference", *(_p(tests[metric]["p"]) for metric in metrics)))
    notes = ("n counts the cases that each measure rests on; below 10 no interval is given.",)
    return Table(
        "subgroups",
        "By subgroup",
        ("Group", *(measure(metric).label for metric in metrics)),
        tuple(rows),
        notes,
    )


def comparison_tables(found: ComparedModels) -> list[Table]:
    """Return the models' own estimates, and their differences with the notes below.

    Args:
        found: What `compare` returned.
    """
    own = tuple((record["group"], _label(record["metric"]), _printed(record)) for record in found.estimates)
    centred = any("hodges_lehmann" in pair for pair in found.comparisons)
    pairs = tuple(
        (
            f"{pair['a']} − {pair['b']}",
            _label(pair["metric"]),
            _difference(pair["difference"], pair["metric"]),
            *((_difference(pair["hodges_lehmann"], pair["metric"]),) if centred else ()),
            _p(pair["p"]),
            _p(pair["p_adjusted"]),
            *(() if centred else (pair["method"],)),
        )
        for pair in found.comparisons
    )
    # The method of masks is one for all and stands in the notes.
    centre, method = (("Hodges–Lehmann",), ()) if centred else ((), ("Method",))
    head = ("Models", "Measure", "Difference", *centre, "p", "p (Holm)", *method)
    return [
        Table("models", "Models", ("Model", "Measure", "Estimate"), own, tuple(_cautions(found.estimates))),
        Table("comparison", "Differences, first minus second", head, pairs, found.notes),
    ]


def _label(metric: str) -> str:
    """Of a measure, or of one structure's, such as ``head: dice``."""
    structure, _, name = metric.rpartition(": ")
    return f"{structure}: {measure(name).label}" if structure else measure(name).label


def _difference(record: Mapping[str, Any], metric: str) -> str:
    return print_difference(estimate_from(record), metric.rpartition(": ")[2])


def show_tables(
    tables: list[Table],
    out: Path | None,
    json_text: str,
    json_name: str | None = None,
    estimates: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the tables as text, and write them as files where `out` names a folder.

    Args:
        tables: What to show.
        out: A folder for CSV, Markdown, LaTeX, HTML and JSON, or None.
        json_text: The same as JSON.
        json_name: Stem of the JSON file; by default the last table's.
        estimates: Records whose plain numbers are written as ``estimates.csv`` beside the printed ones.
    """
    if out is not None:
        for table in tables:
            atomic_write(out / f"{table.name}.csv", table.to_csv())
            atomic_write(out / f"{table.name}.md", table.to_markdown())
            atomic_write(out / f"{table.name}.tex", table.to_latex())
            atomic_write(out / f"{table.name}.html", str(table.to_html()))
        atomic_write(out / f"{json_name or tables[-1].name}.json", json_text + "\n")
        if estimates:
            atomic_write(out / "estimates.csv", pd.DataFrame(list(estimates)).to_csv(index=False))
    return "\n".join(table_text(table).rstrip() for table in tables)


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def save_curves(found: Evaluation, out: Path) -> None:
    """Write the figures that an evaluation has, what they are drawn from as CSV, and their captions.

    Args:
        found: What `evaluate` returned.
        out: A folder.
    """
    if not found.curves:
        return
    from medvision.reporting.figures.probabilities import probability_figures

    figures = probability_figures(found.curves, found.estimates[0]["level"])
    for figure in figures:
        figure.save(out)
    for name, table in found.curves.items():
        atomic_write(out / f"{name}_data.csv", table.to_csv(index=False))
    captions = [f"**{figure.title}** (`{figure.name}.svg`). {figure.caption}\n" for figure in figures]
    atomic_write(out / "captions.md", "\n".join(captions))


def _p(value: float | None) -> str:
    return p_text(math.nan if value is None else value)
