"""The estimates of a locked test set, apart from those of the development cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from medvision.config import ClassificationTask, Study
from medvision.evaluation import compare_auroc
from medvision.workflows.classification_results import (
    accuracy_rows,
    area,
    column_of,
    comparison_rows,
    model_names,
)
from medvision.workflows.estimate_rows import estimate_row
from medvision.workflows.segmentation_results import segmentation_notes, structure_rows

AGGREGATION = "locked test set"


def locked_results(study: Study, table: pd.DataFrame, unlocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the section `locked_test` of `results.json`.

    Args:
        study: The study.
        table: One row a case of the test set (and structure).
        unlocks: Every time that it was opened, the first one first.
    """
    unit, cases, patients = study.task.unit, table["case_id"].nunique(), table["patient_id"].nunique()
    times = len(unlocks)
    notes = [
        f"{cases} {unit}s of {patients} patients, locked away before anything was learned and predicted by "
        "the mean of all fold models",
        f"opened {times} time{'s' * (times > 1)} in this run folder"
        + ("; after the first time it is no longer unseen by whoever changed the study" if times > 1 else ""),
    ]
    content: dict[str, Any] = {"unlocks": list(unlocks), "confusion": {}, "comparisons": [], "estimates": []}
    if isinstance(study.task, ClassificationTask):
        notes.append(
            "the threshold is the mean of those of the folds, which were chosen on training parts; of "
            "regressions on covariates the mean probability over the folds counts"
        )
        return content | _classification(study, table) | {"notes": notes}
    rows = structure_rows(study, table, where=f"{AGGREGATION}, ")
    return content | {"estimates": rows, "notes": [*notes, *segmentation_notes(study, table)[1:]]}


def _classification(study: Study, table: pd.DataFrame) -> dict[str, Any]:
    level, names = study.evaluation.level, model_names(study)
    estimates, confusion = [], {}
    for name in names:
        estimate = area(table, column_of("score", name), level)
        rows, confusion[name] = accuracy_rows(study, table, name, AGGREGATION)
        estimates += [estimate_row(name, "auroc", AGGREGATION, estimate), *rows]
    found = [
        (
            a,
            b,
            compare_auroc(
                table["label"].to_numpy(),
                table[column_of("score", a)].to_numpy(),
                table[column_of("score", b)].to_numpy(),
                patients=table["patient_id"].to_numpy(),
                level=level,
            ),
        )
        for a, b in combinations(names, 2)
    ]
    return {
        "estimates": estimates,
        "confusion": confusion,
        "comparisons": comparison_rows(found, AGGREGATION),
    }
