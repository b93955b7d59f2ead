"""What an evaluation hands back: records, notes, and the same as JSON and as Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from medvision.evaluation import Estimate


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
        lesions: The lesions of each case, where masks were evaluated lesion by lesion.
        components: The predicted components of each case, likewise.
        structures: In how many cases each structure of the masks is in both, in one, or in neither.
        interactions: For each covariate and metric the test that all subgroups have one value: ``p``,
            ``p_adjusted``, ``method``.
        confusion: Of several classes: ``classes``, ``counts`` (a row for each true class) and ``shares``, the
            share of each true class that was called each class, as records.
        tables: Of several labels: the 2×2 counts of each.
        thresholds: Of several labels: the threshold of each.
        curves: Tables behind the figures (calibration curve, net benefit, predictive values over
            prevalences), where they were asked for; no part of the JSON.

    Example:
        >>> record = record_of("auroc", "all", Estimate(0.9, 0.8, 0.95, method="DeLong, logit"))
        >>> Evaluation((record,), {}, (), {"rows": 24}).estimates[0]["metric"]
        'auroc'
    """

    estimates: tuple[dict[str, Any], ...]
    table: dict[str, int]
    notes: tuple[str, ...]
    input: dict[str, Any]
    threshold: float | None = None
    cases: pd.DataFrame | None = None
    interactions: Mapping[str, Any] = field(default_factory=dict)
    confusion: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, dict[str, int]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    lesions: pd.DataFrame | None = None
    components: pd.DataFrame | None = None
    structures: tuple[dict[str, Any], ...] = ()
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def to_json(self) -> str:
        """The evaluation as JSON; what is undefined is null.

        Example:
            >>> sorted(json.loads(Evaluation((), {}, (), {"rows": 24}).to_json()))
            ['estimates', 'input', 'notes', 'table', 'threshold']
        """
        content: dict[str, Any] = {
            "estimates": list(self.estimates),
            "table": self.table,
            "notes": list(self.notes),
            "input": self.input,
            "threshold": self.threshold,
        }
        for name in ("interactions", "confusion", "tables", "thresholds", "structures"):
            if more := getattr(self, name):
                content[name] = more
        for name in ("cases", "lesions", "components"):
            table: pd.DataFrame | None = getattr(self, name)
            if table is not None:
                content[name] = json.loads(table.to_json(orient="records", double_precision=10))
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """The evaluation as a table in Markdown, its notes below.

        Example:
            >>> print(Evaluation((), {}, (), {"rows": 24}).to_markdown().splitlines()[0])
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
        rows += confusion_lines(self.confusion) if self.confusion else []
        return "\n".join([*rows, *(["", *(f"- {note}" for note in self.notes)] if self.notes else [])]) + "\n"


def confusion_lines(confusion: Mapping[str, Any]) -> list[str]:
    """The confusion matrix as lines of Markdown: counts, a row for each true class.

    Example:
        >>> confusion_lines({"classes": ["a", "b"], "counts": [[3, 1], [0, 4]]})[1]
        '| true class | called a | called b |'
    """
    names = confusion["classes"]
    head = "| true class | " + " | ".join(f"called {name}" for name in names) + " |"
    rows = [
        f"| {name} | " + " | ".join(map(str, counts)) + " |"
        for name, counts in zip(names, confusion["counts"], strict=True)
    ]
    return ["", head, "|" + "---|" * (len(names) + 1), *rows]


def text_of(record: Mapping[str, Any]) -> str:
    """The estimate of a record as papers print it.

    Example:
        >>> text_of({"value": 0.9, "low": 0.8, "high": 0.95, "level": 0.95, "status": "ok"})
        '0.900 (95% CI 0.800–0.950)'
    """
    return str(estimate_of(record))


def estimate_of(record: Mapping[str, Any]) -> Estimate:
    """The value and the interval of a record.

    Example:
        >>> estimate_of({"value": None, "low": None, "high": None, "level": 0.95, "status": "ok"}).value
        nan
    """
    value, low, high = (math.nan if record[key] is None else record[key] for key in ("value", "low", "high"))
    return Estimate(value, low, high, record["level"], status=record["status"])


def record_of(metric: str, group: str, estimate: Estimate, status: str | None = None) -> dict[str, Any]:
    """An estimate as a record of plain values.

    Example:
        >>> record_of("auroc", "all", Estimate(0.9, 0.8, 1.0))["metric"]
        'auroc'
    """
    record = {"metric": metric, "group": group, **estimate.to_dict()}
    return record if status is None else {**record, "status": status}
