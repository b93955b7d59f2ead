"""One row a series: what it is, whether it is a complete volume, and whether it is there twice."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medvision.imaging.judging import Judged, judge, unpack
from medvision.imaging.kernels import kernel_class
from medvision.imaging.kinds import VOLUME_KINDS, WITHOUT_PIXELS
from medvision.imaging.volume import plane
from medvision.workflows.export_copies import Copy, copies_of
from medvision.workflows.scan_files import Pseudonyms, read_facts
from medvision.workflows.scan_state import ScanState

Row = dict[str, object]

COLUMNS = {
    "series": "str", "patient": "str", "study": "str", "study_date": "str", "modality": "str", "kind": "str",
    "description": "str", "body_part": "str", "kernel": "str", "kernel_class": "str", "sequence": "str",
    "manufacturer": "str", "model": "str", "contrast": "str", "slices": "int", "volumes": "int",
    "columns": "int", "rows": "int", "pixel_spacing_mm": "float", "slice_spacing_mm": "float",
    "thickness_mm": "float", "orientation": "str", "transfer_syntax": "str", "complete": "bool",
    "why_not": "str", "notes": "str", "duplicate_of": "str", "files": "int", "bytes": "int", "folder": "str",
    "other_folders": "str", "series_uid": "str", "study_uid": "str",
}  # fmt: skip
"""Columns of an inventory and what they hold; see docs/inventory.md."""
PATIENT_COLUMNS = {"patient_id": "str", "issuer": "str", "patient_name": "str"}
"""Further columns of an inventory that may name patients."""
_TYPES = {"str": "string", "int": "Int64", "float": "float64", "bool": "bool"}


def judge_series(state: ScanState, pseudonyms: Pseudonyms, series: int, uid: str) -> list[Row]:
    """The rows of one series: itself, and each copy of it.

    Args:
        state: The files.
        pseudonyms: How series are called.
        series: Its number in the state.
        uid: Its SeriesInstanceUID.
    """
    whole, *copies = copies_of(state.places(series), state.places(series))
    images = state.images(series, whole.folders)
    # Reading passes over a report that stands in the series of its images.
    images = [image for image in images if image[1] not in WITHOUT_PIXELS] or images
    kinds = Counter(kind for _, kind, _ in images)
    kind = kinds.most_common(1)[0][0]
    name = pseudonyms.of("S", uid)
    row: Row = {"series": name, "series_uid": uid, "kind": kind, "duplicate_of": ""}
    row |= _facts(state, pseudonyms, series, whole)
    files, size = state.totals(series, whole.folders)
    row |= {"files": files, "bytes": size, **_folders_of(whole)}
    row |= _volume(images, kinds, state, whole)
    again = []
    for number, copy in enumerate(copies, start=1):
        facts = _facts(state, pseudonyms, series, copy)
        notes = "" if facts["patient"] == row["patient"] else "under another patient than these"
        again.append({**_copy_row(row, copy, number, state, series), **facts, "notes": notes})
    return [row, *again]


def _facts(state: ScanState, pseudonyms: Pseudonyms, series: int, copy: Copy) -> Row:
    """What the first file of a series says of it; read again where another file was asked before."""
    file, kept = state.first_file(series, copy.folders)
    facts: Row = json.loads(kept or read_facts(pseudonyms, file))
    return {**facts, "kernel_class": kernel_class(str(facts["manufacturer"]), str(facts["kernel"]))}


def _volume(
    images: Sequence[tuple[Path, str, str]], kinds: Counter[str], state: ScanState, whole: Copy
) -> Row:
    """Size, spacing, plane and completeness of a series."""
    slices = [one for _, _, packed in images if packed for one in unpack(packed)]
    mixed = ", ".join(f"{count} of kind {kind}" for kind, count in kinds.most_common())
    if not slices or not set(kinds) & set(VOLUME_KINDS):
        return {
            "slices": len(slices),
            "complete": False,
            "why_not": f"no volume: {next(iter(kinds))}",
            "notes": "",
        }
    if not all(packed for _, _, packed in images):
        return {"slices": len(slices), "complete": False, "why_not": f"mixed kinds: {mixed}", "notes": ""}
    found = judge(slices)
    damaged, image_series, _ = state.beside(whole.folders)
    notes = list(found.warnings)
    why_not = found.why_not
    if damaged:
        told = f"{damaged} file{'s' * (damaged > 1)} beside it cannot be read and may belong to it"
        if image_series == 1 and not why_not:
            why_not = f"{told}; see problems.csv"
        else:
            notes.append(told)
    if whole.doubles:
        notes.append(f"{whole.doubles} of its images are there more than once")
    first = slices[0]
    return {
        "slices": len(slices),
        "volumes": found.volumes,
        "columns": first.shape[0],
        "rows": first.shape[1],
        "complete": not why_not,
        "why_not": why_not,
        "notes": "; ".join(notes),
        **_geometry(found),
    }


def _geometry(found: Judged) -> Row:
    if found.geometry is None:
        return {}
    spacing = found.geometry.spacing_mm
    return {
        "pixel_spacing_mm": round(max(spacing[:2]), 4),
        "slice_spacing_mm": round(spacing[2], 4),
        "orientation": plane(found.geometry),
    }


def _copy_row(row: Mapping[str, object], copy: Copy, number: int, state: ScanState, series: int) -> Row:
    files, size = state.totals(series, copy.folders)
    return {
        **row,
        "series": f"{row['series']}-{number + 1}",
        "duplicate_of": row["series"],
        "files": files,
        "bytes": size,
        "complete": False,
        "why_not": f"the same images as {row['series']}",
        **_folders_of(copy),
    }


def _folders_of(copy: Copy) -> Row:
    first, *others = (shown_path(path) for path in copy.paths)
    return {"folder": first, "other_folders": "\n".join(others)}


def shown_path(path: Path) -> str:
    """A path as text that any table can hold; bytes that are no text are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def with_one_issuer(rows: Sequence[Row], pseudonyms: Pseudonyms) -> list[Row]:
    """Join what no issuer tells apart: a PatientID without issuer belongs to the only issuer that uses it.

    Where several issuers use it, it stays a patient of its own, with a note.
    """
    owners: dict[object, set[str]] = {}
    for row in rows:
        if row.get("issued"):
            owners.setdefault(row["number"], set()).add(str(row["patient"]))
    return [_of_its_issuer(row, owners.get(row["number"], set()), pseudonyms) for row in rows]


def _of_its_issuer(row: Row, owners: set[str], pseudonyms: Pseudonyms) -> Row:
    if row.get("issued") or not owners:
        return row
    if len(owners) > 1:
        note = f"PatientID without issuer, which {len(owners)} issuers use"
        return {**row, "notes": "; ".join(part for part in (str(row["notes"]), note) if part)}
    (patient,) = owners
    return {**row, "patient": patient, "study": pseudonyms.of("E", patient, str(row["study_uid"]))}


def inventory_table(rows: Sequence[Mapping[str, Any]], *, show_patient: bool) -> pd.DataFrame:
    """The rows as a table, sorted by patient, study and series; columns as :data:`COLUMNS` says."""
    columns = {**COLUMNS, **(PATIENT_COLUMNS if show_patient else {})}
    table = pd.DataFrame({
        name: pd.Series([_cell(row.get(name), kind) for row in rows], dtype=_TYPES[kind])
        for name, kind in columns.items()
    })  # fmt: skip
    order = ["patient", "study_date", "study", "series"]
    return table.sort_values(order, kind="stable", ignore_index=True)


def _cell(value: object, kind: str) -> object:
    if kind == "str":
        # Half a surrogate pair, from a damaged file, fits into no Parquet file.
        return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
    return value if value is not None or kind != "bool" else False
