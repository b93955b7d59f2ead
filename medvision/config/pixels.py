"""What happens to the voxels: the `preprocessing:` and `augmentation:` parts of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from medvision.config.base import (
    Axis,
    Fraction,
    NonNegative,
    Number,
    Positive,
    Section,
    Share,
    SizeVoxels,
    SpacingMm,
    Switch,
)

_LOWEST_HU, _HIGHEST_HU = -2048.0, 20000.0
Percentile = Annotated[float, Field(strict=True, ge=0, le=100)]
Degrees = Annotated[float, Field(strict=True, ge=0, le=180)]


class WindowIntensity(Section):
    """Clip to a window and scale it to −1…1, as for CT."""

    kind: Literal["window"]
    window_hu: tuple[Number, Number] = (-1000.0, 400.0)
    """Lower and upper end in Hounsfield units."""

    @field_validator("window_hu")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not low < high:
            raise ValueError(f"must rise, not [{low:g}, {high:g}]: lower end first")
        if low < _LOWEST_HU or high > _HIGHEST_HU:
            raise ValueError(f"[{low:g}, {high:g}] is not in Hounsfield units (air −1000, water 0)")
        return value


class ZscoreIntensity(Section):
    """Subtract the mean and divide by the standard deviation of each image, as for MR."""

    kind: Literal["zscore"]
    nonzero: Switch = False
    """Use (and change) only voxels that are not zero."""


class PercentileIntensity(Section):
    """Map two percentiles of each image to −1…1 and clip."""

    kind: Literal["percentile"]
    percentiles: tuple[Percentile, Percentile] = (0.5, 99.5)
    """Lower and upper percentile, 0 to 100."""

    @field_validator("percentiles")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not value[0] < value[1]:
            raise ValueError(f"must rise, such as [0.5, 99.5], not [{value[0]:g}, {value[1]:g}]")
        return value


class RawIntensity(Section):
    """Leave the intensities as they are."""

    kind: Literal["raw"]


Intensity = Annotated[
    WindowIntensity | ZscoreIntensity | PercentileIntensity | RawIntensity, Field(discriminator="kind")
]


class NoCrop(Section):
    """Keep the whole volume."""

    kind: Literal["none"]


class ForegroundCrop(Section):
    """Crop to the voxels above a threshold, with a margin."""

    kind: Literal["foreground"]
    above: Number = 0.0
    """Foreground is every voxel above this value, before the intensity step."""
    margin_mm: NonNegative = 5.0
    """Kept around the foreground on every side."""


class CenterCrop(Section):
    """A box of fixed size, padded with the image's lowest value where it leaves the volume."""

    kind: Literal["center"]
    size_voxels: SizeVoxels
    """Size of the box along the array axes i, j, k, after resampling."""
    around: Literal["image", "mask"] = "image"
    """The centre: of the image, or of the box around the case's mask."""


Crop = Annotated[NoCrop | ForegroundCrop | CenterCrop, Field(discriminator="kind")]


class Preprocessing(Section):
    """Deterministic steps, done once a case and cached."""

    orientation: str = "RAS"
    """Axis codes that every image is brought to."""
    spacing_mm: SpacingMm | None = None
    """Voxel size that every image is resampled to; null keeps each image's own."""
    intensity: Intensity = ZscoreIntensity(kind="zscore")
    """How intensities are scaled."""
    crop: Crop = NoCrop(kind="none")
    """Which part of the volume is kept."""

    @property
    def crops_around_mask(self) -> bool:
        """Whether every case needs a mask, to know where its image is cropped."""
        return isinstance(self.crop, CenterCrop) and self.crop.around == "mask"

    @field_validator("orientation")
    @classmethod
    def _three_axes(cls, value: str) -> str:
        axes = sorted(next((i for i, ends in enumerate(("LR", "AP", "IS")) if c in ends), -1) for c in value)
        if axes != [0, 1, 2]:
            raise ValueError(
                f"{value!r} is no orientation; it takes one of L/R, A/P and I/S each, such as RAS"
            )
        return value


class Augmentation(Section):
    """Random changes of each training batch; the default changes nothing."""

    flip_axes: tuple[Axis, ...] = ()
    """Axes that are mirrored with probability one half."""
    rotate_deg: tuple[Degrees, Degrees, Degrees] = (0.0, 0.0, 0.0)
    """Largest rotation about each of the axes i, j, k."""
    scale: Fraction = 0.0
    """Largest relative change of size: 0.05 is ±5 %."""
    translate_voxels: NonNegative = 0.0
    """Largest shift along each axis."""
    noise_std: NonNegative = 0.0
    """Largest standard deviation of added Gaussian noise, after the intensity step."""
    brightness: NonNegative = 0.0
    """Largest added constant."""
    contrast: Fraction = 0.0
    """Largest relative change of contrast about the mean."""
    gamma: Fraction = 0.0
    """Largest relative change of the exponent of a power law on the scaled intensities."""
    mixup_alpha: Positive | None = None
    """Mix pairs of cases with a weight from Beta(alpha, alpha); classification only."""
    probability: Share = 1.0
    """How often a case is changed by each of the steps but flips and mixup."""

    @model_validator(mode="after")
    def _can_happen(self) -> Augmentation:
        always = {"flip_axes", "mixup_alpha", "probability"}
        wanted = [name for name in type(self).model_fields if name not in always and _changes(self, name)]
        if self.probability == 0 and wanted:
            raise ValueError(f"probability 0 means that {', '.join(wanted)} never happens; leave it out")
        return self


def _changes(augmentation: Augmentation, name: str) -> bool:
    value = getattr(augmentation, name)
    return any(value) if isinstance(value, tuple) else bool(value)
