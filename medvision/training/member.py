"""Train one network, so that a kill costs at most the time since the last checkpoint."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from torch import Tensor

from medvision.errors import TrainingError
from medvision.training.callbacks import EpochEnd, EpochReport
from medvision.training.data import CaseDataset, EpochSampler, EveryCase, loader
from medvision.training.device import choose_precision
from medvision.training.module import StudyModule

_MOST_VALIDATIONS = 20
_ADVICE = (
    ".*does not have many workers.*",
    ".*LeafSpec.*",
    ".*isinstance.treespec.*",
    ".*The number of training batches.*",
    ".*tensorboard.*",
    ".*litlogger.*",
)


@dataclass(frozen=True)
class TrainedMember:
    """What training leaves.

    Args:
        weights: State of the network that predicts.
        log: One row an epoch; see `LOG_COLUMNS`.
        epochs: Epochs that were trained.
    """

    weights: dict[str, Tensor]
    log: list[dict[str, float]]
    epochs: int


def steps_per_epoch(cases: int, batch_size: int, wanted: int | None) -> int:
    """Return the batches of one epoch; by default each case once, rounded down to whole batches.

    Example:
        >>> steps_per_epoch(157, 4, None), steps_per_epoch(3, 4, None), steps_per_epoch(157, 4, 100)
        (39, 1, 100)
    """
    return wanted or max(1, cases // batch_size)


def train_member(
    module: StudyModule,
    training: CaseDataset,
    validation: CaseDataset,
    *,
    checkpoint: Path,
    device: torch.device,
    report: Callable[[EpochReport], None],
) -> TrainedMember:
    """Train `module`, going on from `checkpoint` where it exists.

    Args:
        module: The network and how it learns.
        training: Cases to learn from.
        validation: Cases to watch; also chooses the epoch where the study stops early.
        checkpoint: Written during training, removed by the caller once the result is safe.
        device: Where it computes.
        report: Called after each epoch.

    Raises:
        TrainingError: The batch does not fit in memory, the loss is not finite, or the checkpoint is
            another model's.
    """
    recipe = module.recipe
    settings = recipe.training
    patience = settings.early_stopping.patience_epochs if settings.early_stopping else None
    end = EpochEnd(
        checkpoint, report=report, patience=patience, checkpoint_seconds=settings.checkpoint_seconds
    )
    steps = steps_per_epoch(len(training), settings.batch_size, settings.steps_per_epoch)
    sampler = EpochSampler(
        len(training), steps * settings.batch_size, seed=recipe.seed, purpose=recipe.purpose
    )
    batches = loader(training, sampler, batch_size=settings.batch_size, workers=settings.workers)
    # Whole volumes may differ in shape, so a segmentation is validated one by one.
    size = 1 if validation.with_mask else recipe.prediction.batch_size
    watched = loader(validation, EveryCase(len(validation)), batch_size=size, workers=0)
    with _quiet(), _memory_error(settings.batch_size):
        trainer = _trainer(module, end, device)
        _fit(trainer, module, batches, watched, checkpoint)
    weights = end.best_weights or module.predictor.state_dict()
    return TrainedMember(
        weights={name: value.detach().cpu().clone() for name, value in weights.items()},
        log=end.history,
        epochs=len(end.history),
    )


def _trainer(module: StudyModule, end: EpochEnd, device: torch.device) -> L.Trainer:
    settings = module.recipe.training
    every = 1 if settings.early_stopping else math.ceil(settings.epochs / _MOST_VALIDATIONS)
    return L.Trainer(
        max_epochs=settings.epochs,
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=choose_precision(settings.precision, device),
        gradient_clip_val=settings.gradient_clip,
        check_val_every_n_epoch=every,
        num_sanity_val_steps=0,
        callbacks=[end],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        deterministic="warn",
    )


def _fit(trainer: L.Trainer, module: StudyModule, batches: object, watched: object, checkpoint: Path) -> None:
    resumed = str(checkpoint) if checkpoint.exists() else None
    try:
        trainer.fit(module, batches, watched, ckpt_path=resumed, weights_only=False)
    except RuntimeError as error:
        if resumed and "loading state_dict" in str(error):
            raise TrainingError(
                f"{checkpoint} is the checkpoint of another model; remove it, or start anew with --fresh"
            ) from error
        raise


@contextlib.contextmanager
def _memory_error(batch_size: int) -> Iterator[None]:
    try:
        yield
    except (torch.cuda.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        raise TrainingError(
            f"a batch of {batch_size} does not fit in memory; lower training.batch_size, "
            "training.patch_voxels or the size of the model"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advertisements and tips off the user's terminal."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for pattern in _ADVICE:
            warnings.filterwarnings("ignore", pattern)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
