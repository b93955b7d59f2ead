"""Philips' second scaling of MR values, kept in private elements.

Philips stores MR values with a rescale for display, which differs from series to series, and with a
scale slope that brings them to what the scanner measured. With stored value SV, display value
DV = SV · RescaleSlope + RescaleIntercept, the floating point value is FP = DV / (RescaleSlope · SS).

Reference: Chenevert et al. Errors in quantitative image analysis due to platform-dependent image
scaling. Transl Oncol 2014;7:65–71, doi:10.1593/tlo.13811.
"""

from __future__ import annotations

from medvision.imaging.private import private, private_tags
from medvision.imaging.values import Elements

_GROUP, _CREATOR, _SCALE_SLOPE = 0x2005, "Philips MR Imaging DD 001", 0x0E
PHILIPS_TAGS = private_tags(_GROUP, _SCALE_SLOPE)


def scale_slope(elements: Elements) -> float | None:
    """Philips' scale slope SS; None where there is none.

    Args:
        elements: Of a single-frame file, or of a frame's private Philips sequence.
    """
    value = private(elements, _GROUP, _CREATOR, _SCALE_SLOPE)
    return float(value) if isinstance(value, int | float) and value > 0 else None
