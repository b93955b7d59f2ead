"""How intensities are made comparable: the kinds of `preprocessing.intensity` and of its foreground."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, Tag, field_validator, model_validator

from medvision.config.base import VALUE, VALUE_OR_WORD, WORD, Number, PositiveInt, Section, Switch

_LOWEST_HU, _HIGHEST_HU = -2048.0, 20000.0
Percentile = Annotated[float, Field(strict=True, ge=0, le=100)]
Threshold = Annotated[Annotated[Number, Tag(VALUE)] | Annotated[Literal["otsu"], Tag(WORD)], VALUE_OR_WORD]


class WholeImage(Section):
    """Every voxel."""

    kind: Literal["whole"]


class AboveThreshold(Section):
    """Every voxel above a value."""

    kind: Literal["above"]
    above: Number = 0.0
    """In the image's own units, before the intensity step."""


class Body(Section):
    """The largest connected part above a threshold, its holes filled in every slice."""

    kind: Literal["body"]
    above: Threshold = "otsu"
    """In the image's own units, such as −500 HU; `otsu` finds it for each image (Otsu 1979)."""


class GivenRegion(Section):
    """The mask in the column `cohort.region`, such as one of the brain."""

    kind: Literal["given"]


Foreground = Annotated[WholeImage | AboveThreshold | Body | GivenRegion, Field(discriminator="kind")]


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
    foreground: Foreground = WholeImage(kind="whole")
    """Where mean and standard deviation are taken; every voxel is changed by them."""

    @model_validator(mode="after")
    def _one_foreground(self) -> ZscoreIntensity:
        if self.nonzero and not isinstance(self.foreground, WholeImage):
            raise ValueError("nonzero and foreground both say which voxels count; leave one out")
        return self


class PercentileIntensity(Section):
    """Map two percentiles of each image to −1…1 and clip."""

    kind: Literal["percentile"]
    percentiles: tuple[Percentile, Percentile] = (0.5, 99.5)
    """Lower and upper percentile, 0 to 100."""
    foreground: Foreground = WholeImage(kind="whole")
    """Where the percentiles are taken; every voxel is changed by them."""

    @field_validator("percentiles")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not value[0] < value[1]:
            raise ValueError(f"must rise, such as [0.5, 99.5], not [{value[0]:g}, {value[1]:g}]")
        return value


class NyulIntensity(Section):
    """Map percentiles of each image to a standard histogram, learned on the training part of each fold.

    Nyúl, Udupa and Zhang, IEEE Trans Med Imaging 2000;19:143-150.
    """

    kind: Literal["nyul"]
    percentiles: tuple[Percentile, ...] = (1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 99.0)
    """Landmarks; the first and the last one of the mean image become −1 and 1."""
    foreground: Foreground = Body(kind="body")
    """Where the percentiles are taken; every voxel is changed by them."""

    @field_validator("percentiles")
    @classmethod
    def _ordered(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) < 2 or any(low >= high for low, high in pairwise(value)):
            raise ValueError(f"two or more that rise, such as [1, 50, 99], not {list(value)}")
        return value


class RawIntensity(Section):
    """Leave the intensities as they are."""

    kind: Literal["raw"]


Intensity = Annotated[
    WindowIntensity | ZscoreIntensity | PercentileIntensity | NyulIntensity | RawIntensity,
    Field(discriminator="kind"),
]


class NoBiasField(Section):
    """Leave slow changes of brightness as they are."""

    kind: Literal["none"]


class N4BiasField(Section):
    """Take out slow changes of brightness that the coils make (N4, through SimpleITK).

    Tustison et al., IEEE Trans Med Imaging 2010;29:1310-1320. Needs `medvision[simpleitk]`.
    """

    kind: Literal["n4"]
    shrink_factor: PositiveInt = 4
    """The field is found on every so many voxels along each axis and applied to all of them."""
    iterations: tuple[PositiveInt, ...] = (50, 50, 50, 50)
    """Most steps at each level of the B-spline, coarse to fine."""
    foreground: Foreground = Body(kind="body")
    """Where the field is found; it is applied everywhere."""


BiasField = Annotated[NoBiasField | N4BiasField, Field(discriminator="kind")]


def foreground_of(section: Intensity | BiasField) -> Foreground | None:
    """Return where a step takes its figures; None where it takes none from the image."""
    found: Foreground | None = getattr(section, "foreground", None)
    return found
