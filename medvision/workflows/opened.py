"""A study file with its cases and splits: what every verb starts from. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import numpy as np

from medvision.cohort import Cohort, Splits, numeric_covariates, read_manifest, read_msd
from medvision.config import (
    ClassificationTask,
    KFold,
    ManifestCohort,
    MsdCohort,
    SegmentationTask,
    Study,
    StudyFile,
    load_study_file,
)
from medvision.config.split import columns_of
from medvision.errors import CohortError
from medvision.workflows.splitting import study_splits

SpacingMm = tuple[float, float, float]

MOST_NAMED = 20
"""An error names so many cases, and how many more there are."""


@dataclass(frozen=True)
class OpenedStudy:
    """A study, its cases and its splits.

    Args:
        file: The study and where it stands.
        cohort: The cases.
        splits: Who is in which part of which fold.
    """

    file: StudyFile
    cohort: Cohort
    splits: Splits

    @property
    def study(self) -> Study:
        """The study itself."""
        return self.file.study

    @property
    def development(self) -> Cohort:
        """The cases that are not locked away, in the cohort's order: all that a run opens."""
        locked = set(self.splits.locked)
        if not locked:
            return self.cohort
        return self.cohort.select([case for case in self.cohort.table["case_id"] if case not in locked])

    @property
    def locked(self) -> Cohort:
        """The cases of the locked test set, in the cohort's order; none without one."""
        locked = set(self.splits.locked)
        return self.cohort.select([case for case in self.cohort.table["case_id"] if case in locked])

    @property
    def structures(self) -> dict[str, int]:
        """Structures and their mask values; empty for classification."""
        task = self.study.task
        return dict(task.labels) if isinstance(task, SegmentationTask) else {}


def open_study(source: str | Path | Study | StudyFile, overrides: Sequence[str] = ()) -> OpenedStudy:
    """Read a study file, its cohort and its splits.

    Args:
        source: A study file, or a `Study` made in Python, whose paths are relative to the current folder.
        overrides: Settings that come last, such as `training.epochs=5`.

    Raises:
        ConfigError: The study file is wrong.
        CohortError: The cohort is.
    """
    file = _located(source, overrides)
    cohort = _read_cohort(file)
    _check_comparators(file.study, cohort)
    return OpenedStudy(file, cohort, study_splits(file.study, cohort))


def reads_masks(study: Study) -> bool:
    """Whether a study reads masks: to segment, or to know where to crop.

    Args:
        study: The study.
    """
    return isinstance(study.task, SegmentationTask) or study.preprocessing.crops_around_mask


def _located(source: str | Path | Study | StudyFile, overrides: Sequence[str]) -> StudyFile:
    if isinstance(source, StudyFile):
        return source
    if isinstance(source, Study):
        return StudyFile(study=source, folder=Path.cwd(), source=Path.cwd() / f"{source.name}.yaml")
    return load_study_file(source, overrides)


def _read_cohort(file: StudyFile) -> Cohort:
    study = file.study
    columns = dict.fromkeys(
        [*study.cohort.covariates, *(c for each in study.comparators for c in each.covariates)]
    )
    match study.cohort:
        case MsdCohort():
            labels = study.task.labels if isinstance(study.task, SegmentationTask) else {}
            return read_msd(file.cohort_path, labels=labels)
        case ManifestCohort() as manifest:
            task = study.task if isinstance(study.task, ClassificationTask) else None
            return read_manifest(
                file.cohort_path,
                patient=manifest.patient,
                case=manifest.case,
                image=manifest.image,
                mask=manifest.mask,
                region=manifest.region,
                label=task.label if task else None,
                positive=task.positive if task else 1,
                negative=task.negative if task else None,
                covariates=tuple(columns),
                forbidden=manifest.forbidden,
                stratify_by=tuple(dict.fromkeys(column for _, column in columns_of(study.split))),
                folds=study.split.folds if isinstance(study.split, KFold) else None,
            )
        case _:
            assert_never(study.cohort)


def _check_comparators(study: Study, cohort: Cohort) -> None:
    problems: list[str] = []
    for comparator in study.comparators:
        try:
            numeric_covariates(cohort, comparator.covariates)
        except CohortError as error:
            problems += error.problems or [error.message]
    if problems:
        raise CohortError("a comparator's covariates cannot be used", problems=list(dict.fromkeys(problems)))


def median_spacing(spacings: Sequence[SpacingMm]) -> SpacingMm:
    """Return the median along each axis, to a ten-thousandth of a millimetre.

    Example:
        >>> median_spacing([(0.7, 0.7, 1.0), (0.8, 0.8, 5.0), (0.9, 0.9, 2.5)])
        (0.8, 0.8, 2.5)
    """
    i, j, k = np.median(np.asarray(spacings, dtype=np.float64), axis=0).round(4).tolist()
    return i, j, k
