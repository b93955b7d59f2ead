"""Optimisers and the learning rate over a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import assert_never

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from medvision.config.training import AdamW, Schedule, Sgd


def build_optimizer(settings: AdamW | Sgd, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """Build the optimiser that a study file names.

    Example:
        >>> build_optimizer(AdamW(kind="adamw"), nn.Linear(1, 1).parameters()).defaults["weight_decay"]
        0.01
    """
    match settings:
        case AdamW():
            return torch.optim.AdamW(
                parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
            )
        case Sgd():
            return torch.optim.SGD(
                parameters,
                lr=settings.learning_rate,
                momentum=settings.momentum,
                nesterov=settings.momentum > 0,
                weight_decay=settings.weight_decay,
            )
        case _:
            assert_never(settings)


def build_schedule(settings: Schedule, optimizer: Optimizer, steps: int) -> LambdaLR:
    """Build the learning rate for a run of `steps` optimiser steps."""
    return LambdaLR(optimizer, learning_rate_factor(settings, steps))


def learning_rate_factor(settings: Schedule, steps: int) -> Callable[[int], float]:
    """Return the function from step (0 to steps − 1) to a factor of the learning rate, 0 to 1.

    The factor rises linearly over the warm-up, is 1 at its end, and falls towards 0 at the last step.

    Example:
        >>> factor = learning_rate_factor(Schedule(kind="cosine", warmup_fraction=0.1), 100)
        >>> [round(factor(step), 3) for step in (0, 9, 55, 99)]
        [0.1, 1.0, 0.5, 0.0]
    """
    warmup = int(settings.warmup_fraction * steps)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min((step - warmup) / max(steps - warmup, 1), 1.0)
        match settings.kind:
            case "cosine":
                return 0.5 * (1 + math.cos(math.pi * done))
            case "polynomial":
                return float((1 - done) ** settings.power)
            case "constant":
                return 1.0
            case _:
                assert_never(settings.kind)

    return factor
