"""Find everything that can be wrong with a study before hours of training. No torch until `deep`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Unpack

import numpy as np

from medvision.cohort import Case, Cohort, file_hashes, same_scan_twice
from medvision.config import ClassificationTask, SegmentationTask, Study, StudyFile
from medvision.errors import CohortError, MedvisionError, TrainingError
from medvision.imaging import Geometry, ImageHeader, ReadingOptions, check_mask, inspect
from medvision.reporting.terminal import table_text
from medvision.runs import atomic_write, cache_folder
from medvision.wording import first_of, several
from medvision.workflows.balance import balance_of
from medvision.workflows.memory import available_bytes, training_bytes
from medvision.workflows.opened import (
    MOST_NAMED,
    OpenedStudy,
    SpacingMm,
    median_spacing,
    open_study,
    reads_masks,
)


@dataclass(frozen=True)
class CheckedStudy:
    """What a check found good; its text is what the command line prints.

    Args:
        opened: The study, its cases and splits.
        headers: Header of each image by path.
        memory: Estimated bytes of a training step.
        deep: What the step forward and backward measured, or None.
    """

    opened: OpenedStudy
    headers: dict[str, ImageHeader]
    memory: int
    deep: str | None

    def __str__(self) -> str:
        study, cohort = self.opened.study, self.opened.cohort
        table = cohort.table
        shapes = Counter("×".join(map(str, header.geometry.shape)) for header in self.headers.values())
        patients = table["patient_id"].nunique()
        common = shapes.most_common(1)[0][0]
        splits = self.opened.splits
        repeats = f" × {splits.repeats}" if splits.repeats > 1 else ""
        parts = f"{splits.folds} folds" if splits.folds > 1 else "1 test part"
        lines = [
            f"{study.name}: nothing wrong found",
            f"  cohort    {len(cohort)} {study.task.unit}s of {patients} patients{self._classes()}",
            f"  scans     {len(self.headers)}, {several(len(shapes), 'size')}, most often {common} voxels",
            f"  split     {splits.kind}, {parts}{repeats}, hash {splits.sha256[:12]}",
            *self._locked(),
            *self._coarser(),
            f"  memory    about {self.memory / 2**30:.1f} GiB a training step",
        ]
        lines += [] if self.deep is None else [f"  deep      {self.deep}"]
        return "\n".join([*lines, "", table_text(balance_of(self.opened)).rstrip()])

    def _locked(self) -> list[str]:
        locked = self.opened.locked
        if not len(locked):
            return []
        patients = locked.table["patient_id"].nunique()
        unit, digest = self.opened.study.task.unit, self.opened.splits.locked_sha256[:12]
        return [f"  locked    {len(locked)} {unit}s of {patients} patients, not opened, hash {digest}"]

    def _coarser(self) -> list[str]:
        """A warning, for a segmentation whose voxels are longer than a scan's."""
        study = self.opened.study
        grids = [header.geometry for header in self.headers.values()]
        turned, target = _turned_to(study, grids)
        if target is None or not isinstance(study.task, SegmentationTask):
            return []
        # Scanners round: a hundredth of a voxel is no coarser grid.
        longer = [max(np.divide(target, scan.spacing_mm)) for scan in turned]
        coarser = [factor for factor in longer if factor > 1.01]
        if not coarser:
            return []
        return [
            f"  voxels    longer than those of {len(coarser)} of {several(len(grids), 'scan')}, up to "
            f"{max(coarser):.2g} times: masks come back with rounded outlines, small ones less like "
            "themselves (docs/preprocessing.md, Back to the scan)"
        ]

    def _classes(self) -> str:
        if not isinstance(self.opened.study.task, ClassificationTask):
            return ""
        positive = int((self.opened.cohort.table["label"] == 1).sum())
        return f", {positive} positive"


def check(
    study: str | Path | Study | StudyFile,
    overrides: Sequence[str] = (),
    *,
    deep: bool = False,
    splits: Path | None = None,
    device: str = "auto",
    allow: Collection[str] = (),
) -> CheckedStudy:
    """Check study file, cohort, every header, labels, splits and memory; with `deep` also every voxel.

    Args:
        study: A study file, or a `Study` made in Python.
        overrides: Settings that come last.
        deep: Also read and preprocess every scan (kept for the run) and compute one training step.
        splits: Where the split is written, in the form of a run's `splits.json`; by default nowhere.
        device: Where `deep` computes.
        allow: Packages whose classes `kind: custom` may name.

    Raises:
        MedvisionError: What is wrong, all of it at once.
    """
    opened = open_study(study, overrides)
    # The files of a locked test set are not opened here either, not even their headers.
    headers = _check_headers(opened)
    _check_same_files(opened.development)
    memory = _check_memory(opened.study, headers)
    measured = None
    if deep:
        from medvision.workflows.deep import measure_step

        measured = measure_step(opened, device=device, allow=allow)
    if splits is not None:
        atomic_write(splits, opened.splits.to_json())
    return CheckedStudy(opened, headers, memory, measured)


def _check_headers(opened: OpenedStudy) -> dict[str, ImageHeader]:
    """Read every header once; masks and regions must lie in their image's grid."""
    cases = list(opened.development)
    paths = dict.fromkeys(case.image for case in cases)
    # Reading a header is mostly Python, which runs one thread at a time: more than two only wait.
    with ThreadPoolExecutor(2) as pool:
        read = partial(_header, **opened.study.preprocessing.reading.options())
        found = dict(zip(map(str, paths), pool.map(read, paths), strict=True))
        images = (found[str(case.image)] for case in cases)
        wrong = list(pool.map(lambda case, image: _problem(case, image, opened), cases, images))
    problems = [
        f"case {case.case_id} of patient {case.patient_id}: {problem}"
        for case, problem in zip(cases, wrong, strict=True)
        if problem
    ]
    if problems:
        raise CohortError(
            f"{len(problems)} problems in the {len(cases)} cases of {opened.cohort.source.name}",
            problems=first_of(problems, MOST_NAMED),
        )
    return {path: header for path, header in found.items() if isinstance(header, ImageHeader)}


def _header(path: Path, **options: Unpack[ReadingOptions]) -> ImageHeader | MedvisionError:
    try:
        return inspect(path, **options)
    except MedvisionError as error:
        return error


def _problem(case: Case, image: ImageHeader | MedvisionError, opened: OpenedStudy) -> str:
    """What is wrong with the image, else with its mask or its region, as far as headers show."""
    if isinstance(image, MedvisionError):
        return str(image)
    study = opened.study
    try:
        if case.mask is not None and reads_masks(study):
            check_mask(case.mask, image, labels=opened.structures or None)
        if case.region is not None and study.preprocessing.needs_region:
            check_mask(case.region, image)
    except MedvisionError as error:
        return str(error)
    return ""


def _check_same_files(cohort: Cohort) -> None:
    """Hash only files whose size stands under two patients: others cannot be the same scan."""
    owners: dict[int, set[str]] = {}
    sizes = {path: _size(path) for path in {case.image for case in cohort}}
    for case in cohort:
        owners.setdefault(sizes[case.image], set()).add(case.patient_id)
    suspects = [case for case in cohort if len(owners[sizes[case.image]]) > 1]
    if suspects:
        paths = dict.fromkeys(path for case in suspects for path in (case.image, case.mask) if path)
        chosen = cohort.select([case.case_id for case in suspects])
        same_scan_twice(chosen, file_hashes(list(paths), index=cache_folder() / "hashes.json"))


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return path.stat().st_size


def _check_memory(study: Study, headers: dict[str, ImageHeader]) -> int:
    shapes = _preprocessed_shapes(study, [header.geometry for header in headers.values()])
    largest = max(shapes, key=lambda shape: shape[0] * shape[1] * shape[2])
    needed, free = training_bytes(study, largest), available_bytes()
    if free is not None and needed > free:
        raise TrainingError(
            f"a batch of {study.training.batch_size} needs about {needed / 2**30:.0f} GiB "
            f"and {free / 2**30:.0f} GiB are free; lower training.batch_size or training.patch_voxels"
        )
    return needed


def _preprocessed_shapes(study: Study, scans: Sequence[Geometry]) -> list[tuple[int, ...]]:
    turned, target = _turned_to(study, scans)
    if target is None:
        return [scan.shape for scan in turned]
    return [
        tuple(round(mm / want) for mm, want in zip(scan.extent_mm, target, strict=True)) for scan in turned
    ]


def _turned_to(study: Study, scans: Sequence[Geometry]) -> tuple[list[Geometry], SpacingMm | None]:
    """The scans in the study's orientation, and the voxel size to which it resamples them."""
    steps = study.preprocessing
    turned = [scan.reoriented(steps.orientation) for scan in scans]
    match steps.spacing_mm:
        case None:
            return turned, None
        case "median":  # of all cases: for an estimate that of each fold is near enough
            return turned, median_spacing([scan.spacing_mm for scan in turned])
        case spacing:
            return turned, spacing
