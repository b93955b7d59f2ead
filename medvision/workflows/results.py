"""From the predictions of all folds to every estimate of the paper: `results.json`."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pandas as pd

from medvision.config import ClassificationTask, Study
from medvision.evaluation import (
    Comparison,
    Estimate,
    adjust,
    auroc,
    bootstrap,
    compare_cross_validated_auroc,
    cross_validated_auroc,
    diagnostic_accuracy,
)
from medvision.training.seeds import stream

MEASURES = (
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc", "youden",
    "lr_positive", "lr_negative",
)  # fmt: skip
SEGMENTATION = {
    "dice": "", "iou": "", "nsd": "", "hd95_mm": "mm", "assd_mm": "mm", "volume_error_ml": "ml",
    "volume_error_percent": "%",
}  # fmt: skip


def classification_results(study: Study, table: pd.DataFrame) -> dict[str, Any]:
    """Return every estimate of a classification study.

    Args:
        study: The study.
        table: One row a case and repeat, as in `predictions.parquet`.
    """
    names = ["image", *(comparator.name for comparator in study.comparators)]
    estimates: list[dict[str, Any]] = []
    confusion = {}
    for name in names:
        found, confusion[name] = _model_estimates(study, table, name)
        estimates += found
    return {
        "study": study.name,
        "level": study.evaluation.level,
        "estimates": estimates,
        "comparisons": _comparisons(study, table, names),
        "confusion": confusion,
        "notes": _classification_notes(study, table),
    }


def _model_estimates(
    study: Study, table: pd.DataFrame, name: str
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    level, suffix = study.evaluation.level, "" if name == "image" else f"_{name}"
    scores = table[f"score{suffix}"].to_numpy()
    labels, patients = table["label"].to_numpy(), table["patient_id"].to_numpy()
    validated = cross_validated_auroc(
        labels, scores, table["fold"], patients=patients, repeats=table["repeat"], level=level
    )
    rows = [
        _row(name, "auroc", "fold-averaged", _per_case(validated.fold_averaged, table)),
        _row(name, "auroc", "pooled out-of-fold", _pooled(table, f"score{suffix}", level)),
    ]
    rows += [
        _row(name, "auroc", "per fold", _area(part, f"score{suffix}", level), fold=int(part["fold"].iloc[0]))
        for _, part in table.groupby(["repeat", "fold"], sort=True)
    ]
    accuracy = diagnostic_accuracy(
        labels,
        table[f"prediction{suffix}"].to_numpy(),
        patients=patients,
        sampling=study.cohort.sampling,
        prevalence=study.cohort.prevalence,
        level=level,
    )
    rows += [
        _row(name, measure, "pooled out-of-fold", _per_case(getattr(accuracy, measure), table))
        for measure in MEASURES
    ]
    counts = accuracy.table
    return rows, {"tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "tn": counts.tn}


def _pooled(table: pd.DataFrame, score: str, level: float) -> Estimate:
    """One area over all cases; with repeats, of each case's mean score."""
    cases = table.groupby("case_id", sort=True).agg(
        label=("label", "first"), patient_id=("patient_id", "first"), mean=(score, "mean")
    )
    return _area(cases, "mean", level)


def _area(table: pd.DataFrame, score: str, level: float) -> Estimate:
    return auroc(table["label"], table[score], patients=table["patient_id"], level=level)


def _per_case(estimate: Estimate, table: pd.DataFrame) -> Estimate:
    """Repeats are rows of the same cases: the clustered interval knows, the count must not hide it."""
    repeats = table["repeat"].nunique()
    return estimate if repeats == 1 else replace(estimate, n_units=estimate.n_units // repeats)


def _comparisons(study: Study, table: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    pairs = list(combinations(names, 2))
    found: list[Comparison] = []
    for a, b in pairs:
        first, second = (table["score" if name == "image" else f"score_{name}"].to_numpy() for name in (a, b))
        found.append(
            compare_cross_validated_auroc(
                table["label"].to_numpy(),
                first,
                second,
                table["fold"],
                patients=table["patient_id"].to_numpy(),
                repeats=table["repeat"],
                level=study.evaluation.level,
            )
        )
    adjusted = adjust([comparison.p for comparison in found], method="holm").tolist() if found else []
    return [
        {
            "a": a,
            "b": b,
            "metric": "auroc",
            "aggregation": "fold-averaged",
            "difference": _per_case(comparison.difference, table).to_dict(),
            "statistic": comparison.statistic,
            "p": comparison.p,
            "p_adjusted": float(p),
            "method": comparison.method,
        }
        for (a, b), comparison, p in zip(pairs, found, adjusted, strict=True)
    ]


def _classification_notes(study: Study, table: pd.DataFrame) -> list[str]:
    task = study.task
    unit = task.unit
    cases, patients = table["case_id"].nunique(), table["patient_id"].nunique()
    notes = [
        f"{cases} {unit}s of {patients} patients; patients never cross folds"
        + ("; intervals account for several to a patient" if cases > patients else ""),
        f"thresholds follow the rule {study.evaluation.threshold}, chosen on out-of-fold scores of each "
        "fold's training part and applied unchanged to its test part",
        "the fold-averaged AUC is the mean performance of models trained on "
        f"{1 - 1 / study.split.folds:.0%} of the cases; its interval holds for the fitted fold models",
        "the pooled AUC ranks scores of different fold models together and tends to be lower",
    ]
    if study.cohort.sampling == "enriched" and study.cohort.prevalence is None:
        notes.append("the sample is enriched and no prevalence is stated, so PPV and NPV are left out")
    return notes


def segmentation_results(study: Study, table: pd.DataFrame) -> dict[str, Any]:
    """Return every estimate of a segmentation study.

    Args:
        study: The study.
        table: One row a case, repeat and structure, as in `segmentation.parquet`.
    """
    keys = ["case_id", "patient_id", "structure"]
    cases = table.groupby(keys, sort=True, as_index=False)[list(SEGMENTATION)].mean()
    estimates = []
    for structure, rows in cases.groupby("structure", sort=False):
        estimates += _structure_estimates(study, rows, str(structure))
    for _, part in table.groupby(["structure", "fold"], sort=True):
        estimates.append(_fold_mean(study, part))
    return {
        "study": study.name,
        "level": study.evaluation.level,
        "estimates": estimates,
        "comparisons": [],
        "confusion": {},
        "notes": _segmentation_notes(study, table),
    }


def _structure_estimates(study: Study, rows: pd.DataFrame, structure: str) -> list[dict[str, Any]]:
    found = []
    for metric, unit in SEGMENTATION.items():
        defined = rows.loc[rows[metric].notna()]
        summaries = _summaries(study, defined, metric, f"{structure}/{metric}")
        for name, estimate in summaries.items():
            found.append(
                _row("image", metric, f"{name} over cases", estimate, structure=structure, unit=unit)
            )
    return found


def _summaries(study: Study, rows: pd.DataFrame, metric: str, purpose: str) -> dict[str, Estimate]:
    """Mean and median over cases, both from the same drawn patients."""
    level = study.evaluation.level
    if rows.empty:
        nan = float("nan")
        blank = Estimate(nan, nan, nan, level, "bootstrap over patients", 0, 0, "undefined_no_units")
        return {"mean": blank, "median": blank}
    found = bootstrap(
        {name: f"{name}:{metric}" for name in ("mean", "median")},
        rows,
        patients="patient_id",
        resamples=study.evaluation.bootstrap_resamples,
        seed=stream(study.seed, "bootstrap", purpose),
        level=level,
    )
    return dict(found)


def _fold_mean(study: Study, part: pd.DataFrame) -> dict[str, Any]:
    nan = float("nan")
    defined = part.loc[part["dice"].notna()]
    units, patients = defined["case_id"].nunique(), defined["patient_id"].nunique()
    value, level = float(defined["dice"].mean()), study.evaluation.level
    estimate = Estimate(value, nan, nan, level, "mean, no interval", units, patients)
    structure, fold = str(part["structure"].iloc[0]), int(part["fold"].iloc[0])
    return _row("image", "dice", "per fold", estimate, structure=structure, fold=fold)


def _segmentation_notes(study: Study, table: pd.DataFrame) -> list[str]:
    cases, patients = table["case_id"].nunique(), table["patient_id"].nunique()
    notes = [
        f"{cases} {study.task.unit}s of {patients} patients, predicted by models that never saw the patient",
        "intervals of means and medians come from resampling patients; they hold for the fitted fold models",
        f"the normalised surface distance (NSD) tolerates {study.evaluation.nsd_tolerance_mm:g} mm",
        "HD95 is the larger of the two directed 95th percentiles of the surface distances",
    ]
    for metric in ("dice", "hd95_mm"):
        missing = int(table[metric].isna().sum())
        if missing:
            notes.append(
                f"{metric} is undefined for {missing} of {len(table)} masks that are empty; they are left out"
            )
    return notes


def _row(
    model: str,
    metric: str,
    aggregation: str,
    estimate: Estimate,
    *,
    structure: str | None = None,
    fold: int | None = None,
    unit: str = "",
) -> dict[str, Any]:
    return {
        "model": model,
        "metric": metric,
        "aggregation": aggregation,
        "structure": structure,
        "fold": fold,
        "unit": unit,
        **estimate.to_dict(),
    }


def results(study: Study, table: pd.DataFrame) -> dict[str, Any]:
    """Return the content of `results.json` from the predictions of all finished folds."""
    if isinstance(study.task, ClassificationTask):
        return classification_results(study, table)
    return segmentation_results(study, table)
