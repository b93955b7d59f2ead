"""The operating points of every fold: value, rule and what they were fitted on."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping

from medvision.reporting.contents import RunContents
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import print_number, print_rule, print_sample

_OWN_DATA = re.compile(r"\b(test|evaluated|all) (part|fold|set|data|cases|scores)\b")
_OTHER_DATA = re.compile(r"\b(training|inner|validation|not|without|before)\b")


def thresholds_table(contents: RunContents) -> Table | None:
    """Return one row a repeat, fold and model; None where no threshold was chosen.

    A threshold whose record says that it was fitted on the test part is stamped OPTIMISTIC.
    """
    if contents.thresholds.empty:
        return None
    rows = tuple(_row(entry, contents.unit) for entry in contents.thresholds.to_dict("records"))
    columns = (
        "Repeat", "Fold", "Model", "Threshold", "Rule", "Fitted on", "Fitting sample", "Sensitivity there",
        "Specificity there",
    )  # fmt: skip
    notes = (
        "A case is called positive if its score is at or above the threshold of its own fold. Sensitivity "
        "and specificity here are those on the fitting data, on which they are too high; the performance "
        "table has those on the test parts.",
    )
    return Table("thresholds", "Thresholds of the folds", columns, rows, notes)


def _row(entry: Mapping[Hashable, object], unit: str) -> tuple[str, ...]:
    fitted = str(entry.get("fitted_on") or "not recorded")
    own = _OWN_DATA.search(fitted.lower()) and not _OTHER_DATA.search(fitted.lower())
    stamp = " — OPTIMISTIC: the evaluated cases" if own else ""
    return (
        str(entry["repeat"]),
        str(entry["fold"]),
        str(entry["model"]),
        _threshold(_number(entry.get("threshold"))),
        print_rule(str(entry.get("rule") or "not recorded")),
        fitted + stamp,
        print_sample(_count(entry.get("n_units")), _count(entry.get("n_patients")), unit),
        _percent(_number(entry.get("sensitivity"))),
        _percent(_number(entry.get("specificity"))),
    )


def _threshold(value: float) -> str:
    # An infinite threshold is stored as null: no score reaches it.
    return "undefined (no finite threshold)" if math.isnan(value) else f"{value:.4g}".replace("-", "−")


def _percent(value: float) -> str:
    return "undefined (not recorded)" if math.isnan(value) else print_number(100 * value, 1) + "%"


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _count(value: object) -> int | None:
    number = _number(value)
    return None if math.isnan(number) else int(number)
