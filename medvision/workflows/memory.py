"""An estimate of the memory that training needs, from the study file alone. No torch here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from medvision.config import (
    CenterCrop,
    CustomModel,
    DenseNetModel,
    DynUNetModel,
    InstalledModel,
    ResNetModel,
    Study,
    UNetModel,
)

_BYTES = {"32": 4, "auto": 4, "bf16": 2, "16": 2}
# Tensors kept for the backward pass at each level: outputs of convolution, normalisation and
# activation, of the two or so convolutions each way, counted generously.
_TENSORS_PER_LEVEL = 8


def training_bytes(study: Study, largest_shape: Sequence[int]) -> int:
    """Return roughly how many bytes one training step needs beside the program itself.

    Activations dominate 3D networks: for every level, voxels × channels × the tensors kept for the
    backward pass. `medvision check --deep` measures instead of estimating.

    Args:
        study: The study.
        largest_shape: Sides of the largest preprocessed volume, in voxels.
    """
    size = study.training.patch_voxels or largest_shape
    if isinstance(study.preprocessing.crop, CenterCrop):
        size = study.training.patch_voxels or study.preprocessing.crop.size_voxels
    voxels = math.prod(size)
    kept = sum(voxels / 8**depth * channels * _TENSORS_PER_LEVEL for depth, channels in _levels(study))
    return int(kept * study.training.batch_size * _BYTES[study.training.precision])


def _levels(study: Study) -> list[tuple[float, int]]:
    """Depth (halvings of each side) and channels of each level of the network."""
    model = study.model
    match model:
        case ResNetModel():
            first = (model.stem_stride - 1) + int(model.stem_pool)
            return [(first + stage, width) for stage, width in enumerate(model.widths)]
        case DenseNetModel():
            widths, features = [], model.init_features
            for layers in model.blocks:
                features += layers * model.growth_rate
                widths.append(features)
                features //= 2
            return [(2 + stage, width) for stage, width in enumerate(widths)]
        case UNetModel() | DynUNetModel():
            return list(enumerate(model.channels))
        case InstalledModel() | CustomModel():
            return [(0, 32)]
        case _:
            assert_never(model)


def available_bytes() -> int | None:
    """Return how much memory this machine can still give, or None where it does not say."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            facts = dict(line.split(":", 1) for line in lines)
    except (OSError, ValueError):
        return None
    return int(facts["MemAvailable"].split()[0]) * 1024
