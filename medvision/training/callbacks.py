"""What happens after an epoch: the log, the best weights, the checkpoint, the progress line."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch

from medvision.runs import atomic_path
from medvision.training.module import StudyModule

LOG_COLUMNS = ("epoch", "train_loss", "validation_loss", "validation_figure", "learning_rate", "seconds")


@dataclass(frozen=True)
class EpochReport:
    """What a progress line shows.

    Args:
        epoch: Finished epochs.
        epochs: Epochs in all.
        figure_name: `AUC` or `Dice`.
        figure: The latest validation figure, or NaN.
    """

    epoch: int
    epochs: int
    figure_name: str
    figure: float


class EpochEnd(L.Callback):
    """Keep the log and the best weights, stop early, and save a checkpoint to resume from.

    The checkpoint is written after the epoch's last step and its validation, at most every
    `checkpoint_seconds` so that short epochs are not spent on the disk. A run that resumes draws the
    same numbers again, so it does not matter which epoch was the last one saved.

    Args:
        checkpoint: The file to resume from.
        report: Called after each epoch.
        patience: Epochs without a better figure before it stops, or None.
        checkpoint_seconds: Least time between two checkpoints.
    """

    def __init__(
        self,
        checkpoint: Path,
        *,
        report: Callable[[EpochReport], None],
        patience: int | None = None,
        checkpoint_seconds: float = 10.0,
    ) -> None:
        self.checkpoint = checkpoint
        self.report = report
        self.patience = patience
        self.checkpoint_seconds = checkpoint_seconds
        self.history: list[dict[str, float]] = []
        self.best_figure = -math.inf
        self.best_epoch = -1
        self.best_weights: dict[str, torch.Tensor] | None = None
        self._saved = time.monotonic()
        self._started = time.monotonic()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the epoch's clock."""
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log, compare with the best, save, report."""
        if not isinstance(pl_module, StudyModule):
            raise TypeError(f"EpochEnd watches a StudyModule, not a {type(pl_module).__name__}")
        epoch = trainer.current_epoch
        figures, pl_module.figures = pl_module.figures, {}
        self._log(trainer, pl_module, figures)
        if self.patience is not None:
            self._compare(trainer, pl_module, figures.get("figure", math.nan))
        last = trainer.should_stop or epoch + 1 == trainer.max_epochs
        if not last and time.monotonic() - self._saved >= self.checkpoint_seconds:
            self._save(trainer)
        shown = [row["validation_figure"] for row in self.history if not math.isnan(row["validation_figure"])]
        latest = shown[-1] if shown else math.nan
        self.report(EpochReport(epoch + 1, trainer.max_epochs or 0, pl_module.figure_name, latest))

    def _log(self, trainer: L.Trainer, module: StudyModule, figures: dict[str, float]) -> None:
        self.history.append(
            {
                "epoch": trainer.current_epoch + 1,
                "train_loss": module.mean_train_loss(),
                "validation_loss": figures.get("validation_loss", math.nan),
                "validation_figure": figures.get("figure", math.nan),
                "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
                "seconds": time.monotonic() - self._started,
            }
        )

    def _compare(self, trainer: L.Trainer, module: StudyModule, figure: float) -> None:
        if figure > self.best_figure:
            self.best_figure, self.best_epoch = figure, trainer.current_epoch
            state = module.predictor.state_dict()
            self.best_weights = {name: value.detach().cpu().clone() for name, value in state.items()}
        if self.patience is not None and trainer.current_epoch - self.best_epoch >= self.patience:
            trainer.should_stop = True

    def _save(self, trainer: L.Trainer) -> None:
        with atomic_path(self.checkpoint) as temporary:
            trainer.save_checkpoint(temporary)
        self._saved = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {
            "history": self.history,
            "best_figure": self.best_figure,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where the checkpoint was written."""
        self.history = list(state_dict["history"])
        self.best_figure = state_dict["best_figure"]
        self.best_epoch = state_dict["best_epoch"]
        self.best_weights = state_dict["best_weights"]
