"""A table of predictions, made by any program: read, checked, and every fault named by row and patient."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort.spelling import written_alike
from medvision.errors import EvaluationError
from medvision.workflows.table_files import TWICE
from medvision.workflows.table_files import read_table as read_table

_SHOWN = 20
_PERCENT = re.compile(r"\s*-?\d+([.,]\d+)?\s*%\s*")
_COMMA = re.compile(r"\s*-?\d+,\d+\s*")
_ID_NAME = re.compile(r"patient|subject|mrn|person|(^|_)(id|pid|case|study|accession)(_|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Predictions:
    """One row a unit: what it is, what was predicted, and whose it is.

    Attributes:
        labels: True where the condition is present, shape ``(n,)``.
        scores: Shape ``(n,)``; finite, or NaN where missing ones were asked to be kept.
        patients: The patient of each row, or None.
        cases: The case of each row, or None.
        folds: The fold of each row, or None.
        repeats: The repeat of each row, or None.
        frame: The table as it was read.
        source: Name, SHA-256 and rows of the input.
        notes: What a reader of the numbers should know of the table.
    """

    labels: NDArray[np.bool_]
    scores: NDArray[np.float64]
    patients: NDArray[Any] | None
    cases: NDArray[Any] | None
    folds: NDArray[Any] | None
    repeats: NDArray[Any] | None
    frame: pd.DataFrame
    source: dict[str, object]
    notes: tuple[str, ...]


def read_predictions(
    table: pd.DataFrame | str | Path,
    *,
    label: str,
    score: str,
    patient: str | None = None,
    case: str | None = None,
    fold: str | None = None,
    repeat: str | None = None,
    positive: object = 1,
    keep_missing: bool = False,
) -> Predictions:
    """Read a table of predictions and refuse what cannot be evaluated.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        label: Column of the reference standard.
        score: Column of the score; higher means more disease.
        patient: Column of the patient.
        case: Column of the case; each case stands in one row (of each repeat).
        fold: Column of the fold in which the row was held out.
        repeat: Column of the repeat of the cross-validation.
        positive: The label that means that the condition is present; 1, "1", 1.0 and True are the same.
        keep_missing: Keep rows whose score is missing, as NaN; otherwise they are refused.

    Raises:
        EvaluationError: The file cannot be read, a column is missing, or rows are wrong; all at once.

    Example:
        >>> frame = pd.DataFrame({"label": ["benign", "malignant"], "score": [0.2, 0.7]})
        >>> read_predictions(frame, label="label", score="score", positive="malignant").labels.tolist()
        [False, True]
    """
    named = {"label": label, "score": score, "patient": patient, "case": case, "fold": fold, "repeat": repeat}
    columns = {role: name for role, name in named.items() if name is not None}
    frame, source = read_rows(table, columns, numbers=["score"], keep_missing=keep_missing)
    labels, label_notes = _binary(frame[label], label, positive, str(source["name"]))

    def values(role: str) -> NDArray[Any] | None:
        return frame[columns[role]].to_numpy() if role in columns else None

    return Predictions(
        labels,
        number_column(frame[score]).to_numpy(dtype=np.float64, na_value=np.nan),
        values("patient"),
        values("case"),
        values("fold"),
        values("repeat"),
        frame,
        source,
        (*label_notes, *patient_notes(frame, columns)),
    )


def read_rows(
    table: pd.DataFrame | str | Path,
    columns: Mapping[str, str],
    *,
    numbers: Sequence[str],
    more: Callable[[pd.DataFrame], list[str]] | None = None,
    keep_missing: bool = False,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """A table whose rows can be evaluated, and where it came from.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        columns: The column of each role; ``patient``, ``case`` and ``repeat`` mean what they say.
        numbers: The roles whose columns hold finite numbers.
        more: Finds further problems of the table.
        keep_missing: An empty cell of a number is no problem.

    Raises:
        EvaluationError: The file cannot be read, a column is missing, or rows are wrong; all at once.

    Example:
        >>> frame, source = read_rows(pd.DataFrame({"p": [0.5]}), {"score": "p"}, numbers=["score"])
        >>> source["rows"]
        1
    """
    ids = [columns[role] for role in ("patient", "case") if role in columns]
    frame, source = read_table(table, text_columns=ids)
    require_columns(frame, columns, str(source["name"]))
    if frame.empty:
        raise EvaluationError(f"{source['name']} has no rows: nothing to evaluate")
    owner = columns.get("patient") or columns.get("case")
    patient = columns.get("patient")
    problems = [
        *_missing(frame, {role: name for role, name in columns.items() if role not in numbers}, owner),
        *(line for role in numbers for line in _not_finite(frame, columns[role], owner, role, keep_missing)),
        *_repeated_cases(frame, columns.get("case"), columns.get("repeat")),
        *(more(frame) if more else []),
    ]
    if problems:
        shown = problems[:_SHOWN] + ([f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else [])
        empty = list(numbers) == ["score"] and not keep_missing and frame[columns["score"]].isna().any()
        hint = ", or see missing=drop and missing=bounds for scores" if empty else ""
        if any(line.endswith("is missing") for line in problems):
            hint += "; an empty cell, NA, None, null and nan count as missing"
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise EvaluationError(f"{count} in {source['name']}; mend or remove those rows{hint}", problems=shown)
    owners = None if patient is None else int(frame[patient].nunique())
    return frame, {**source, "patients": owners, "columns": dict(columns)}


def rows_note(n: int, patients: NDArray[Any] | None, unit: str, *, repeated: bool = False) -> str:
    """What a row is, whose it is, and what the intervals take for independent, in plain words.

    Args:
        n: How many rows.
        patients: The patient of each row, or None.
        unit: What a row is, in the singular.
        repeated: Each case stands in several repeats.

    Example:
        >>> rows_note(4, np.array(["A", "A", "B", "C"]), "nodule")
        '4 nodules of 3 patients; intervals account for clustering'
    """
    many = _plural(unit)
    if patients is None:
        return f"{n} {many}; no patient was named, so each {unit} is taken for a patient of its own"
    owners = len(np.unique(patients.astype(str)))
    if repeated:
        return f"{n} {many} of {owners} patients in several repeats; intervals count patients"
    if owners == n:
        return f"{n} {many}, one a patient"
    return f"{n} {many} of {owners} patients; intervals account for clustering"


def _plural(unit: str) -> str:
    """Of what a row is; one that is a plural already stays."""
    if unit.endswith("y") and unit[-2:-1] not in "aeiou":
        return f"{unit[:-1]}ies"
    if unit.endswith(("ss", "x", "ch", "sh")):
        return f"{unit}es"
    return unit if unit.endswith("s") else f"{unit}s"


def require_columns(frame: pd.DataFrame, columns: Mapping[str, str], source: str) -> None:
    """Refuse columns that are not there, each with the nearest one that is.

    Args:
        frame: The table.
        columns: The wanted column of each role.
        source: What the table is called.

    Raises:
        EvaluationError: Names every missing column.

    Example:
        >>> require_columns(pd.DataFrame({"score": [1]}), {"score": "score"}, "the table")
    """
    problems = [told for role, name in columns.items() if (told := column_problem(frame, role, name))]
    if problems:
        known = ", ".join(str(name) for name in frame.columns)
        raise EvaluationError(f"{source} has the columns {known}", problems=problems)


def column_problem(frame: pd.DataFrame, role: str, name: str) -> str | None:
    """What to say of a column that is not there, with the nearest one that is; None where it is there.

    Args:
        frame: The table.
        role: What the column is for.
        name: The column.

    Example:
        >>> column_problem(pd.DataFrame({"score": [1]}), "score", "scores")
        "score: there is no column 'scores'; did you mean 'score'?"
    """
    if name in frame.attrs.get(TWICE, ()) or int((frame.columns == name).sum()) > 1:
        return f"{role}: several columns are headed {name!r}; rename all but one"
    if name in frame.columns:
        return None
    known = [str(column) for column in frame.columns]
    near = get_close_matches(name, known, 1, cutoff=0.5) or [k for k in known if k.lower() == name.lower()]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{role}: there is no column {name!r}{hint}"


def word(value: object) -> str:
    """A label as text, so that 1, 1.0, "1" and True are one label.

    Example:
        >>> word(1), word("1.0"), word(True), word(" Malignant ")
        ('1', '1', '1', 'malignant')
    """
    text = str(value).strip().casefold()
    text = {"true": "1", "false": "0"}.get(text, text)
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if math.isfinite(number) and number == int(number) else str(number)


def _binary(
    column: pd.Series[Any], label: str, positive: object, source: str
) -> tuple[NDArray[np.bool_], list[str]]:
    words = column.map(word)
    wanted, found = word(positive), sorted(set(words))
    if wanted not in found and not {wanted, *found} <= {"0", "1"}:
        raise EvaluationError(
            f"{source}: no row of {label!r} is {positive!r}; its labels are {', '.join(found[:10])}. "
            "Say which one means that the condition is present (positive=)"
        )
    others = [name for name in found if name != wanted]
    notes = []
    if len(others) > 1:
        notes.append(
            f"{label!r} has {len(found)} labels: {wanted!r} is positive, {', '.join(others)} negative"
        )
    elif wanted == "1" and others not in ([], ["0"], ["-1"]):
        notes.append(
            f"{label!r} has the labels 1 and {others[0]}, and 1 was taken for positive: if {others[0]} means "
            f"that the condition is present, say so with positive={others[0]}"
        )
    return (words == wanted).to_numpy(dtype=bool), notes


def number_column(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column as numbers; what is none becomes NaN.

    Example:
        >>> number_column(pd.Series(["1", "x"])).isna().tolist()
        [False, True]
    """
    return pd.to_numeric(column, errors="coerce")


def _where(frame: pd.DataFrame, row: int, owner: str | None) -> str:
    # As a spreadsheet counts: the first row of data is row 2, below the header.
    return f"row {row + 2}" + (f" ({owner} {frame[owner].iloc[row]})" if owner else "")


def _missing(frame: pd.DataFrame, columns: Mapping[str, str], owner: str | None) -> list[str]:
    return [
        f"{_where(frame, int(row), owner)}: the {role} is missing"
        for role, name in columns.items()
        for row in np.flatnonzero(frame[name].isna().to_numpy())
    ]


def _not_finite(
    frame: pd.DataFrame, score: str, owner: str | None, role: str, keep_missing: bool
) -> list[str]:
    numbers = number_column(frame[score]).to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isfinite(numbers)
    if keep_missing:
        wrong &= ~frame[score].isna().to_numpy()
    rows = np.flatnonzero(wrong)
    if len(rows) == len(frame) > 1:
        value = str(frame[score].iloc[0])
        return [
            f"the {role} {score!r} is no number in any of {len(rows)} rows, such as {value!r}{_cure(value)}"
        ]
    return [
        f"{_where(frame, int(row), owner)}: the {role} {value!r} is no finite number{_cure(value)}"
        for row, value in zip(rows, map(str, frame[score].iloc[rows]), strict=True)
    ]


def _cure(value: str) -> str:
    """How a number would be written that a spreadsheet wrote in its own way."""
    if _PERCENT.fullmatch(value):
        return f"; write {float(value.replace('%', '').replace(',', '.')) / 100:.10g}"
    return "; write a decimal point" if _COMMA.fullmatch(value) else ""


def _repeated_cases(frame: pd.DataFrame, case: str | None, repeat: str | None) -> list[str]:
    if case is None:
        return []
    keys = [case] if repeat is None else [case, repeat]
    double = frame.loc[frame.duplicated(keys, keep=False), case].dropna()
    return [
        f"the case {name} stands in {count} rows" for name, count in double.value_counts(sort=False).items()
    ]


def patient_notes(frame: pd.DataFrame, columns: Mapping[str, str]) -> list[str]:
    """Notes on patients who may be written in two ways, or on a column that looks like an unnamed patient.

    Example:
        >>> patient_notes(pd.DataFrame({"patient_id": ["A", "A", "B"]}), {})[0][:44]
        "the column 'patient_id' has 2 values in 3 ro"
    """
    if "patient" in columns:
        names = frame[columns["patient"]].astype(str).tolist()
        alike = written_alike(names, [f"row {row + 2}" for row in range(len(names))])
        return [f"patients: {sentence}" for sentence in alike]
    notes = []
    for name in frame.columns:
        if str(name) in columns.values() or not _ID_NAME.search(str(name)):
            continue
        distinct = int(frame[name].nunique())
        if 1 < distinct < len(frame):
            notes.append(
                f"the column {name!r} has {distinct} values in {len(frame)} rows, and no patient was named: "
                f"if those are patients, the intervals are too narrow; name it with patient={name!r}"
            )
    return notes
