from __future__ import annotations

import pytest
import torch
from torch import nn

from medvision.errors import MedvisionError
from medvision.testing import (
    check_batch_matches_elements,
    check_gradient_reaches_parameters,
    check_model,
    check_output_shape,
)

SHAPE = (1, 6, 6, 6)


class OverTheBatch(nn.Module):
    """Normalises over the batch even in evaluation."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(1, 2, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        return y - y.mean(dim=0, keepdim=True)


class HalfIdle(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Conv3d(1, 2, 3), nn.Conv3d(1, 2, 3)

    def forward(self, x):
        return self.used(x) + 0 * self.idle(x)


class Tupled(nn.Module):
    def forward(self, x):
        return x, x


def good():
    return nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.Dropout(0.2), nn.Conv3d(4, 2, 1)
    )


def test_a_good_network_passes_and_is_left_as_it_was():
    torch.manual_seed(0)
    net = good().train()
    net[1].eval()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    random = torch.random.get_rng_state()
    check_model(net, SHAPE, (2, 6, 6, 6))
    assert net.training
    assert not net[1].training
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_output_shape():
    with pytest.raises(MedvisionError, match=r"has shape \(2, 2, 6, 6, 6\), not \(2, 1, 6, 6, 6\)"):
        check_output_shape(good(), SHAPE, (1, 6, 6, 6))
    endless = nn.Conv3d(1, 1, 1)
    nn.init.constant_(endless.weight, float("inf"))
    with pytest.raises(MedvisionError, match="not finite"):
        check_output_shape(endless, SHAPE, SHAPE)
    with pytest.raises(MedvisionError, match="returns tuple, not one tensor"):
        check_output_shape(Tupled(), SHAPE, SHAPE)


def test_batch_matches_elements():
    check_batch_matches_elements(good(), SHAPE)
    with pytest.raises(MedvisionError, match="depends on the other cases of the batch"):
        check_batch_matches_elements(OverTheBatch(), SHAPE)
    with pytest.raises(MedvisionError, match=r"gives shape \(216, 3\)"):
        check_batch_matches_elements(Transposed(), SHAPE)


class Transposed(nn.Module):
    def forward(self, x):
        return x.flatten(1).T


def test_gradient_reaches_parameters():
    check_gradient_reaches_parameters(good(), SHAPE)
    with pytest.raises(MedvisionError, match=r"reaches idle\.weight, idle\.bias$"):
        check_gradient_reaches_parameters(HalfIdle(), SHAPE)
    frozen = HalfIdle()
    frozen.idle.requires_grad_(False)
    check_gradient_reaches_parameters(frozen, SHAPE)
    check_gradient_reaches_parameters(frozen.requires_grad_(False), SHAPE)


def test_all_failures_are_reported_at_once():
    class Bad(OverTheBatch):
        def __init__(self):
            super().__init__()
            self.spare = nn.Linear(1, 1)

    with pytest.raises(MedvisionError, match="Bad fails 3 of 3 checks") as error:
        check_model(Bad(), SHAPE, (1,))
    assert len(error.value.problems) == 3


def test_double_precision_networks_get_double_input():
    check_model(good().double(), SHAPE, (2, 6, 6, 6))
