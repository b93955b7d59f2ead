"""One fold: train its members, choose the threshold on the training part, predict the test part."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from medvision.cohort import Cohort, Part
from medvision.config import ClassificationTask, Study
from medvision.errors import EvaluationError
from medvision.evaluation import choose_threshold, diagnostic_accuracy
from medvision.runs import RunFolder, atomic_json, atomic_path
from medvision.training.callbacks import EpochReport
from medvision.training.seeds import stream
from medvision.transforms.cache import CachedCase
from medvision.workflows.comparators import comparator_scores
from medvision.workflows.fitted import FoldCases
from medvision.workflows.masks import predict_masks
from medvision.workflows.members import (
    Network,
    classification_logits,
    inner_parts,
    train_and_store,
)
from medvision.workflows.progress import Display


@dataclass(frozen=True)
class FoldWork:
    """What every fold of a run shares.

    Args:
        network: How the network is made.
        cohort: All cases.
        prepared: What the networks of each fold see, by repeat and fold.
        folder: The run folder.
        device: Where it computes.
        shown: Where progress goes.
        parts: All parts of the split, for the progress line.
        called: What a part is called there.
    """

    network: Network
    cohort: Cohort
    prepared: Mapping[tuple[int, int], FoldCases]
    folder: RunFolder
    device: torch.device
    shown: Display
    parts: Sequence[Part]
    called: str = "fold"

    @property
    def study(self) -> Study:
        """The study."""
        return self.network.study

    def cases(self, part: Part, case_ids: Sequence[str]) -> list[CachedCase]:
        """Return preprocessed cases as the networks of a fold see them."""
        seen = self.prepared[part.repeat, part.fold].cases
        return [seen[case_id] for case_id in case_ids]


def is_finished(folder: RunFolder, part: Part) -> bool:
    """Whether an earlier start finished this fold; its marker is written last."""
    return (folder.fold(part.repeat, part.fold) / "fold.json").exists()


def fit_fold(work: FoldWork, part: Part) -> None:
    """Train and predict one fold, going on where an earlier start was stopped.

    Raises:
        TrainingError: Training cannot go on.
        EvaluationError: No threshold meets the study's rule on the training part.
    """
    started = time.monotonic()
    place = work.folder.fold(part.repeat, part.fold)
    work.prepared[part.repeat, part.fold].write(place)
    train, test = work.cohort.select(part.train), work.cohort.select(part.test)
    members = _train_members(work, part, train)
    _write_log(place / "log.csv", members)
    if isinstance(work.study.task, ClassificationTask):
        _predict_classification(work, part, train, test, members)
    else:
        networks = [work.network.with_weights(member["weights"], place) for member in members]
        predict_masks(
            [([network.to(work.device) for network in networks], work.cases(part, part.test))],
            work.study,
            test,
            ids={"repeat": part.repeat, "fold": part.fold},
            folder=work.folder,
            masks=work.folder.masks,
            suffix="" if len({each.repeat for each in work.parts}) == 1 else f"-{part.repeat}",
            tables=place,
            device=work.device,
        )
    epochs = [member["epochs"] for member in members]
    seconds = time.monotonic() - started
    atomic_json(
        place / "fold.json", {"repeat": part.repeat, "fold": part.fold, "epochs": epochs, "seconds": seconds}
    )


def _train_members(work: FoldWork, part: Part, train: Cohort) -> list[dict[str, Any]]:
    place = work.folder.fold(part.repeat, part.fold)
    purpose = ("fold", part.repeat, part.fold)
    inner = inner_parts(work.study, train, purpose, part.inner)
    cases = work.cases(part, part.train)
    epochs = work.study.training.epochs
    number = work.parts.index(part) + 1
    task = work.shown.task(f"{work.called} {number}/{len(work.parts)}", epochs * len(inner))
    members = []
    for index, which in enumerate(inner):

        def report(end: EpochReport, before: int = index * epochs) -> None:
            figure = "" if np.isnan(end.figure) else f"{end.figure_name} {end.figure:.3f}"
            task.advance(before + end.epoch, figure)

        members.append(
            train_and_store(
                work.network,
                train,
                cases,
                which,
                path=place / f"member-{index}.pt",
                purpose=(*purpose, "member", index),
                device=work.device,
                report=report,
            )
        )
        task.advance((index + 1) * epochs)
    return members


def _write_log(path: Path, members: list[dict[str, Any]]) -> None:
    rows = [{"member": index, **row} for index, member in enumerate(members) for row in member["log"]]
    with atomic_path(path) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False, float_format="%.6g")


def _predict_classification(
    work: FoldWork, part: Part, train: Cohort, test: Cohort, members: list[dict[str, Any]]
) -> None:
    study, place = work.study, work.folder.fold(part.repeat, part.fold)
    cases = work.cases(part, part.test)
    networks = [work.network.with_weights(member["weights"], place).to(work.device) for member in members]
    logits = np.mean([classification_logits(n, cases, study, work.device) for n in networks], axis=0)
    unseen = unseen_scores(members)
    positions = np.array(sorted(unseen))
    models = {
        "image": (probability(np.array([unseen[i] for i in positions])), positions, probability(logits))
    }
    for comparator in study.comparators:
        seed = stream(study.seed, "comparator", comparator.name, part.repeat, part.fold)
        scores = comparator_scores(comparator, train, test, image_train=unseen, image_test=logits, seed=seed)
        models[comparator.name] = (scores.training, scores.positions, scores.test)
    table = test.table[["case_id", "patient_id", "label"]].assign(repeat=part.repeat, fold=part.fold)
    thresholds = {}
    for name, (training, used, scores_test) in models.items():
        chosen = _threshold(
            study, train, training, used, f"{part.name or f'fold {part.fold + 1}'}, model {name}"
        )
        thresholds[name] = chosen
        suffix = "" if name == "image" else f"_{name}"
        table[f"score{suffix}"] = scores_test
        table[f"threshold{suffix}"] = chosen["threshold"]
        table[f"prediction{suffix}"] = (scores_test >= chosen["threshold"]).astype(np.int64)
    atomic_json(place / "threshold.json", {"models": thresholds})
    with atomic_path(place / "predictions.parquet") as temporary:
        table.to_parquet(temporary, index=False)


def unseen_scores(members: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """Return the logits of training cases by members that did not see them, by position in the part."""
    return {int(i): float(score) for member in members for i, score in member["scores"].items()}


def _threshold(
    study: Study, train: Cohort, scores: NDArray[np.float64], used: NDArray[np.int64], where: str
) -> dict[str, Any]:
    labels = train.table["label"].to_numpy(dtype=np.int64)[used]
    rule = study.evaluation.threshold
    try:
        threshold = float(choose_threshold(labels, scores, rule=rule))
    except EvaluationError as error:
        raise EvaluationError(f"{where}: {error}") from error
    reached = diagnostic_accuracy(labels, (scores >= threshold).astype(np.int64))
    return {
        "threshold": threshold,
        "rule": rule,
        "fitted_on": "out-of-fold scores of the training part",
        "n_units": len(used),
        "n_patients": int(train.table["patient_id"].iloc[used].nunique()),
        "sensitivity": reached.sensitivity.value,
        "specificity": reached.specificity.value,
    }


def probability(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each logit."""
    return 1 / (1 + np.exp(-logits))
