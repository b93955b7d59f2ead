"""From the `model:` part of a study file to a network."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from importlib.metadata import entry_points
from typing import assert_never

from monai.networks.nets import DenseNet, DynUNet, ResNet, UNet
from torch import nn

from medvision.config.model import (
    CustomModel,
    DenseNetModel,
    DynUNetModel,
    InstalledModel,
    Model,
    ResNetModel,
    UNetModel,
)
from medvision.errors import ConfigError
from medvision.wording import did_you_mean

ENTRY_POINTS = "medvision.models"
"""The group of entry points under which an installed package names its networks."""

_RESNET_LAYERS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


def build_model(
    model: Model, *, in_channels: int = 1, out_channels: int, allow: Collection[str] = ()
) -> nn.Module:
    """Build the network that a study file names, with fresh weights from torch's global generator.

    Args:
        model: The `model:` part of a study.
        in_channels: Channels of the image.
        out_channels: Logits: 1 for a binary label, structures + 1 for a segmentation.
        allow: Packages whose classes `kind: custom` may name.

    Returns:
        A module from (batch, in_channels, i, j, k) to (batch, out_channels) for a classification
        network, or to (batch, out_channels, i, j, k) for a segmentation network; a network with deep
        supervision returns (batch, levels, out_channels, i, j, k) while it trains.

    Raises:
        ConfigError: `kind: custom` names a package that is not allowed; or it or `kind: installed` names
            something that is not there.

    Example:
        >>> import torch
        >>> network = build_model(UNetModel(kind="unet", channels=(4, 8)), out_channels=3)
        >>> network(torch.zeros(2, 1, 16, 16, 8)).shape
        torch.Size([2, 3, 16, 16, 8])
    """
    match model:
        case ResNetModel():
            return _resnet(model, in_channels, out_channels)
        case DenseNetModel():
            return _densenet(model, in_channels, out_channels)
        case UNetModel():
            return _unet(model, in_channels, out_channels)
        case DynUNetModel():
            return _dynunet(model, in_channels, out_channels)
        case CustomModel():
            return _made(_target(model, allow), f"model.target {model.target!r}", in_channels, out_channels)
        case InstalledModel():
            return _made(_installed(model), f"model.name {model.name!r}", in_channels, out_channels)
        case _:
            assert_never(model)


def total_stride(model: Model) -> int:
    """Return by what every side of a segmentation network's input must be divisible.

    Example:
        >>> total_stride(DynUNetModel(kind="dynunet", channels=(16, 32, 64, 128)))
        8
    """
    match model:
        case UNetModel() | DynUNetModel():
            return int(2 ** (len(model.channels) - 1))
        case ResNetModel() | DenseNetModel() | InstalledModel() | CustomModel():
            return 1
        case _:
            assert_never(model)


def _resnet(model: ResNetModel, in_channels: int, out_channels: int) -> nn.Module:
    network = ResNet(
        block="bottleneck" if model.depth == 50 else "basic",
        layers=list(_RESNET_LAYERS[model.depth]),
        block_inplanes=list(model.widths),
        spatial_dims=3,
        n_input_channels=in_channels,
        conv1_t_size=model.stem_kernel,
        conv1_t_stride=model.stem_stride,
        no_max_pool=not model.stem_pool,
        num_classes=out_channels,
    )
    if model.dropout and network.fc is not None:
        network.add_module("fc", nn.Sequential(nn.Dropout(model.dropout), network.fc))
    return network


def _densenet(model: DenseNetModel, in_channels: int, out_channels: int) -> nn.Module:
    return DenseNet(
        spatial_dims=3,
        in_channels=in_channels,
        out_channels=out_channels,
        init_features=model.init_features,
        growth_rate=model.growth_rate,
        block_config=model.blocks,
        dropout_prob=model.dropout,
    )


def _unet(model: UNetModel, in_channels: int, out_channels: int) -> nn.Module:
    return UNet(
        spatial_dims=3,
        in_channels=in_channels,
        out_channels=out_channels,
        channels=model.channels,
        strides=(2,) * (len(model.channels) - 1),
        num_res_units=model.residual_units,
        norm=model.norm,
        dropout=model.dropout,
    )


def _dynunet(model: DynUNetModel, in_channels: int, out_channels: int) -> nn.Module:
    levels = len(model.channels)
    strides = [1] + [2] * (levels - 1)
    return DynUNet(
        spatial_dims=3,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=[3] * levels,
        strides=strides,
        upsample_kernel_size=strides[1:],
        filters=list(model.channels),
        norm_name=(model.norm, {"affine": True}),
        deep_supervision=model.deep_supervision > 0,
        deep_supr_num=max(model.deep_supervision, 1),
        res_block=model.residual,
    )


def _target(model: CustomModel, allow: Collection[str]) -> Callable[..., object]:
    module_name, _, name = model.target.partition(":")
    package = module_name.partition(".")[0]
    if package not in allow:
        raise ConfigError(
            f"model.target {model.target!r} would run code of the package {package!r}; "
            f"if you trust it, allow it with --allow {package}"
        )
    try:
        build: Callable[..., object] = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"model.target {model.target!r} cannot be imported: {error}") from error
    return build


def _installed(model: InstalledModel) -> Callable[..., object]:
    found = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if model.name not in found:
        raise ConfigError(
            f"model.name {model.name!r}: no installed package offers such a network under "
            f"{ENTRY_POINTS!r}{did_you_mean(model.name, found)}"
        )
    try:
        build: Callable[..., object] = found[model.name].load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"model.name {model.name!r} cannot be imported: {error}") from error
    return build


def _made(build: Callable[..., object], what: str, in_channels: int, out_channels: int) -> nn.Module:
    network = build(in_channels=in_channels, out_channels=out_channels)
    if not isinstance(network, nn.Module):
        raise ConfigError(f"{what} made a {type(network).__name__}, not a torch module")
    return network
