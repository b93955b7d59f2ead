"""Gradients of small convolutions in bfloat16: near those of 32 bits, and the same every time."""

import pytest
import torch

from medvision.config import ResNetModel
from medvision.models import build_model
from medvision.training.exact import ExactSmallConvolutions


def dirty_memory(step):
    """Leave NaN behind in freed memory, so that reading what was never written shows."""
    for size in (2_000, 30_000, 300_000 + 7919 * step):
        torch.full((size,), float("nan"), dtype=torch.bfloat16)
        torch.full((size,), float("nan"))


def gradient(layer, images, step, bfloat16):
    dirty_memory(step)
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16), ExactSmallConvolutions():
        output = layer(images)
    output.float().square().sum().backward()
    return torch.cat([value.grad.flatten().clone() for value in layer.parameters()])


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 1), (5, 2)])
def test_gradients_are_near_those_of_32_bits_and_repeat(side, kernel, stride):
    torch.manual_seed(0)
    layer = torch.nn.Conv3d(16, 32, kernel, padding=kernel // 2, stride=stride)
    images = torch.randn(4, 16, side, side, side)
    expected = gradient(layer, images, 0, bfloat16=False)
    found = [gradient(layer, images, step, bfloat16=True) for step in range(4)]
    assert all(torch.equal(found[0], other) for other in found[1:])
    assert (found[0] - expected).norm() < 0.02 * expected.norm()


@pytest.mark.parametrize("side", [1, 2, 4])
def test_transposed_convolutions_too(side):
    torch.manual_seed(0)
    layer = torch.nn.ConvTranspose3d(16, 8, 2, stride=2)
    images = torch.randn(2, 16, side, side, side)
    expected = gradient(layer, images, 0, bfloat16=False)
    found = [gradient(layer, images, step, bfloat16=True) for step in range(4)]
    assert all(torch.equal(found[0], other) for other in found[1:])
    assert (found[0] - expected).norm() < 0.02 * expected.norm()


def test_a_network_whose_last_level_is_tiny_gives_the_same_gradients_every_time():
    torch.manual_seed(0)
    model = ResNetModel(kind="resnet", depth=10, widths=(8, 16, 16, 32), stem_kernel=3)
    network = build_model(model, out_channels=1)
    images = torch.randn(4, 1, 16, 16, 16)
    found = [gradient(network, images, step, bfloat16=True) for step in range(6)]
    assert all(torch.equal(found[0], other) for other in found[1:])
    assert torch.isfinite(found[0]).all()
