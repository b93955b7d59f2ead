"""What happens to the voxels: the `preprocessing:` and `augmentation:` parts of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from medvision.config.base import Axis, Fraction, NonNegative, Positive, Section, SizeVoxels, SpacingMm


class WindowIntensity(Section):
    """Clip to a window and scale it to −1…1, as for CT."""

    kind: Literal["window"]
    window_hu: tuple[float, float] = (-1000.0, 400.0)
    """Lower and upper end in Hounsfield units."""

    @model_validator(mode="after")
    def _ordered(self) -> WindowIntensity:
        low, high = self.window_hu
        if not low < high:
            raise ValueError(f"window_hu must rise, not [{low:g}, {high:g}]")
        if not (-2048 <= low <= 20000 and -2048 <= high <= 20000):
            raise ValueError(f"window_hu [{low:g}, {high:g}] is not in Hounsfield units (−1024 air, 0 water)")
        return self


class ZscoreIntensity(Section):
    """Subtract the mean and divide by the standard deviation of each image, as for MR."""

    kind: Literal["zscore"]
    nonzero: bool = False
    """Use (and change) only voxels that are not zero."""


class PercentileIntensity(Section):
    """Map two percentiles of each image to −1…1 and clip."""

    kind: Literal["percentile"]
    percentiles: tuple[Annotated[float, Field(ge=0, le=100)], Annotated[float, Field(ge=0, le=100)]] = (
        0.5,
        99.5,
    )

    @model_validator(mode="after")
    def _ordered(self) -> PercentileIntensity:
        if not self.percentiles[0] < self.percentiles[1]:
            raise ValueError("percentiles must rise, such as [0.5, 99.5]")
        return self


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
    above: float = 0.0
    """Foreground is every voxel above this value, before the intensity step."""
    margin_mm: NonNegative = 5.0


class CenterCrop(Section):
    """A box of fixed size, padded with the image's lowest value where it leaves the volume."""

    kind: Literal["center"]
    size_voxels: SizeVoxels
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
    crop: Crop = NoCrop(kind="none")

    @field_validator("orientation")
    @classmethod
    def _axcodes(cls, value: str) -> str:
        if sorted("LR".find(c) >= 0 or ("AP".find(c) >= 0) * 2 or ("SI".find(c) >= 0) * 3 for c in value) != [1, 2, 3]:
            raise ValueError(f"orientation {value!r} needs one of L/R, one of A/P and one of S/I, such as RAS")
        return value


class Augmentation(Section):
    """Random changes of each training batch; the default changes nothing."""

    flip_axes: tuple[Axis, ...] = ()
    """Axes that are mirrored with probability one half."""
    rotate_deg: tuple[NonNegative, NonNegative, NonNegative] = (0.0, 0.0, 0.0)
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
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How often a case is changed by each of the steps but flips and mixup."""
