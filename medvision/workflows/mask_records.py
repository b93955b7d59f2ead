"""From the scores of all masks to the records and notes of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from medvision.evaluation import (
    Presence,
    mean_over_structures,
    structure_presence,
    summarise_lesions,
    summarise_segmentation,
)
from medvision.evaluation.estimates import OK
from medvision.evaluation.lesion_summary import LESION_MEASURES
from medvision.evaluation.segmentation_summary import MEASURES, quartiles, structure_means
from medvision.wording import listed, several
from medvision.workflows.evaluation_result import record_of


def mask_records(cases: pd.DataFrame, level: float, seed: int, *, lesions: bool) -> list[dict[str, Any]]:
    """Every estimate of a folder of masks.

    Args:
        cases: One row for each case and structure.
        level: Confidence level.
        seed: Of the bootstrap.
        lesions: Whether lesions were measured, too.
    """
    rows = summarise_segmentation(cases, level=level, seed=seed)
    spread = quartiles(cases, (*MEASURES, *LESION_MEASURES))
    if cases["structure"].nunique() > 1:
        rows += mean_over_structures(cases, level=level, seed=seed)
        spread |= quartiles(structure_means(cases))
    if lesions:
        rows += summarise_lesions(cases, level=level, seed=seed)
    records = []
    for name, metric, summary, estimate in rows:
        record = record_of(f"{metric} ({summary})", name, estimate)
        if summary == "median" and (name, metric) in spread:
            low, high = spread[name, metric]
            record["quartiles"] = [low, high] if estimate.n_units else [None, None]
        records.append(record)
    for found in structure_presence(cases, level=level):
        records.append(record_of("presence_sensitivity", found.structure, found.sensitivity))
        records.append(record_of("presence_specificity", found.structure, found.specificity))
    return records


def presence_counts(cases: pd.DataFrame) -> list[dict[str, Any]]:
    """In how many cases each structure is in both masks, in one, or in neither."""
    return [_counts(found) for found in structure_presence(cases)]


def _counts(found: Presence) -> dict[str, Any]:
    names = ("structure", "both", "reference_only", "prediction_only", "neither")
    return {name: getattr(found, name) for name in names}


def mask_notes(
    cases: pd.DataFrame, nsd_tolerance_mm: float, lesions: Mapping[str, Any] | None, *, patients_named: bool
) -> Iterator[str]:
    """What a reader of the numbers must know.

    Args:
        cases: One row for each case and structure.
        nsd_tolerance_mm: Of the surface distance.
        lesions: How lesions were matched; None where they were not.
        patients_named: Whether patients were told from cases.
    """
    n_cases, n_patients = cases["case_id"].nunique(), cases["patient_id"].nunique()
    if patients_named:
        yield f"{several(n_cases, 'case')} of {several(n_patients, 'patient')}; intervals count patients"
    else:
        yield f"{several(n_cases, 'case')}; no patients were named, so each is taken for a patient of its own"
    yield (
        f"the NSD tolerates {nsd_tolerance_mm:g} mm; HD95 is the larger of the directed 95th percentiles, "
        "and the diagonal of the image where one mask is empty"
    )
    for (structure, status), rows in cases.groupby(["structure", "status"], sort=True):
        if status != OK:
            what, few = str(status).replace("_", " "), listed(rows["case_id"], 5)
            yield f"{structure}: {what} in {len(rows)} cases, such as {few}{_consequence(str(status))}"
    if lesions is not None:
        yield from _lesion_notes(cases, lesions)


def _consequence(status: str) -> str:
    if status == "both_empty":
        return "; nothing is there to agree on, so they are left out of means and medians"
    return "; Dice, IoU and NSD count as 0"


def _lesion_notes(cases: pd.DataFrame, lesions: Mapping[str, Any]) -> Iterator[str]:
    rule = str(lesions.get("rule", "any"))
    said = "that a predicted component touches" if rule == "any" else f"matched one to one with {rule}"
    neighbours = lesions.get("connectivity") or 26
    yield f"a lesion is a component of {neighbours}-connected voxels; found is one {said}"
    merged = lesions.get("merge_within_mm", 0)
    if merged:
        yield f"the reference was dilated by {merged:g} mm to join lesions and to match components"
    small = lesions.get("min_volume_mm3", 0)
    if small:
        left_out = int(cases["n_left_out"].sum())
        yield f"{several(left_out, 'lesion')} below {small:g} mm³ left out, with what touches only them"
    tiny = lesions.get("min_predicted_mm3", 0)
    if tiny:
        yield f"predicted components smaller than {tiny:g} mm³ count as not predicted"
    undefined = int(cases["lesionwise_dice"].isna().sum())
    if undefined:
        yield (
            f"{undefined} of {len(cases)} rows have neither a lesion nor a component: they have no "
            "lesion-wise score (BraTS counts them as 1), but their false positives per scan count as 0"
        )
