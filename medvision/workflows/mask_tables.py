"""An evaluation of masks as the paper's tables, and its cases and lesions as files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medvision.evaluation.estimates import OK
from medvision.evaluation.segmentation_summary import MEASURES
from medvision.reporting import Table
from medvision.reporting.wording import reason
from medvision.runs import atomic_write
from medvision.workflows.evaluation_result import Evaluation, estimate_of

_MARKS = "†‡§¶#"
_NAMES = {
    "dice": ("Dice", 3),
    "iou": ("IoU", 3),
    "nsd": ("NSD", 3),
    "hd95_mm": ("HD95, mm", 2),
    "assd_mm": ("ASSD, mm", 2),
    "volume_error_ml": ("Volume error, ml", 3),
    "volume_error_percent": ("Volume error, %", 1),
    "lesion_sensitivity": ("Sensitivity", 3),
    "lesion_precision": ("Precision", 3),
    "false_positives": ("False positives", 2),
    "lesionwise_dice": ("Lesion-wise Dice", 3),
    "lesion_f1": ("F1", 3),
    "panoptic_quality": ("Panoptic quality", 3),
    "segmentation_quality": ("Segmentation quality", 3),
    "recognition_quality": ("Recognition quality", 3),
    "false_positive_volume_mm3": ("False positive volume, mm³", 1),
    "false_negative_volume_mm3": ("False negative volume, mm³", 1),
}


def mask_tables(found: Evaluation) -> list[Table]:
    """Return the scores by structure, the presence of structures, and where lesions were measured theirs.

    Args:
        found: What `evaluate_masks` returned.
    """
    tables = [_presence_table(found)]
    if found.lesions is not None:
        tables.append(_lesion_table(found))
    return [_score_table(found), *tables]


def write_mask_rows(found: Evaluation, out: Path) -> None:
    """Write cases, lesions and predicted components as CSV.

    Args:
        found: What `evaluate_masks` returned.
        out: The folder.
    """
    for name in ("cases", "lesions", "components"):
        table = getattr(found, name)
        if table is not None:
            if name == "lesions":
                table = table.assign(components=[" ".join(map(str, own)) for own in table["components"]])
            atomic_write(out / f"{name}.csv", table.to_csv(index=False))


def _records(found: Evaluation) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """By structure, measure and summary."""
    records: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for record in found.estimates:
        metric, _, summary = str(record["metric"]).partition(" (")
        records[str(record["group"]), metric, summary.removesuffix(")")] = record
    return records


def _score_table(found: Evaluation) -> Table:
    records, rows = _records(found), []
    for structure, metric, summary in records:
        if metric in MEASURES and summary == "mean":
            mean, median = (records[structure, metric, name] for name in ("mean", "median"))
            label, digits = _NAMES[metric]
            cells = [estimate_of(mean).text(digits), _median(median, digits), str(mean["n_units"])]
            rows.append((structure, label, *cells, str(mean["n_patients"]), mean["status"]))
    head = ("Structure", "Measure", "Mean", "Median [IQR]", "Cases", "Patients", "Status")
    title = f"Evaluation of {found.input.get('name', 'masks')}"
    return _with_marks("evaluation", title, head, rows, found.notes)


def _with_marks(
    name: str,
    title: str,
    head: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    notes: tuple[str, ...] = (),
) -> Table:
    """A table whose last column is a status: estimates to be read with care get a mark, and notes say why."""
    defined = [not row[2].startswith("undefined") for row in rows]  # what is undefined says why itself
    reasons = dict.fromkeys(row[-1] for row, is_there in zip(rows, defined, strict=True) if is_there)
    marks = dict(zip((status for status in reasons if status != OK), _MARKS, strict=False))
    marked = [
        (*row[:2], f"{row[2]} {marks[row[-1]]}" if is_there and row[-1] in marks else row[2], *row[3:-1])
        for row, is_there in zip(rows, defined, strict=True)
    ]
    cautions = tuple(f"{mark} {reason(status)}" for status, mark in marks.items())
    head = head[:-1]
    count, owners = head.index("Patients") - 1, head.index("Patients")
    if all(row[count] == row[owners] for row in marked):  # one case a patient
        head, marked = (
            head[:owners] + head[owners + 1 :],
            [row[:owners] + row[owners + 1 :] for row in marked],
        )
    return Table(name, title, head, tuple(marked), (*cautions, *notes))


def _median(record: Mapping[str, Any], digits: int) -> str:
    if record["value"] is None:
        return "undefined"
    spread = record.get("quartiles")
    if spread is None:
        return f"{record['value']:.{digits}f}"
    low, high = (math.nan if limit is None else limit for limit in spread)
    return f"{record['value']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _presence_table(found: Evaluation) -> Table:
    records, rows = _records(found), []
    for counts in found.structures:
        name = str(counts["structure"])
        shares = [
            estimate_of(records[name, f"presence_{kind}", ""]) for kind in ("sensitivity", "specificity")
        ]
        cells = [str(counts[key]) for key in ("both", "reference_only", "prediction_only", "neither")]
        rows.append((name, *cells, *(share.text() for share in shares)))
    places = ("In both", "Reference only", "Prediction only", "In neither")
    head = ("Structure", *places, "Sensitivity", "Specificity")
    notes = ("Cases in whose masks the structure is; sensitivity and specificity are of its being there.",)
    return Table("structures", "Structures that are there", head, tuple(rows), notes)


def _lesion_table(found: Evaluation) -> Table:
    rows = []
    for (structure, metric, summary), record in _records(found).items():
        if metric in _NAMES and metric not in MEASURES and summary != "median":
            label, digits = _NAMES[metric]
            text = estimate_of(record).text(digits)
            units = [str(record[key]) for key in ("n_units", "n_patients")]
            name = f"{label}, {summary}"
            rows.append((structure, name, text, *units, record["method"], record["status"]))
    head = ("Structure", "Measure", "Estimate", "Units", "Patients", "Method", "Status")
    return _with_marks("lesion_summary", "Lesion by lesion", head, rows)
