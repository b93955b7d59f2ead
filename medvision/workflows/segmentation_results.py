"""From the scores of all folds to every estimate of a segmentation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from medvision.cohort import Splits
from medvision.config import Study
from medvision.evaluation import Estimate, bootstrap
from medvision.evaluation.segmentation_summary import MEAN_OF_STRUCTURES, structure_means
from medvision.training.seeds import stream
from medvision.workflows.design import Design, design_of
from medvision.workflows.estimate_rows import estimate_row

SEGMENTATION = {
    "dice": "", "iou": "", "nsd": "", "hd95_mm": "mm", "assd_mm": "mm", "volume_error_ml": "ml",
    "volume_error_percent": "%",
}  # fmt: skip


_AVERAGED = ("dice", "iou", "nsd", "hd95_mm", "assd_mm")


def segmentation_results(study: Study, table: pd.DataFrame, splits: Splits) -> dict[str, Any]:
    """Return every estimate of a segmentation study.

    Args:
        study: The study.
        table: One row a case, repeat and structure, as in `segmentation.parquet`.
        splits: Who is in which part.
    """
    design = design_of(splits)
    estimates = structure_rows(study, table)
    if not design.single:
        for _, part in table.groupby(["structure", "fold"], sort=True):
            estimates.append(_fold_mean(study, part, design))
    return {
        "study": study.name,
        "level": study.evaluation.level,
        "estimates": estimates,
        "comparisons": [],
        "confusion": {},
        "notes": segmentation_notes(study, table),
    }


def structure_rows(study: Study, table: pd.DataFrame, where: str = "") -> list[dict[str, Any]]:
    """Return mean and median over cases of every metric and structure; repeats of a case count once.

    Of several structures there is also the mean over structures, within each patient first.

    Args:
        study: The study.
        table: One row a case, structure and perhaps repeat.
        where: Stands in front of `mean over cases`.
    """
    keys = ["case_id", "patient_id", "structure"]
    cases = table.groupby(keys, sort=True, as_index=False)[list(SEGMENTATION)].mean()
    found = [
        row
        for structure, rows in cases.groupby("structure", sort=False)
        for row in _structure_estimates(study, rows, str(structure), where)
    ]
    return found + _over_structures(study, cases, where) if cases["structure"].nunique() > 1 else found


def _over_structures(study: Study, cases: pd.DataFrame, where: str) -> list[dict[str, Any]]:
    patients = structure_means(cases)
    return [
        estimate_row("image", metric, f"{where}{name} over patients", estimate, unit=SEGMENTATION[metric])
        for metric in _AVERAGED
        for name, estimate in _summaries(
            study, patients.loc[patients[metric].notna()], metric, f"{MEAN_OF_STRUCTURES}/{metric}"
        ).items()
    ]


def _structure_estimates(
    study: Study, rows: pd.DataFrame, structure: str, where: str
) -> list[dict[str, Any]]:
    found = []
    for metric, unit in SEGMENTATION.items():
        defined = rows.loc[rows[metric].notna()]
        summaries = _summaries(study, defined, metric, f"{structure}/{metric}")
        for name, estimate in summaries.items():
            aggregation = f"{where}{name} over cases"
            found.append(estimate_row("image", metric, aggregation, estimate, structure=structure, unit=unit))
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


def _fold_mean(study: Study, part: pd.DataFrame, design: Design) -> dict[str, Any]:
    structure, fold = str(part["structure"].iloc[0]), int(part["fold"].iloc[0])
    return estimate_row(
        "image",
        "dice",
        f"per {design.part}",
        _mean_of_part(study, part, design.names.get(fold)),
        structure=structure,
        fold=fold,
        part=design.names.get(fold),
    )


def _mean_of_part(study: Study, part: pd.DataFrame, name: str | None) -> Estimate:
    """A mean Dice; of a site or a window, which mean something, with its interval."""
    defined = part.loc[part["dice"].notna()]
    if name is not None:
        return _summaries(study, defined, "dice", f"{part['structure'].iloc[0]}/{name}")["mean"]
    nan = float("nan")
    units, patients = defined["case_id"].nunique(), defined["patient_id"].nunique()
    value, level = float(defined["dice"].mean()), study.evaluation.level
    return Estimate(value, nan, nan, level, "mean, no interval", units, patients)


def segmentation_notes(study: Study, table: pd.DataFrame) -> list[str]:
    """Return what a reader of segmentation estimates needs to know."""
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
