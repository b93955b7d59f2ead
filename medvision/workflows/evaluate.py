"""Evaluate predictions of any program: a table of scores, or two folders of masks. No torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation import (
    Estimate,
    auroc,
    average_precision,
    choose_threshold,
    cross_validated_auroc,
    diagnostic_accuracy,
)
from medvision.workflows.prediction_table import Predictions, read_predictions, require_columns

_FEW = 10
OPTIMISTIC = "optimistic_threshold_chosen_on_the_same_cases"


@dataclass(frozen=True)
class Evaluation:
    """Every estimate of an evaluation, what it rests on, and what a reader must know.

    Attributes:
        estimates: One record an estimate: ``metric``, ``group``, ``value``, ``low``, ``high``, ``level``,
            ``method``, ``n_units``, ``n_patients``, ``status``; None where a number is undefined.
        table: The 2×2 counts ``tp``, ``fp``, ``fn``, ``tn`` at the threshold; empty without one.
        notes: Sentences about what could mislead.
        input: Name, SHA-256 and rows of what was evaluated.
        threshold: A prediction is ``score >= threshold``; None without one.
        cases: The scores of each case, where masks were evaluated.

    Example:
        >>> frame = pd.DataFrame({"label": [0, 1] * 12, "score": np.arange(24)})
        >>> found = evaluate(frame, label="label", score="score")
        >>> found.estimates[0]["metric"], found.estimates[0]["n_units"]
        ('auroc', 24)
    """

    estimates: tuple[dict[str, Any], ...]
    table: dict[str, int]
    notes: tuple[str, ...]
    input: dict[str, Any]
    threshold: float | None = None
    cases: pd.DataFrame | None = None

    def to_json(self) -> str:
        """The evaluation as JSON; what is undefined is null.

        Example:
            >>> frame = pd.DataFrame({"label": [0, 1] * 12, "score": np.arange(24)})
            >>> sorted(json.loads(evaluate(frame, label="label", score="score").to_json()))
            ['estimates', 'input', 'notes', 'table', 'threshold']
        """
        content: dict[str, Any] = {
            "estimates": list(self.estimates),
            "table": self.table,
            "notes": list(self.notes),
            "input": self.input,
            "threshold": self.threshold,
        }
        if self.cases is not None:
            content["cases"] = json.loads(self.cases.to_json(orient="records", double_precision=10))
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """The evaluation as a table in Markdown, its notes below.

        Example:
            >>> frame = pd.DataFrame({"label": [0, 1] * 12, "score": np.arange(24)})
            >>> print(evaluate(frame, label="label", score="score").to_markdown().splitlines()[0])
            | metric | group | estimate | units | patients | method | status |
        """
        rows = [
            "| metric | group | estimate | units | patients | method | status |",
            "|---|---|---|---|---|---|---|",
        ]
        for record in self.estimates:
            cells = [
                record["metric"],
                record["group"],
                text_of(record),
                record["n_units"],
                record["n_patients"],
            ]
            rows.append(
                "| " + " | ".join(str(c) for c in [*cells, record["method"], record["status"]]) + " |"
            )
        if self.table:
            rows += ["", "2×2 table: " + ", ".join(f"{cell} {count}" for cell, count in self.table.items())]
        return "\n".join([*rows, *(["", *(f"- {note}" for note in self.notes)] if self.notes else [])]) + "\n"


def text_of(record: Mapping[str, Any]) -> str:
    """The estimate of a record as papers print it.

    Example:
        >>> text_of({"value": 0.9, "low": 0.8, "high": 0.95, "level": 0.95, "status": "ok"})
        '0.900 (95% CI 0.800–0.950)'
    """
    value, low, high = (math.nan if record[key] is None else record[key] for key in ("value", "low", "high"))
    return str(Estimate(value, low, high, record["level"], status=record["status"]))


def evaluate(
    table: pd.DataFrame | str | Path,
    *,
    label: str,
    score: str,
    patient: str | None = None,
    case: str | None = None,
    fold: str | None = None,
    repeat: str | None = None,
    positive: object = 1,
    threshold: float | str | None = None,
    threshold_rule: str | None = None,
    fit_on: pd.DataFrame | str | Path | None = None,
    sampling: Literal["cohort", "enriched"] = "cohort",
    prevalence: float | None = None,
    level: float = 0.95,
) -> Evaluation:
    """Evaluate a table of predictions, one row a unit.

    Without a threshold only measures of ranking are given. A threshold may be a number, a column of the
    table (one for each row, such as that of its fold), or be chosen by a rule on other cases (``fit_on``).
    Chosen on the evaluated cases themselves, everything at that threshold is stamped as optimistic.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file.
        label: Column of the reference standard.
        score: Column of the score; higher means more disease.
        patient: Column of the patient, the unit of independence.
        case: Column of the case; one row each.
        fold: Column of the fold, for out-of-fold scores of a cross-validation.
        repeat: Column of the repeat, for a repeated cross-validation.
        positive: The label that means that the condition is present.
        threshold: A prediction is positive at this score and above; or the column that holds it.
        threshold_rule: Chooses it: ``youden``, ``sensitivity>=0.95``, ``specificity>=0.9``, ``cost:5``.
        fit_on: The table with the same columns on which the rule chooses: training or tuning cases.
        sampling: ``cohort``, or ``enriched`` where cases were picked by their label.
        prevalence: Where the predictive values shall hold.
        level: Confidence level.

    Raises:
        EvaluationError: The table, a column or a row is wrong; everything wrong is named at once.

    Example:
        >>> frame = pd.DataFrame({"label": [0] * 20 + [1] * 20, "score": [*range(20), *range(10, 30)]})
        >>> found = evaluate(frame, label="label", score="score", threshold=10)
        >>> found.table
        {'tp': 20, 'fp': 10, 'fn': 0, 'tn': 10}
    """
    columns = {
        "label": label,
        "score": score,
        "patient": patient,
        "case": case,
        "fold": fold,
        "repeat": repeat,
    }
    found = read_predictions(table, positive=positive, **columns)  # type: ignore[arg-type] # label and score are set
    records, notes = _ranking(found, level)
    notes = [*found.notes, *_class_notes(found), *notes]
    limit, limit_notes, status = _threshold(found, columns, positive, threshold, threshold_rule, fit_on)
    cells: dict[str, int] = {}
    if limit is None:
        notes.append("no threshold was given: sensitivity, specificity and predictive values are left out")
    else:
        records_at, cells = _at_threshold(found, limit, sampling, prevalence, level, status)
        records += records_at
        notes += [*limit_notes, *_sampling_notes(sampling, prevalence)]
    single = None if limit is None or isinstance(limit, np.ndarray) else float(limit)
    return Evaluation(tuple(records), cells, tuple(notes), found.source, single)


def record_of(metric: str, group: str, estimate: Estimate, status: str | None = None) -> dict[str, Any]:
    """An estimate as a record of plain values.

    Example:
        >>> record_of("auroc", "all", Estimate(0.9, 0.8, 1.0))["metric"]
        'auroc'
    """
    record = {"metric": metric, "group": group, **estimate.to_dict()}
    return record if status is None else {**record, "status": status}


def _ranking(found: Predictions, level: float) -> tuple[list[dict[str, Any]], list[str]]:
    notes: list[str] = []
    if found.folds is None:
        area = auroc(found.labels, found.scores, patients=found.patients, level=level)
        records = [record_of("auroc", "all", area)]
    else:
        validated = cross_validated_auroc(
            found.labels,
            found.scores,
            found.folds,
            patients=found.patients,
            repeats=found.repeats,
            level=level,
        )
        area = validated.fold_averaged if not math.isnan(validated.fold_averaged.value) else validated.pooled
        records = [
            record_of("auroc", "fold-averaged", validated.fold_averaged),
            record_of("auroc", "pooled", validated.pooled),
            *(record_of("auroc", f"fold {name}", estimate) for name, estimate in validated.folds.items()),
        ]
        notes.append(
            "the fold-averaged AUC is the one to report: the pooled AUC compares scores of different fold "
            "models, which share no scale, and is biased downwards"
        )
        notes.append(
            "intervals hold for the fitted fold models; they do not include the variation of another training"
        )
    if not math.isnan(area.high) and area.high < 0.5:
        notes.append(
            "the AUC lies below 0.5: a higher score goes with less disease; the score was not turned round"
        )
    precision = average_precision(found.labels, found.scores, patients=found.patients, level=level)
    records.append(record_of("average_precision", "all" if found.folds is None else "pooled", precision))
    return records, notes


def _class_notes(found: Predictions) -> list[str]:
    positive, n = int(found.labels.sum()), len(found.labels)
    notes = []
    for name, count in (("positive", positive), ("negative", n - positive)):
        if count == 0:
            notes.append(f"no {name} case: measures that need both classes are undefined")
        elif count < _FEW:
            notes.append(
                f"only {count} {name} cases: fewer than 10, read every interval that rests on them with care"
            )
    if found.patients is not None:
        owners = len(np.unique(found.patients))
        if owners < n:
            notes.append(f"{n} rows of {owners} patients: intervals count patients")
    return notes


def _threshold(
    found: Predictions,
    columns: Mapping[str, str | None],
    positive: object,
    threshold: float | str | None,
    rule: str | None,
    fit_on: pd.DataFrame | str | Path | None,
) -> tuple[float | NDArray[np.float64] | None, list[str], str | None]:
    """The threshold (or one for each row), notes on it, and the status that it imposes."""
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
        return limit, [note], OPTIMISTIC
    others = {role: columns[role] for role in ("label", "score", "patient")}
    tuning = read_predictions(fit_on, positive=positive, **others)  # type: ignore[arg-type] # label and score are set
    limit = choose_threshold(tuning.labels, tuning.scores, rule=rule)
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


def _as_number(threshold: float | str) -> float | None:
    try:
        number = float(threshold)
    except ValueError:
        return None
    if not math.isfinite(number):
        raise EvaluationError(f"threshold={threshold} is no finite number")
    return number


def _at_threshold(
    found: Predictions,
    limit: float | NDArray[np.float64],
    sampling: Literal["cohort", "enriched"],
    prevalence: float | None,
    level: float,
    status: str | None,
) -> tuple[list[dict[str, Any]], dict[str, int]]:
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


def _sampling_notes(sampling: str, prevalence: float | None) -> list[str]:
    notes = []
    if sampling == "enriched":
        told = (
            "are left out" if prevalence is None else f"are those at the stated prevalence of {prevalence:g}"
        )
        notes.append(
            f"ENRICHED sampling: predictive values {told}; accuracy, F1 and MCC hold only for the mixture of "
            "this sample"
        )
    elif prevalence is not None:
        notes.append(
            f"predictive values are those at the stated prevalence of {prevalence:g}, not of this sample"
        )
    return notes


def evaluate_masks(
    reference_dir: str | Path,
    prediction_dir: str | Path,
    *,
    labels: Mapping[str, int | Sequence[int]],
    nsd_tolerance_mm: float,
    patients: Mapping[str, str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Evaluation:
    """Evaluate a folder of predicted masks against a folder of references, file by file.

    Args:
        reference_dir: NIfTI masks, one a case; the file's name is the case.
        prediction_dir: Masks of the same names, on the same grids.
        labels: The value, or values, of each structure.
        nsd_tolerance_mm: Distance that counts as agreement, in mm.
        patients: The patient of each case, where a patient has several.
        level: Confidence level.
        seed: Of the bootstrap over patients.

    Returns:
        The mean over cases with its interval and the median, for each structure and measure; ``cases`` holds
        the scores of each case.

    Raises:
        EvaluationError: A folder is empty, or cases have no prediction; each is named.
        GeometryError: Two masks of a case do not lie on one grid.
    """
    from medvision.workflows.mask_folders import paired_masks, score_masks, summarise_masks

    pairs, notes = paired_masks(Path(reference_dir), Path(prediction_dir))
    cases = score_masks(pairs, labels, nsd_tolerance_mm, patients)
    records, more = summarise_masks(cases, level, seed)
    source = {"name": Path(reference_dir).name, "rows": len(pairs), "nsd_tolerance_mm": nsd_tolerance_mm}
    return Evaluation(tuple(records), {}, (*notes, *more), source, None, cases)
