"""Two folders of masks: which files belong together, whether grids agree, and how each case scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from medvision.errors import EvaluationError, GeometryError, MedvisionError
from medvision.evaluation import lesionwise_scores
from medvision.evaluation.inputs import checked_level
from medvision.evaluation.segmentation import segmentation_scores
from medvision.workflows.prediction_table import read_table, require_columns
from medvision.workflows.progress import Display, counted

if TYPE_CHECKING:
    from medvision.imaging import Geometry

Pairs = Mapping[str, tuple[Path, Path]]
StructureLabels = Mapping[str, int | Sequence[int]]

_SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True)
class MaskScores:
    """What was measured in all cases.

    Attributes:
        cases: One row for each case and structure; with lesions also their counts and scores.
        lesions: One row for each lesion of a reference, or None.
        components: One row for each predicted component, or None.
    """

    cases: pd.DataFrame
    lesions: pd.DataFrame | None = None
    components: pd.DataFrame | None = None


def check_settings(level: float, nsd_tolerance_mm: float, lesions: Mapping[str, Any] | None) -> None:
    """Refuse a setting that no case could be measured with, before the first of many is read.

    Args:
        level: Confidence level.
        nsd_tolerance_mm: Of the surface distance.
        lesions: Settings of `lesionwise_scores`, or None.

    Raises:
        EvaluationError: The setting is named.

    Example:
        >>> check_settings(0.95, 1.0, {"connectivity": 26})
    """
    checked_level(level)
    empty = np.zeros((2, 2, 2), dtype=np.uint8)
    segmentation_scores(empty, empty, (1, 1, 1), labels={"any": 1}, nsd_tolerance_mm=nsd_tolerance_mm)
    if lesions is not None:
        lesionwise_scores(empty, empty, (1, 1, 1), labels={"any": 1}, **lesions)


def paired_masks(reference_dir: Path, prediction_dir: Path) -> tuple[dict[str, tuple[Path, Path]], list[str]]:
    """The two files of each case.

    Raises:
        EvaluationError: A folder has no masks, or a reference has no prediction.
    """
    found = [_masks(folder) for folder in (reference_dir, prediction_dir)]
    missing = sorted(found[0].keys() - found[1].keys())
    extra = sorted(found[1].keys() - found[0].keys())
    if missing:
        unused = [f"only in {prediction_dir.name}: {case}" for case in extra]
        raise EvaluationError(
            f"{len(missing)} of {len(found[0])} references have no prediction in {prediction_dir.name}; "
            "predict them, an empty mask where nothing was found: leaving failures out flatters",
            problems=[*missing, *unused],
        )
    notes = [f"{_extra(len(extra))} left out: {', '.join(extra)}"] if extra else []
    return {case: (found[0][case], found[1][case]) for case in sorted(found[0])}, notes


def _extra(n: int) -> str:
    return (
        "1 prediction has no reference and was" if n == 1 else f"{n} predictions have no reference and were"
    )


def _masks(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder; give the one that holds the masks")
    files: dict[str, Path] = {}
    twice = []
    for path in sorted(folder.iterdir()):
        name = _case_of(path)
        if name is not None and files.setdefault(name, path) != path:
            twice.append(f"{name}: {files[name].name} and {path.name}")
    if twice:
        raise EvaluationError(f"{folder} holds two masks of a case; keep one", problems=twice)
    if not files:
        raise EvaluationError(f"{folder} holds no NIfTI masks (.nii or .nii.gz) and no DICOM SEG")
    return files


def _case_of(path: Path) -> str | None:
    """The case of a mask by its file's name; None for any other file."""
    if path.name.startswith(".") or not path.is_file():
        return None
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix):
            return path.name.removesuffix(suffix)
    return path.name.removesuffix(".dcm") if _is_seg(path) else None


def _is_seg(path: Path) -> bool:
    from medvision.imaging.dicom_seg import SEG_CLASSES
    from medvision.imaging.masks import dicom_kind

    return not path.name.endswith(_SUFFIXES) and dicom_kind(path) in SEG_CLASSES


def read_patients(table: Mapping[str, str] | pd.DataFrame | str | Path, cases: Sequence[str]) -> list[str]:
    """The patient of each case.

    Args:
        table: By case; or a table with the columns ``case_id`` and ``patient_id``, or its path.
        cases: The cases.

    Raises:
        EvaluationError: A case has no patient, or two; all are named.
    """
    if isinstance(table, str | Path | pd.DataFrame):
        frame, source = read_table(table, text_columns=["case_id", "patient_id"])
        require_columns(frame, {"case": "case_id", "patient": "patient_id"}, str(source["name"]))
        own = frame[["case_id", "patient_id"]].dropna().astype(str).drop_duplicates()
        two = sorted(set(own.loc[own["case_id"].duplicated(), "case_id"]) & set(cases))
        if two:
            raise EvaluationError(f"{len(two)} cases of {source['name']} have several patients", problems=two)
        table = dict(zip(own["case_id"], own["patient_id"], strict=True))
    absent = [case for case in cases if case not in table]
    if absent:
        raise EvaluationError(f"{len(absent)} cases have no patient", problems=absent)
    return [str(table[case]) for case in cases]


def check_grids(pairs: Pairs, labels: StructureLabels, shown: Display) -> None:
    """Refuse cases whose two masks do not lie on one grid; all of them at once, from the headers alone.

    Raises:
        GeometryError: The masks of a case lie in different places.
        EvaluationError: A mask cannot be read.
    """
    from medvision.imaging.masks import check_mask

    problems, off = [], False
    with counted(shown, "headers", len(pairs)) as task:
        for number, (case, pair) in enumerate(pairs.items(), 1):
            try:
                grid = _grid(case, pair)
                for path in pair:
                    check_mask(path, grid, labels=_names(path, labels))
            except MedvisionError as error:
                problems.append(f"{case}: {error}")
                off |= isinstance(error, GeometryError)
            task.advance(number)
    if problems:
        kind = GeometryError if off else EvaluationError
        raise kind(
            f"the masks of {len(problems)} of {len(pairs)} cases cannot be compared; each pair must lie on "
            "one grid",
            problems=problems,
        )


def _grid(case: str, pair: tuple[Path, Path]) -> Geometry:
    """The grid of the case: that of the reference, or of the prediction where the former is a DICOM SEG."""
    from medvision.imaging import inspect

    for path in pair:
        if not _is_seg(path):
            return inspect(path).geometry
    raise EvaluationError(
        "both masks are DICOM SEG, which have no grid of their own; bring the reference into that of its "
        f"scan: medvision convert {pair[0].name} {case}.nii.gz --reference SCAN"
    )


def _names(path: Path, labels: StructureLabels) -> dict[str | int, int] | None:
    """What is asked of a DICOM SEG: structures by name, or by number where a name is one."""
    if not _is_seg(path):
        return None
    if not all(isinstance(value, int) for value in labels.values()):
        return None  # several values of one structure are numbers of segments
    return {
        int(name) if name.isdigit() else name: value
        for name, value in labels.items()
        if isinstance(value, int)
    }


def score_masks(
    pairs: Pairs,
    labels: StructureLabels,
    nsd_tolerance_mm: float,
    patients: Sequence[str],
    lesions: Mapping[str, Any] | None,
    shown: Display,
) -> MaskScores:
    """Measure every case.

    Args:
        pairs: The masks of each case.
        labels: The value, or values, of each structure.
        nsd_tolerance_mm: Of the surface distance.
        patients: The patient of each case, in the order of the pairs.
        lesions: Settings of `lesionwise_scores`; None to leave lesions out.
        shown: Where progress goes.

    Raises:
        MedvisionError: A mask cannot be read.
    """
    from medvision.imaging import load_mask

    parts: dict[str, list[pd.DataFrame]] = {"cases": [], "lesions": [], "components": []}
    with counted(shown, "masks", len(pairs)) as task:
        for number, ((case, pair), patient) in enumerate(zip(pairs.items(), patients, strict=True), 1):
            grid = _grid(case, pair)
            first, second = (load_mask(path, grid, labels=_names(path, labels)).array for path in pair)
            scores = segmentation_scores(
                first, second, grid.spacing_mm, labels=labels, nsd_tolerance_mm=nsd_tolerance_mm, case=case
            )
            if lesions is not None:
                found = lesionwise_scores(first, second, grid.spacing_mm, labels=labels, case=case, **lesions)
                counts = found.cases.rename(columns={"status": "lesion_status"})
                scores = scores.merge(counts, on=["case_id", "structure"], validate="1:1")
                for name in ("lesions", "components"):
                    parts[name].append(_placed(getattr(found, name), grid, patient))
            scores.insert(1, "patient_id", patient)
            parts["cases"].append(scores)
            task.advance(number, _note(scores))
    tables = {name: pd.concat(found, ignore_index=True) for name, found in parts.items() if found}
    return MaskScores(**tables)


def _note(scores: pd.DataFrame) -> str:
    return f"Dice {scores['dice'].mean():.3f}" if scores["dice"].notna().any() else "empty"


def _placed(rows: pd.DataFrame, grid: Geometry, patient: str) -> pd.DataFrame:
    """Lesions with the place of their centre in patient space, RAS+ mm."""
    indices = rows[["centre_i", "centre_j", "centre_k"]].to_numpy(dtype=np.float64)
    places = grid.index_to_mm(indices) if len(rows) else indices
    placed = rows.assign(**dict(zip(("x_mm", "y_mm", "z_mm"), np.asarray(places).T, strict=True)))
    placed.insert(1, "patient_id", patient)
    return placed
