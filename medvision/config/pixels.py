"""What happens to the voxels: the `preprocessing:` and `augmentation:` parts of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, field_validator, model_validator

from medvision.config.base import (
    VALUE,
    VALUE_OR_WORD,
    WORD,
    Axis,
    Fraction,
    NonNegative,
    Positive,
    Section,
    Share,
    SizeVoxels,
    SpacingMm,
)
from medvision.config.crop import CenterCrop, Crop, NoCrop, RegionCrop
from medvision.config.intensity import (
    BiasField,
    GivenRegion,
    Intensity,
    NoBiasField,
    ZscoreIntensity,
    foreground_of,
)
from medvision.config.reading import Reading

Degrees = Annotated[float, Field(strict=True, ge=0, le=180)]

Spacing = Annotated[Annotated[SpacingMm, Tag(VALUE)] | Annotated[Literal["median"], Tag(WORD)], VALUE_OR_WORD]


class Preprocessing(Section):
    """Deterministic steps, done once a case and cached."""

    reading: Reading = Reading()
    """What is done where a DICOM series leaves a choice; by default it is refused."""
    orientation: str = "RAS"
    """Axis codes that every image is brought to."""
    bias_field: BiasField = NoBiasField(kind="none")
    """What is done about slow changes of brightness, before resampling."""
    spacing_mm: Spacing | None = None
    """Voxel size that every image is resampled to; `median` is that of the training part of each fold;
    null keeps each image's own."""
    interpolation: Literal["linear", "cubic"] = "linear"
    """How images are resampled; cubic is sharper and may leave the range of the image."""
    mask_interpolation: Literal["nearest", "linear"] = "nearest"
    """How masks are resampled; linear gives each voxel the class with the largest interpolated share, so
    outlines are smoother. Neither makes a class that was not there."""
    crop: Crop = NoCrop(kind="none")
    """Which part of the volume is kept."""
    intensity: Intensity = ZscoreIntensity(kind="zscore")
    """How intensities are scaled."""
    multiple_of_voxels: SizeVoxels | None = None
    """Every side is padded to a multiple of these at last, with the lowest value; null pads nothing."""

    @property
    def crops_around_mask(self) -> bool:
        """Whether every case needs a mask, to know where its image is cropped."""
        return isinstance(self.crop, CenterCrop) and self.crop.around == "mask"

    @property
    def needs_region(self) -> bool:
        """Whether every case needs the mask in `cohort.region`."""
        foregrounds = (foreground_of(self.intensity), foreground_of(self.bias_field))
        return isinstance(self.crop, RegionCrop) or any(isinstance(f, GivenRegion) for f in foregrounds)

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
