"""Batch augmentation: against its elements, against an independent rotation, and its invariants."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medvision.config import Augmentation
from medvision.transforms.augment import Augmenter, mixup


def apply(settings, images, masks=None, seed=0):
    return Augmenter(settings)(images, masks, generator=torch.Generator().manual_seed(seed))


def test_the_default_changes_nothing():
    images = torch.randn(3, 1, 6, 7, 8)
    changed, masks = apply(Augmentation(), images)
    assert torch.equal(changed, images)
    assert masks is None


def test_the_same_seed_changes_the_same_and_the_batch_does_not_share_one_change():
    settings = Augmentation(rotate_deg=(10, 10, 10), scale=0.1, noise_std=0.1, gamma=0.2)
    images = torch.rand(1, 1, 9, 9, 9).expand(4, 1, 9, 9, 9)
    first, _ = apply(settings, images, seed=3)
    again, _ = apply(settings, images, seed=3)
    assert torch.equal(first, again)
    assert not torch.allclose(first[0], first[1])


def test_a_flip_moves_image_and_mask_together():
    images = torch.arange(2 * 4 * 4 * 4.0).reshape(2, 1, 4, 4, 4)
    changed, masks = apply(Augmentation(flip_axes=(0, 1, 2)), images, images[:, 0].long(), seed=1)
    assert torch.equal(changed[:, 0].long(), masks)
    assert not torch.equal(changed, images)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_rotation_is_the_one_that_scipy_computes_also_where_the_sides_differ(axis):
    # A drawn angle is unknown, so the largest is read back from a rotated point far from the centre.
    shape = (21, 25, 17)
    image = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 3)
    degrees = [0.0, 0.0, 0.0]
    degrees[axis] = 40.0
    settings = Augmentation(rotate_deg=tuple(degrees))
    turned = apply(settings, torch.from_numpy(image)[None, None].float(), seed=5)[0][0, 0].numpy()
    plane = tuple(other for other in range(3) if other != axis)
    best = min(
        np.abs(ndimage.rotate(image, angle, axes=plane, reshape=False, order=1, mode="nearest") - turned)[
            7:14, 8:17, 6:11
        ].max()
        for angle in np.arange(-40, 40.01, 0.05)
    )
    assert best < 2e-3


def test_a_scale_keeps_the_centre_and_moves_the_rest_by_its_factor():
    grid = torch.linspace(-1, 1, 21)
    image = grid[:, None, None].expand(21, 21, 21)[None, None]
    for seed in range(5):
        scaled = apply(Augmentation(scale=0.3), image, seed=seed)[0][0, 0, :, 10, 10]
        factor = 2 / 20 / (scaled[11] - scaled[9]) * 2
        assert 0.7 <= factor <= 1.3
        assert scaled[10] == pytest.approx(0, abs=1e-6)


def test_a_shift_is_in_voxels():
    image = torch.arange(15.0)[:, None, None].expand(15, 15, 15)[None, None]
    moved = apply(Augmentation(translate_voxels=2.0), image, seed=4)[0][0, 0, :, 7, 7]
    shift = float(moved[7] - 7)
    assert 0 < abs(shift) <= 2
    assert moved[5:10].tolist() == pytest.approx([value + shift for value in range(5, 10)], abs=1e-4)


def test_masks_keep_their_values():
    masks = torch.randint(0, 4, (3, 12, 12, 12))
    images = masks[:, None].float()
    _, moved = apply(Augmentation(rotate_deg=(30, 30, 30), scale=0.2), images, masks)
    assert set(moved.unique().tolist()) <= {0, 1, 2, 3}
    assert moved.dtype == masks.dtype


def test_a_probability_near_zero_leaves_intensities_and_places_alone():
    settings = Augmentation(
        rotate_deg=(30, 30, 30), brightness=1, contrast=0.5, noise_std=1, probability=1e-9
    )
    images = torch.rand(2, 1, 8, 8, 8)
    assert torch.allclose(apply(settings, images)[0], images, atol=1e-5)


def test_gamma_keeps_the_range_of_each_case():
    images = torch.rand(4, 1, 8, 8, 8) * torch.tensor([1, 2, 3, 4.0])[:, None, None, None, None]
    changed, _ = apply(Augmentation(gamma=0.5), images)
    assert torch.allclose(changed.amax((1, 2, 3, 4)), images.amax((1, 2, 3, 4)))
    assert torch.allclose(changed.amin((1, 2, 3, 4)), images.amin((1, 2, 3, 4)), atol=1e-6)
    assert not torch.allclose(changed, images)


def test_mixup_mixes_images_and_targets_with_one_weight():
    targets = torch.tensor([0.0, 1.0, 0.0, 1.0])
    images = targets[:, None, None, None, None].expand(4, 1, 3, 3, 3)
    mixed, mixed_targets = mixup(images, targets, alpha=0.4, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(mixed[:, 0, 0, 0, 0], mixed_targets)
    assert ((mixed_targets >= 0) & (mixed_targets <= 1)).all()
