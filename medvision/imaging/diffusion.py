"""b-value and gradient direction where a vendor keeps them in private elements only.

Places as dcm2niix documents them: Siemens (0019,xx0C) and (0019,xx0E), Philips (2001,xx03) and
(2005,xxB0)…(2005,xxB2), GE (0043,xx39), whose first value carries 10⁹ added to it in newer files; xx is
the block that their creator reserves.
GE's directions are relative to the acquisition and are not read.
"""

from __future__ import annotations

from typing import Any

from medvision.imaging.private import private, private_tags
from medvision.imaging.values import Elements, Key, Keys, is_many, text

_SIEMENS = (0x0019, "SIEMENS MR HEADER")
_PHILIPS, _PHILIPS_MR = (0x2001, "Philips Imaging DD 001"), (0x2005, "Philips MR Imaging DD 001")
_GE = (0x0043, "GEMS_PARM_01")
_B, _DIRECTION, _PHILIPS_B, _PHILIPS_DIRECTION, _GE_B = 0x0C, 0x0E, 0x03, (0xB0, 0xB1, 0xB2), 0x39
DIFFUSION_TAGS = (
    *private_tags(_SIEMENS[0], _B, _DIRECTION),
    *private_tags(_PHILIPS[0], _PHILIPS_B),
    *private_tags(_PHILIPS_MR[0], *_PHILIPS_DIRECTION),
    *private_tags(_GE[0], _GE_B),
)


def diffusion_keys(elements: Elements) -> Keys:
    """`DiffusionBValue` in s/mm² and `DiffusionGradientOrientation`, a unit vector in LPS.

    Returns:
        What the private elements say; the standard elements, where they are there, say it better.
    """
    vendor = text(elements, "Manufacturer").upper()
    if "SIEMENS" in vendor:
        b_value, direction = (private(elements, *_SIEMENS, place) for place in (_B, _DIRECTION))
        return _keys(_numbers(b_value), _numbers(direction))
    if "PHILIPS" in vendor:
        parts = [_numbers(private(elements, *_PHILIPS_MR, place)) for place in _PHILIPS_DIRECTION]
        b_value = private(elements, *_PHILIPS, _PHILIPS_B)
        return _keys(_numbers(b_value), tuple(p[0] for p in parts if len(p) == 1))
    if vendor.startswith("GE "):
        coded = _numbers(private(elements, *_GE, _GE_B))[:1]
        return _keys(tuple(b % 1e9 if b >= 1e9 else b for b in coded), ())
    return {}


def _keys(b_value: tuple[float, ...], direction: tuple[float, ...]) -> Keys:
    found: dict[str, Key] = {}
    if len(b_value) == 1:
        found["DiffusionBValue"] = b_value
    if len(direction) == 3 and any(direction):
        found["DiffusionGradientOrientation"] = direction
    return found


def _numbers(value: Any) -> tuple[float, ...]:  # noqa: ANN401 (any DICOM value)
    if isinstance(value, bytes):  # private elements of unknown type: text, as Siemens and GE write them
        value = value.decode("ascii", "ignore").strip("\0 ").split("\\")
    try:
        return tuple(float(v) for v in (value if is_many(value) else [value]) if v not in (None, ""))
    except (TypeError, ValueError):
        return ()
