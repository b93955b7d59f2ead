"""Two folders of masks: which files belong together, how each case scores, and the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from medvision.errors import EvaluationError
from medvision.evaluation import summarise_segmentation
from medvision.evaluation.segmentation import segmentation_scores


def paired_masks(reference_dir: Path, prediction_dir: Path) -> tuple[dict[str, tuple[Path, Path]], list[str]]:
    """The two files of each case.

    Raises:
        EvaluationError: A folder has no masks, or a reference has no prediction.
    """
    found = [_masks(folder) for folder in (reference_dir, prediction_dir)]
    missing = sorted(found[0].keys() - found[1].keys())
    if missing:
        raise EvaluationError(
            f"{len(missing)} of {len(found[0])} references have no prediction in {prediction_dir.name}; "
            "predict them, an empty mask where nothing was found: leaving failures out flatters",
            problems=missing[:20],
        )
    extra = sorted(found[1].keys() - found[0].keys())
    notes = (
        [f"{len(extra)} predictions have no reference and were left out, such as {extra[0]}"] if extra else []
    )
    return {case: (found[0][case], found[1][case]) for case in sorted(found[0])}, notes


def _masks(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder; give the one that holds the masks")
    files = {
        path.name.removesuffix(".gz").removesuffix(".nii"): path
        for path in sorted(folder.iterdir())
        if path.name.endswith((".nii", ".nii.gz")) and not path.name.startswith(".")
    }
    if not files:
        raise EvaluationError(f"{folder} holds no NIfTI masks (.nii or .nii.gz)")
    return files


def score_masks(
    pairs: Mapping[str, tuple[Path, Path]],
    labels: Mapping[str, int | Sequence[int]],
    nsd_tolerance_mm: float,
    patients: Mapping[str, str] | None,
) -> pd.DataFrame:
    """One row for each case and structure.

    Raises:
        GeometryError: Two masks of a case do not lie on one grid.
        EvaluationError: A mask is not whole-numbered, or a case has no patient.
    """
    from medvision.imaging import check_same_grid, load_volume

    if patients is not None and (absent := sorted(pairs.keys() - patients.keys())):
        raise EvaluationError(f"{len(absent)} cases have no patient", problems=absent[:20])
    rows = []
    for case, (reference, prediction) in pairs.items():
        first, second = load_volume(reference), load_volume(prediction)
        check_same_grid(first, second, image_name=f"reference {case}", mask_name=f"prediction {case}")
        scores = segmentation_scores(
            first.array,
            second.array,
            first.spacing_mm,
            labels=labels,
            nsd_tolerance_mm=nsd_tolerance_mm,
            case=case,
        )
        scores.insert(1, "patient_id", case if patients is None else patients[case])
        rows.append(scores)
    return pd.concat(rows, ignore_index=True)


def summarise_masks(cases: pd.DataFrame, level: float, seed: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Mean and median of each structure and measure, and notes on empty masks."""
    records = []
    for name, metric, summary, estimate in summarise_segmentation(cases, level=level, seed=seed):
        records.append({"metric": f"{metric} ({summary})", "group": name, **estimate.to_dict()})
    notes = []
    for (structure, status), rows in cases.groupby(["structure", "status"], sort=True):
        if status != "ok":
            what = str(status).replace("_", " ")
            notes.append(f"{structure}: {what} in {len(rows)} cases, such as {rows['case_id'].iloc[0]}")
    return records, notes
