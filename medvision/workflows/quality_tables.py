"""The tables of `medvision check --data`: measures of each case, copies, shortcuts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from medvision.cohort import Cohort
from medvision.cohort.outliers import THRESHOLD, Oddness, histogram_distances
from medvision.workflows.copies import Copies
from medvision.workflows.quality_case import ExaminedCase
from medvision.workflows.shortcuts import Shortcut

_COPIES = (
    "kind", "case_a", "case_b", "patient_a", "patient_b", "similarity", "threshold",
    "mirrored", "crosses_patient",
    "crosses_split", "label_a", "label_b", "same_mask",
)  # fmt: skip
_SHORTCUTS = (
    "field", "source", "kind", "auc", "auc_low", "auc_high", "direction", "values", "n_cases", "n_patients",
    "p_holm", "perfect", "strong", "method", "status",
)  # fmt: skip


FAULTS = ("not_finite", "constant_slices")
"""Measures that are 0 in a sound scan."""


def numeric_measures(examined: Mapping[str, ExaminedCase]) -> pd.DataFrame:
    """What cases are ranked by, one row a case; NaN where a measure is undefined or there is no mask."""
    cases = list(examined.values())
    profiles = np.array([case.image.profile for case in cases]).reshape(len(cases), -1)
    rows = [_numbers(case) for case in cases]
    table = pd.DataFrame(rows, index=list(examined))
    if cases:
        table["histogram_distance"] = histogram_distances(profiles)
    return table.dropna(axis=1, how="all")


def _numbers(case: ExaminedCase) -> dict[str, float]:
    image, mask = case.image, case.mask
    numbers: dict[str, float] = {}
    for axis, voxels, mm in zip("ijk", image.shape, image.spacing_mm, strict=True):
        numbers |= {f"voxels_{axis}": float(voxels), f"spacing_{axis}_mm": mm}
    quantiles = {"minimum": 0, "percentile_1": 1, "median": 50, "percentile_99": 99, "maximum": 100}
    numbers |= {name: float(image.profile[place]) for name, place in quantiles.items()}
    numbers |= {
        "not_finite": image.not_finite,
        "foreground": image.foreground,
        "constant_slices": float(image.constant_slices),
        "clipped_low": image.clipped_low,
        "clipped_high": image.clipped_high,
        "cut_field": image.cut_field,
    }
    if mask is not None:
        # Volumes spread over orders of magnitude: their logarithm is compared, and an empty mask is named.
        filled = mask.volume_mm3 > 0
        numbers |= {
            "mask_log10_mm3": math.log10(mask.volume_mm3) if filled else math.nan,
            "mask_empty": float(not filled),
            "mask_components": float(mask.components),
            "mask_values": float(len(mask.values)),
            "mask_touches_border": float(mask.touches_border),
        }
    return numbers


def measures_table(
    cohort: Cohort,
    examined: Mapping[str, ExaminedCase],
    unreadable: Mapping[str, str],
    measures: pd.DataFrame,
    oddness: Oddness,
) -> pd.DataFrame:
    """One row a case of the study, the oddest first, then those that could not be read."""
    names = list(examined)
    patients = dict(zip(cohort.table["case_id"], cohort.table["patient_id"], strict=True))
    rows = []
    for rank, place in enumerate(oddness.order, start=1):
        name = names[place]
        case = examined[name]
        odd = oddness.z.iloc[place]
        rows.append(
            {
                "case_id": name,
                "patient_id": patients[name],
                "rank": rank,
                "oddness": round(float(oddness.score[place]), 2),
                "oddest": oddness.measure[place],
                "outlying": " ".join(str(each) for each in odd.index[odd.abs() > THRESHOLD]),
                "orientation": case.image.orientation,
                "dtype": case.image.dtype,
                "modality": case.image.modality,
                **measures.iloc[place].to_dict(),
                "mask_held": "" if case.mask is None else " ".join(f"{v:g}" for v in case.mask.values),
                "mask_mm3": math.nan if case.mask is None else case.mask.volume_mm3,
                "voxels_sha256": case.voxels,
                "problem": "",
            }
        )
    rows += [
        {"case_id": name, "patient_id": patients[name], "problem": " ".join(problem.split())}
        for name, problem in unreadable.items()
    ]
    return pd.DataFrame(rows)


def copies_table(copies: Copies) -> pd.DataFrame:
    """One row a pair."""
    rows = [
        (
            pair.kind, pair.first, pair.second, *pair.patients, round(pair.similarity, 4),
            round(pair.threshold, 4), pair.flip,
            pair.crosses_patient, pair.crosses_split, *pair.labels, pair.same_mask,
        )
        for pair in copies.pairs
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COPIES))


def shortcuts_table(shortcuts: Sequence[Shortcut]) -> pd.DataFrame:
    """One row a field and way."""
    rows = [
        (
            each.field, each.source, each.kind, each.area.value, each.area.low, each.area.high,
            each.direction, each.values, each.area.n_units, each.area.n_patients, each.p, each.perfect,
            each.strong, each.area.method, each.area.status,
        )
        for each in shortcuts
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_SHORTCUTS))
