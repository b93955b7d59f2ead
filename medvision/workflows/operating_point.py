"""The threshold of an evaluation: given, read from the table, or chosen by a rule, and on which cases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation import choose_threshold, optimism
from medvision.workflows.prediction_table import Predictions, read_predictions, require_columns

OPTIMISTIC = "optimistic_threshold_chosen_on_the_same_cases"

Threshold = float | NDArray[np.float64] | None


def operating_point(
    found: Predictions,
    columns: Mapping[str, str | None],
    positive: object,
    threshold: float | str | None,
    rule: str | None,
    fit_on: pd.DataFrame | str | Path | None,
) -> tuple[Threshold, list[str], str | None]:
    """The threshold (or one for each row), notes on it, and the status that it imposes on estimates.

    Args:
        found: What is evaluated.
        columns: The column of each role.
        positive: The label that means that the condition is present.
        threshold: A number, or the column that holds one for each row.
        rule: Or the rule that chooses it.
        fit_on: The table on which the rule chooses; None takes the evaluated one, and says OPTIMISTIC.

    Raises:
        EvaluationError: Both or none fit together, or the rule cannot choose.
    """
    if threshold is not None and rule is not None:
        raise EvaluationError("threshold and threshold_rule were both given; give one of them")
    if fit_on is not None and rule is None:
        raise EvaluationError(
            "fit_on chooses a threshold by a rule; name it with threshold_rule, such as youden"
        )
    if rule is not None:
        return _chosen(found, columns, positive, rule, fit_on)
    if threshold is None:
        return None, [], None
    number = _as_number(threshold)
    if number is not None:
        return number, [f"a prediction is positive where the score is {number:g} or more"], None
    if threshold not in found.frame.columns and not str(threshold).strip().isidentifier():
        raise EvaluationError(
            f"threshold={threshold!r} is neither a number, such as 0.5, nor a column of "
            f"{found.source['name']}"
        )
    require_columns(found.frame, {"threshold": str(threshold)}, str(found.source["name"]))
    limits = pd.to_numeric(found.frame[str(threshold)], errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(limits).all():
        row = int(np.flatnonzero(~np.isfinite(limits))[0])
        raise EvaluationError(f"{found.source['name']}: the threshold of row {row + 2} is no finite number")
    return limits, [f"each row has the threshold of its column {threshold!r}"], None


def _chosen(
    found: Predictions,
    columns: Mapping[str, str | None],
    positive: object,
    rule: str,
    fit_on: pd.DataFrame | str | Path | None,
) -> tuple[float, list[str], str | None]:
    if fit_on is None:
        limit = choose_threshold(found.labels, found.scores, rule=rule)
        if rule.replace(" ", "").startswith("fixed:"):
            return limit, [f"a prediction is positive where the score is {limit:g} or more"], None
        note = (
            f"OPTIMISTIC: the threshold {limit:g} was chosen by {rule} on the same cases that it is "
            "evaluated on; choose it on other cases (fit_on)"
        )
        return limit, [note, *_corrected(found, rule)], OPTIMISTIC
    others = {role: columns[role] for role in ("label", "score", "patient")}
    tuning = read_predictions(fit_on, positive=positive, **others)  # type: ignore[arg-type] # label and score are set
    limit = choose_threshold(tuning.labels, tuning.scores, rule=rule)
    if tuning.source["sha256"] == found.source["sha256"]:
        note = (
            f"OPTIMISTIC: the threshold {limit:g} was chosen by {rule} on the evaluated table itself, which "
            "was also given as the one to choose on (fit_on)"
        )
        return limit, [note, *_corrected(found, rule)], OPTIMISTIC
    notes = [f"the threshold {limit:g} was chosen by {rule} on {len(tuning.labels)} other rows"]
    if found.patients is not None and tuning.patients is not None:
        shared = np.intersect1d(found.patients.astype(str), tuning.patients.astype(str))
        if len(shared):
            notes.append(
                f"OPTIMISTIC: {len(shared)} patients, such as {shared[0]}, are in both the evaluated table "
                "and the one that chose the threshold"
            )
            return limit, notes, OPTIMISTIC
    return limit, notes, None


def _corrected(found: Predictions, rule: str) -> list[str]:
    """By how much the rates flatter, in numbers; nothing where that cannot be estimated."""
    if found.labels.all() or not found.labels.any() or found.repeats is not None:
        return []
    measured = optimism(found.labels, found.scores, rule=rule, patients=found.patients)
    if not math.isfinite(measured.corrected["youden"]):
        return []
    parts = [
        f"{told} {measured.apparent[name]:.3f}, about {measured.corrected[name]:.3f} on other patients"
        for name, told in (
            ("sensitivity", "sensitivity"),
            ("specificity", "specificity"),
            ("youden", "Youden"),
        )
    ]
    return [
        f"estimated optimism of that choice: {'; '.join(parts)} (chosen in {measured.resamples} draws of "
        "patients, evaluated on those left out)"
    ]


def _as_number(threshold: float | str) -> float | None:
    try:
        number = float(threshold)
    except ValueError:
        return None
    if not math.isfinite(number):
        raise EvaluationError(f"threshold={threshold} is no finite number")
    return number
