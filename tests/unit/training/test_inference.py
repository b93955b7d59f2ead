"""Padding, mirroring and windows must not move anything."""

import pytest
import torch
from torch import nn

from medvision.config import Prediction
from medvision.training.inference import predict_logits


class Identity(nn.Module):
    """Each voxel's own value as the logit; refuses sides that its stride does not divide."""

    def __init__(self, stride=1):
        super().__init__()
        self.stride = stride

    def forward(self, images):
        assert all(side % self.stride == 0 for side in images.shape[2:])
        return torch.cat([-images, images], 1)


@pytest.mark.parametrize(
    "settings",
    [
        Prediction(),
        Prediction(mirror_axes=(0, 1, 2)),
        Prediction(window_voxels=(8, 8, 8), overlap=0.5),
        Prediction(window_voxels=(16, 8, 8), overlap=0.25, mirror_axes=(1,)),
    ],
)
def test_a_network_that_copies_gives_the_image_back_in_place(settings):
    images = torch.randn(2, 1, 11, 13, 9)
    logits = predict_logits(Identity(stride=8), images, settings, stride=8)
    assert torch.allclose(logits[:, 1], images[:, 0], atol=1e-5)


def test_mirrorings_are_all_combinations_of_the_axes():
    seen = []

    def network(images):
        seen.append(images.clone())
        return images.mean((2, 3, 4))

    images = torch.randn(1, 1, 3, 3, 3)
    logits = predict_logits(network, images, Prediction(mirror_axes=(0, 2)))
    expected = [images, images.flip(2), images.flip(4), images.flip(2, 4)]
    assert all(torch.equal(a, b) for a, b in zip(seen, expected, strict=True))
    assert logits.shape == (1, 1)


def test_mirroring_averages():
    def first_voxel(images):
        return images[:, :, 0, 0, 0]

    images = torch.arange(2.0).reshape(1, 1, 2, 1, 1)
    assert predict_logits(first_voxel, images, Prediction(mirror_axes=(0,))).item() == 0.5
