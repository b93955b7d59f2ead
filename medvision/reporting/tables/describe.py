"""Describe one variable in groups of cases: median [IQR], or n (%), and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from medvision.reporting.tables.table import INDENT
from medvision.reporting.wording import print_number

_UNITS = {
    "mm": "mm", "cm": "cm", "ml": "ml", "mm3": "mm³", "hu": "HU", "kg": "kg", "years": "years",
    "months": "months", "days": "days", "percent": "%", "mgy": "mGy",
}  # fmt: skip

Rows = list[tuple[str, ...]]


def describe(values: Mapping[str, pd.Series], name: str) -> Rows:
    """Return the rows of one variable, one column a group.

    Numbers with more than two distinct values are summed up by median and quartiles (linear
    interpolation), everything else by counts; percentages are of the values that are not missing.

    Args:
        values: The variable in each group; the first group decides kind and decimals.
        name: Name of the column.

    Example:
        >>> groups = {"All": pd.Series([4.1, 7.9, 12.5, None]), "malignant": pd.Series([12.5, None])}
        >>> for row in describe(groups, "diameter_mm"):
        ...     print(row)
        ('Diameter, mm, median [IQR]', '7.9 [6.0–10.2]', '12.5 [12.5–12.5]')
        ('  missing, n', '1', '1')
    """
    groups = {key: series.dropna() for key, series in values.items()}
    everything = next(iter(groups.values()))
    if _is_flag(everything):
        rows = [
            (
                f"{variable_label(name)}, n (%)",
                *(_share(group.astype(float) == 1) for group in groups.values()),
            )
        ]
    elif _is_continuous(everything):
        rows = [_median_row(groups, name)]
    else:
        rows = _level_rows(groups, name)
    missing = [len(series) - len(groups[key]) for key, series in values.items()]
    if any(missing):
        rows.append((f"{INDENT}missing, n", *map(str, missing)))
    return rows


def variable_label(name: str) -> str:
    """Turn a column name into words, with its unit behind a comma.

    Example:
        >>> variable_label("diameter_mm"), variable_label("slice_thickness"), variable_label("PSA")
        ('Diameter, mm', 'Slice thickness', 'PSA')
    """
    words = name.split("_")
    unit = _UNITS.get(words[-1].lower()) if len(words) > 1 else None
    text = " ".join(words[:-1] if unit else words).strip() or name
    text = text[0].upper() + text[1:]
    return f"{text}, {unit}" if unit else text


def median_quartiles(values: Sequence[float] | pd.Series, decimals: int) -> str:
    """Return `median [lower–upper quartile]`, or why there is none.

    Example:
        >>> median_quartiles([1.0, 2.0, 4.0], 1)
        '2.0 [1.5–3.0]'
    """
    if len(values) == 0:
        return "undefined (no values)"
    low, middle, high = (float(q) for q in np.quantile(np.asarray(values, dtype=float), [0.25, 0.5, 0.75]))
    limits = [print_number(low, decimals), print_number(high, decimals)]
    joint = " to " if any("−" in limit for limit in limits) else "–"
    return f"{print_number(middle, decimals)} [{joint.join(limits)}]"


def share(n: int, total: int) -> str:
    """Return `n (per cent of total)`, or why there is no percentage.

    Example:
        >>> share(3, 8), share(0, 0)
        ('3 (37.5%)', '0 (no values)')
    """
    return f"{n:,} ({100 * n / total:.1f}%)" if total else f"{n} (no values)"


def _share(hits: pd.Series) -> str:
    return share(int(hits.sum()), len(hits))


def _median_row(groups: Mapping[str, pd.Series], name: str) -> tuple[str, ...]:
    decimals = _decimals(list(groups.values()))
    cells = [median_quartiles(group.astype(float), decimals) for group in groups.values()]
    return (f"{variable_label(name)}, median [IQR]", *cells)


def _level_rows(groups: Mapping[str, pd.Series], name: str) -> Rows:
    levels = sorted(next(iter(groups.values())).unique(), key=lambda level: (str(type(level)), level))
    if not levels:
        return [(variable_label(name), *("undefined (no values)" for _ in groups))]
    rows: Rows = [(f"{variable_label(name)}, n (%)", *("" for _ in groups))]
    for level in levels:
        rows.append((f"{INDENT}{level}", *(_share(group == level) for group in groups.values())))
    return rows


def _is_flag(values: pd.Series) -> bool:
    if values.empty or not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        return False
    return bool(values.astype(float).isin([0.0, 1.0]).all())


def _is_continuous(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and values.nunique() > 2


def _decimals(groups: Sequence[pd.Series]) -> int:
    """Return enough digits to tell the quartiles apart, and never more than the data has."""
    values = groups[0].astype(float).to_numpy()
    quartiles = [np.quantile(group.astype(float), [0.25, 0.5, 0.75]) for group in groups if len(group)]
    if np.array_equal(values, np.round(values)):
        return 0 if all(np.array_equal(q, np.round(q)) for q in quartiles) else 1
    spread = float(quartiles[0][2] - quartiles[0][0]) or float(values.std())
    wanted = min(max(1 - math.floor(math.log10(spread)), 1), 6) if spread > 0 else 2
    recorded = next((d for d in range(1, 7) if np.allclose(values, np.round(values, d), atol=1e-9)), 6)
    return min(wanted, recorded)
