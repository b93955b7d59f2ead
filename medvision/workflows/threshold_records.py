"""What is measured at a threshold, as records of an evaluation, and predictive values at prevalences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.evaluation import Estimate, diagnostic_accuracy, predictive_values
from medvision.workflows.evaluation_result import record_of
from medvision.workflows.prediction_table import Predictions


def records_at_threshold(
    found: Predictions,
    limit: float | NDArray[np.float64],
    sampling: Literal["cohort", "enriched"],
    prevalence: float | None,
    level: float,
    status: str | None,
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Every measure of the 2×2 table as a record, and its counts.

    Args:
        found: The table.
        limit: The threshold, or one for each row.
        sampling: How the rows came in.
        prevalence: Where the predictive values shall hold.
        level: Confidence level.
        status: What the choice of the threshold imposes on every estimate.
    """
    accuracy = diagnostic_accuracy(
        found.labels,
        found.scores >= limit,
        patients=found.patients,
        sampling=sampling,
        prevalence=prevalence,
        level=level,
    )
    group = "all" if found.folds is None else "pooled"
    records = [
        record_of(name, group, estimate, _joined(estimate.status, status))
        for name, estimate in accuracy.estimates().items()
    ]
    return records, accuracy.table.to_dict()


def _joined(own: str, imposed: str | None) -> str:
    if imposed is None:
        return own
    return imposed if own == "ok" else f"{own}; {imposed}"


def sampling_notes(sampling: str, prevalence: float | None, further: Sequence[float]) -> list[str]:
    """What a reader must know of predictive values.

    Args:
        sampling: How the rows came in.
        prevalence: Where all predictive values hold.
        further: Prevalences at which they are given, too.

    Example:
        >>> sampling_notes("cohort", None, [])
        []
    """
    notes = []
    if sampling == "enriched":
        told = (
            "are left out" if prevalence is None else f"are those at the stated prevalence of {prevalence:g}"
        )
        if further:
            told = "are given at the stated prevalences only"
        notes.append(
            f"ENRICHED sampling: predictive values {told}; accuracy, F1 and MCC hold only for the mixture of "
            "this sample"
        )
    elif prevalence is not None:
        notes.append(
            f"predictive values are those at the stated prevalence of {prevalence:g}, not of this sample"
        )
    if further:
        notes.append(
            "predictive values at a stated prevalence take sensitivity and specificity to be the same there"
        )
    return notes


def records_at_prevalences(
    found: Predictions,
    limit: float | NDArray[np.float64],
    prevalences: list[float],
    level: float,
    status: str | None,
) -> list[dict[str, Any]]:
    """Predictive values at each of several prevalences.

    Args:
        found: The table.
        limit: The threshold, or one for each row.
        prevalences: None give no records.
        level: Confidence level.
        status: What the choice of the threshold imposes on every estimate.
    """
    if not prevalences:
        return []
    table = predictive_values(
        found.labels, found.scores >= limit, prevalences=prevalences, patients=found.patients, level=level
    )
    n = len(found.labels)
    owners = n if found.patients is None else len(np.unique(found.patients.astype(str)))
    records = []
    for row in table.to_dict("records"):
        at = f"{row['prevalence']:g}"
        for name in ("ppv", "npv"):
            one = Estimate(
                row[name], row[f"{name}_low"], row[f"{name}_high"], level,
                f"logit at a prevalence of {at} (Mercaldo)", n, owners, row["status"],
            )  # fmt: skip
            records.append(record_of(name, f"prevalence {at}", one, _joined(one.status, status)))
    return records


def prevalence_curve(
    found: Predictions, limit: float | NDArray[np.float64], prevalences: list[float], level: float
) -> pd.DataFrame:
    """Predictive values over the range of the stated prevalences, for a figure.

    Args:
        found: The table.
        limit: The threshold, or one for each row.
        prevalences: Their range is drawn, and a third beyond on both sides; ``stated`` marks them.
        level: Confidence level.
    """
    low, high = min(prevalences) / 1.3, max(*prevalences, min(max(prevalences) * 1.3, 0.99))
    table = predictive_values(
        found.labels,
        found.scores >= limit,
        prevalences=np.unique([*np.geomspace(low, high, 60), *prevalences]),
        patients=found.patients,
        level=level,
    )
    return table.assign(stated=table["prevalence"].isin(prevalences))
