"""Compare the masks of several models against one folder of references, case by case. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from medvision.errors import EvaluationError
from medvision.evaluation import SegmentationComparison, compare_segmentation
from medvision.evaluation.segmentation_summary import MEAN_OF_STRUCTURES
from medvision.workflows.compare import ComparedModels, comparison_records, estimate_records
from medvision.workflows.mask_folders import (
    StructureLabels,
    check_grids,
    check_settings,
    paired_masks,
    read_patients,
    score_masks,
)
from medvision.workflows.progress import display

Found = list[tuple[str, str, str, SegmentationComparison]]

_COMPARED = ("dice", "nsd", "hd95_mm")
_LESIONS = ("lesionwise_dice", "panoptic_quality", "n_false_positives")


def compare_masks(
    prediction_dirs: Sequence[str | Path],
    *,
    reference_dir: str | Path,
    labels: StructureLabels,
    nsd_tolerance_mm: float,
    patients: Mapping[str, str] | pd.DataFrame | str | Path | None = None,
    lesions: Mapping[str, Any] | None = None,
    level: float = 0.95,
    seed: int = 0,
    quiet: bool = True,
) -> ComparedModels:
    """Compare the masks of models on the same cases, each pair of models, structure by structure.

    Args:
        prediction_dirs: A folder of masks for each model; its name is the model's.
        reference_dir: The references, one a case.
        labels: The value, or values, of each structure.
        nsd_tolerance_mm: Distance that counts as agreement, in mm.
        patients: As for :func:`medvision.evaluate_masks`.
        lesions: To compare lesion by lesion, too: as there.
        level: Confidence level.
        seed: Of the bootstrap over patients.
        quiet: Show no progress.

    Returns:
        For each pair, structure and measure the mean difference, the signed-rank test and the
        Hodges–Lehmann estimate of :func:`medvision.evaluation.compare_segmentation`; p-values are adjusted by
        Holm's method over the pairs.

    Raises:
        EvaluationError: Fewer than two folders, or as for `evaluate_masks`.
        GeometryError: The masks of a case do not lie on one grid.
    """
    check_settings(level, nsd_tolerance_mm, lesions)
    folders = _named([Path(folder) for folder in prediction_dirs])
    paired = {name: paired_masks(Path(reference_dir), folder) for name, folder in folders.items()}
    notes = [f"{name}: {note}" for name, (_, told) in paired.items() for note in told]
    tables = {}
    with display(quiet=quiet) as shown:
        # What is wrong with any folder is found before the first one is measured.
        owned = {}
        for name, (pairs, _) in paired.items():
            owned[name] = list(pairs) if patients is None else read_patients(patients, list(pairs))
            check_grids(pairs, labels, shown)
        for name, (pairs, _) in paired.items():
            tables[name] = score_masks(pairs, labels, nsd_tolerance_mm, owned[name], lesions, shown).cases
    found: Found = []
    measures = (*_COMPARED, *(_LESIONS if lesions is not None else ()))
    for a, b in combinations(tables, 2):
        found += [
            (a, b, what, result)
            for what, result in _pair(tables[a], tables[b], measures, level=level, seed=seed)
        ]
    notes += [*_notes(found, next(iter(tables.values())), patients_named=patients is not None)]
    records = comparison_records(found)
    for record, (_, _, _, result) in zip(records, found, strict=True):
        plain = result.to_dict()
        record |= {key: plain[key] for key in ("hodges_lehmann", "undefined", "undefined_in_one")}
    source = {name: {"name": name, "rows": table["case_id"].nunique()} for name, table in tables.items()}
    return ComparedModels(tuple(estimate_records(found)), tuple(records), tuple(notes), source)


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    names = [folder.resolve().name for folder in folders]
    # Folders of one name in different places are told apart by these.
    named = {
        name if names.count(name) == 1 else f"{folder.resolve().parent.name}/{name}": folder
        for name, folder in zip(names, folders, strict=True)
    }
    if len(named) < 2 or len(named) != len(folders):
        raise EvaluationError("a comparison needs at least two folders of masks with different names")
    return named


def _pair(
    first: pd.DataFrame, second: pd.DataFrame, measures: Sequence[str], *, level: float, seed: int
) -> Iterator[tuple[str, SegmentationComparison]]:
    """Every structure, and where there are several their mean in each case."""
    both = first.merge(second, on=["case_id", "patient_id", "structure"], suffixes=("_a", "_b"))
    groups = {str(name): rows for name, rows in both.groupby("structure", sort=False)}
    if len(groups) > 1:
        groups[MEAN_OF_STRUCTURES] = _means(both, measures)
    for structure, rows in groups.items():
        for measure in measures:
            result = compare_segmentation(
                rows[f"{measure}_a"], rows[f"{measure}_b"], cases=rows["case_id"],
                patients=rows["patient_id"], level=level, seed=seed,
            )  # fmt: skip
            yield f"{structure}: {measure}", result


def _means(both: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """The mean over the structures that both models have a score of, in each case."""
    paired = both.copy()
    for measure in measures:
        pair = [f"{measure}_a", f"{measure}_b"]
        paired.loc[paired[pair].isna().any(axis=1), pair] = float("nan")
    columns = [f"{measure}_{side}" for measure in measures for side in "ab"]
    return paired.groupby(["case_id", "patient_id"], sort=False)[columns].mean().reset_index()


def _notes(found: Found, cases: pd.DataFrame, *, patients_named: bool) -> Iterator[str]:
    n_cases, n_patients = cases["case_id"].nunique(), cases["patient_id"].nunique()
    if patients_named:
        yield f"{n_cases} cases of {n_patients} patients; the mean over a patient's cases comes first"
    else:
        yield f"{n_cases} cases; no patients were named, so each is taken for a patient of its own"
    pairs = len({(a, b) for a, b, _, _ in found})
    if pairs > 1:
        yield f"p-values are adjusted by Holm's method over {pairs} pairs for each measure and structure"
    yield (
        "p is that of Wilcoxon's signed-rank test, exact up to 200 patients, differences of 0 dropped; other "
        "structures and measures are not adjusted for: name the one that counts beforehand"
    )
    yield "HD95 is the diagonal of the image where one mask is empty"
    for a, b, what, result in found:
        if result.undefined:
            yield f"{a} − {b}, {what}: {len(result.undefined)} cases undefined: {', '.join(result.undefined)}"
        if result.undefined_in_one:
            names = ", ".join(result.undefined_in_one)
            yield (
                f"{a} − {b}, {what}: in {len(result.undefined_in_one)} of these one model rightly left the "
                f"structure out and the other did not, which the difference does not show: {names}"
            )
