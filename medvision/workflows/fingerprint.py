"""The fingerprint of the scans that a fold learns from: voxel sizes, shapes, intensities, structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision.config import Preprocessing
from medvision.transforms.cache import CachedCase
from medvision.transforms.prepare import QUANTILES
from medvision.transforms.standard import Landmarks

PERCENTILES = (0.5, 5.0, 25.0, 50.0, 75.0, 95.0, 99.5)


@dataclass(frozen=True)
class ScanFacts:
    """What a fingerprint needs of one case.

    Args:
        spacing_mm: Voxel size of the scan, in the study's orientation.
        shape: Sides of the scan in voxels, in the study's orientation.
        prepared_shape: Sides of the preprocessed volume.
        quantiles: Intensity percentiles of the scan's foreground, 0, 0.5, … 100.
        landmarks: Of the preprocessed image's histogram; none where the study standardises none.
        structure_ml: Volume in the scan and in the preprocessed mask, by class.
    """

    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    prepared_shape: tuple[int, int, int]
    quantiles: NDArray[np.float64]
    landmarks: Landmarks
    structure_ml: Mapping[int, tuple[float, float]]


def scan_facts(case: CachedCase, settings: Preprocessing) -> ScanFacts:
    """Read what the cache keeps of a case beside its voxels.

    Args:
        case: A preprocessed case.
        settings: The settings that it was preprocessed with.
    """
    found = case.description()
    scan = case.scan().reoriented(settings.orientation)
    i, j, k = found["shape"]
    return ScanFacts(
        spacing_mm=scan.spacing_mm,
        shape=scan.shape,
        prepared_shape=(i, j, k),
        quantiles=np.asarray(found["quantiles"], dtype=np.float64),
        landmarks=tuple(found["landmarks"] or ()),
        structure_ml={int(value): (pair[0], pair[1]) for value, pair in found["structure_ml"].items()},
    )


def fingerprint(training: Sequence[ScanFacts], structures: Mapping[str, int]) -> dict[str, object]:
    """Describe the training part of a fold; the test part is never looked at.

    Intensities are percentiles of all foregrounds joined, every case with the same weight: of the
    structures where the study has any, else of the voxels above each scan's threshold after Otsu.

    Args:
        training: The cases of the training part.
        structures: Structures of the study in its order; empty for classification.
    """
    joined = np.concatenate([facts.quantiles for facts in training])
    if len(joined) != len(training) * QUANTILES:
        raise ValueError("the cache keeps another number of quantiles than the fingerprint reads")
    values = np.percentile(joined, PERCENTILES).tolist()
    return {
        "computed_on": "the training part of this fold",
        "cases": len(training),
        "spacing_mm": _spread([facts.spacing_mm for facts in training]),
        "shape_voxels": _spread([facts.shape for facts in training]),
        "preprocessed_shape_voxels": _spread([facts.prepared_shape for facts in training]),
        "intensity_of": "the structures" if structures else "the voxels above Otsu's threshold",
        "intensity_percentiles": {f"{p:g}": value for p, value in zip(PERCENTILES, values, strict=True)},
        "structures": {
            name: _structure([facts.structure_ml[place] for facts in training])
            for place, name in enumerate(structures, start=1)
        },
    }


def vanished(cases: Sequence[ScanFacts], structures: Mapping[str, int]) -> list[str]:
    """Say which structures are in scans and no longer in their preprocessed masks.

    Args:
        cases: All cases.
        structures: Structures of the study in its order.
    """
    said = []
    for place, name in enumerate(structures, start=1):
        gone = [facts for facts in cases if facts.structure_ml[place][0] > 0 == facts.structure_ml[place][1]]
        if gone:
            said.append(
                f"{name} is gone from {len(gone)} of {len(cases)} masks after resampling and cropping: its "
                "cases count as without it in training; a finer preprocessing.spacing_mm keeps it"
            )
    return said


def _spread(rows: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    table = np.asarray(rows, dtype=np.float64)
    ways = {"median": np.median(table, axis=0), "lowest": table.min(axis=0), "highest": table.max(axis=0)}
    return {name: values.round(4).tolist() for name, values in ways.items()}


def _structure(volumes: Sequence[tuple[float, float]]) -> dict[str, object]:
    there = np.asarray([pair for pair in volumes if pair[0] > 0], dtype=np.float64).reshape(-1, 2)
    kept = there[:, 1] / there[:, 0]
    return {
        "cases_with_it": len(there),
        "median_ml": float(np.median(there[:, 0])) if len(there) else None,
        "median_share_kept": float(np.median(kept)) if len(there) else None,
        "lowest_share_kept": float(kept.min()) if len(there) else None,
        "gone_from": int((kept == 0).sum()),
    }
