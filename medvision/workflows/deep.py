"""The part of a check that computes: every voxel read, one step forward and backward."""

from __future__ import annotations

import resource
import time
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from medvision.training.device import choose_device
from medvision.workflows.cases import hash_inputs
from medvision.workflows.fitted import prepare_folds
from medvision.workflows.members import Network, inner_parts, train_and_store
from medvision.workflows.opened import OpenedStudy
from medvision.workflows.progress import display


def measure_step(opened: OpenedStudy, *, device: str, allow: Collection[str]) -> str:
    """Preprocess all cases, train one step with one validation, and say what it took.

    Raises:
        MedvisionError: A case cannot be used, or the step does not fit in memory.
    """
    with display() as shown:
        hashes = hash_inputs(opened.development, shown)
        prepared = prepare_folds(opened, hashes, shown, opened.splits.parts[:1])
    training = opened.study.training.model_copy(
        update={"epochs": 1, "steps_per_epoch": 1, "early_stopping": None}
    )
    study = opened.study.model_copy(update={"training": training})
    part = opened.splits.parts[0]
    cases = prepared[part.repeat, part.fold].cases
    train = opened.cohort.select(part.train)
    started = time.monotonic()
    with TemporaryDirectory() as folder:
        train_and_store(
            Network(study, allow=allow),
            train,
            [cases[case_id] for case_id in part.train],
            inner_parts(study, train, ("check",), part.inner)[0],
            path=Path(folder) / "member.pt",
            purpose=("check",),
            device=choose_device(device),
            report=lambda end: None,
        )
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"all voxels read; one step and one validation in {seconds:.1f} s, at most {peak:.1f} GiB in use"
