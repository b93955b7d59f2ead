"""How scans are read where a DICOM series leaves a choice: `preprocessing.reading` of a study file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from medvision.config.base import Count, Section, Switch


class Reading(Section):
    """What repairs a series that is refused; the defaults repair nothing. See docs/reading.md."""

    volume_index: Count | None = None
    """Which volume (from 0), where a scan holds several."""
    split_by: Annotated[str, Field(min_length=1)] | None = None
    """The header field that tells volumes apart, such as EchoTime."""
    on_gap: Literal["refuse", "fill", "split"] = "refuse"
    """Missing slices: interpolate them, or make each unbroken run a volume."""
    on_uneven: Literal["refuse", "resample"] = "refuse"
    """Uneven distances: interpolate slices at the smallest of them."""
    on_duplicate: Literal["refuse", "drop"] = "refuse"
    """The same image twice: leave out copies."""
    on_mixed: Literal["refuse", "split"] = "refuse"
    """Several orientations, spacings or matrices: make each a volume."""
    on_tilt: Literal["refuse", "keep", "shear"] = "refuse"
    """Gantry tilt: keep a sheared affine, or resample to an upright grid."""
    on_colour: Literal["refuse", "luminance"] = "refuse"
    """Colour images: read them as grey."""
    on_missing_rescale: Literal["refuse", "stored"] = "refuse"
    """CT or PET without RescaleSlope and RescaleIntercept: take the stored values."""
    values: Literal["rescaled", "stored", "philips", "suv"] = "rescaled"
    """What the values are; philips and suv compare between series."""
    invert_monochrome1: Switch = False
    """Turn MONOCHROME1 so that high values are white."""

    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults, by name.

        Example:
            >>> Reading(on_gap="fill").options()
            {'on_gap': 'fill'}
        """
        return self.model_dump(exclude_defaults=True)
