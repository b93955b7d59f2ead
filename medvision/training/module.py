"""What both tasks share: optimiser, schedule, averaged weights, seeded augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medvision.config.pixels import Augmentation
from medvision.config.training import Prediction, Training
from medvision.errors import TrainingError
from medvision.training.exact import ExactSmallConvolutions
from medvision.training.optim import build_optimizer, build_schedule
from medvision.training.seeds import generator, stream
from medvision.transforms.augment import Augmenter


@dataclass(frozen=True)
class Recipe:
    """How one member is trained: the parts of a study that a module needs.

    Args:
        training: The `training:` part.
        augmentation: The `augmentation:` part.
        prediction: The `prediction:` part, used for validation.
        steps: Optimiser steps of the whole run.
        stride: What every side of the network's input is divisible by.
        seed: The study's seed.
        purpose: Names the member, such as ("fold", 0, 3, "member", 1).
    """

    training: Training
    augmentation: Augmentation
    prediction: Prediction
    steps: int
    stride: int
    seed: int
    purpose: tuple[str | int, ...]


class StudyModule(L.LightningModule):
    """A network that learns; the tasks add their loss and their validation figure.

    Args:
        network: From (batch, channel, i, j, k) to logits.
        recipe: How it is trained.
    """

    figure_name = "figure"

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.augmenter = Augmenter(recipe.augmentation)
        self.draws = generator(recipe.seed, *recipe.purpose, "augment", 0)
        self.average = _averaged(network, recipe.training.ema_decay)
        # Mirroring would make every validation several times as long, for a figure that only shows progress.
        self.watching = recipe.prediction.model_copy(update={"mirror_axes": ()})
        self.train_losses: list[Tensor] = []
        self.validation_losses: list[Tensor] = []
        self.figures: dict[str, float] = {}

    @property
    def predictor(self) -> nn.Module:
        """The network that predicts: the averaged one where the study asks for an average."""
        return self.network if self.average is None else self.average.module

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return the study's optimiser and its schedule by step."""
        optimizer = build_optimizer(self.recipe.training.optimizer, self.network.parameters())
        schedule = build_schedule(self.recipe.training.schedule, optimizer, self.recipe.steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Give every epoch its own streams, so that a resumed run equals an undisturbed one."""
        purpose = (*self.recipe.purpose, "epoch", self.current_epoch)
        torch.manual_seed(stream(self.recipe.seed, *purpose, "network"))
        self.draws = generator(self.recipe.seed, *purpose, "augment")
        self.train_losses.clear()

    def training_step(self, batch: dict[str, Tensor], index: int) -> Tensor:
        """Return the loss of one batch."""
        with ExactSmallConvolutions():
            loss = self.loss_of(batch)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss.item()} in epoch {self.current_epoch + 1}, step {index + 1}; "
                "lower training.optimizer.learning_rate or train with precision 32"
            )
        self.train_losses.append(loss.detach())
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Lightning's own signature
        """Step, then move the averaged weights."""
        super().optimizer_step(*args, **kwargs)
        if self.average is not None:
            self.average.update_parameters(self.network)

    def loss_of(self, batch: dict[str, Tensor]) -> Tensor:
        """Augment one batch and return its loss."""
        raise NotImplementedError

    def mean_train_loss(self) -> float:
        """Mean loss of this epoch's steps."""
        return float(torch.stack(self.train_losses).mean()) if self.train_losses else float("nan")


def _averaged(network: nn.Module, decay: float | None) -> AveragedModel | None:
    if decay is None:
        return None
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch has not typed it
    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)
