"""The performance of a segmentation, one block of rows a structure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medvision.reporting.contents import RunContents
from medvision.reporting.estimates import ReportedEstimate
from medvision.reporting.measures import measure, order_of, unit_of
from medvision.reporting.tables.describe import Rows
from medvision.reporting.tables.performance import caution_marks
from medvision.reporting.tables.table import INDENT, Table
from medvision.reporting.wording import (
    count,
    decimals_of,
    print_estimate,
    print_number,
    print_range,
    print_sample,
    reason,
)


def segmentation_table(contents: RunContents) -> Table:
    """Return mean and median with interval, quartiles, sample and undefined cases of each metric.

    Estimates are those of `results.json`; quartiles and counts come from `segmentation.parquet`, with
    the metric of each case averaged over the repeats first.
    """
    overall = [estimate for estimate in contents.estimates if estimate.fold is None]
    rows: Rows = []
    for structure in dict.fromkeys([*contents.structures, *(e.structure for e in overall)]):
        mine = [estimate for estimate in overall if estimate.structure == structure]
        if mine:
            rows.append((structure or "All structures", *("" for _ in range(6))))
            rows += _rows(mine, structure, contents)
    level = f"{100 * contents.level:g}% CI"
    columns = (
        "Measure", f"Mean ({level})", f"Median ({level})", "IQR", "Sample", "Undefined", "Interval",
    )  # fmt: skip
    return Table("performance", "Segmentation performance", columns, tuple(rows), _notes(contents, overall))


def case_values(scores: pd.DataFrame, structure: str, metric: str) -> pd.Series:
    """Return one value a case: the mean over its repeats in which the metric is defined.

    Args:
        scores: `segmentation.parquet`.
        structure: Name of the structure.
        metric: Column, such as `dice` or `hd95_mm`.

    Returns:
        A series by `case_id`; NaN where the metric is undefined in every repeat.

    Example:
        >>> scores = pd.DataFrame({"case_id": ["a", "a", "b"], "dice": [0.8, 0.9, np.nan]})
        >>> scores["structure"] = "liver"
        >>> case_values(scores, "liver", "dice").round(2).to_dict()
        {'a': 0.85, 'b': nan}
    """
    rows = scores[scores["structure"] == structure]
    return rows.groupby("case_id", sort=True)[metric].mean()


def empty_masks(contents: RunContents) -> tuple[str, ...]:
    """Say how many masks are empty, structure by structure; nothing where none is."""
    scores = contents.segmentation
    if scores is None or not {"volume_reference_ml", "volume_prediction_ml"} <= set(scores.columns):
        return ()
    sentences = []
    noun = contents.unit if contents.repeats == 1 else "prediction"
    for structure in contents.structures:
        rows = scores[scores["structure"] == structure]
        # A mask without volume is an empty mask.
        reference, prediction = rows["volume_reference_ml"] == 0, rows["volume_prediction_ml"] == 0
        missed, invented = int((~reference & prediction).sum()), int((reference & ~prediction).sum())
        both = int((reference & prediction).sum())
        if missed or invented or both:
            sentences.append(
                f"{structure}: missed altogether in {count(missed, noun)}, outlined where the reference has "
                f"none in {count(invented, noun)} (Dice is 0 in both), absent in reference and prediction in "
                f"{count(both, noun)} (overlap undefined, not counted in the means)."
            )
    return tuple(sentences)


def _rows(estimates: list[ReportedEstimate], structure: str | None, contents: RunContents) -> Rows:
    rows: Rows = []
    for metric in sorted({estimate.metric for estimate in estimates}, key=order_of):
        found = {e.aggregation: e for e in estimates if e.metric == metric}
        # The mean over structures is taken within patients, so that it is over these.
        mean, median = (
            found.pop(f"{name} over cases", None) or found.pop(f"{name} over patients", None)
            for name in ("mean", "median")
        )
        leading = mean or median
        digits = decimals_of(leading) if leading else measure(metric).decimals
        quartiles, undefined = _from_cases(contents, structure, metric, digits)
        if mean or median:
            label = INDENT + measure(metric).label
            rows.append(
                (label, _cell(mean), _cell(median), quartiles, *_sources((mean, median), undefined, contents))
            )
        for aggregation, other in found.items():
            label = f"{INDENT}{measure(metric).label}, {aggregation}"
            rows.append((label, _cell(other), "—", "—", *_sources((other,), "—", contents)))
    return rows


def _sources(
    estimates: tuple[ReportedEstimate | None, ...], undefined: str, contents: RunContents
) -> tuple[str, str, str]:
    there = [estimate for estimate in estimates if estimate]
    samples = dict.fromkeys(print_sample(e.n_units, e.n_patients, contents.unit) for e in there)
    methods = dict.fromkeys(e.method or "not recorded" for e in there)
    return "; ".join(samples), undefined, "; ".join(methods)


def _from_cases(contents: RunContents, structure: str | None, metric: str, digits: int) -> tuple[str, str]:
    """Return quartiles over the cases, and how many cases have no value."""
    scores = contents.segmentation
    if scores is None or structure is None or metric not in scores:
        return "—", "—"
    values = case_values(scores, structure, metric)
    undefined = int(scores.loc[scores["structure"] == structure, metric].isna().sum())
    text = str(undefined) if contents.repeats == 1 else f"{undefined} predictions"
    if not values.notna().any():
        return "undefined (no values)", text
    low, high = np.nanquantile(values.astype(float), [0.25, 0.75])
    unit = unit_of(metric)
    return print_range(float(low), float(high), digits) + (f" {unit}" if unit else ""), text


def _cell(estimate: ReportedEstimate | None) -> str:
    if estimate is None:
        return "not estimated"
    return print_estimate(estimate, interval_name=False) + caution_marks(estimate)


def _notes(contents: RunContents, estimates: list[ReportedEstimate]) -> tuple[str, ...]:
    level = f"{100 * contents.level:g}% CI"
    notes = [
        f"Each case is measured in millimetres in its own scan's geometry, then summed up over cases; in "
        f"brackets the {level}; IQR: lower and upper quartile over cases. “Undefined” counts cases in which "
        "a metric does not exist; they are left out of that metric's mean and quartiles."
    ]
    tolerance = (contents.study.get("evaluation") or {}).get("nsd_tolerance_mm")
    meanings = dict.fromkeys(e.metric for e in estimates)
    texts = [f"{measure(m).label}: {measure(m).meaning}" for m in meanings if measure(m).meaning]
    if texts:
        notes.append("; ".join(texts) + ".")
    if tolerance is not None and "nsd" in meanings:
        notes.append(f"NSD tolerance {print_number(float(tolerance), 1)} mm.")
    if any(e.structure is None and e.aggregation == "mean over patients" for e in estimates):
        notes.append(
            "All structures: first the mean over the structures that have a value in a patient, then over "
            "patients."
        )
    if contents.repeats > 1:
        notes.append(f"Each case was predicted {contents.repeats} times; its values were averaged first.")
    notes += empty_masks(contents)
    notes += [f"† {measure(e.metric).label}: {reason(e.status)}." for e in estimates if caution_marks(e)]
    return tuple(dict.fromkeys(notes))
