"""Evaluate a table with several classes a row, or with several labels a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation import (
    Estimate,
    average_precision,
    diagnostic_accuracy,
    kappa,
    multiclass_accuracy,
    multiclass_auroc,
    multilabel_auroc,
    ordinal_c_index,
    top_k_accuracy,
)
from medvision.evaluation.class_confusion import MulticlassAccuracy
from medvision.workflows.class_table import ClassPredictions, read_classes, read_labels
from medvision.workflows.evaluation_result import Evaluation, record_of
from medvision.workflows.prediction_table import rows_note

Records = list[dict[str, Any]]


def evaluate_classes(
    table: pd.DataFrame | str | Path,
    *,
    label: str,
    scores: Mapping[str, str],
    patient: str | None = None,
    case: str | None = None,
    ordinal: bool = False,
    unit: str = "row",
    level: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Evaluate a table with one class a row and a column of scores for each class.

    The predicted class is the one with the highest score.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        label: Column of the true class.
        scores: The column of each class; of ordered classes from the lowest to the highest.
        patient: Column of the patient, the unit of independence.
        case: Column of the case; one row each.
        ordinal: The classes have an order: adds quadratic kappa and the C-index of the expected class.
        unit: What a row is, in the singular.
        level: Confidence level.
        seed: Of the bootstrap over patients.

    Raises:
        EvaluationError: The table, a column or a row is wrong; everything wrong is named at once.

    Example:
        >>> frame = pd.DataFrame({"y": ["a", "b"] * 20, "p_a": [0.9, 0.2] * 20, "p_b": [0.1, 0.8] * 20})
        >>> evaluate_classes(frame, label="y", scores={"a": "p_a", "b": "p_b"}).confusion["counts"]
        [[20, 0], [0, 20]]
    """
    found = read_classes(table, label=label, scores=scores, patient=patient, case=case)
    called = found.scores.argmax(axis=1)
    places, owners = range(len(found.names)), found.patients
    accuracy = multiclass_accuracy(
        found.labels, called, classes=places, patients=owners, seed=seed, level=level
    )
    records = [*_area_records(found, seed, level), *_class_records(found, accuracy, level)]
    notes = [rows_note(len(found.labels), owners, unit), *found.notes, *_reversed_notes(records)]
    if ordinal:
        of_order, order_note = _order_records(found, called, level)
        records, notes = records + of_order, [*notes, order_note]
    return Evaluation(
        tuple(records), {}, tuple(notes), found.source, confusion=_confusion(found.names, accuracy)
    )


def _reversed_notes(records: Records) -> list[str]:
    return [
        f"the AUC of {record['group']} lies below 0.5: see whether its column of scores is the right one; "
        "it was not turned round"
        for record in records
        if record["metric"] == "auroc" and record["high"] is not None and record["high"] < 0.5
    ]


def _area_records(found: ClassPredictions, seed: int, level: float) -> Records:
    areas = multiclass_auroc(
        found.labels, found.scores, classes=range(len(found.names)), patients=found.patients, seed=seed,
        level=level,
    )  # fmt: skip
    own = [
        record_of("auroc", name, area)
        for name, area in zip(found.names, areas.per_class.values(), strict=True)
    ]
    means = {
        "macro_auroc": areas.macro,
        "weighted_auroc": areas.weighted,
        "hand_till_auroc": areas.hand_till,
    }
    return own + [record_of(metric, "all", mean) for metric, mean in means.items()]


def _class_records(found: ClassPredictions, accuracy: MulticlassAccuracy, level: float) -> Records:
    records = [
        record_of("accuracy", "all", accuracy.accuracy),
        record_of("balanced_accuracy", "all", accuracy.balanced_accuracy),
        record_of("macro_f1", "all", accuracy.macro_f1),
    ]
    places = range(len(found.names))
    for k in range(2, min(4, len(places))):
        among = top_k_accuracy(
            found.labels, found.scores, k, classes=places, patients=found.patients, level=level
        )
        records.append(record_of(f"top_{k}_accuracy", "all", among))
    for metric in ("sensitivity", "specificity"):
        each: dict[str, Estimate] = getattr(accuracy, metric)
        records += [record_of(metric, name, each[str(k)]) for k, name in enumerate(found.names)]
    return records


def _order_records(found: ClassPredictions, called: NDArray[np.int64], level: float) -> tuple[Records, str]:
    places = np.arange(len(found.names))
    agreement = kappa(
        found.labels, called, weights="quadratic", categories=places, patients=found.patients, level=level
    )
    records = [record_of("quadratic_kappa", "all", agreement)]
    order = f"classes in their order: {' < '.join(found.names)}"
    if found.scores.min() < 0 or not (found.scores.sum(axis=1) > 0).all():
        return records, f"{order}; no expected class, and so no ordinal C-index, from scores below 0"
    expected = found.scores @ places / found.scores.sum(axis=1)
    index = ordinal_c_index(found.labels, expected, patients=found.patients, level=level)
    records.append(record_of("ordinal_c_index", "all", index))
    return records, f"{order}; the ordinal C-index ranks by the expected class, the mean of the places"


def _confusion(names: Sequence[str], accuracy: MulticlassAccuracy) -> dict[str, Any]:
    counts = accuracy.confusion.tolist()
    shares = [
        {"true": one, "predicted": other, "count": counts[i][j], **accuracy.shares[str(i), str(j)].to_dict()}
        for i, one in enumerate(names)
        for j, other in enumerate(names)
    ]
    return {"classes": list(names), "counts": counts, "shares": shares}


def evaluate_labels(
    table: pd.DataFrame | str | Path,
    *,
    labels: Sequence[str],
    scores: Sequence[str],
    patient: str | None = None,
    case: str | None = None,
    positive: object = 1,
    threshold: float | Sequence[float] | None = None,
    unit: str = "row",
    level: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Evaluate a table in which a row may have several labels, with a column of scores for each.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        labels: Columns of the reference standard, 0 or 1.
        scores: Their columns of scores, in the same order.
        patient: Column of the patient, the unit of independence.
        case: Column of the case; one row each.
        positive: The value that means that a label is present.
        threshold: A label is predicted at this score and above: one number, or one for each label.
        unit: What a row is, in the singular.
        level: Confidence level.
        seed: Of the bootstrap over patients.

    Raises:
        EvaluationError: The table, a column or a row is wrong; everything wrong is named at once.

    Example:
        >>> frame = pd.DataFrame({"mass": [1, 0] * 20, "cyst": [1, 1, 0, 0] * 10, "p": [0.9, 0.2] * 20})
        >>> found = evaluate_labels(frame.assign(q=frame.p), labels=["mass", "cyst"], scores=["p", "q"])
        >>> [(record["metric"], record["group"], record["value"]) for record in found.estimates[:3]]
        [('auroc', 'mass', 1.0), ('auroc', 'cyst', 0.5), ('macro_auroc', 'all', 0.75)]
    """
    limits = _limits(threshold, labels)
    found = read_labels(table, labels=labels, scores=scores, patient=patient, case=case, positive=positive)
    areas, mean = multilabel_auroc(
        found.labels, found.scores, names=found.names, patients=found.patients, seed=seed, level=level
    )
    records = [record_of("auroc", name, area) for name, area in areas.items()]
    records.append(record_of("macro_auroc", "all", mean))
    tables: dict[str, dict[str, int]] = {}
    for k, name in enumerate(found.names):
        truth, values = found.labels[:, k], found.scores[:, k]
        precision = average_precision(truth, values, patients=found.patients, level=level)
        records.append(record_of("average_precision", name, precision))
        if limits:
            at = diagnostic_accuracy(truth, values >= limits[name], patients=found.patients, level=level)
            records += [record_of(metric, name, one) for metric, one in at.estimates().items()]
            tables[name] = at.table.to_dict()
    notes = [rows_note(len(found.labels), found.patients, unit), *found.notes, *_reversed_notes(records)]
    told = ", ".join(f"{name} {limit:g}" for name, limit in limits.items())
    notes.append(
        f"predicted at these scores and above: {told}"
        if limits
        else "no threshold was given: sensitivity, specificity and predictive values are left out"
    )
    return Evaluation(tuple(records), {}, tuple(notes), found.source, tables=tables, thresholds=limits)


def _limits(threshold: float | Sequence[float] | None, labels: Sequence[str]) -> dict[str, float]:
    if threshold is None:
        return {}
    each = [threshold] * len(labels) if isinstance(threshold, Real) else list(np.ravel(threshold))
    numbers = all(isinstance(limit, Real) and np.isfinite(float(limit)) for limit in each)
    if len(each) != len(labels) or not numbers:
        raise EvaluationError(
            f"threshold={threshold!r}: give one number for all labels, or one for each of the {len(labels)}"
        )
    return {name: float(limit) for name, limit in zip(labels, each, strict=True)}
