"""Does anything but the image tell the label? Every column and header field, with its AUC."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from medvision.cohort import group_folds
from medvision.errors import CohortError
from medvision.evaluation import Estimate, adjust, auroc, cross_validated_auroc

STRONG = 0.7
"""A field whose lower confidence limit reaches this AUC is called strong."""
_FOLDS = 5
_MANY_VALUES = 20
_LEAST_CASES = 20
_CODE_VALUES = 12


@dataclass(frozen=True)
class Shortcut:
    """How well one field tells the label by itself.

    Args:
        field: Column of the table, or field of the header.
        source: `column`, `forbidden column`, `header` or `file`.
        kind: `number`, `category` or `missing` (whether the value is there).
        area: AUC with its interval; of a number the better of both directions.
        direction: `higher` or `lower` values go with the positive class; "" for categories.
        values: How many different values there are.
        perfect: Whether every value goes with one class only.
        p: Two-sided p-value of AUC = 0.5, Holm-adjusted over all fields; NaN where it is undefined.
    """

    field: str
    source: str
    kind: str
    area: Estimate
    direction: str
    values: int
    perfect: bool
    p: float = math.nan

    @property
    def strong(self) -> bool:
        """Whether the lower limit of the AUC reaches 0.7, or the field tells the label without error."""
        return self.perfect or self.area.low >= STRONG


@dataclass(frozen=True)
class Field:
    """One value a case, besides the image.

    Args:
        name: Such as `diameter_mm` or `Manufacturer`.
        source: `column`, `forbidden column`, `header` or `file`.
        values: One a case; None or NaN where it is missing.
    """

    name: str
    source: str
    values: Sequence[object]


def find_shortcuts(
    fields: Sequence[Field], labels: Sequence[int], patients: Sequence[str], *, seed: int
) -> list[Shortcut]:
    """Measure how well each field tells the label, the best first.

    A number is taken as a score. A category has no order: its values are scored by their share of the
    positive class among *other* patients (five patient-grouped folds, shrunk towards the overall
    share), and the AUC is averaged over the folds, so that a column of arbitrary codes stays near 0.5. A
    number of at most 12 values is tried both ways. That a value is missing is tried too.

    Args:
        fields: What is known of the cases.
        labels: 0 or 1.
        patients: The patient of each case; intervals are clustered by them.
        seed: Of the folds.

    Returns:
        One entry for each field and way; constant fields and text with more than 20 values that are no
        numbers (names, comments) have none.
    """
    truth, groups = np.asarray(labels, dtype=np.int64), np.asarray(patients, dtype=object)
    found: list[Shortcut] = []
    for field in fields:
        found += _of_field(field, truth, groups, seed)
    adjusted = [float(p) for p in adjust([_p_value(each.area) for each in found])] if found else []
    found = [replace(each, p=p) for each, p in zip(found, adjusted, strict=True)]
    return sorted(found, key=lambda each: (not each.perfect, -_lower(each), each.field, each.kind))


def _lower(found: Shortcut) -> float:
    return -1.0 if math.isnan(found.area.low) else found.area.low


def _of_field(
    field: Field, labels: npt.NDArray[np.int64], patients: npt.NDArray[np.object_], seed: int
) -> list[Shortcut]:
    series = pd.Series(list(field.values), dtype=object)
    known = series.notna().to_numpy()
    found = []
    missing = int((~known).sum())
    if 0 < missing < len(series):
        found.append(_number(field, (~known).astype(float), labels, patients, kind="missing"))
    series, labels, patients = series[known], labels[known], patients[known]
    values = int(series.astype(str).nunique())
    if values < 2 or len(set(labels.tolist())) < 2:
        return found
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    numeric = bool(np.isfinite(numbers).all())
    if numeric:
        found.append(_number(field, numbers, labels, patients))
    if values <= (_CODE_VALUES if numeric else _MANY_VALUES) and values * 2 <= len(series):
        codes = pd.factorize(pd.Series(numbers) if numeric else series.astype(str))[0]
        category = _category(field, np.asarray(codes), labels, patients, seed)
        found += [] if category is None else [category]
    return found


def _number(
    field: Field,
    numbers: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    patients: npt.NDArray[np.object_],
    kind: str = "number",
) -> Shortcut:
    area = auroc(labels, numbers, patients=patients)
    lower = area.value < 0.5
    if lower:
        area = replace(area, value=1 - area.value, low=1 - area.high, high=1 - area.low)
    return Shortcut(
        field.name,
        field.source,
        kind,
        area,
        "lower" if lower else "higher",
        len(np.unique(numbers)),
        _perfect(numbers, labels),
    )


def _category(
    field: Field,
    codes: npt.NDArray[np.intp],
    labels: npt.NDArray[np.int64],
    patients: npt.NDArray[np.object_],
    seed: int,
) -> Shortcut | None:
    try:
        folds = group_folds(patients, labels, folds=_FOLDS, seed=seed)
    except CohortError:
        return None  # fewer patients of a class than folds
    scores = np.empty(len(codes))
    for fold in range(_FOLDS):
        train, test = folds != fold, folds == fold
        share = labels[train].mean()
        positives = np.bincount(codes[train], weights=labels[train], minlength=codes.max() + 1)
        counts = np.bincount(codes[train], minlength=codes.max() + 1)
        scores[test] = ((positives + share) / (counts + 1))[codes[test]]
    area = cross_validated_auroc(labels, scores, folds, patients=patients, method="logit").fold_averaged
    perfect = _perfect(codes, labels)
    return Shortcut(field.name, field.source, "category", area, "", int(codes.max()) + 1, perfect)


def _perfect(values: npt.NDArray[np.generic], labels: npt.NDArray[np.int64]) -> bool:
    """Every value goes with one class, and a value or side stands for many cases, not each for itself."""
    table = pd.crosstab(np.asarray(values), labels)
    if not ((table > 0).sum(axis=1) == 1).all():
        return False
    if len(table) <= len(labels) / 10:
        return len(labels) >= _LEAST_CASES
    side = table.to_numpy().argmax(axis=1)  # in the order of the values
    return bool(len(labels) >= _LEAST_CASES and np.count_nonzero(np.diff(side)) == 1)


def _p_value(area: Estimate) -> float:
    """Wald on the logit scale; NaN where the area has no standard error or none of its own."""
    from scipy.special import logit, ndtr

    if area.standard_error is None or not 0 < area.value < 1 or not area.standard_error > 0:
        return math.nan
    z = abs(float(logit(area.value))) * area.value * (1 - area.value) / area.standard_error
    return float(2 * ndtr(-z))


def label_contradictions(patients: Sequence[str], labels: Sequence[int]) -> Mapping[str, tuple[int, int]]:
    """Patients with both labels: how many cases of each (0, 1)."""
    table = pd.crosstab(np.asarray(patients, dtype=object), np.asarray(labels))
    both = table[(table > 0).sum(axis=1) > 1]
    return {str(patient): (int(row[0]), int(row[1])) for patient, row in both.iterrows()}
