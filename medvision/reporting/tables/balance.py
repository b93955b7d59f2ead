"""How alike the training and the test part of every fold are, and the locked test set and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from medvision.cohort import standardised_difference
from medvision.reporting.tables.describe import Rows, describe, share, variable_label
from medvision.reporting.tables.table import Table
from medvision.reporting.wording import plural, print_number

_SMD = (
    "SMD: standardised difference of the test part from the training part, per {unit}; of numbers the "
    "difference of the means over the square root of the mean variance, of two values the same of their "
    "shares (Austin, Stat Med 2009), of several values the distance of their shares, which has no sign "
    "(Yang & Dalton 2012). It describes balance and tests nothing; beyond ±0.1 is often called unbalanced."
)


@dataclass(frozen=True)
class Sides:
    """Two groups of cases that are set against each other.

    Args:
        title: What the part is called, such as `Fold 0` or `Site A`.
        train: A row a case to learn from.
        test: A row a case to test on.
    """

    title: str
    train: pd.DataFrame
    test: pd.DataFrame


def balance_table(
    parts: Sequence[Sides],
    columns: Sequence[str],
    *,
    unit: str,
    positive: str | None,
    notes: Sequence[str] = (),
) -> Table:
    """Return cases, patients, positives and every column of both sides of every part.

    Args:
        parts: The parts of one repeat, and perhaps the locked test set.
        columns: Columns that are described.
        unit: What one case is.
        positive: Name of the positive class; None for a segmentation.
        notes: Sentences that stand first below the table.
    """
    rows: Rows = []
    for part in parts:
        rows.append((part.title, "", "", ""))
        rows += _counts(part, unit, positive)
        for name in columns:
            rows += _described(part, name)
    heads = ("Part and characteristic", "Training", "Test", "SMD")
    notes = (*notes, _SMD.format(unit=unit))
    return Table("balance", "Balance of the parts", heads, tuple(rows), notes)


def balance_summary(
    parts: Sequence[Sides], columns: Sequence[str], *, unit: str, positive: str | None
) -> Table:
    """Return the same in one row a part: counts, and the column that differs most.

    Args:
        parts: The parts of one repeat, and perhaps the locked test set.
        columns: Columns that are compared.
        unit: What one case is.
        positive: Name of the positive class; None for a segmentation.

    Example:
        >>> part = Sides("Fold 0", pd.DataFrame({"patient_id": ["a"], "age": [4]}),
        ...     pd.DataFrame({"patient_id": ["b"], "age": [4]}))
        >>> balance_summary([part], ["age"], unit="scan", positive=None).rows
        (('Fold 0', '1', '1', '1', '1', '0.00 (Age)'),)
    """
    heads = ["patients", plural(unit, 2), *([positive] if positive is not None else [])]
    rows: Rows = []
    for part in parts:
        cells = [part.title]
        for group in (part.train, part.test):
            cells += [f"{group['patient_id'].nunique():,}", f"{len(group):,}"]
            cells += [share(int((group["label"] == 1).sum()), len(group))] if positive is not None else []
        rows.append((*cells, _largest(part, columns)))
    names = ("Part", *(f"{side}: {head}" for side in ("Train", "Test") for head in heads), "Largest SMD")
    notes = ("SMD: standardised difference of the test part from the training part, without the label.",)
    return Table("balance_summary", "Who is in which part", names, tuple(rows), notes if columns else ())


def _counts(part: Sides, unit: str, positive: str | None) -> Rows:
    train, test = part.train, part.test
    rows: Rows = [
        ("Patients, n", f"{train['patient_id'].nunique():,}", f"{test['patient_id'].nunique():,}", "—"),
        (f"{plural(unit, 2).capitalize()}, n", f"{len(train):,}", f"{len(test):,}", "—"),
    ]
    if positive is not None:
        cells = [share(int((group["label"] == 1).sum()), len(group)) for group in (train, test)]
        rows.append((f"{positive}, n (%)", *cells, _smd(part, "label")))
    return rows


def _described(part: Sides, name: str) -> Rows:
    # The first group decides how a variable is described: everybody, so that no value is left out.
    both = pd.concat([part.train[name], part.test[name]], ignore_index=True)
    found = describe({"All": both, "Training": part.train[name], "Test": part.test[name]}, name)
    smd = [_smd(part, name), *("" for _ in found[1:])]
    return [(label, *cells[1:], last or "—") for (label, *cells), last in zip(found, smd, strict=True)]


def _smd(part: Sides, name: str) -> str:
    value = standardised_difference(part.test[name], part.train[name])
    return "undefined (no variance)" if value != value else print_number(value, 2)


def _largest(part: Sides, columns: Sequence[str]) -> str:
    found = {name: standardised_difference(part.test[name], part.train[name]) for name in columns}
    unknown = [variable_label(name) for name, value in found.items() if value != value]
    if unknown:
        return f"undefined ({unknown[0]})"
    if not found:
        return "—"
    name = max(found, key=lambda each: abs(found[each]))
    return f"{print_number(found[name], 2)} ({variable_label(name)})"
