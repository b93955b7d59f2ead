"""What a DICOM object is: an image of a volume, or one of the many things that lie beside it in an export."""

from __future__ import annotations

from collections.abc import Sequence

VOLUME_KINDS = ("image", "derived")
"""Kinds whose files may be the slices of a volume."""

KINDS = (
    *VOLUME_KINDS, "localiser", "secondary capture", "projection", "segmentation", "structure set",
    "dose report", "report", "presentation state", "other object",
)  # fmt: skip

WITHOUT_PIXELS = ("structure set", "dose report", "report", "presentation state", "other object")
"""Kinds that reading a series passes over."""

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_VOLUMES = ("2", "2.1", "2.2", "4", "4.1", "4.2", "4.3", "4.4", "128", "128.1", "130", "20")
_DOSE = ("88.67", "88.68", "88.73", "88.74", "88.75", "88.76")
_BY_BEGINNING = {
    "7": "secondary capture",
    "66.4": "segmentation",
    "66.7": "segmentation",
    "481.3": "structure set",
    "88": "report",
    "104": "report",
    "11": "presentation state",
}
_SCOUTS = ("LOCALIZER", "LOCALISER", "SCOUT", "TOPOGRAM")


def kind_of(sop_class: str, image_type: Sequence[str], *, has_pixels: bool) -> str:
    """Name the kind of a DICOM object.

    Args:
        sop_class: SOPClassUID.
        image_type: ImageType; LOCALIZER makes a CT or MR image a localiser, DERIVED in the first value a
            derived image (a reformat, a map, a subtraction).
        has_pixels: Whether it has a matrix of pixels.

    Returns:
        One of ``KINDS``.

    Example:
        >>> kind_of("1.2.840.10008.5.1.4.1.1.2", ["ORIGINAL", "PRIMARY", "LOCALIZER"], has_pixels=True)
        'localiser'
        >>> kind_of("1.2.840.10008.5.1.4.1.1.88.67", [], has_pixels=False)
        'dose report'
    """
    number = sop_class.removeprefix(_STORAGE)
    if number in _DOSE:
        return "dose report"
    for beginning, kind in _BY_BEGINNING.items():
        if number == beginning or number.startswith(f"{beginning}."):
            return kind
    if not has_pixels:
        return "other object"
    if number not in _VOLUMES and number != sop_class:
        return "projection"
    if any(value in _SCOUTS for value in image_type):
        return "localiser"
    return "derived" if image_type[:1] == ["DERIVED"] else "image"
