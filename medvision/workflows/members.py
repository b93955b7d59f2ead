"""The networks of one fold: which cases each learns from, training, and scores on what it did not see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medvision.cohort import Cohort, InnerPart, group_folds, holdout
from medvision.config import ClassificationTask, CrossFit, Holdout, SegmentationTask, Study
from medvision.errors import TrainingError
from medvision.models import build_model, total_stride
from medvision.runs import atomic_path
from medvision.training.callbacks import EpochReport
from medvision.training.classification import ClassificationModule
from medvision.training.data import CaseDataset, PatchSettings
from medvision.training.inference import predict_logits
from medvision.training.member import steps_per_epoch, train_member
from medvision.training.module import Recipe, StudyModule
from medvision.training.seeds import stream
from medvision.training.segmentation import SegmentationModule
from medvision.transforms.cache import CachedCase


@dataclass(frozen=True)
class Network:
    """How a study's network is made.

    Args:
        study: The study.
        given: A network passed from Python instead of the study's own, or None.
        allow: Packages whose classes `kind: custom` may name.
    """

    study: Study
    given: nn.Module | None = None
    allow: Collection[str] = ()

    @property
    def classes(self) -> int:
        """Logits of the network."""
        task = self.study.task
        return 1 if isinstance(task, ClassificationTask) else len(task.labels) + 1

    @property
    def stride(self) -> int:
        """What every side of the network's input must be divisible by."""
        return 1 if self.given is not None else total_stride(self.study.model)

    def fresh(self, seed: int) -> nn.Module:
        """Return a network with weights drawn from `seed`, or a copy of the one that was passed."""
        if self.given is not None:
            return copy.deepcopy(self.given)
        torch.manual_seed(seed)
        return build_model(self.study.model, out_channels=self.classes, allow=self.allow)

    def with_weights(self, weights: dict[str, Tensor], source: Path) -> nn.Module:
        """Return a network that predicts, with stored weights.

        Raises:
            TrainingError: The weights are another model's.
        """
        network = self.fresh(0)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise TrainingError(
                f"{source} holds the weights of another model than the study's {self.study.model.kind}; "
                "use the study file that made the run, or start anew with --fresh"
            ) from error
        return network.eval()


@dataclass(frozen=True)
class Inner:
    """What one member learns from and what it is watched on: positions in the training part."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def inner_parts(
    study: Study, part: Cohort, purpose: tuple[str | int, ...], stored: Sequence[InnerPart] = ()
) -> list[Inner]:
    """Divide the training part of a fold, patients never crossing.

    Args:
        study: The study.
        part: The cases of the training part.
        purpose: Names the fold.
        stored: The divisions that the split itself makes (nested, or an official validation part); they
            come before `training.inner`.
    """
    if stored:
        position = {case: place for place, case in enumerate(part.table["case_id"])}
        return [
            Inner(_positions(each.train, position), _positions(each.validation, position)) for each in stored
        ]
    patients = part.table["patient_id"].tolist()
    labels = part.table["label"].tolist() if isinstance(study.task, ClassificationTask) else None
    seed = stream(study.seed, *purpose, "inner")
    match study.training.inner:
        case Holdout(fraction=fraction):
            held = holdout(patients, labels, fraction=fraction, seed=seed)
            return [Inner(np.flatnonzero(~held), np.flatnonzero(held))]
        case CrossFit(folds=folds):
            fold = group_folds(patients, labels, folds=folds, seed=seed)
            return [Inner(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]
        case _:
            assert_never(study.training.inner)


def _positions(cases: Sequence[str], position: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array(sorted(position[case] for case in cases), dtype=np.int64)


def train_and_store(
    network: Network,
    part: Cohort,
    cases: Sequence[CachedCase],
    inner: Inner,
    *,
    path: Path,
    purpose: tuple[str | int, ...],
    device: torch.device,
    report: Callable[[EpochReport], None],
) -> dict[str, Any]:
    """Train one member and store it at `path`, or read it where an earlier start finished it.

    Returns:
        The stored member: "weights", "log", "epochs", and the "scores" (logits) of its validation
        cases by position in the training part (classification), on which thresholds are chosen.
    """
    if path.exists():
        stored: dict[str, Any] = torch.load(path, weights_only=True)
        return stored
    study = network.study
    checkpoint = path.with_suffix(".ckpt")
    labels = part.table["label"].tolist() if isinstance(study.task, ClassificationTask) else None
    training = training_set(study, part, cases, inner)
    validation = _dataset(study, cases, labels, inner.validation, patch=None)
    module = module_of(network, training, purpose)
    member = train_member(module, training, validation, checkpoint=checkpoint, device=device, report=report)
    stored = {"weights": member.weights, "log": member.log, "epochs": member.epochs, "scores": {}}
    if labels is not None:
        predictor = network.with_weights(member.weights, path).to(device)
        scores = classification_logits(predictor, [cases[i] for i in inner.validation], study, device)
        stored["scores"] = dict(zip(inner.validation.tolist(), scores.tolist(), strict=True))
    with atomic_path(path) as temporary:
        torch.save(stored, temporary)
    checkpoint.unlink(missing_ok=True)
    return stored


def classification_logits(
    network: nn.Module, cases: Sequence[CachedCase], study: Study, device: torch.device
) -> NDArray[np.float64]:
    """Return the logit of each case, (cases,), in 32-bit arithmetic."""
    size = study.prediction.batch_size
    logits = []
    for start in range(0, len(cases), size):
        images = np.stack([case.image() for case in cases[start : start + size]])
        batch = torch.from_numpy(images).to(device)
        logits.append(predict_logits(network, batch, study.prediction)[:, 0].double().cpu().numpy())
    return np.concatenate(logits)


def _dataset(
    study: Study,
    cases: Sequence[CachedCase],
    labels: Sequence[int] | None,
    chosen: NDArray[np.int64],
    *,
    patch: PatchSettings | None,
) -> CaseDataset:
    return CaseDataset(
        [cases[i] for i in chosen],
        labels=None if labels is None else [labels[i] for i in chosen],
        with_mask=isinstance(study.task, SegmentationTask),
        patch=patch,
    )


def _patch(study: Study) -> PatchSettings | None:
    size = study.training.patch_voxels
    return None if size is None else PatchSettings(size, study.training.foreground_fraction)


def training_set(study: Study, part: Cohort, cases: Sequence[CachedCase], inner: Inner) -> CaseDataset:
    """Return what one member learns from, patches cut as the study says.

    Args:
        study: The study.
        part: The training part of the fold.
        cases: Its preprocessed cases, in the same order.
        inner: Which of them the member learns from.
    """
    labels = part.table["label"].tolist() if isinstance(study.task, ClassificationTask) else None
    return _dataset(study, cases, labels, inner.train, patch=_patch(study))


def module_of(network: Network, training: CaseDataset, purpose: tuple[str | int, ...]) -> StudyModule:
    """Return the module that learns: a fresh network with the study's loss and recipe.

    Args:
        network: How the network is made.
        training: What it will learn from, for the number of steps and the class weights.
        purpose: Names the member, and so its streams of chance.
    """
    study = network.study
    settings = study.training
    steps = steps_per_epoch(len(training), settings.batch_size, settings.steps_per_epoch)
    recipe = Recipe(
        training=settings,
        augmentation=study.augmentation,
        prediction=study.prediction,
        steps=steps * settings.epochs,
        stride=network.stride,
        seed=study.seed,
        purpose=purpose,
    )
    fresh = network.fresh(stream(study.seed, *purpose, "weights"))
    balanced = settings.class_weights == "balanced"
    if isinstance(study.task, ClassificationTask):
        labels = np.asarray(training.labels)
        weight = float((labels == 0).sum() / (labels == 1).sum()) if balanced else 1.0
        return ClassificationModule(fresh, recipe, positive_weight=weight)
    weights = _balanced_weights(training, network.classes) if balanced else None
    return SegmentationModule(fresh, recipe, structures=network.classes - 1, class_weights=weights)


def _balanced_weights(training: CaseDataset, classes: int) -> Tensor:
    """Inverse frequency of each class among all voxels, with mean 1."""
    counts = sum(np.bincount(np.asarray(case.mask()).ravel(), minlength=classes) for case in training.cases)
    weights = 1 / np.maximum(counts, 1)
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)
