"""Rows without a score: refused, left out and counted, or counted as wrong and as right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.missing_predictions import fill_missing
from medvision.workflows.prediction_table import Predictions

Missing = Literal["refuse", "drop", "bounds"]

_CASES = (("worst case", True), ("best case", False))
_MEASURES = ("auroc", "sensitivity", "specificity", "accuracy")


def complete_cases(everyone: Predictions) -> Predictions:
    """The rows that have a score, and a note on the others; the table itself where none is missing.

    Args:
        everyone: The table, missing scores as NaN.

    Raises:
        EvaluationError: No row has a score.
    """
    kept = np.isfinite(everyone.scores)
    if kept.all():
        return everyone
    if not kept.any():
        raise EvaluationError(f"{everyone.source['name']}: no row has a score; nothing can be evaluated")
    left = everyone.labels[~kept]
    note = (
        f"{len(left)} of {len(kept)} rows have no score and are left out ({int(left.sum())} positive, "
        f"{int((~left).sum())} negative): that is right only if scores are missing by chance"
    )

    def own(values: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if values is None else values[kept]

    return replace(
        everyone,
        labels=everyone.labels[kept],
        scores=everyone.scores[kept],
        patients=own(everyone.patients),
        cases=own(everyone.cases),
        folds=own(everyone.folds),
        repeats=own(everyone.repeats),
        frame=everyone.frame[kept].reset_index(drop=True),
        notes=(*everyone.notes, note),
    )


def stamped(records: list[dict[str, Any]], n_missing: int) -> list[dict[str, Any]]:
    """Records of complete cases with a status that counts what was left out.

    Args:
        records: Estimates.
        n_missing: Rows without a score; 0 changes nothing.

    Example:
        >>> stamped([{"metric": "auroc", "status": "ok"}], 3)[0]["status"]
        '3_rows_without_a_score_left_out'
    """
    if n_missing == 0:
        return records
    told = f"{n_missing}_rows_without_a_score_left_out"
    return [
        {**one, "status": told if one["status"] == "ok" else f"{one['status']}; {told}"} for one in records
    ]


def bound_records(
    everyone: Predictions,
    limit: float | NDArray[np.float64] | None,
    measured: Callable[[Predictions], list[dict[str, Any]]],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Records of the worst and the best case, and the note that says what they are.

    Args:
        everyone: The table, missing scores as NaN.
        limit: The threshold of every row, if there is one.
        measured: Makes the records of a table.
    """
    records: list[dict[str, Any]] = []
    for name, worst in _CASES:
        filled = fill_missing(everyone.labels, everyone.scores, worst=worst, thresholds=limit)
        own: dict[str, dict[str, Any]] = {}
        for record in measured(replace(everyone, scores=filled)):
            own.setdefault(record["metric"], record)
        records += [{**own[metric], "group": name} for metric in _MEASURES if metric in own]
    note = (
        "the worst case counts every row without a score as wrong, the best case as right: the complete data "
        "would have given something between"
    )
    return records, [note]
