"""Find everything that can be wrong with a study before hours of training. No torch until `deep`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from medvision.cohort import Case, Cohort, file_hashes, same_scan_twice
from medvision.config import ClassificationTask, Study, StudyFile
from medvision.errors import CohortError, MedvisionError, TrainingError
from medvision.imaging import Geometry, ImageHeader, check_same_grid, inspect
from medvision.runs import cache_folder
from medvision.wording import first_of
from medvision.workflows.memory import available_bytes, training_bytes
from medvision.workflows.opened import MOST_NAMED, OpenedStudy, median_spacing, open_study, reads_masks


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
        repeats = f" × {study.split.repeats}" if study.split.repeats > 1 else ""
        lines = [
            f"{study.name}: nothing wrong found",
            f"  cohort    {len(cohort)} {study.task.unit}s of {patients} patients{self._classes()}",
            f"  scans     {len(self.headers)}, {len(shapes)} sizes, most often {common} voxels",
            f"  split     {study.split.folds} folds{repeats}, hash {self.opened.splits.sha256[:12]}",
            f"  memory    about {self.memory / 2**30:.1f} GiB a training step",
        ]
        return "\n".join(lines if self.deep is None else [*lines, f"  deep      {self.deep}"])

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
    device: str = "auto",
    allow: Collection[str] = (),
) -> CheckedStudy:
    """Check study file, cohort, every header, labels, splits and memory; with `deep` also every voxel.

    Args:
        study: A study file, or a `Study` made in Python.
        overrides: Settings that come last.
        deep: Also read and preprocess every scan (kept for the run) and compute one training step.
        device: Where `deep` computes.
        allow: Packages whose classes `kind: custom` may name.

    Raises:
        MedvisionError: What is wrong, all of it at once.
    """
    opened = open_study(study, overrides)
    headers = _check_headers(opened)
    _check_same_files(opened.cohort)
    memory = _check_memory(opened.study, headers)
    measured = None
    if deep:
        from medvision.workflows.deep import measure_step

        measured = measure_step(opened, device=device, allow=allow)
    return CheckedStudy(opened, headers, memory, measured)


def _check_headers(opened: OpenedStudy) -> dict[str, ImageHeader]:
    """Read every header once; masks must lie in their image's grid."""
    cases = list(opened.cohort)
    masks = reads_masks(opened.study)
    paths = dict.fromkeys(
        path for case in cases for path in (case.image, case.mask if masks else None) if path
    )
    # Reading a header is mostly Python, which runs one thread at a time: more than two only wait.
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(map(str, paths), pool.map(_header, paths), strict=True))
    problems = []
    for case in cases:
        problems += [
            f"case {case.case_id} of patient {case.patient_id}: {problem}"
            for problem in _case_problems(case, found, masks)
        ]
    if problems:
        raise CohortError(
            f"{len(problems)} problems in the {len(cases)} cases of {opened.cohort.source.name}",
            problems=first_of(problems, MOST_NAMED),
        )
    images = {str(case.image) for case in cases}
    return {
        path: header for path, header in found.items() if path in images and isinstance(header, ImageHeader)
    }


def _header(path: Path) -> ImageHeader | MedvisionError:
    try:
        return inspect(path)
    except MedvisionError as error:
        return error


def _case_problems(case: Case, found: dict[str, ImageHeader | MedvisionError], masks: bool) -> list[str]:
    image = found[str(case.image)]
    mask = found[str(case.mask)] if masks and case.mask is not None else None
    problems = [str(each) for each in (image, mask) if isinstance(each, MedvisionError)]
    if isinstance(image, ImageHeader) and isinstance(mask, ImageHeader):
        try:
            check_same_grid(
                image.geometry, mask.geometry, image_name=str(case.image), mask_name=str(case.mask)
            )
        except MedvisionError as error:
            problems.append(str(error))
    return problems


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
    steps = study.preprocessing
    turned = [scan.reoriented(steps.orientation) for scan in scans]
    match steps.spacing_mm:
        case None:
            return [scan.shape for scan in turned]
        case "median":  # of all cases: for an estimate that of each fold is near enough
            target = median_spacing([scan.spacing_mm for scan in turned])
        case spacing:
            target = spacing
    return [
        tuple(round(mm / want) for mm, want in zip(scan.extent_mm, target, strict=True)) for scan in turned
    ]
