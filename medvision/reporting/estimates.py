"""The estimates and comparisons of `results.json`, as the report reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medvision.errors import RunError


@dataclass(frozen=True)
class ReportedEstimate:
    """One number of the study with its interval and where it came from.

    Args:
        value: The estimate; NaN where it is undefined.
        low: Lower limit of the interval; NaN where there is none.
        high: Upper limit of the interval; NaN where there is none.
        level: Confidence level, such as 0.95.
        method: How the interval was made.
        n_units: Units (cases, nodules, scans) that the estimate rests on; None where not stated.
        n_patients: Patients that they belong to; None where not stated.
        status: `ok`, or why the number is undefined or to be read with care.
        unit: Physical unit, such as `mm`; empty for a proportion or an index.
        model: `image`, or the name of a comparator.
        metric: Such as `auroc`; see `medvision.reporting.measures`.
        aggregation: Such as `fold-averaged` or `pooled out-of-fold`.
        structure: Of a segmentation; None for all structures together or for a classification.
        fold: Set where the estimate is of one fold alone.
        part: The name of that fold where it has one, such as `site A`.

    Example:
        >>> nothing = ReportedEstimate(math.nan, math.nan, math.nan, 0.95, "", 0, 0, "one_class")
        >>> nothing.defined
        False
    """

    value: float
    low: float
    high: float
    level: float
    method: str
    n_units: int | None
    n_patients: int | None
    status: str = "ok"
    unit: str = ""
    model: str = ""
    metric: str = ""
    aggregation: str = ""
    structure: str | None = None
    fold: int | None = None
    part: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a value at all."""
        return not math.isnan(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether at least one limit is there; an infinite limit is stored as none."""
        return not (math.isnan(self.low) and math.isnan(self.high))


@dataclass(frozen=True)
class ReportedComparison:
    """The difference of one metric between two models, a minus b."""

    a: str
    b: str
    metric: str
    difference: ReportedEstimate
    statistic: float
    p: float
    p_adjusted: float
    method: str


def estimate_from(entry: Mapping[str, Any]) -> ReportedEstimate:
    """Read one entry of `estimates`, or the `difference` of a comparison.

    Raises:
        RunError: The entry has no `value`.

    Example:
        >>> estimate_from({"metric": "auroc", "value": None, "status": "one_class"}).defined
        False
    """
    if "value" not in entry:
        raise RunError(f"results.json: an estimate has no `value`: {dict(entry)}; run the evaluation again")
    return ReportedEstimate(
        value=_number(entry.get("value")),
        low=_number(entry.get("low")),
        high=_number(entry.get("high")),
        level=float(entry.get("level") or 0.95),
        method=str(entry.get("method") or ""),
        n_units=_count(entry.get("n_units")),
        n_patients=_count(entry.get("n_patients")),
        status=str(entry.get("status") or "ok"),
        unit=str(entry.get("unit") or ""),
        model=str(entry.get("model") or ""),
        metric=str(entry.get("metric") or ""),
        aggregation=str(entry.get("aggregation") or ""),
        structure=entry.get("structure"),
        fold=_count(entry.get("fold")),
        part=str(entry.get("part") or ""),
    )


def comparison_from(entry: Mapping[str, Any]) -> ReportedComparison:
    """Read one entry of `comparisons`.

    Raises:
        RunError: The entry has no `difference`.
    """
    if "difference" not in entry:
        raise RunError(f"results.json: a comparison has no `difference`: {dict(entry)}; evaluate again")
    return ReportedComparison(
        a=str(entry.get("a") or ""),
        b=str(entry.get("b") or ""),
        metric=str(entry.get("metric") or ""),
        difference=estimate_from(entry["difference"]),
        statistic=_number(entry.get("statistic")),
        p=_number(entry.get("p")),
        p_adjusted=_number(entry.get("p_adjusted")),
        method=str(entry.get("method") or ""),
    )


def _number(value: object) -> float:
    # JSON has no NaN: an undefined number is stored as null.
    return float(value) if isinstance(value, (int, float)) else math.nan


def _count(value: object) -> int | None:
    return None if value is None or value != value else int(str(value).removesuffix(".0"))
