"""An evaluation by subgroup: which groups a table has, each one's estimates, and whether they differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import p_text
from medvision.evaluation.subgroup_analysis import (
    Metric,
    Subgroups,
    adjusted_interactions,
    group_names,
    subgroups,
)
from medvision.reporting.measures import measure
from medvision.workflows.evaluation_result import record_of
from medvision.workflows.prediction_table import Predictions, column_problem

_MOST_GROUPS = 12


def groups_of(frame: pd.DataFrame, by: Sequence[str], source: str) -> dict[str, NDArray[np.str_]]:
    """The group of each row for each covariate.

    Args:
        frame: The table.
        by: Columns; ``age:65`` cuts a number into ``<65`` and ``≥65``, ``age:40/65`` into three.
        source: What the table is called.

    Raises:
        EvaluationError: A column is not there, has one value only, or too many; all at once.

    Example:
        >>> groups_of(pd.DataFrame({"age": [30, 70]}), ["age:65"], "the table")["age"].tolist()
        ['<65', '≥65']
    """
    found, problems = {}, []
    for wanted in by:
        name, _, cuts = (part.strip() for part in wanted.partition(":"))
        if missing := column_problem(frame, "by", name):
            problems.append(missing)
            continue
        groups = group_names(frame[name].to_numpy()) if not cuts else _cut(frame[name], cuts)
        if groups is None:
            problems.append(
                f"by: {wanted!r}: write numbers at which to cut a column of numbers, such as age:40/65"
            )
        elif not 1 < (count := len(np.unique(groups))) <= _MOST_GROUPS:
            problems.append(
                f"by: {name!r} has {'1 value' if count == 1 else f'{count} values'}; subgroups need 2 to "
                f"{_MOST_GROUPS}"
                + (f": cut a number, such as {name}:40/65" if _cuttable(frame[name], count) else "")
            )
        else:
            found[name] = groups
    if problems:
        raise EvaluationError(f"{source} cannot be divided as asked", problems=problems)
    return found


def _cuttable(column: pd.Series[Any], count: int) -> bool:
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return count > _MOST_GROUPS and numbers


def _cut(column: pd.Series[Any], cuts: str) -> NDArray[np.str_] | None:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    try:
        edges = sorted({float(cut) for cut in cuts.split("/")})
    except ValueError:
        return None
    if np.isnan(numbers).sum() > column.isna().sum():
        return None
    names = [f"<{edges[0]:g}", *(f"{a:g}–<{b:g}" for a, b in pairwise(edges))]
    named = np.array([*names, f"≥{edges[-1]:g}"])[np.searchsorted(edges, numbers, side="right")]
    return np.where(np.isnan(numbers), "missing", named)


def group_records(
    found: Predictions,
    groups: dict[str, NDArray[np.str_]],
    limit: float | NDArray[np.float64] | None,
    level: float,
) -> tuple[list[dict[str, Any]], list[str], dict[str, Any]]:
    """Records of every subgroup and difference, notes with the tests, and the same for JSON.

    Args:
        found: The table.
        groups: The group of each row for each covariate.
        limit: The threshold; None leaves sensitivity and specificity out.
        level: Confidence level.
    """
    metrics: list[Metric] = ["auroc"] if limit is None else ["auroc", "sensitivity", "specificity"]
    records: list[dict[str, Any]] = []
    notes: list[str] = []
    tests: dict[str, dict[str, Any]] = {name: {} for name in groups}
    for metric in metrics:
        of_metric = {
            name: subgroups(
                found.labels, found.scores, own, metric=metric, threshold=limit, patients=found.patients,
                level=level,
            )
            for name, own in groups.items()
        }  # fmt: skip
        adjusted = adjusted_interactions(of_metric)
        testable = sum(not np.isnan(one.p) for one in of_metric.values())
        for name, one in of_metric.items():
            records += _records(name, one)
            tests[name][metric] = {
                "p": _plain(one.p),
                "p_adjusted": _plain(adjusted[name]),
                "method": one.method,
            }
            notes.append(_note(name, one, adjusted[name], testable))
    if groups and found.folds is not None:
        notes.append("the areas of subgroups are pooled over folds, because folds have too few cases of each")
    if groups:
        notes.append(
            "subgroups were compared because they were asked for: a large p does not show that they are equal"
        )
    return records, notes, tests


def _records(name: str, found: Subgroups) -> list[dict[str, Any]]:
    own = [record_of(found.metric, f"{name}={group}", one) for group, one in found.groups.items()]
    gaps = [
        record_of(f"{found.metric} difference", f"{name}={group} − {found.reference}", one)
        for group, one in found.differences.items()
    ]
    return own + gaps


def _note(name: str, found: Subgroups, adjusted: float, family: int) -> str:
    label = measure(found.metric).label
    if np.isnan(found.p):
        return f"{name}: {label} cannot be tested for a difference between groups (too few cases)"
    joint = "" if family == 1 else f" ({p_text(adjusted)} by Holm's method over {family} covariates)"
    return f"{name}: test that {label} is the same in all groups: {p_text(found.p)}{joint}"


def _plain(p: float) -> float | None:
    return None if np.isnan(p) else float(p)
