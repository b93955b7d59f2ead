"""A table with a column of scores for each class, or for each of several labels: read and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.workflows.prediction_table import number_column, patient_notes, read_rows, word

_SUM_TOLERANCE = 0.01


@dataclass(frozen=True)
class ClassPredictions:
    """One row a unit, one score a class.

    Attributes:
        names: The classes, or the labels, in the order of the columns.
        labels: The place of each row's class among ``names``, shape ``(n,)``; with several labels a row,
            true where a label is present, shape ``(n, k)``.
        scores: Shape ``(n, k)``, finite.
        patients: The patient of each row, or None.
        source: Name, SHA-256 and rows of the input.
        notes: What a reader of the numbers should know of the table.
    """

    names: tuple[str, ...]
    labels: NDArray[Any]
    scores: NDArray[np.float64]
    patients: NDArray[Any] | None
    source: dict[str, object]
    notes: tuple[str, ...]


def read_classes(
    table: pd.DataFrame | str | Path,
    *,
    label: str,
    scores: Mapping[str, str],
    patient: str | None = None,
    case: str | None = None,
) -> ClassPredictions:
    """Read a table with one class a row and one column of scores a class.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        label: Column of the true class.
        scores: The column of each class, in the order of the classes.
        patient: Column of the patient.
        case: Column of the case; each stands in one row.

    Raises:
        EvaluationError: A column is missing, a label is no class, or rows are wrong; all at once.

    Example:
        >>> frame = pd.DataFrame({"y": ["b", "a"], "p_a": [0.2, 0.7], "p_b": [0.8, 0.3]})
        >>> read_classes(frame, label="y", scores={"a": "p_a", "b": "p_b"}).labels.tolist()
        [1, 0]
    """
    _refuse_twice([word(name) for name in scores], list(scores.values()), "class")
    place = {word(name): number for number, name in enumerate(scores)}
    columns = _columns({"label": label}, scores, patient, case)
    roles = [f"score of {name}" for name in scores]

    def strange(frame: pd.DataFrame) -> list[str]:
        return _without_score(frame[label].dropna(), place)

    frame, source = read_rows(table, columns, numbers=roles, more=strange)
    values = _matrix(frame, list(scores.values()))
    found = np.array([place[word(value)] for value in frame[label]], dtype=np.int64)
    owners = None if patient is None else frame[patient].to_numpy()
    notes = (*patient_notes(frame, columns), *_class_notes(found, list(scores)), *_score_notes(values))
    return ClassPredictions(tuple(scores), found, values, owners, source, notes)


def read_labels(
    table: pd.DataFrame | str | Path,
    *,
    labels: Sequence[str],
    scores: Sequence[str],
    patient: str | None = None,
    case: str | None = None,
    positive: object = 1,
) -> ClassPredictions:
    """Read a table in which each row has several labels, with a column of scores each.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        labels: Columns of the reference standard; each holds ``positive`` or another value.
        scores: Their columns of scores, in the same order.
        patient: Column of the patient.
        case: Column of the case; each stands in one row.
        positive: The value that means that a label is present.

    Raises:
        EvaluationError: The numbers of columns differ, a column is missing, or rows are wrong; all at once.

    Example:
        >>> frame = pd.DataFrame({"mass": [1, 0], "cyst": [1, 1], "p_m": [0.9, 0.1], "p_c": [0.5, 0.7]})
        >>> read_labels(frame, labels=["mass", "cyst"], scores=["p_m", "p_c"]).labels.tolist()
        [[True, True], [False, True]]
    """
    if len(labels) != len(scores):
        raise EvaluationError(
            f"{len(labels)} columns of labels and {len(scores)} of scores; give one of each for every label"
        )
    _refuse_twice(list(labels), list(scores), "label")
    columns = _columns({f"label {name}": name for name in labels}, dict(zip(labels, scores, strict=True)),
                       patient, case)  # fmt: skip
    roles = [f"score of {name}" for name in labels]

    def strange(frame: pd.DataFrame) -> list[str]:
        return [
            f"the label {name} has the values {', '.join(found[:6])}; give 0 and 1, or say which of two is "
            "present (positive=)"
            for name in labels
            if len(found := sorted(set(frame[name].dropna().map(word)))) > 2
            or (word(positive) not in found and not {word(positive), *found} <= {"0", "1"})
        ]

    frame, source = read_rows(table, columns, numbers=roles, more=strange)
    truth = np.stack([(frame[name].map(word) == word(positive)).to_numpy(dtype=bool) for name in labels], 1)
    owners = None if patient is None else frame[patient].to_numpy()
    notes = (*patient_notes(frame, columns), *_label_notes(truth, labels))
    return ClassPredictions(tuple(labels), truth, _matrix(frame, scores), owners, source, notes)


def _columns(
    labels: Mapping[str, str], scores: Mapping[str, str], patient: str | None, case: str | None
) -> dict[str, str]:
    named = {**labels, **{f"score of {name}": column for name, column in scores.items()}}
    return named | {role: name for role, name in (("patient", patient), ("case", case)) if name is not None}


def _refuse_twice(names: list[str], columns: list[str], what: str) -> None:
    problems = [f"the {what} {name!r} is named twice" for name, n in Counter(names).items() if n > 1]
    problems += [f"the column {name!r} is used twice" for name, n in Counter(columns).items() if n > 1]
    if len(names) < 2:
        problems.append(f"there is one {what}; name two or more, or one column of scores")
    if problems:
        raise EvaluationError(f"each {what} needs a column of scores of its own", problems=problems)


def _without_score(labels: pd.Series[Any], place: Mapping[str, int]) -> list[str]:
    lines = []
    for name, rows in labels.groupby(labels.map(word)):
        if name not in place:
            where = f"{len(rows)} rows, the first row {int(rows.index[0]) + 2}"
            lines.append(f"the label {str(rows.iloc[0])!r} has no column of scores ({where})")
    return lines


def _matrix(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    return np.stack([number_column(frame[name]).to_numpy(dtype=np.float64) for name in columns], axis=1)


def _class_notes(places: NDArray[np.int64], names: list[str]) -> list[str]:
    sizes = np.bincount(places, minlength=len(names)).tolist()
    notes = ["cases of each class: " + ", ".join(f"{n} {k}" for n, k in zip(names, sizes, strict=True))]
    for name, size in zip(names, sizes, strict=True):
        if size == 0:
            notes.append(f"no case of {name}: its measures and all means over classes are undefined")
        elif size < 10:
            notes.append(f"only {size} cases of {name}: read every interval that rests on them with care")
    return notes


def _label_notes(truth: NDArray[np.bool_], names: Sequence[str]) -> list[str]:
    present = truth.sum(axis=0).tolist()
    notes = ["cases with each label: " + ", ".join(f"{n} {k}" for n, k in zip(names, present, strict=True))]
    for name, size in zip(names, present, strict=True):
        fewest = min(size, len(truth) - size)
        if fewest == 0:
            notes.append(f"{name}: all cases are alike, so its area is undefined and left out of the mean")
        elif fewest < 10:
            notes.append(f"{name}: only {fewest} cases with or without it; read its intervals with care")
    return notes


def _score_notes(scores: NDArray[np.float64]) -> list[str]:
    notes = []
    outside = int(((scores < 0) | (scores > 1)).any(axis=1).sum())
    apart = int((np.abs(scores.sum(axis=1) - 1) > _SUM_TOLERANCE).sum())
    if outside or apart:
        told = f"in {outside or apart} of {len(scores)} rows the scores " + (
            "lie outside 0 to 1" if outside else "do not add up to 1"
        )
        notes.append(f"{told}: they are no probabilities; areas and the highest score are taken as they are")
    tied = int(((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    if tied:
        notes.append(
            f"in {tied} rows two classes share the highest score: the one named first counts as predicted"
        )
    return notes
