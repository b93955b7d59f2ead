"""Reconstruction kernels of CT: soft tissue or sharp, by each vendor's own names."""

from __future__ import annotations

import re

_SIEMENS = re.compile(r"[A-Z][a-z]?(\d{2})[a-z]?(?:\W.*)?")
_CANON = re.compile(r"FC(\d{2})\b.*")
_GE = {
    "soft": ("SOFT", "STANDARD", "STND", "DETAIL"),
    "sharp": ("LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "CHST"),
}
_PHILIPS = {
    "soft": ("A", "B", "C", "CB", "SA", "SB", "SC", "XCA", "XCB"),
    "sharp": ("D", "E", "L", "YA", "YB", "YC", "YD"),
}


def kernel_class(manufacturer: str, kernel: str) -> str:
    """Whether a kernel is for soft tissue or sharp; "" where its name does not say.

    Siemens: a number of two digits, below 50 soft, from 50 on sharp (B30f, Br40, I31f against B60f, Bl57).
    GE: SOFT, STANDARD and DETAIL against LUNG, BONE, BONEPLUS and EDGE. Philips: A, B, C against D, E, L
    and Y. Canon and Toshiba: FC01 to FC29 against FC30 to FC59 and FC80 on. A name that is not among these
    is left open rather than guessed: a rule can still name it.

    Example:
        >>> kernel_class("SIEMENS", "B30f"), kernel_class("GE MEDICAL", "LUNG"), kernel_class("X", "7")
        ('soft', 'sharp', '')
    """
    vendor, name = manufacturer.upper(), kernel.split("/")[0].strip()
    if "SIEMENS" in vendor and (found := _SIEMENS.fullmatch(name)):
        return "soft" if int(found[1]) < 50 else "sharp"
    if ("TOSHIBA" in vendor or "CANON" in vendor) and (found := _CANON.fullmatch(name)):
        number = int(found[1])
        return "soft" if number < 30 else "sharp" if number < 60 or number >= 80 else ""
    names = _GE if vendor.startswith("GE") else _PHILIPS if "PHILIPS" in vendor else {}
    return next((kind for kind, known in names.items() if name.upper() in known), "")
