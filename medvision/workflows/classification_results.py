"""From the predictions of all folds to every estimate of a classification."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pandas as pd

from medvision.cohort import Splits
from medvision.config import Study
from medvision.evaluation import (
    Comparison,
    DiagnosticAccuracy,
    Estimate,
    adjust,
    auroc,
    compare_auroc,
    compare_cross_validated_auroc,
    compare_mean_auroc,
    cross_validated_auroc,
    diagnostic_accuracy,
    mean_auroc,
)
from medvision.workflows.design import Design, design_of
from medvision.workflows.estimate_rows import estimate_row

MEASURES = (
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc", "youden",
    "lr_positive", "lr_negative",
)  # fmt: skip


def classification_results(study: Study, table: pd.DataFrame, splits: Splits) -> dict[str, Any]:
    """Return every estimate of a classification study.

    Args:
        study: The study.
        table: One row a case and repeat, as in `predictions.parquet`.
        splits: Who is in which part.
    """
    names = model_names(study)
    design = design_of(splits)
    estimates: list[dict[str, Any]] = []
    confusion = {}
    for name in names:
        found, confusion[name] = _model_estimates(study, table, name, design)
        estimates += found
    return {
        "study": study.name,
        "level": study.evaluation.level,
        "estimates": estimates,
        "comparisons": _comparisons(study, table, names, design),
        "confusion": confusion,
        "notes": _classification_notes(study, table, splits, design),
    }


def model_names(study: Study) -> list[str]:
    """Return the image model and the comparators, in the order of the study."""
    return ["image", *(comparator.name for comparator in study.comparators)]


def column_of(what: str, model: str) -> str:
    """Return the column of a table of predictions with a model's score, threshold or prediction.

    Example:
        >>> column_of("score", "image"), column_of("score", "diameter")
        ('score', 'score_diameter')
    """
    return what if model == "image" else f"{what}_{model}"


def _model_estimates(
    study: Study, table: pd.DataFrame, name: str, design: Design
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    level, score = study.evaluation.level, column_of("score", name)
    rows = []
    if not design.single:
        rows.append(estimate_row(name, "auroc", design.averaged, _averaged(table, score, design, level)))
    rows.append(estimate_row(name, "auroc", design.pooled, _pooled(table, score, level)))
    if not design.single:
        for _, part in table.groupby(["repeat", "fold"], sort=True):
            rows += _part_estimates(study, part, name, design)
    measures, counts = accuracy_rows(study, table, name, design.pooled)
    return [*rows, *measures], counts


def accuracy_rows(
    study: Study, table: pd.DataFrame, name: str, aggregation: str
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return every measure at the operating point, and the 2×2 table.

    Args:
        study: The study.
        table: One row a case and repeat.
        name: The model.
        aggregation: What the estimates are called.
    """
    accuracy = _accuracy(study, table, name)
    rows = [
        estimate_row(name, measure, aggregation, _per_case(getattr(accuracy, measure), table))
        for measure in MEASURES
    ]
    counts = accuracy.table
    return rows, {"tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "tn": counts.tn}


def _accuracy(study: Study, table: pd.DataFrame, name: str) -> DiagnosticAccuracy:
    return diagnostic_accuracy(
        table["label"].to_numpy(),
        table[column_of("prediction", name)].to_numpy(),
        patients=table["patient_id"].to_numpy(),
        sampling=study.cohort.sampling,
        prevalence=study.cohort.prevalence,
        level=study.evaluation.level,
    )


def _averaged(table: pd.DataFrame, score: str, design: Design, level: float) -> Estimate:
    labels, scores, patients = (table[name].to_numpy() for name in ("label", score, "patient_id"))
    if not design.random_folds:
        return mean_auroc(labels, scores, table["fold"], patients=patients, level=level)
    found = cross_validated_auroc(
        labels, scores, table["fold"], patients=patients, repeats=table["repeat"], level=level
    )
    return _per_case(found.fold_averaged, table)


def _part_estimates(study: Study, part: pd.DataFrame, name: str, design: Design) -> list[dict[str, Any]]:
    """The area of one part; of a site or a window, which mean something, also the operating point."""
    fold, level = int(part["fold"].iloc[0]), study.evaluation.level
    found = {"auroc": area(part, column_of("score", name), level)}
    if fold in design.names:
        accuracy = _accuracy(study, part, name)
        found |= {"sensitivity": accuracy.sensitivity, "specificity": accuracy.specificity}
    return [
        estimate_row(name, metric, f"per {design.part}", estimate, fold=fold, part=design.names.get(fold))
        for metric, estimate in found.items()
    ]


def _pooled(table: pd.DataFrame, score: str, level: float) -> Estimate:
    """One area over all cases; with repeats, of each case's mean score."""
    cases = table.groupby("case_id", sort=True).agg(
        label=("label", "first"), patient_id=("patient_id", "first"), mean=(score, "mean")
    )
    return area(cases, "mean", level)


def area(table: pd.DataFrame, score: str, level: float) -> Estimate:
    """Return the area under the ROC curve of a table of cases.

    Args:
        table: With label and patient_id.
        score: The column of the score.
        level: Confidence level.
    """
    return auroc(table["label"], table[score], patients=table["patient_id"], level=level)


def _per_case(estimate: Estimate, table: pd.DataFrame) -> Estimate:
    """Repeats are rows of the same cases: the clustered interval knows, the count must not hide it."""
    repeats = table["repeat"].nunique() if "repeat" in table else 1
    return estimate if repeats == 1 else replace(estimate, n_units=estimate.n_units // repeats)


def _comparisons(study: Study, table: pd.DataFrame, names: list[str], design: Design) -> list[dict[str, Any]]:
    found = []
    for a, b in combinations(names, 2):
        comparison = _compared(study, table, column_of("score", a), column_of("score", b), design)
        found.append((a, b, replace(comparison, difference=_per_case(comparison.difference, table))))
    return comparison_rows(found, design.averaged or design.pooled)


def comparison_rows(found: list[tuple[str, str, Comparison]], aggregation: str) -> list[dict[str, Any]]:
    """Return comparisons of areas as rows, their p-values adjusted as one family (Holm).

    Args:
        found: Two models and their comparison.
        aggregation: What the compared areas are called.
    """
    adjusted = adjust([each.p for _, _, each in found], method="holm").tolist() if found else []
    return [
        {
            "a": a,
            "b": b,
            "metric": "auroc",
            "aggregation": aggregation,
            "difference": comparison.difference.to_dict(),
            "statistic": comparison.statistic,
            "p": comparison.p,
            "p_adjusted": float(p),
            "method": comparison.method,
        }
        for (a, b, comparison), p in zip(found, adjusted, strict=True)
    ]


def _compared(study: Study, table: pd.DataFrame, a: str, b: str, design: Design) -> Comparison:
    labels, first, second, patients = (table[name].to_numpy() for name in ("label", a, b, "patient_id"))
    level = study.evaluation.level
    if design.single:
        return compare_auroc(labels, first, second, patients=patients, level=level)
    folds = table["fold"]
    if not design.random_folds:
        return compare_mean_auroc(labels, first, second, folds, patients=patients, level=level)
    return compare_cross_validated_auroc(
        labels, first, second, folds, patients=patients, repeats=table["repeat"], level=level
    )


def _classification_notes(study: Study, table: pd.DataFrame, splits: Splits, design: Design) -> list[str]:
    task = study.task
    unit = task.unit
    cases, patients = table["case_id"].nunique(), table["patient_id"].nunique()
    across = "are in training or in test, never in both" if design.single else f"never cross {design.part}s"
    tested = " tested" if _untested(splits) else ""
    notes = [
        f"{cases} {unit}s of {patients} patients{tested}; patients {across}"
        + ("; intervals account for several to a patient" if cases > patients else ""),
        f"thresholds follow the rule {study.evaluation.threshold}, chosen on out-of-fold scores of "
        + ("the" if design.single else f"each {design.part}'s")
        + " training part and applied unchanged to its test part",
        *_meaning(splits, design),
    ]
    if study.cohort.sampling == "enriched" and study.cohort.prevalence is None:
        notes.append("the sample is enriched and no prevalence is stated, so PPV and NPV are left out")
    return notes


def _meaning(splits: Splits, design: Design) -> list[str]:
    """What the areas say, which the way of splitting decides."""
    if design.single:
        return [
            f"the AUC is of one model (or one ensemble) on one test part ({splits.parts[0].title}); it is "
            "not cross-validated, and its interval holds for the fitted model on other patients like those"
        ]
    if splits.kind == "kfold":
        averaged = (
            "the fold-averaged AUC is the mean performance of models trained on "
            f"{1 - 1 / splits.folds:.0%} of the cases; its interval holds for the fitted fold models"
        )
    else:
        share = [len(part.train) for part in splits.parts]
        total = len({case for part in splits.parts for case in (*part.train, *part.test)})
        averaged = (
            f"the {design.averaged} AUC counts every {design.part} once, whatever its size; its models "
            f"learned from {min(share) / total:.0%} to {max(share) / total:.0%} of the cases, and its "
            f"interval holds for the fitted models on other patients of the same {design.part}s"
        )
    return [averaged, "the pooled AUC ranks scores of different fold models together and tends to be lower"]


def _untested(splits: Splits) -> bool:
    tested = {case for part in splits.parts for case in part.test}
    return any(case not in tested for part in splits.parts for case in part.train)
