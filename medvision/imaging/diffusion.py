"""b-value and gradient direction where a vendor keeps them in private elements only.

Places as dcm2niix documents them: Siemens (0019,100C) and (0019,100E), Philips (2001,1003) and
(2005,10B0)…(2005,10B2), GE (0043,1039), whose first value carries 10⁹ added to it in newer files.
GE's directions are relative to the acquisition and are not read.
"""

from __future__ import annotations

from typing import Any

from medvision.imaging.values import Elements, Key, Keys, is_many, text

_SIEMENS_B, _SIEMENS_DIRECTION = 0x0019100C, 0x0019100E
_PHILIPS_B, _PHILIPS_DIRECTION = 0x20011003, (0x200510B0, 0x200510B1, 0x200510B2)
_GE_B = 0x00431039
DIFFUSION_TAGS = (_SIEMENS_B, _SIEMENS_DIRECTION, _PHILIPS_B, *_PHILIPS_DIRECTION, _GE_B)


def diffusion_keys(elements: Elements) -> Keys:
    """`DiffusionBValue` in s/mm² and `DiffusionGradientOrientation`, a unit vector in LPS.

    Returns:
        What the private elements say; the standard elements, where they are there, say it better.
    """
    vendor = text(elements, "Manufacturer").upper()
    if "SIEMENS" in vendor:
        return _keys(_numbers(elements.get(_SIEMENS_B)), _numbers(elements.get(_SIEMENS_DIRECTION)))
    if "PHILIPS" in vendor:
        parts = [_numbers(elements.get(tag)) for tag in _PHILIPS_DIRECTION]
        return _keys(_numbers(elements.get(_PHILIPS_B)), tuple(p[0] for p in parts if len(p) == 1))
    if vendor.startswith("GE "):
        coded = _numbers(elements.get(_GE_B))[:1]
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
    value = getattr(value, "value", value)
    if isinstance(value, bytes):  # private elements of unknown type: text, as Siemens and GE write them
        value = value.decode("ascii", "ignore").strip("\0 ").split("\\")
    try:
        return tuple(float(v) for v in (value if is_many(value) else [value]) if v not in (None, ""))
    except (TypeError, ValueError):
        return ()
