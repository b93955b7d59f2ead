"""Evaluate a table of predicted numbers, or of risks of an event that may be censored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.evaluation import BlandAltman, Estimate, bland_altman, harrell_c, regression_scores, uno_c
from medvision.workflows.evaluation_result import Evaluation, record_of
from medvision.workflows.prediction_table import (
    number_column,
    patient_notes,
    read_rows,
    rows_note,
    word,
)


def evaluate_regression(
    table: pd.DataFrame | str | Path,
    *,
    label: str,
    score: str,
    patient: str | None = None,
    case: str | None = None,
    unit: str = "row",
    level: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Evaluate a table with a measured and a predicted number in each row.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        label: Column of the measured number.
        score: Column of the predicted number, in the same unit.
        patient: Column of the patient, the unit of independence.
        case: Column of the case; one row each.
        unit: What a row is, in the singular.
        level: Confidence level.
        seed: Of the bootstrap over patients.

    Raises:
        EvaluationError: The table, a column or a row is wrong; everything wrong is named at once.

    Example:
        >>> frame = pd.DataFrame({"ml": [10.0, 20.0, 35.0, 50.0], "predicted": [12.0, 19.0, 38.0, 49.0]})
        >>> found = evaluate_regression(frame, label="ml", score="predicted")
        >>> [(record["metric"], record["value"]) for record in found.estimates[:1]]
        [('mae', 1.75)]
    """
    columns = _columns({"label": label, "score": score}, patient, case)
    frame, source = read_rows(table, columns, numbers=["label", "score"])
    measured, predicted = _numbers(frame[label]), _numbers(frame[score])
    owners = None if patient is None else frame[patient].to_numpy()
    scores = regression_scores(measured, predicted, patients=owners, seed=seed, level=level)
    agreement = bland_altman(predicted, measured, patients=owners, level=level)
    estimates = scores.estimates() | {
        "loa_lower": agreement.lower_limit,
        "loa_upper": agreement.upper_limit,
        "difference_slope": agreement.slope,
    }
    notes = [
        rows_note(len(frame), owners, unit),
        *patient_notes(frame, columns),
        "bias and limits of agreement are those of prediction minus reference; R² is 1 - SSE / SST, not a "
        "squared correlation",
        *_regression_notes(estimates, agreement, owners),
    ]
    records = tuple(record_of(name, "all", one) for name, one in estimates.items())
    return Evaluation(records, {}, tuple(notes), source)


def _regression_notes(
    estimates: Mapping[str, Estimate], agreement: BlandAltman, owners: NDArray[np.object_] | None
) -> list[str]:
    notes = []
    slope = agreement.slope
    if slope.low > 0 or slope.high < 0:
        notes.append(
            f"the difference changes with the size of the measurement (slope {slope.text(2)}): the limits of "
            "agreement are too wide at one end and too narrow at the other"
        )
    if estimates["r_squared"].value < 0:
        notes.append("R² is below 0: the mean of the reference would have predicted better")
    if owners is not None and len(np.unique(owners)) < len(owners):
        notes.append("the limits of agreement take the true value to vary between the rows of a patient")
    return notes


def evaluate_survival(
    table: pd.DataFrame | str | Path,
    *,
    time: str,
    event: str,
    score: str,
    tau: float | None = None,
    positive: object = 1,
    patient: str | None = None,
    case: str | None = None,
    unit: str = "row",
    level: float = 0.95,
) -> Evaluation:
    """Evaluate a table with a time of follow-up, an event and a predicted risk in each row.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        time: Column of the time until the event or the end of follow-up.
        event: Column that says whether the event was seen.
        score: Column of the risk; higher means an earlier event.
        tau: Uno's C counts events before this time; without it, it is left out.
        positive: The value that means that the event was seen.
        patient: Column of the patient, the unit of independence.
        case: Column of the case; one row each.
        unit: What a row is, in the singular.
        level: Confidence level.

    Raises:
        EvaluationError: The table, a column or a row is wrong; everything wrong is named at once.

    Example:
        >>> frame = pd.DataFrame({"months": [2, 5, 9, 11], "died": [1, 1, 0, 1], "risk": [9, 4, 5, 1]})
        >>> found = evaluate_survival(frame, time="months", event="died", score="risk")
        >>> [(record["metric"], record["value"]) for record in found.estimates]
        [('harrell_c', 0.8)]
    """
    columns = _columns({"event": event, "time": time, "score": score}, patient, case)

    def strange(frame: pd.DataFrame) -> list[str]:
        return [*_negative(frame[time], time), *_not_two(frame[event], event, positive)]

    frame, source = read_rows(table, columns, numbers=["time", "score"], more=strange)
    times, risks = _numbers(frame[time]), _numbers(frame[score])
    seen = (frame[event].map(word) == word(positive)).to_numpy(dtype=bool)
    owners = None if patient is None else frame[patient].to_numpy()
    index = harrell_c(times, seen, risks, patients=owners, level=level)
    records = [record_of("harrell_c", "all", index)]
    notes = [
        rows_note(len(frame), owners, unit),
        *patient_notes(frame, columns),
        f"{int(seen.sum())} events; the longest follow-up is {times.max():g}",
        "Harrell's C depends on how long this study followed its patients",
    ]
    if tau is None:
        notes.append("no tau was given: Uno's C, which is free of this study's censoring, is left out")
    else:
        free = uno_c(times, seen, risks, tau=tau, patients=owners, level=level)
        records.append(record_of("uno_c", "all", free))
        notes.append(f"Uno's C counts events before {tau:g} and takes censoring not to depend on the risk")
    if int(seen.sum()) < 10:
        notes.append("fewer than 10 events: read every interval with care")
    if index.high < 0.5:
        notes.append("C lies below 0.5: a higher score goes with a later event; it was not turned round")
    return Evaluation(tuple(records), {}, tuple(notes), source)


def _columns(named: Mapping[str, str], patient: str | None, case: str | None) -> dict[str, str]:
    more = {role: name for role, name in (("patient", patient), ("case", case)) if name is not None}
    return {**named, **more}


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    return number_column(column).to_numpy(dtype=np.float64)


def _negative(column: pd.Series, name: str) -> list[str]:
    below = np.flatnonzero(_numbers(column) < 0)
    return [f"row {row + 2}: the time {column.iloc[row]} in {name!r} lies below 0" for row in below.tolist()]


def _not_two(column: pd.Series, name: str, positive: object) -> list[str]:
    found = sorted(set(column.dropna().map(word)))
    if len(found) <= 2 and (word(positive) in found or {word(positive), *found} <= {"0", "1"}):
        return []
    return [
        f"{name!r} has the values {', '.join(found[:6])}; an event is seen or censored: give 1 and 0, or say "
        "which of two values means seen (positive=)"
    ]
