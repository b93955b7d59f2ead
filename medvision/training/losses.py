"""What is minimised."""

from __future__ import annotations

import torch
from monai.losses import DiceCELoss
from torch import Tensor, nn
from torch.nn import functional as F


class SmoothedBinaryCrossEntropy(nn.Module):
    """Binary cross-entropy of logits, with label smoothing and a weight for the positive class.

    Args:
        positive_weight: Weight of a positive case; a negative one has 1.
        smoothing: Targets become smoothing/2 and 1 − smoothing/2.

    Example:
        >>> loss = SmoothedBinaryCrossEntropy()
        >>> round(float(loss(torch.zeros(2), torch.tensor([0.0, 1.0]))), 4)
        0.6931
    """

    def __init__(self, positive_weight: float = 1.0, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.positive_weight = nn.Buffer(torch.tensor(positive_weight), persistent=False)

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss; `logits` and `targets` (0 to 1) are (batch,)."""
        targets = targets * (1 - self.smoothing) + self.smoothing / 2
        return F.binary_cross_entropy_with_logits(logits.float(), targets, pos_weight=self.positive_weight)


class SegmentationLoss(nn.Module):
    """Soft Dice (without background) and cross-entropy, on every supervised level.

    Coarser levels of deep supervision count half as much as the level before (Isensee et al. 2021,
    doi:10.1038/s41592-020-01008-z).

    Args:
        structures: Number of structures, background not counted.
        dice_weight: Weight of the Dice term.
        cross_entropy_weight: Weight of the cross-entropy term.
        class_weights: One a class, background first, or None.
    """

    def __init__(
        self,
        structures: int,
        *,
        dice_weight: float = 1.0,
        cross_entropy_weight: float = 1.0,
        class_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.structures = structures
        self.loss = DiceCELoss(
            include_background=False,
            softmax=True,
            to_onehot_y=True,
            batch=True,
            lambda_dice=dice_weight,
            lambda_ce=cross_entropy_weight,
            weight=None,
        )
        if class_weights is not None:
            self.loss.cross_entropy = nn.CrossEntropyLoss(weight=class_weights)

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        """Return the loss.

        Args:
            logits: (batch, classes, i, j, k), or (batch, levels, classes, i, j, k).
            masks: (batch, i, j, k), class indices.
        """
        levels = logits.unbind(1) if logits.ndim == 6 else (logits,)
        weights = [0.5**level for level in range(len(levels))]
        target = masks[:, None]
        losses = torch.stack([self.loss(level.float(), target) for level in levels])
        return (losses * losses.new_tensor(weights)).sum() / sum(weights)
