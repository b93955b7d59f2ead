"""Compare the predictions of several models on the same cases, made by any program. No torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medvision.errors import EvaluationError
from medvision.evaluation import (
    Comparison,
    adjust,
    compare_auroc,
    compare_cross_validated_auroc,
    compare_proportions,
)
from medvision.evaluation.estimates import p_text
from medvision.workflows.evaluation_result import record_of, text_of
from medvision.workflows.prediction_table import Predictions, read_predictions

Table = pd.DataFrame | str | Path


@dataclass(frozen=True)
class ComparedModels:
    """Every pairwise comparison, first minus second.

    Attributes:
        estimates: The measure of each model, one record each.
        comparisons: ``a``, ``b``, ``metric``, ``difference`` (an estimate), ``statistic``, ``p``,
            ``p_adjusted`` (Holm, within a metric), ``method``.
        notes: Sentences about what could mislead.
        input: Name, SHA-256 and rows of each table.
    """

    estimates: tuple[dict[str, Any], ...]
    comparisons: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    input: dict[str, Any]

    def to_json(self) -> str:
        """The comparisons as JSON; what is undefined is null."""
        content = {
            "estimates": list(self.estimates),
            "comparisons": list(self.comparisons),
            "notes": list(self.notes),
            "input": self.input,
        }
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """The comparisons as tables in Markdown, the notes below."""
        lines = ["| model | metric | estimate |", "|---|---|---|"]
        lines += [
            f"| {record['group']} | {record['metric']} | {text_of(record)} |" for record in self.estimates
        ]
        lines += ["", "| models | metric | difference | p | p (Holm) | method |", "|---|---|---|---|---|---|"]
        for pair in self.comparisons:
            p, adjusted = (
                p_text(math.nan if pair[key] is None else pair[key]) for key in ("p", "p_adjusted")
            )
            cells = [f"{pair['a']} − {pair['b']}", pair["metric"], text_of(pair["difference"]), p, adjusted]
            lines.append("| " + " | ".join([*cells, pair["method"]]) + " |")
        return (
            "\n".join([*lines, *(["", *(f"- {note}" for note in self.notes)] if self.notes else [])]) + "\n"
        )


def compare(
    tables: Mapping[str, Table] | Sequence[Table],
    *,
    on: str,
    label: str,
    score: str,
    patient: str | None = None,
    fold: str | None = None,
    positive: object = 1,
    threshold: float | None = None,
    level: float = 0.95,
) -> ComparedModels:
    """Compare models on the same cases, each pair of them.

    Rows are matched by the case, never by their order. With a fold column the fold-averaged areas are
    compared, otherwise the areas by DeLong's test; with a threshold also sensitivity and specificity.

    Args:
        tables: The table of each model, by its name; or paths, whose file names become the names.
        on: Column of the case, which matches the rows.
        label: Column of the reference standard; it must agree between the tables.
        score: Column of the score.
        patient: Column of the patient.
        fold: Column of the fold; it must agree between the tables.
        positive: The label that means that the condition is present.
        threshold: Compare sensitivity and specificity at this score and above.
        level: Confidence level.

    Returns:
        The comparisons, and p-values adjusted by Holm's method over the pairs of a metric.

    Raises:
        EvaluationError: Fewer than two tables, cases that stand in one table only, or labels, patients or
            folds that differ between tables.

    Example:
        >>> frame = pd.DataFrame({"case": range(40), "label": [0, 1] * 20, "score": np.arange(40) % 7})
        >>> other = frame.assign(score=frame["score"] + frame["label"] * 3)
        >>> found = compare({"new": other, "old": frame}, on="case", label="label", score="score")
        >>> found.comparisons[0]["a"], found.comparisons[0]["difference"]["n_units"]
        ('new', 40)
    """
    named = _named(tables)
    models = {
        name: read_predictions(
            table, label=label, score=score, patient=patient, case=on, fold=fold, positive=positive
        )
        for name, table in named.items()
    }
    _check_agreement(models)
    order = {
        name: np.argsort(np.asarray(model.cases).astype(str), kind="stable") for name, model in models.items()
    }
    pairs = list(combinations(models, 2))
    found: list[tuple[str, str, str, Comparison]] = []
    for a, b in pairs:
        found += [(a, b, metric, result) for metric, result in _pair(models, order, a, b, threshold, level)]
    first = next(iter(models.values()))
    notes = list(first.notes)
    if len(pairs) > 1:
        notes.append(f"p-values are adjusted by Holm's method over {len(pairs)} pairs for each metric")
    if fold is not None:
        notes.append("the fold-averaged areas are compared; intervals hold for the fitted fold models")
    return ComparedModels(
        tuple(estimate_records(found)),
        tuple(comparison_records(found)),
        tuple(notes),
        {name: model.source for name, model in models.items()},
    )


def _named(tables: Mapping[str, Table] | Sequence[Table]) -> dict[str, Table]:
    if isinstance(tables, Mapping):
        named = dict(tables)
    else:
        stems = [Path(t).stem if isinstance(t, str | Path) else f"model {i}" for i, t in enumerate(tables, 1)]
        # Files of one name in different folders are told apart by their folders.
        names = [
            stem
            if stems.count(stem) == 1 or not isinstance(t, str | Path)
            else f"{Path(t).parent.name}/{stem}"
            for stem, t in zip(stems, tables, strict=True)
        ]
        named = dict(zip(names, tables, strict=True))
    if len(named) < 2 or len(named) != len(tables):
        raise EvaluationError("a comparison needs at least two tables with different names; name them")
    return named


def _check_agreement(models: Mapping[str, Predictions]) -> None:
    names = list(models)
    reference = _by_case(models[names[0]])
    problems = []
    for name in names[1:]:
        other = _by_case(models[name])
        for missing, where in (
            (reference.index.difference(other.index), name),
            (other.index.difference(reference.index), names[0]),
        ):
            if len(missing):
                problems.append(
                    f"{len(missing)} cases are not in {where}: {', '.join(map(str, missing[:5]))}"
                )
        shared = reference.index.intersection(other.index)
        for column in reference.columns:
            differing = shared[(reference.loc[shared, column] != other.loc[shared, column]).to_numpy()]
            if len(differing):
                problems.append(
                    f"the {column} of {len(differing)} cases differs between {names[0]} and {name}: "
                    f"{', '.join(map(str, differing[:5]))}"
                )
    if problems:
        raise EvaluationError(
            "the tables do not hold the same cases; paired models need them", problems=problems
        )


def _by_case(model: Predictions) -> pd.DataFrame:
    columns: dict[str, Any] = {"label": model.labels}
    if model.patients is not None:
        columns["patient"] = model.patients.astype(str)
    if model.folds is not None:
        columns["fold"] = model.folds.astype(str)
    return pd.DataFrame(columns, index=pd.Index(np.asarray(model.cases).astype(str)))


def _pair(
    models: Mapping[str, Predictions],
    order: Mapping[str, Any],
    a: str,
    b: str,
    threshold: float | None,
    level: float,
) -> list[tuple[str, Comparison]]:
    first, second = models[a], models[b]
    labels, one, two = first.labels[order[a]], first.scores[order[a]], second.scores[order[b]]
    patients = None if first.patients is None else first.patients[order[a]]
    if first.folds is None:
        area = compare_auroc(labels, one, two, patients=patients, level=level)
    else:
        folds = first.folds[order[a]]
        area = compare_cross_validated_auroc(labels, one, two, folds, patients=patients, level=level)
    found = [("auroc", area)]
    if threshold is not None:
        for metric, among in (("sensitivity", labels), ("specificity", ~labels)):
            right = [((scores >= threshold) == labels)[among] for scores in (one, two)]
            owners = None if patients is None else patients[among]
            found.append((metric, compare_proportions(*right, patients=owners, level=level)))
    return found


def estimate_records(found: Sequence[tuple[str, str, str, Comparison]]) -> list[dict[str, Any]]:
    """The measure of each model, one record each.

    Args:
        found: First model, second model, measure and comparison.
    """
    records: dict[tuple[str, str], dict[str, Any]] = {}
    for a, b, metric, result in found:
        for name, estimate in ((a, result.first), (b, result.second)):
            if estimate is not None:
                records.setdefault((name, metric), record_of(metric, name, estimate))
    return list(records.values())


def comparison_records(found: Sequence[tuple[str, str, str, Comparison]]) -> list[dict[str, Any]]:
    """The comparisons, their p-values adjusted by Holm's method within a measure.

    Args:
        found: First model, second model, measure and comparison.
    """
    adjusted: dict[int, float] = {}
    for metric in dict.fromkeys(entry[2] for entry in found):
        rows = [row for row, entry in enumerate(found) if entry[2] == metric]
        adjusted |= dict(zip(rows, adjust([found[row][3].p for row in rows]).tolist(), strict=True))
    records = []
    for row, (a, b, metric, result) in enumerate(found):
        plain = result.to_dict()
        p = adjusted[row]
        records.append(
            {
                "a": a,
                "b": b,
                "metric": metric,
                "difference": plain["difference"],
                "statistic": plain["statistic"],
                "p": plain["p"],
                "p_adjusted": None if math.isnan(p) else p,
                "method": result.method,
            }
        )
    return records
