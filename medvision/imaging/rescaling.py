"""What the values of a volume are: rescaled, as stored, on Philips' scale, standardised uptake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from medvision.errors import SeriesError
from medvision.imaging.header import SliceHeader
from medvision.imaging.options import Reading
from medvision.imaging.ordering import names
from medvision.imaging.suv import suv_factor
from medvision.imaging.volume import RESCALED


def with_values(slices: Sequence[SliceHeader], where: str, options: Reading) -> tuple[list[SliceHeader], str]:
    """Give every slice the slope and intercept that lead to the values that were asked for.

    Returns:
        The slices, and what their values are.

    Raises:
        SeriesError: The header does not hold what the values need.
    """
    chosen, told = _scaled(slices, where, options)
    if options.invert_monochrome1 and slices[0].coding.photometric == "MONOCHROME1":
        if slices[0].coding.real:
            raise SeriesError(f"{where}: pixels stored as floating point numbers have no range to invert")
        return [_inverted(one) for one in chosen], f"{told}, MONOCHROME1 inverted"
    return chosen, told


def _scaled(slices: Sequence[SliceHeader], where: str, options: Reading) -> tuple[list[SliceHeader], str]:
    match options.values:
        case "rescaled":
            if all(one.rescaled for one in slices):
                return list(slices), _scale_of(slices[0])
            return _stored(slices)  # one volume never mixes Hounsfield units with stored values
        case "stored":
            return _stored(slices)
        case "philips":
            return [_philips(one, where) for one in slices], "Philips floating point values"
        case "suv":
            factor = suv_factor(slices, where)
            without = [one for one in slices if not one.rescaled]
            if without:
                raise SeriesError(f"{where}: values='suv' needs the RescaleSlope of {names(without)}")
            scaled = [replace(s, slope=s.slope * factor, intercept=s.intercept * factor) for s in slices]
            return scaled, "SUV by body weight, g/ml"
        case _:
            assert_never(options.values)


def _stored(slices: Sequence[SliceHeader]) -> tuple[list[SliceHeader], str]:
    return [replace(one, slope=1.0, intercept=0.0) for one in slices], "stored values"


def _scale_of(one: SliceHeader) -> str:
    """What the rescaled values are; RescaleType US leaves the unit open (PS3.3 C.11.1.1.2)."""
    unit = one.same["rescale type"]
    return RESCALED if unit in ("", "HU", "US") else f"{RESCALED}, {unit}"


def _philips(one: SliceHeader, where: str) -> SliceHeader:
    if one.philips_slope is None:
        raise SeriesError(
            f"{where}: values='philips' needs Philips' private scale slope (2005,100E), which {names([one])} "
            "does not have; read the rescaled values, or export the series with its private elements"
        )
    return replace(
        one, slope=1 / one.philips_slope, intercept=one.intercept / (one.slope * one.philips_slope)
    )


def _inverted(one: SliceHeader) -> SliceHeader:
    low, high = one.coding.stored_range
    return replace(one, slope=-one.slope, intercept=one.slope * (low + high) + one.intercept)
