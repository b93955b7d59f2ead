"""The fast affine map against torch's `grid_sample`."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from medvision.config import Augmentation
from medvision.transforms.augment import Augmenter, _normalised, _rotations
from medvision.transforms.moving import moved

shapes = st.tuples(*[st.integers(2, 14)] * 3)
angles = st.tuples(*[st.sampled_from([0.0, 0.2, -1.4, 3.0])] * 3)
steps = st.tuples(*[st.sampled_from([0.0, 0.37, -2.6, 20.0])] * 3)


@given(shapes, angles, st.floats(0.6, 1.5), steps, st.integers(0, 99))
def test_equals_grid_sample(shape, turn, scale, shift, seed):
    chance = torch.Generator().manual_seed(seed)
    image = torch.randn(shape, generator=chance)
    mask = torch.randint(0, 4, shape, generator=chance, dtype=torch.uint8)
    # Off round numbers: halfway between two voxels, which one is nearest is a matter of rounding.
    linear = _rotations(torch.tensor([turn]))[0] * scale * 1.00137
    step = torch.tensor(shift) + 0.0317
    grid = F.affine_grid(
        _normalised(linear[None], step[None], torch.Size(shape)), [1, 1, *shape], align_corners=False
    )
    expected = F.grid_sample(image[None, None], grid, padding_mode="border", align_corners=False)[0, 0]
    found, outline = moved(image, mask, linear, step)
    assert found.shape == image.shape
    assert torch.allclose(found, expected, atol=2e-4)
    nearest = F.grid_sample(mask[None, None].float(), grid, mode="nearest", align_corners=False)[0, 0]
    # A voxel in a thousand may lie on a tie, which rounding decides.
    assert (outline != nearest.byte()).sum() <= max(2, 0.01 * mask.numel())
    assert outline.dtype == mask.dtype


def test_a_large_volume_is_indexed_exactly():
    image = torch.zeros(2, 3000, 3000)
    image[1, 2998, 2997] = 1
    found, _ = moved(image, None, torch.eye(3), torch.zeros(3))
    assert torch.equal(found, image)


@pytest.mark.parametrize("channels", [1, 2])
def test_every_channel_moves_and_cases_that_chance_leaves_alone_keep_their_very_voxels(channels):
    settings = Augmentation(rotate_deg=(20, 20, 20), scale=0.1, probability=0.5)
    images = torch.rand(8, 1, 9, 8, 7).expand(8, channels, 9, 8, 7)
    masks = (images[:, 0] > 0.5).byte()
    changed, outlines = Augmenter(settings)(images, masks, generator=torch.Generator().manual_seed(1))
    same = [torch.equal(changed[case], images[case]) for case in range(8)]
    assert 0 < sum(same) < 8
    assert same == [torch.equal(outlines[case], masks[case]) for case in range(8)]
    assert torch.equal(changed[:, 0], changed[:, -1])
