"""Which network: the `model:` part of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from medvision.config.base import Fraction, PositiveInt, Section


class ResNetModel(Section):
    """A 3D residual network for classification (He et al. 2016; MONAI's ResNet)."""

    kind: Literal["resnet"]
    depth: Literal[10, 18, 34, 50] = 18
    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (64, 128, 256, 512)
    """Channels of the four stages."""
    stem_stride: Literal[1, 2] = 1
    """Stride of the first convolution; 1 keeps small lesions sharp."""
    stem_kernel: Literal[3, 5, 7] = 7
    stem_pool: bool = False
    """Max-pool after the first convolution."""
    dropout: Fraction = 0.0
    """Before the last layer."""


class DenseNetModel(Section):
    """A 3D densely connected network for classification (Huang et al. 2017; MONAI's DenseNet)."""

    kind: Literal["densenet"]
    growth_rate: PositiveInt = 32
    blocks: tuple[PositiveInt, ...] = (6, 12, 24, 16)
    """Layers of each dense block; (6, 12, 24, 16) is DenseNet-121."""
    init_features: PositiveInt = 64
    dropout: Fraction = 0.0


class UNetModel(Section):
    """A residual 3D U-Net for segmentation (MONAI's UNet)."""

    kind: Literal["unet"]
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=2)] = (16, 32, 64, 128)
    """Channels of each level; each level after the first halves the resolution."""
    residual_units: Annotated[int, Field(ge=0)] = 2
    norm: Literal["instance", "batch"] = "instance"
    dropout: Fraction = 0.0


class DynUNetModel(Section):
    """The U-Net of nnU-Net for segmentation (Isensee et al. 2021; MONAI's DynUNet)."""

    kind: Literal["dynunet"]
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=3)] = (16, 32, 64, 128)
    """Channels of each level; each level after the first halves the resolution."""
    deep_supervision: Annotated[int, Field(ge=0, le=3)] = 0
    """Number of coarser levels that also learn from the mask."""
    residual: bool = False
    norm: Literal["instance", "batch"] = "instance"

    @model_validator(mode="after")
    def _supervised_levels(self) -> DynUNetModel:
        if self.deep_supervision > len(self.channels) - 2:
            raise ValueError(
                f"deep_supervision {self.deep_supervision} needs more than {len(self.channels)} channels entries"
            )
        return self


class CustomModel(Section):
    """A network of one's own; refused unless the caller allows its package (`--allow pkg`)."""

    kind: Literal["custom"]
    target: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """`package.module:Name`, called with `in_channels` and `out_channels`."""


Model = Annotated[
    ResNetModel | DenseNetModel | UNetModel | DynUNetModel | CustomModel, Field(discriminator="kind")
]
