"""Which network: the `model:` part of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from medvision.config.base import Count, Fraction, PositiveInt, Section, Switch


class ResNetModel(Section):
    """A 3D residual network for classification (He et al. 2016; MONAI's ResNet)."""

    kind: Literal["resnet"]
    depth: Literal[10, 18, 34, 50] = 18
    """Layers; 10, 18 and 34 use basic blocks, 50 uses bottlenecks."""
    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (64, 128, 256, 512)
    """Channels of the four stages."""
    stem_stride: Literal[1, 2] = 1
    """Stride of the first convolution; 1 keeps small lesions sharp."""
    stem_kernel: Literal[3, 5, 7] = 7
    """Width of the first convolution in voxels."""
    stem_pool: Switch = False
    """Max-pool after the first convolution."""
    dropout: Fraction = 0.0
    """Before the last layer."""


class DenseNetModel(Section):
    """A 3D densely connected network for classification (Huang et al. 2017; MONAI's DenseNet)."""

    kind: Literal["densenet"]
    growth_rate: PositiveInt = 32
    """Channels that each layer adds."""
    blocks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (6, 12, 24, 16)
    """Layers of each dense block; [6, 12, 24, 16] is DenseNet-121."""
    init_features: PositiveInt = 64
    """Channels of the first convolution."""
    dropout: Fraction = 0.0
    """After each dense layer."""


class UNetModel(Section):
    """A residual 3D U-Net for segmentation (MONAI's UNet)."""

    kind: Literal["unet"]
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=2)] = (16, 32, 64, 128)
    """Channels of each level; each level after the first halves the resolution."""
    residual_units: Count = 2
    """Convolutions in each residual unit; 0 uses plain convolutions."""
    norm: Literal["instance", "batch"] = "instance"
    """Normalisation after each convolution."""
    dropout: Fraction = 0.0
    """After each convolution."""


class DynUNetModel(Section):
    """The U-Net of nnU-Net for segmentation (Isensee et al. 2021; MONAI's DynUNet)."""

    kind: Literal["dynunet"]
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=3)] = (16, 32, 64, 128)
    """Channels of each level; each level after the first halves the resolution."""
    deep_supervision: Annotated[int, Field(strict=True, ge=0, le=3)] = 0
    """Number of coarser levels that also learn from the mask."""
    residual: Switch = False
    """Add each block's input to its output."""
    norm: Literal["instance", "batch"] = "instance"
    """Normalisation after each convolution."""

    @model_validator(mode="after")
    def _supervised_levels(self) -> DynUNetModel:
        possible = len(self.channels) - 2
        if self.deep_supervision > possible:
            raise ValueError(
                f"deep_supervision {self.deep_supervision} is more than {len(self.channels)} levels allow: "
                f"{possible} at most (all but the finest and the coarsest)"
            )
        return self


class CustomModel(Section):
    """A network of one's own; refused unless the caller allows its package (`--allow pkg`)."""

    kind: Literal["custom"]
    target: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")]
    """`package.module:Name`, called with `in_channels` and `out_channels`."""


class InstalledModel(Section):
    """A network of an installed package, which names it under the entry points `medvision.models`."""

    kind: Literal["installed"]
    name: Annotated[str, Field(min_length=1)]
    """Name of the entry point, a function of `in_channels` and `out_channels`."""


Model = Annotated[
    ResNetModel | DenseNetModel | UNetModel | DynUNetModel | InstalledModel | CustomModel,
    Field(discriminator="kind"),
]
