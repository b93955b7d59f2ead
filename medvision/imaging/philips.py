"""Philips' second scaling of MR values, kept in private elements.

Philips stores MR values with a rescale for display, which differs from series to series, and with a
scale slope that brings them to what the scanner measured. With stored value SV, display value
DV = SV · RescaleSlope + RescaleIntercept, the floating point value is FP = DV / (RescaleSlope · SS).

Reference: Chenevert et al. Errors in quantitative image analysis due to platform-dependent image
scaling. Transl Oncol 2014;7:65–71, doi:10.1593/tlo.13811.
"""

from __future__ import annotations

from medvision.imaging.values import Elements

SCALE_SLOPE = 0x2005100E
PHILIPS_TAGS = (0x20050010, SCALE_SLOPE)


def scale_slope(elements: Elements) -> float | None:
    """Philips' scale slope SS; None where there is none.

    Args:
        elements: Of a single-frame file, or of a frame's private Philips sequence.
    """
    value = elements.get(SCALE_SLOPE)
    value = getattr(value, "value", value)
    if not isinstance(value, int | float) or not value > 0:
        return None
    creator = elements.get(0x20050010)
    creator = str(getattr(creator, "value", creator) or "")
    return float(value) if creator.startswith("Philips") else None
