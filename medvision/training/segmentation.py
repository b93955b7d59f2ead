"""Learn to outline structures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medvision.training.inference import predict_logits
from medvision.training.losses import SegmentationLoss
from medvision.training.module import Recipe, StudyModule


class SegmentationModule(StudyModule):
    """A network with a logit a class and voxel; validated by the mean Dice of the structures.

    Args:
        network: From (batch, channel, i, j, k) to (batch, classes, i, j, k), and with deep supervision
            (batch, levels, classes, i, j, k) while it trains.
        recipe: How it is trained.
        structures: Number of structures, background not counted.
        class_weights: One a class, background first, or None.
    """

    figure_name = "Dice"

    def __init__(
        self, network: nn.Module, recipe: Recipe, *, structures: int, class_weights: Tensor | None = None
    ) -> None:
        super().__init__(network, recipe)
        self.structures = structures
        self.loss = SegmentationLoss(
            structures,
            dice_weight=recipe.training.dice_weight,
            cross_entropy_weight=recipe.training.cross_entropy_weight,
            class_weights=class_weights,
        )
        self.dice: list[Tensor] = []

    def loss_of(self, batch: dict[str, Tensor]) -> Tensor:
        """Augment and return Dice and cross-entropy."""
        images, masks = self.augmenter(batch["image"], batch["mask"], generator=self.draws)
        loss: Tensor = self.loss(self.network(images), torch.as_tensor(masks).long())
        return loss

    def validation_step(self, batch: dict[str, Tensor], index: int) -> None:
        """Predict one whole volume and keep its Dice a structure."""
        logits = predict_logits(self.predictor, batch["image"], self.watching, stride=self.recipe.stride)
        masks = batch["mask"].long()
        self.validation_losses.append(self.loss(logits, masks))
        self.dice.append(dice_of(logits.argmax(1), masks, self.structures))

    def on_validation_epoch_end(self) -> None:
        """Average the Dice over structures within a case, then over cases where it is defined."""
        loss = float(torch.stack(self.validation_losses).mean())
        self.figures = {"validation_loss": loss, "figure": float(torch.cat(self.dice).nanmean())}
        self.validation_losses.clear()
        self.dice.clear()


def dice_of(predicted: Tensor, masks: Tensor, structures: int) -> Tensor:
    """Return the Dice of each case and structure, (batch, structures); NaN where both are empty.

    Example:
        >>> mask = torch.tensor([[[[0, 1], [1, 2]]]])
        >>> dice_of(mask, mask, 3)
        tensor([[1., 1., nan]])
    """
    values = []
    for structure in range(1, structures + 1):
        first = (predicted == structure).flatten(1)
        second = (masks == structure).flatten(1)
        values.append(2 * (first & second).sum(1) / (first.sum(1) + second.sum(1)))
    return torch.stack(values, 1)
