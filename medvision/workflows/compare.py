"""Compare the predictions of several models on the same cases, made by any program. No torch."""

from __future__ import annotations

import json
import math
import re
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
from medvision.workflows.prediction_table import Predictions, read_predictions, rows_note, word

_SHOWN = 20
_ZEROS = re.compile(r"^0+(?=\d)|\.0+$")

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
    if threshold is not None and not math.isfinite(threshold):
        raise EvaluationError(f"threshold={threshold} is no finite number")
    columns = {"label": label, "score": score, "patient": patient, "case": on, "fold": fold}
    models = _read(named, columns, positive)
    _check_agreement(models)
    order = {
        name: np.argsort(np.asarray(model.cases).astype(str), kind="stable") for name, model in models.items()
    }
    pairs = list(combinations(models, 2))
    found: list[tuple[str, str, str, Comparison]] = []
    for a, b in pairs:
        found += [(a, b, metric, result) for metric, result in _pair(models, order, a, b, threshold, level)]
    first = next(iter(models.values()))
    notes = [rows_note(len(first.labels), first.patients, "case"), *_all_notes(models)]
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
    if len(named) != len(tables):
        raise EvaluationError(
            "the same table, or one of the same name, was given twice; a comparison needs tables of "
            "different models with different names"
        )
    if len(named) < 2:
        raise EvaluationError("a comparison needs at least two tables with different names; name them")
    return named


def _read(
    named: Mapping[str, Table], columns: Mapping[str, str | None], positive: object
) -> dict[str, Predictions]:
    """Every table, or all that is wrong with any of them."""
    models, wrong = {}, []
    for name, table in named.items():
        try:
            models[name] = read_predictions(table, positive=positive, **columns)  # type: ignore[arg-type] # label and score are set
        except EvaluationError as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        lines = [line for error in wrong for line in (error.message, *(f"  {one}" for one in error.problems))]
        raise EvaluationError(f"{len(wrong)} of {len(named)} tables cannot be compared", problems=lines)
    return models


def _all_notes(models: Mapping[str, Predictions]) -> list[str]:
    """The notes of every table, each once."""
    return list(dict.fromkeys(note for model in models.values() for note in model.notes))


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
                problems.append(f"{_cases(len(missing))} not in {where}: {_listed(missing)}")
        shared = reference.index.intersection(other.index)
        for column in reference.columns:
            differing = shared[(reference.loc[shared, column] != other.loc[shared, column]).to_numpy()]
            if len(differing):
                many = "1 case" if len(differing) == 1 else f"{len(differing)} cases"
                one, two = (table.loc[differing[0], column] for table in (reference, other))
                problems.append(
                    f"the {column} of {many} differs between {names[0]} and {name}: "
                    f"{_listed(differing)} ({differing[0]}: {one} and {two})"
                )
        problems += _spelled_apart(reference.index, other.index, names[0], name)
    if problems:
        raise EvaluationError(
            "the tables do not hold the same cases; paired models need them", problems=problems
        )


def _cases(n: int) -> str:
    return "1 case is" if n == 1 else f"{n} cases are"


def _listed(cases: pd.Index[Any]) -> str:
    more = f" and {len(cases) - _SHOWN} more" if len(cases) > _SHOWN else ""
    return ", ".join(map(str, cases[:_SHOWN])) + more


def _spelled_apart(first: pd.Index[Any], second: pd.Index[Any], a: str, b: str) -> list[str]:
    """Cases that are the same but for what a spreadsheet does to numbers: 007 becomes 7, 7 becomes 7.0."""
    one, two = ({_ZEROS.sub("", str(case)): str(case) for case in cases} for cases in (first, second))
    shared = [name for name in one.keys() & two.keys() if one[name] != two[name]]
    if not shared:
        return []
    name = min(shared)
    return [
        f"{one[name]} of {a} may be {two[name]} of {b}, and {len(shared) - 1} more are written so: a program "
        "may have read them as numbers; write them alike"
    ]


def _by_case(model: Predictions) -> pd.DataFrame:
    columns: dict[str, Any] = {"label": np.where(model.labels, "positive", "negative")}
    if model.patients is not None:
        columns["patient"] = model.patients.astype(str)
    if model.folds is not None:
        columns["fold"] = [word(fold) for fold in model.folds]
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
