"""Every case of a study hashed, preprocessed once, and checked before any training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from medvision.cohort import Case, Cohort, file_hashes, same_scan_twice
from medvision.config import Preprocessing, Study
from medvision.errors import CohortError, LeakageError, MedvisionError, TrainingError
from medvision.runs import cache_folder
from medvision.store import LIMIT_VARIABLE, make_room
from medvision.transforms.cache import CachedCase, cached_case
from medvision.wording import first_of
from medvision.workflows.opened import MOST_NAMED, OpenedStudy, reads_masks
from medvision.workflows.progress import Display


def hash_inputs(cohort: Cohort, shown: Display) -> dict[str, str]:
    """Return the SHA-256 of every image and mask, and refuse one scan under two patients.

    Args:
        cohort: Whose files are opened: all but a locked test set, until it is unlocked.
        shown: Where progress goes.

    Raises:
        LeakageError: The same content stands under two patients.
    """
    paths = input_paths(cohort)
    task = shown.task("reading input files", len(paths))
    index = cache_folder() / "hashes.json"
    hashes = file_hashes(paths, index=index)
    task.advance(len(paths))
    same_scan_twice(cohort, hashes)
    return hashes


def input_paths(cohort: Cohort) -> list[Path]:
    """Return every image and mask of a cohort, each once."""
    paths = [path for case in cohort for path in (case.image, case.mask, case.region) if path is not None]
    return list(dict.fromkeys(paths))


def prepare_cases(
    opened: OpenedStudy, cohort: Cohort, hashes: Mapping[str, str], shown: Display, settings: Preprocessing
) -> dict[str, CachedCase]:
    """Preprocess every case that the cache does not hold, and check them all.

    Args:
        opened: The study.
        cohort: Which of its cases.
        hashes: SHA-256 of their files.
        shown: Where progress goes.
        settings: The `preprocessing:` part of the study, the figures of a fold filled in.

    Returns:
        The preprocessed cases by case id, in the cohort's order.

    Raises:
        CohortError: Cases that cannot be used, all of them named.
        LeakageError: The same voxels stand under two patients.
        TrainingError: Volumes do not fit the patch or one another.
    """
    study = opened.study
    with_mask = reads_masks(study)
    task = shown.task("preparing scans", len(cohort))
    done: dict[str, CachedCase] = {}
    problems: dict[str, str] = {}

    def work(case: Case) -> CachedCase:
        mask = case.mask if with_mask else None
        return cached_case(case.image, mask, settings, opened.structures, hashes, region=case.region)

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        futures = {pool.submit(work, case): case for case in cohort}
        for finished, future in enumerate(as_completed(futures), start=1):
            case = futures[future]
            try:
                done[case.case_id] = future.result()
            except MedvisionError as error:
                problems[case.case_id] = f"case {case.case_id} of patient {case.patient_id}: {error}"
            task.advance(finished)
    if problems:
        named = [problems[case.case_id] for case in cohort if case.case_id in problems]
        raise CohortError(
            f"{len(named)} of {len(cohort)} cases cannot be used; mend or exclude them",
            problems=first_of(named, MOST_NAMED),
        )
    over = make_room()
    if over:
        shown.say(f"the cache is {over / 1e9:.1f} GB over {LIMIT_VARIABLE}: running studies need all of it")
    ordered = {case.case_id: done[case.case_id] for case in cohort}
    _check_same_voxels(cohort, ordered)
    _check_shapes(study, ordered)
    return ordered


def _check_same_voxels(cohort: Cohort, cases: Mapping[str, CachedCase]) -> None:
    """Find one scan under two patients also where the files differ, such as DICOM and NIfTI."""
    owner: dict[object, Case] = {}
    problems = []
    for case in cohort:
        first = owner.setdefault(cases[case.case_id].description()["voxels_sha256"], case)
        if first.patient_id != case.patient_id:
            problems.append(
                f"patient {first.patient_id} ({first.image}) and patient {case.patient_id} ({case.image})"
            )
    if problems:
        raise LeakageError(
            "the same scan stands under two patients; give them one patient id, or exclude one",
            problems=first_of(problems, MOST_NAMED),
        )


def _check_shapes(study: Study, cases: Mapping[str, CachedCase]) -> None:
    shapes = {case_id: case.shape for case_id, case in cases.items()}
    patch = study.training.patch_voxels
    if patch is None:
        _check_equal(study, shapes)
        return
    small = [
        f"case {case_id}: {_sides(shape)}"
        for case_id, shape in shapes.items()
        if any(side < size for side, size in zip(shape, patch, strict=True))
    ]
    if small and not study.training.pad_small:
        raise TrainingError(
            f"the patch {_sides(patch)} is larger than {len(small)} of {len(shapes)} preprocessed volumes; "
            "lower training.patch_voxels, or pad them with training.pad_small: true",
            problems=first_of(small, MOST_NAMED),
        )


def _check_equal(study: Study, shapes: Mapping[str, tuple[int, int, int]]) -> None:
    several = sorted(set(shapes.values()))
    if len(several) > 1 and study.training.batch_size > 1:
        raise TrainingError(
            f"preprocessed volumes have {len(several)} different sizes, from {_sides(several[0])} to "
            f"{_sides(several[-1])}, and cannot share a batch; set training.patch_voxels, "
            "preprocessing.crop of kind center, or training.batch_size: 1"
        )


def _sides(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
