"""Which part of a volume is kept: the kinds of `preprocessing.crop`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from medvision.config.base import NonNegative, Number, Section, SizeVoxels
from medvision.config.intensity import Threshold


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


class BodyCrop(Section):
    """Crop to the largest connected part above a threshold, with a margin; a table or a label is cut off."""

    kind: Literal["body"]
    above: Threshold = "otsu"
    """In the image's own units, such as −500 HU; `otsu` finds it for each image (Otsu 1979)."""
    margin_mm: NonNegative = 5.0
    """Kept around the body on every side."""


class RegionCrop(Section):
    """Crop to the mask in the column `cohort.region`, such as one of the lungs, with a margin."""

    kind: Literal["region"]
    margin_mm: NonNegative = 5.0
    """Kept around the region on every side."""


class CenterCrop(Section):
    """A box of fixed size, padded with the image's lowest value where it leaves the volume."""

    kind: Literal["center"]
    size_voxels: SizeVoxels
    """Size of the box along the array axes i, j, k, after resampling."""
    around: Literal["image", "mask"] = "image"
    """The centre: of the image, or of the box around the case's mask."""


Crop = Annotated[NoCrop | ForegroundCrop | BodyCrop | RegionCrop | CenterCrop, Field(discriminator="kind")]
