"""A reader study, or an algorithm against readers, from a table of readings. No torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from medvision.evaluation import adjust
from medvision.evaluation.ai_against_readers import compare_ai_with_readers
from medvision.evaluation.estimates import Comparison, p_text
from medvision.evaluation.multi_reader import FigureName, ReaderStudy, reader_study
from medvision.evaluation.obuchowski_rockette import Scope
from medvision.workflows.evaluation_result import record_of
from medvision.workflows.reader_options import ReadingColumns
from medvision.workflows.readings import read_readings

_SPEAKS_OF = {
    "RRRC": "readers and cases are random: the result speaks of other readers and other cases",
    "FRRC": "readers are fixed: the result speaks of these readers and other cases",
    "RRFC": "cases are fixed: the result speaks of other readers and these cases",
}
_METRICS = {"auc": "auroc"}


@dataclass(frozen=True)
class ReaderEvaluation:
    """What a table of readings shows.

    Attributes:
        estimates: One record an estimate, as of :func:`medvision.workflows.evaluate.evaluate`: the mean of
            the readers under each modality, then each reader; with ``modality`` and ``reader`` (None for the
            mean). Of an algorithm against readers: its own, and the mean of the readers.
        comparisons: ``a``, ``b``, ``metric``, ``difference``, ``statistic``, ``df``, ``p``, ``p_adjusted``,
            ``method``, first minus second.
        study: Figure, scope, the test of all modalities, and components of variance; empty for an algorithm
            against readers.
        notes: Sentences about what the numbers mean.
        input: Name, SHA-256 and rows of what was evaluated.

    Example:
        >>> sorted(json.loads(ReaderEvaluation((), (), {}, (), {"rows": 1}).to_json()))[:3]
        ['comparisons', 'estimates', 'input']
    """

    estimates: tuple[dict[str, Any], ...]
    comparisons: tuple[dict[str, Any], ...]
    study: dict[str, Any]
    notes: tuple[str, ...]
    input: dict[str, Any]

    def to_json(self) -> str:
        """The evaluation as JSON, as in ``docs/evaluation.schema.json``; what is undefined is null."""
        content = {
            "estimates": list(self.estimates),
            "table": {},
            "notes": list(self.notes),
            "input": self.input,
            "threshold": self.study.get("threshold"),
            "comparisons": list(self.comparisons),
        }
        if self.study:
            content["reader_study"] = {k: v for k, v in self.study.items() if k != "threshold"}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def evaluate_readers(
    table: pd.DataFrame | str | Path,
    columns: ReadingColumns | None = None,
    *,
    figure: FigureName = "auc",
    threshold: float | None = None,
    scope: Scope = "RRRC",
    level: float = 0.95,
) -> ReaderEvaluation:
    """Compare modalities that the same readers read on the same cases.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file, one row a reading.
        columns: What it calls its columns.
        figure: ``auc``, ``sensitivity`` or ``specificity``.
        threshold: A rating of at least this is positive; for sensitivity and specificity.
        scope: ``RRRC``, ``FRRC`` or ``RRFC``.
        level: Confidence level.

    Raises:
        EvaluationError: The table is not a fully crossed reader study; everything wrong is named at once.

    Example:
        >>> rows = [(r, t, c, c % 2, (c * 7 + r * c + t * 3 * c) % 11 + 4 * (c % 2))
        ...         for r in range(3) for t in range(2) for c in range(20)]
        >>> table = pd.DataFrame(rows, columns=["reader", "modality", "case", "label", "score"])
        >>> [record["group"] for record in evaluate_readers(table).estimates[:2]]
        ['modality=0, mean of readers', 'modality=1, mean of readers']
    """
    named = columns or ReadingColumns()
    found, source = read_readings(table, named)
    patient = "patient" if "patient" in found else None
    study = reader_study(
        found, patients=patient, figure=figure, threshold=threshold, scope=scope, level=level
    )
    metric, column = _METRICS.get(figure, figure), str(named.modality)
    return ReaderEvaluation(
        tuple(_records(study, metric, column, named.reader)),
        tuple(_comparisons(study.differences, metric)),
        _test_of(study, threshold),
        _notes(found, study),
        {**source, "columns": named.named()},
    )


def evaluate_ai_against_readers(
    table: pd.DataFrame | str | Path,
    ai: str,
    columns: ReadingColumns | None = None,
    *,
    figure: FigureName = "auc",
    threshold: float | None = None,
    scope: Scope = "RRRC",
    level: float = 0.95,
) -> ReaderEvaluation:
    """Compare an algorithm with the mean of readers on the same cases.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file, one row a reading; the algorithm
            has its rows as one more reader.
        ai: Its name in the column of readers.
        columns: What the table calls its columns; the modality is not used.
        figure: ``auc``, ``sensitivity`` or ``specificity``.
        threshold: A rating of at least this is positive; for sensitivity and specificity.
        scope: ``RRRC``, ``FRRC`` or ``RRFC``.
        level: Confidence level.

    Raises:
        EvaluationError: The table is not fully crossed, or the algorithm or 2 readers are not in it.

    Example:
        >>> rows = [(r, c, c % 2, (c * (7 + i)) % 11 + 4 * (c % 2))
        ...         for i, r in enumerate(["AI", "A", "B", "C"]) for c in range(20)]
        >>> table = pd.DataFrame(rows, columns=["reader", "case", "label", "score"])
        >>> evaluate_ai_against_readers(table, "AI", ReadingColumns(modality=None)).comparisons[0]["b"]
        'mean of 3 readers'
    """
    named = columns or ReadingColumns(modality=None)
    found, source = read_readings(table, named)
    patient = "patient" if "patient" in found else None
    result = compare_ai_with_readers(
        found, ai, patients=patient, figure=figure, threshold=threshold, scope=scope, level=level
    )
    metric = _METRICS.get(figure, figure)
    mean = f"mean of {found['reader'].nunique() - 1} readers"
    own = [
        {**record_of(metric, f"{named.reader}={name}" if name == ai else name, one), "reader": name}
        for name, one in ((ai, result.first), (mean, result.second))
        if one is not None
    ]
    notes = (*_sample(found[found["reader"].astype(str) != ai]), f"{ai} is fixed; {_SPEAKS_OF[scope]}")
    return ReaderEvaluation(
        tuple(own),
        tuple(_comparisons({(ai, mean): result}, metric)),
        {},
        notes,
        {**source, "columns": named.named()},
    )


def _records(study: ReaderStudy, metric: str, modality: str, reader: str) -> list[dict[str, Any]]:
    means = [
        {**record_of(metric, f"{modality}={name}, mean of readers", one), "modality": name, "reader": None}
        for name, one in study.means.items()
    ]
    each = [
        {**record_of(metric, f"{modality}={name}, {reader}={who}", one), "modality": name, "reader": who}
        for (name, who), one in study.readers.items()
    ]
    return means + each


def _comparisons(pairs: Mapping[tuple[str, str], Comparison], metric: str) -> list[dict[str, Any]]:
    adjusted = adjust([result.p for result in pairs.values()]).tolist()
    records = []
    for ((a, b), result), p in zip(pairs.items(), adjusted, strict=True):
        plain = result.to_dict()
        kept = {key: plain[key] for key in ("difference", "statistic", "df", "p")}
        p_adjusted = None if math.isnan(p) else p
        records.append({"a": a, "b": b, "metric": metric, **kept, "p_adjusted": p_adjusted,
                        "method": result.method})  # fmt: skip
    return records


def _test_of(study: ReaderStudy, threshold: float | None) -> dict[str, Any]:
    plain = study.to_dict()
    return {key: plain[key] for key in ("figure", "scope", "statistic", "df", "p", "components")} | {
        "threshold": threshold
    }


def _notes(found: pd.DataFrame, study: ReaderStudy) -> tuple[str, ...]:
    words = [*_sample(found), _SPEAKS_OF[study.scope]]
    if len(study.means) > 2:
        words.append(
            f"all {len(study.means)} modalities are equal: F = {study.statistic:.2f}, {p_text(study.p)}; "
            f"p-values of pairs are adjusted by Holm's method over {len(study.differences)} pairs"
        )
    words.append("intervals of single readers are over cases alone")
    return tuple(words)


def _sample(found: pd.DataFrame) -> list[str]:
    truth = found.drop_duplicates("case")["label"]
    words = f"{found['reader'].nunique()} readers, {len(truth)} cases ({int(truth.sum())} with the condition)"
    if "patient" in found:
        words += f" of {found['patient'].nunique()} patients; intervals account for clustering"
    return [words]
