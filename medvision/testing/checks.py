"""Checks that anyone can run on a network of their own before a study trusts it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from medvision.errors import MedvisionError

if TYPE_CHECKING:
    import torch


def check_model(
    model: torch.nn.Module, input_shape: Sequence[int], output_shape: Sequence[int], *, seed: int = 0
) -> None:
    """Run all checks of this module and report all that fail at once.

    Args:
        model: Takes a batch ``(n, *input_shape)`` and gives a tensor ``(n, *output_shape)``.
        input_shape: Of one case, channels first, such as ``(1, 32, 32, 32)``.
        output_shape: Of one case, such as ``(1,)``, or ``(3, 32, 32, 32)`` for segmentation.
        seed: Of the random input.

    Raises:
        MedvisionError: With one sentence for each check that fails.

    Example:
        >>> import torch
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))
        >>> check_model(net, (1, 4, 4, 4), (1,))
    """
    checks: list[Callable[[], None]] = [
        lambda: check_output_shape(model, input_shape, output_shape, seed=seed),
        lambda: check_batch_matches_elements(model, input_shape, seed=seed),
        lambda: check_gradient_reaches_parameters(model, input_shape, seed=seed),
    ]
    problems = []
    for check in checks:
        try:
            check()
        except MedvisionError as error:
            problems.append(error.message)
    if problems:
        raise MedvisionError(
            f"{type(model).__name__} fails {len(problems)} of {len(checks)} checks", problems=problems
        )


def check_output_shape(
    model: torch.nn.Module, input_shape: Sequence[int], output_shape: Sequence[int], *, seed: int = 0
) -> None:
    """The output for a batch of two has the shape ``(2, *output_shape)`` and is finite.

    Raises:
        MedvisionError: What shape came instead, or that values are not finite.

    Example:
        >>> import torch
        >>> check_output_shape(torch.nn.Conv3d(1, 2, 3, padding=1), (1, 4, 4, 4), (2, 4, 4, 4))
    """
    output = _evaluate(model, _random_batch(model, input_shape, 2, seed))
    wanted = (2, *output_shape)
    if tuple(output.shape) != wanted:
        raise MedvisionError(f"output for a batch of 2 has shape {tuple(output.shape)}, not {wanted}")
    if not bool(output.isfinite().all()):
        raise MedvisionError("output for standard normal input is not finite")


def check_batch_matches_elements(
    model: torch.nn.Module,
    input_shape: Sequence[int],
    *,
    batch: int = 3,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> None:
    """In evaluation mode a case gets the same output alone as beside others.

    Fails for a network that normalises over the batch, and so would score a patient by the company kept.

    Raises:
        MedvisionError: The largest difference, relative to the largest output.

    Example:
        >>> import torch
        >>> check_batch_matches_elements(torch.nn.Conv3d(1, 2, 3), (1, 4, 4, 4))
    """
    import torch

    cases = _random_batch(model, input_shape, batch, seed)
    together = _evaluate(model, cases)
    alone = torch.cat([_evaluate(model, cases[n : n + 1]) for n in range(batch)])
    if together.shape != alone.shape:
        raise MedvisionError(
            f"a batch of {batch} gives shape {tuple(together.shape)}, its cases alone {tuple(alone.shape)}"
        )
    difference = float((together - alone).abs().max()) / max(float(together.abs().max()), 1e-12)
    if not difference <= tolerance:  # also where it is not a number
        raise MedvisionError(
            f"a case's output depends on the other cases of the batch: relative difference {difference:.1e}"
        )


def check_gradient_reaches_parameters(
    model: torch.nn.Module, input_shape: Sequence[int], *, batch: int = 4, seed: int = 0
) -> None:
    """In training mode every parameter that wants a gradient gets one that is finite and somewhere not zero.

    Works on a copy: the model keeps its gradients, mode and state.

    Raises:
        MedvisionError: The parameters that learn nothing, by name.

    Example:
        >>> import torch
        >>> check_gradient_reaches_parameters(torch.nn.Conv3d(1, 2, 3), (1, 4, 4, 4))
    """
    import torch

    twin = copy.deepcopy(model).train()
    twin.zero_grad(set_to_none=True)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        output = _tensor(twin(_random_batch(twin, input_shape, batch, seed)))
        # A random weight for each output: their plain sum would have no gradient behind a normalisation.
        weights = torch.randn(output.shape, generator=_generator(seed)).to(output)
        if output.requires_grad:
            torch.autograd.backward((output * weights).sum())
    idle = [name for name, p in twin.named_parameters() if p.requires_grad and not _learns(p.grad)]
    if idle:
        raise MedvisionError(f"no finite gradient other than zero reaches {', '.join(idle)}")


def _learns(gradient: torch.Tensor | None) -> bool:
    return gradient is not None and bool(gradient.isfinite().all()) and bool((gradient != 0).any())


def _generator(seed: int) -> torch.Generator:
    import torch

    return torch.Generator().manual_seed(seed)


def _random_batch(model: torch.nn.Module, shape: Sequence[int], batch: int, seed: int) -> torch.Tensor:
    import torch

    cases = torch.randn((batch, *shape), generator=_generator(seed))
    parameter = next(model.parameters(), None)
    return cases if parameter is None else cases.to(parameter)


def _evaluate(model: torch.nn.Module, cases: torch.Tensor) -> torch.Tensor:
    """The output in evaluation mode, from a copy, so that the model's own mode stays."""
    import torch

    with torch.no_grad():
        return _tensor(copy.deepcopy(model).eval()(cases))


def _tensor(output: object) -> torch.Tensor:
    import torch

    if not isinstance(output, torch.Tensor):
        raise MedvisionError(f"the model returns {type(output).__name__}, not one tensor")
    return output
