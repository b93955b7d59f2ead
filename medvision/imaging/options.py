"""What the caller asks for where a DICOM series leaves a choice. The defaults refuse, and change nothing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, TypedDict, get_args, get_type_hints

from medvision.errors import SeriesError
from medvision.wording import did_you_mean

OnGap = Literal["refuse", "fill", "split"]
OnUneven = Literal["refuse", "resample"]
OnDuplicate = Literal["refuse", "drop"]
OnMixed = Literal["refuse", "split"]
OnTilt = Literal["refuse", "keep", "shear"]
OnColour = Literal["refuse", "luminance"]
OnMissingRescale = Literal["refuse", "stored"]
Values = Literal["rescaled", "stored", "philips", "suv"]


class ReadingOptions(TypedDict, total=False):
    """Keyword arguments of :func:`~medvision.imaging.load_volume` and its kin; see `Reading`."""

    series_uid: str | None
    volume_index: int | None
    split_by: str | None
    on_gap: OnGap
    on_uneven: OnUneven
    on_duplicate: OnDuplicate
    on_mixed: OnMixed
    on_tilt: OnTilt
    on_colour: OnColour
    on_missing_rescale: OnMissingRescale
    values: Values
    invert_monochrome1: bool


@dataclass(frozen=True)
class Reading:
    """How a scan is read.

    Attributes:
        series_uid: Which SeriesInstanceUID, where there are several.
        volume_index: Which volume (from 0), where the scan holds several.
        split_by: The header field that tells volumes apart, such as ``"EchoTime"``, or several, such as
            ``"EchoTime and ImageType"``; ``"InstanceNumber"`` takes each position's images in order
            of their numbers.
        on_gap: Missing slices: ``"fill"`` interpolates them between their neighbours, ``"split"`` makes
            each unbroken run, and a time point of fewer slices than another, a volume of its own.
        on_uneven: Uneven distances: ``"resample"`` interpolates slices at the smallest of them.
        on_duplicate: The same image twice: ``"drop"`` leaves out copies at one position with equal pixels
            and the same SOPInstanceUID or equal header fields.
        on_mixed: Several orientations, spacings, matrices or frames of reference: ``"split"`` makes each a
            volume of its own.
        on_tilt: Gantry tilt: ``"keep"`` keeps it as a sheared affine, ``"shear"`` resamples the volume to
            an upright grid.
        on_colour: ``"luminance"`` reads colour images as grey.
        on_missing_rescale: CT or PET without RescaleSlope or RescaleIntercept: ``"stored"`` takes the
            stored values of all slices.
        values: ``"rescaled"`` by RescaleSlope and RescaleIntercept; as ``"stored"``; ``"philips"``, the
            scanner's own scale (see `imaging.philips`); ``"suv"``, standardised uptake by body weight, g/ml.
        invert_monochrome1: Turn MONOCHROME1 (low values are white) so that high values are white.

    Raises:
        SeriesError: An option or a value that does not exist.

    Example:
        >>> Reading(on_gap="fil")
        Traceback (most recent call last):
        medvision.errors.SeriesError: on_gap='fil' is not an option; did you mean 'fill'? ...
    """

    series_uid: str | None = None
    volume_index: int | None = None
    split_by: str | None = None
    on_gap: OnGap = "refuse"
    on_uneven: OnUneven = "refuse"
    on_duplicate: OnDuplicate = "refuse"
    on_mixed: OnMixed = "refuse"
    on_tilt: OnTilt = "refuse"
    on_colour: OnColour = "refuse"
    on_missing_rescale: OnMissingRescale = "refuse"
    values: Values = "rescaled"
    invert_monochrome1: bool = False

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            value, known = getattr(self, name), get_args(hint)
            if isinstance(value, str) and known and value not in known and str not in known:
                raise SeriesError(
                    f"{name}={value!r} is not an option{did_you_mean(value, known)} Known: {', '.join(known)}"
                )


def reading(options: ReadingOptions) -> Reading:
    """Check options that were given by name.

    Raises:
        SeriesError: An option or a value that does not exist.
    """
    known = [field.name for field in fields(Reading)]
    unknown = [name for name in options if name not in known]
    if unknown:
        told = "; ".join(f"{name!r}{did_you_mean(name, known)}" for name in unknown)
        raise SeriesError(f"no such option of reading: {told} Known: {', '.join(known)}")
    return Reading(**options)
