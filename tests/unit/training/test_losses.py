"""Losses against torch's own and a Dice written out by hand."""

import pytest
import torch
from torch.nn import functional as F

from medvision.training.losses import SegmentationLoss, SmoothedBinaryCrossEntropy


def test_without_settings_it_is_torchs_cross_entropy():
    logits, targets = torch.randn(20), torch.randint(0, 2, (20,)).float()
    expected = F.binary_cross_entropy_with_logits(logits, targets)
    assert SmoothedBinaryCrossEntropy()(logits, targets) == pytest.approx(float(expected))


def test_a_weight_counts_positive_cases_that_often():
    logits = torch.tensor([0.3, -0.2, 1.0])
    targets = torch.tensor([1.0, 0.0, 1.0])
    single = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    expected = (3 * single[0] + single[1] + 3 * single[2]) / 3
    assert SmoothedBinaryCrossEntropy(3.0)(logits, targets) == pytest.approx(float(expected))


def test_smoothing_moves_the_targets_towards_one_half():
    logits = torch.tensor([2.0])
    smoothed = SmoothedBinaryCrossEntropy(smoothing=0.2)(logits, torch.tensor([1.0]))
    assert smoothed == pytest.approx(float(F.binary_cross_entropy_with_logits(logits, torch.tensor([0.9]))))


def by_hand(logits, masks, structures):
    probabilities = logits.softmax(1)
    terms = []
    for structure in range(1, structures + 1):
        inside = (masks == structure).float()
        overlap = (probabilities[:, structure] * inside).sum()
        terms.append(1 - (2 * overlap + 1e-5) / (probabilities[:, structure].sum() + inside.sum() + 1e-5))
    return torch.stack(terms).mean() + F.cross_entropy(logits, masks)


def test_segmentation_loss_is_dice_without_background_plus_cross_entropy():
    logits, masks = torch.randn(2, 3, 5, 6, 7), torch.randint(0, 3, (2, 5, 6, 7))
    assert float(SegmentationLoss(2)(logits, masks)) == pytest.approx(
        float(by_hand(logits, masks, 2)), rel=1e-5
    )


def test_levels_of_deep_supervision_count_half_as_much_each():
    levels, masks = torch.randn(2, 3, 3, 4, 4, 4), torch.randint(0, 3, (2, 4, 4, 4))
    singles = [by_hand(levels[:, level], masks, 2) for level in range(3)]
    expected = (singles[0] + singles[1] / 2 + singles[2] / 4) / 1.75
    assert float(SegmentationLoss(2)(levels, masks)) == pytest.approx(float(expected), rel=1e-5)


def test_class_weights_reach_the_cross_entropy():
    logits, masks = torch.randn(1, 2, 4, 4, 4), torch.randint(0, 2, (1, 4, 4, 4))
    loss = SegmentationLoss(1, dice_weight=0.0, class_weights=torch.tensor([1.0, 9.0]))
    expected = F.cross_entropy(logits, masks, weight=torch.tensor([1.0, 9.0]))
    assert float(loss(logits, masks)) == pytest.approx(float(expected), rel=1e-5)
