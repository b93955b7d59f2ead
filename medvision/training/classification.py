"""Learn one binary label a case."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from medvision.evaluation import auroc
from medvision.training.inference import predict_logits
from medvision.training.losses import SmoothedBinaryCrossEntropy
from medvision.training.module import Recipe, StudyModule
from medvision.transforms.augment import mixup


class ClassificationModule(StudyModule):
    """A network with one logit; validated by the AUC.

    Args:
        network: From (batch, channel, i, j, k) to (batch, 1).
        recipe: How it is trained.
        positive_weight: Weight of a positive case in the loss.
    """

    figure_name = "AUC"

    def __init__(self, network: nn.Module, recipe: Recipe, *, positive_weight: float = 1.0) -> None:
        super().__init__(network, recipe)
        self.loss = SmoothedBinaryCrossEntropy(positive_weight, recipe.training.label_smoothing)
        self.seen: list[tuple[Tensor, Tensor]] = []

    def loss_of(self, batch: dict[str, Tensor]) -> Tensor:
        """Augment, mix and return the cross-entropy."""
        images, _ = self.augmenter(batch["image"], None, generator=self.draws)
        targets = batch["label"].float()
        alpha = self.recipe.augmentation.mixup_alpha
        if alpha is not None:
            images, targets = mixup(images, targets, alpha=alpha, generator=self.draws)
        loss: Tensor = self.loss(self.network(images)[:, 0], targets)
        return loss

    def validation_step(self, batch: dict[str, Tensor], index: int) -> None:
        """Collect logits."""
        logits = predict_logits(self.predictor, batch["image"], self.watching)[:, 0]
        self.validation_losses.append(self.loss(logits, batch["label"].float()))
        self.seen.append((batch["label"], logits))

    def on_validation_epoch_end(self) -> None:
        """Compute loss and AUC; an AUC that is undefined (one class) stays NaN."""
        labels, logits = (torch.cat(part).cpu().double().numpy() for part in zip(*self.seen, strict=True))
        loss = float(torch.stack(self.validation_losses).mean())
        value = auroc(labels.astype(int), logits, method="wald").value
        self.figures = {"validation_loss": loss, "figure": math.nan if value is None else float(value)}
        self.seen.clear()
        self.validation_losses.clear()
