"""Optimisers and schedules."""

import pytest
import torch
from torch import nn

from medvision.config import AdamW, Schedule, Sgd
from medvision.training.optim import build_optimizer, build_schedule, learning_rate_factor


@pytest.mark.parametrize("kind", ["cosine", "polynomial", "constant"])
def test_the_rate_rises_once_never_exceeds_one_and_never_rises_again(kind):
    factor = learning_rate_factor(Schedule(kind=kind, warmup_fraction=0.1), 200)
    values = [factor(step) for step in range(200)]
    peak = values.index(max(values))
    assert max(values) == pytest.approx(1)
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    assert min(values) > 0 or kind != "constant"


def test_polynomial_decay_is_that_of_nnunet():
    # (1 - t/T)^0.9, Isensee et al. 2021.
    factor = learning_rate_factor(Schedule(kind="polynomial", warmup_fraction=0), 100)
    assert factor(50) == pytest.approx(0.5**0.9)


def test_a_schedule_scales_the_optimisers_own_rate():
    weights = nn.Linear(1, 1).parameters()
    optimizer = build_optimizer(Sgd(kind="sgd", learning_rate=0.5), weights)
    schedule = build_schedule(Schedule(kind="cosine", warmup_fraction=0.5), optimizer, 4)
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.25, 0.5, 0.5, 0.25])


def test_each_kind_gives_its_optimiser():
    weights = [nn.Parameter(torch.zeros(1))]
    assert isinstance(build_optimizer(AdamW(kind="adamw"), weights), torch.optim.AdamW)
    sgd = build_optimizer(Sgd(kind="sgd", momentum=0.9), weights)
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.defaults["nesterov"]
    assert not build_optimizer(Sgd(kind="sgd", momentum=0), weights).defaults["nesterov"]
