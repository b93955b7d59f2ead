"""The locked test set: opened on request only, noted before it is, predicted once by all fold models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from medvision.cohort import Cohort, Part, file_hashes, same_scan_twice
from medvision.config import ClassificationTask, study_hash
from medvision.errors import RunError
from medvision.runs import RunFolder, atomic_json, atomic_path, cache_folder
from medvision.training.seeds import stream
from medvision.transforms.cache import CachedCase
from medvision.workflows.cases import input_paths
from medvision.workflows.comparators import comparator_scores
from medvision.workflows.fitted import Fitted, prepare_as_learned
from medvision.workflows.fold import FoldWork, is_finished, probability, unseen_scores
from medvision.workflows.masks import predict_masks
from medvision.workflows.members import classification_logits
from medvision.workflows.opened import OpenedStudy
from medvision.workflows.record import Record, versions


def check_unlock(opened: OpenedStudy, folder: RunFolder, chosen: Sequence[Part], *, fresh: bool) -> None:
    """Refuse to unlock a test set that is not there, or that a run of some folds would open too early.

    Args:
        opened: The study.
        folder: The run folder.
        chosen: Parts that this start will finish.
        fresh: Whether finished parts will be removed first.

    Raises:
        RunError: There is nothing locked away, or folds would be unfinished.
    """
    if not opened.splits.locked:
        raise RunError(
            "--unlock-test: this study locks no test set away; write one as split.test before the first run"
        )
    others = [part for part in opened.splits.parts if part not in chosen]
    later = [part for part in others if fresh or not is_finished(folder, part)]
    if later:
        raise RunError(
            f"--unlock-test: the test set stays locked until all {len(opened.splits.parts)} folds are "
            f"finished, and {len(later)} would not be; leave out --folds"
        )


def is_predicted(folder: RunFolder) -> bool:
    """Whether the models of this run have predicted the locked test set; the marker is written last."""
    return (folder.locked_test / "locked_test.json").exists()


def predict_locked_test(
    work: FoldWork, opened: OpenedStudy, hashes: Mapping[str, str], record: Record
) -> None:
    """Open the locked test set, note that first, and predict it by the mean of all networks of the run.

    The networks of each fold see it with the voxel size and the standard histogram that their fold learned.

    Args:
        work: What the folds shared; every fold is finished.
        opened: The study.
        hashes: SHA-256 of the files of all other cases.
        record: Where the unlock is noted.

    Raises:
        LeakageError: A locked scan is also that of a patient whom the models learned from.
        CohortError: Locked cases cannot be used.
    """
    record.unlock(
        {
            "study_sha256": study_hash(opened.study),
            "splits_sha256": opened.splits.sha256,
            "test_sha256": opened.splits.locked_sha256,
            "medvision": versions()["medvision"],
            "git": record.content.get("git"),
            "cases": len(opened.locked),
            "patients": int(opened.locked.table["patient_id"].nunique()),
        }
    )
    own = file_hashes(input_paths(opened.locked), index=cache_folder() / "hashes.json")
    everything = {**hashes, **own}
    same_scan_twice(opened.cohort, everything)
    learned = [Fitted.read(work.folder.fold(part.repeat, part.fold)) for part in work.parts]
    # All of them, so that one scan in two files is found too; the others come from the cache.
    seen = prepare_as_learned(opened, opened.cohort, everything, work.shown, learned)
    cases = {
        fitted: [found[case_id] for case_id in opened.locked.table["case_id"]]
        for fitted, found in seen.items()
    }
    folds = list(zip(work.parts, learned, strict=True))
    task = work.shown.task("locked test set", 1)
    if isinstance(work.study.task, ClassificationTask):
        _classify(work, opened.locked, [(part, cases[fitted]) for part, fitted in folds])
    else:
        _segment(work, opened.locked, folds, cases)
    task.advance(1)
    record.content["locked_inputs"] = own
    atomic_json(work.folder.locked_test / "locked_test.json", {"unlock": len(record.content["unlocks"])})


def _segment(
    work: FoldWork,
    test: Cohort,
    folds: Sequence[tuple[Part, Fitted]],
    cases: Mapping[Fitted, Sequence[CachedCase]],
) -> None:
    alike: dict[Fitted, list[nn.Module]] = {}
    for part, fitted in folds:
        alike.setdefault(fitted, []).extend(_networks(work, _members(work, part)))
    predict_masks(
        [(networks, cases[fitted]) for fitted, networks in alike.items()],
        work.study,
        test,
        ids={},
        folder=work.folder,
        masks=work.folder.locked_test / "segmentations",
        tables=work.folder.locked_test,
        device=work.device,
    )


def _classify(work: FoldWork, test: Cohort, folds: Sequence[tuple[Part, Sequence[CachedCase]]]) -> None:
    """Write scores, thresholds (the mean of those of the folds) and predictions of every model."""
    scores: dict[str, list[NDArray[np.float64]]] = {}
    logits = []
    for part, cases in folds:
        members = _members(work, part)
        networks = _networks(work, members)
        own = np.mean([classification_logits(n, cases, work.study, work.device) for n in networks], axis=0)
        logits.append(own)
        for name, found in _comparators(work, part, test, members, own).items():
            scores.setdefault(name, []).append(found)
    means = {"image": probability(np.mean(logits, axis=0))}
    means |= {name: np.mean(found, axis=0) for name, found in scores.items()}
    table = test.table[["case_id", "patient_id", "label"]].copy()
    for name, score in means.items():
        suffix = "" if name == "image" else f"_{name}"
        threshold = float(np.mean([_threshold(work.folder, part, name) for part in work.parts]))
        table[f"score{suffix}"] = score
        table[f"threshold{suffix}"] = threshold
        table[f"prediction{suffix}"] = (score >= threshold).astype(np.int64)
    with atomic_path(work.folder.locked_test / "predictions.parquet") as temporary:
        table.to_parquet(temporary, index=False)


def _comparators(
    work: FoldWork,
    part: Part,
    test: Cohort,
    members: Sequence[Mapping[str, Any]],
    logits: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """The regressions of one fold, fitted again as they were: the same cases and the same seed."""
    study, train = work.study, work.cohort.select(part.train)
    return {
        comparator.name: comparator_scores(
            comparator,
            train,
            test,
            image_train=unseen_scores(members),
            image_test=logits,
            seed=stream(study.seed, "comparator", comparator.name, part.repeat, part.fold),
        ).test
        for comparator in study.comparators
    }


def _members(work: FoldWork, part: Part) -> list[dict[str, Any]]:
    place = work.folder.fold(part.repeat, part.fold)
    return [torch.load(path, weights_only=True) for path in sorted(place.glob("member-*.pt"))]


def _networks(work: FoldWork, members: Sequence[Mapping[str, Any]]) -> list[nn.Module]:
    path = work.folder.path
    return [work.network.with_weights(member["weights"], path).to(work.device) for member in members]


def _threshold(folder: RunFolder, part: Part, model: str) -> float:
    path: Path = folder.fold(part.repeat, part.fold) / "threshold.json"
    return float(json.loads(path.read_text(encoding="utf-8"))["models"][model]["threshold"])


def locked_table(folder: RunFolder, *, segmentation: bool) -> pd.DataFrame:
    """Return what was found on the locked test set: one row a case, or a case and structure.

    Args:
        folder: The run folder.
        segmentation: Whether structures were outlined.
    """
    name = "segmentation" if segmentation else "predictions"
    return pd.read_parquet(folder.locked_test / f"{name}.parquet")
