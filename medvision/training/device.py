"""Which device computes, and how precisely."""

from __future__ import annotations

from typing import Literal

import torch

from medvision.errors import TrainingError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


def choose_device(wanted: str) -> torch.device:
    """Return the device: the one asked for, or with `auto` the graphics card where there is one.

    Raises:
        TrainingError: CUDA was asked for and is not there.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise TrainingError(f"--device {wanted} is unknown; choose auto, cpu or cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise TrainingError("--device cuda: torch sees no CUDA device here; use --device cpu or auto")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """Return Lightning's name of the precision; `auto` is bfloat16 where the device computes it.

    Raises:
        TrainingError: 16-bit floats were asked for on a processor, which is slower than 32 and unstable.
    """
    match wanted:
        case "32":
            return "32-true"
        case "bf16":
            return "bf16-mixed"
        case "16" if device.type == "cpu":
            raise TrainingError("training.precision 16 needs a CUDA device; use bf16 or 32 on a processor")
        case "16":
            return "16-mixed"
        case _:
            return "bf16-mixed" if _computes_bfloat16(device) else "32-true"


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Without these instructions bfloat16 is emulated, and slower than 32 bits.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
