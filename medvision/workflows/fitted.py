"""What a fold learns from its training part before any network, and the cases that its networks see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medvision.cohort import Cohort, Part
from medvision.config import NyulIntensity, Preprocessing, Study
from medvision.imaging import inspect
from medvision.runs import atomic_json
from medvision.transforms.cache import CachedCase
from medvision.transforms.standard import HistogramStandard
from medvision.workflows.cases import prepare_cases
from medvision.workflows.fingerprint import ScanFacts, fingerprint, scan_facts, vanished
from medvision.workflows.opened import OpenedStudy, SpacingMm, median_spacing
from medvision.workflows.progress import Display

FITTED, FINGERPRINT = "fitted.json", "fingerprint.json"


@dataclass(frozen=True)
class Fitted:
    """The figures of a fold that its preprocessing depends on.

    Args:
        spacing_mm: Median voxel size of the training part, where the study asks for it.
        standard: Standard histogram of the training part, where the study asks for it.
    """

    spacing_mm: SpacingMm | None = None
    standard: HistogramStandard | None = None

    def settings(self, study: Study) -> Preprocessing:
        """Return the `preprocessing:` part of a study with this fold's figures in it."""
        steps = study.preprocessing
        return steps if self.spacing_mm is None else steps.model_copy(update={"spacing_mm": self.spacing_mm})

    def write(self, folder: Path) -> None:
        """Store the figures with the fold's networks, for prediction."""
        landmarks = None if self.standard is None else self.standard.landmarks
        atomic_json(folder / FITTED, {"spacing_mm": self.spacing_mm, "landmarks": landmarks})

    @classmethod
    def read(cls, folder: Path) -> Fitted:
        """Return the figures of a finished fold; none were stored by versions before they existed."""
        if not (folder / FITTED).exists():
            return cls()
        found = json.loads((folder / FITTED).read_text(encoding="utf-8"))
        spacing, landmarks = found["spacing_mm"], found["landmarks"]
        return cls(
            None if spacing is None else (spacing[0], spacing[1], spacing[2]),
            None if landmarks is None else HistogramStandard(tuple(landmarks)),
        )


@dataclass(frozen=True)
class FoldCases:
    """What the networks of one fold see.

    Args:
        cases: The preprocessed cases by case id.
        fitted: What the fold learned before.
        fingerprint: Voxel sizes, shapes and intensities of its training part.
    """

    cases: Mapping[str, CachedCase]
    fitted: Fitted
    fingerprint: Mapping[str, object]

    def write(self, folder: Path) -> None:
        """Store fingerprint and figures in the folder of the fold."""
        self.fitted.write(folder)
        atomic_json(folder / FINGERPRINT, self.fingerprint)


def prepare_folds(
    opened: OpenedStudy, hashes: Mapping[str, str], shown: Display, parts: Sequence[Part]
) -> dict[tuple[int, int], FoldCases]:
    """Preprocess cases as each fold needs them; once for all folds where nothing depends on the fold.

    Nothing of a locked test set is opened; see `prepare_as_learned`.

    Args:
        opened: The study.
        hashes: SHA-256 of every image and mask that is not locked away.
        shown: Where progress goes.
        parts: The folds.

    Returns:
        By repeat and fold.

    Raises:
        MedvisionError: As `prepare_cases`.
    """
    spacings = _spacings(opened, parts)
    by_spacing: dict[SpacingMm | None, dict[str, CachedCase]] = {}
    facts: dict[SpacingMm | None, dict[str, ScanFacts]] = {}
    folds = {}
    for part in parts:
        spacing = spacings[part.repeat, part.fold]
        if spacing not in by_spacing:
            settings = Fitted(spacing).settings(opened.study)
            by_spacing[spacing] = prepare_cases(opened, opened.development, hashes, shown, settings)
            facts[spacing] = {
                case_id: scan_facts(case, settings) for case_id, case in by_spacing[spacing].items()
            }
            for sentence in vanished(list(facts[spacing].values()), opened.structures):
                shown.say(sentence)
        training = [facts[spacing][case_id] for case_id in part.train]
        fitted = Fitted(spacing, _standard(opened.study, training))
        cases = _standardised(by_spacing[spacing], fitted)
        folds[part.repeat, part.fold] = FoldCases(cases, fitted, fingerprint(training, opened.structures))
    return folds


def prepare_as_learned(
    opened: OpenedStudy,
    cohort: Cohort,
    hashes: Mapping[str, str],
    shown: Display,
    learned: Iterable[Fitted],
) -> dict[Fitted, dict[str, CachedCase]]:
    """Preprocess cases with figures that folds learned before, so that their networks can predict them.

    Args:
        opened: The study.
        cohort: Which of its cases.
        hashes: SHA-256 of their files.
        shown: Where progress goes.
        learned: What each fold learned; several may have learned the same.

    Returns:
        The cases by what was learned and by case id; prepared once for each voxel size.

    Raises:
        MedvisionError: As `prepare_cases`.
    """
    by_spacing: dict[SpacingMm | None, dict[str, CachedCase]] = {}
    seen = {}
    for fitted in dict.fromkeys(learned):
        if fitted.spacing_mm not in by_spacing:
            settings = fitted.settings(opened.study)
            by_spacing[fitted.spacing_mm] = prepare_cases(opened, cohort, hashes, shown, settings)
        seen[fitted] = _standardised(by_spacing[fitted.spacing_mm], fitted)
    return seen


def _standardised(cases: Mapping[str, CachedCase], fitted: Fitted) -> dict[str, CachedCase]:
    return {case_id: replace(case, standard=fitted.standard) for case_id, case in cases.items()}


def _standard(study: Study, training: Sequence[ScanFacts]) -> HistogramStandard | None:
    if not isinstance(study.preprocessing.intensity, NyulIntensity):
        return None
    return HistogramStandard.learn([facts.landmarks for facts in training])


def _spacings(opened: OpenedStudy, parts: Sequence[Part]) -> dict[tuple[int, int], SpacingMm | None]:
    """The voxel size that each fold resamples to, where it is the median of its training part."""
    steps = opened.study.preprocessing
    if steps.spacing_mm != "median":
        return {(part.repeat, part.fold): None for part in parts}
    own = {
        case.case_id: inspect(case.image, **steps.reading.options())
        .geometry.reoriented(steps.orientation)
        .spacing_mm
        for case in opened.development
    }
    return {
        (part.repeat, part.fold): median_spacing([own[case_id] for case_id in part.train]) for part in parts
    }
