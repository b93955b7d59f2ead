"""Radiographs and mammograms: images without a place in the patient, kept as volumes of one slice.

Their affine says how large a pixel is (at the detector, where the header says no better) and, where
PatientOrientation does, which way rows and columns run; it says nothing about where the image lies. It
begins at 0 mm, and its slice is 1 mm thick.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medvision.imaging.geometry import FloatArray
from medvision.imaging.values import Elements, strings, text, vector

if TYPE_CHECKING:
    from medvision.imaging.header import SliceHeader

PROJECTION_TAGS = ("PatientOrientation", "ImagerPixelSpacing")
_PROJECTIONS = (
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # … for processing
    "1.2.840.10008.5.1.4.1.1.1.2",  # Digital Mammography, for presentation
    "1.2.840.10008.5.1.4.1.1.1.2.1",  # … for processing
    "1.2.840.10008.5.1.4.1.1.1.3",  # Digital Intra-Oral X-Ray, for presentation
    "1.2.840.10008.5.1.4.1.1.1.3.1",  # … for processing
)
# PS3.3 C.7.6.1.1.1: the letters of PatientOrientation, as directions in LPS.
_LETTERS = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
}  # fmt: skip
# As a chest radiograph is looked at: rows run to the patient's left, columns to the feet.
_FRONTAL = ("L", "F")


def is_projection(elements: Elements) -> bool:
    """Whether an object is a radiograph by its kind."""
    return text(elements, "SOPClassUID") in _PROJECTIONS


def placed(image: SliceHeader, elements: Elements) -> SliceHeader:
    """Give a radiograph the geometry that its header allows."""
    told = "a radiograph: its affine holds pixel sizes and directions, no place in the patient"
    spacing, at_detector = image.pixel_spacing, vector(elements, "ImagerPixelSpacing", 2)
    if spacing is None and at_detector is not None:
        spacing = at_detector
        told += "; pixel sizes are those at the detector, so what lies before it is smaller than measured"
    directions = _directions(strings(elements.get("PatientOrientation")))
    if directions is None:
        directions = _along(*_FRONTAL)
        told += "; PatientOrientation does not give directions, those of a frontal view are used"
    return replace(
        image,
        position=np.zeros(3),
        orientation=directions,
        pixel_spacing=spacing,
        depth_mm=1.0,
        projection=told,
    )


def _directions(stated: list[str]) -> FloatArray | None:
    """Six direction cosines along the main patient axes of rows and columns; None where not stated."""
    letters = [letter[:1].upper() for letter in stated]
    if len(letters) != 2 or any(letter not in _LETTERS for letter in letters):
        return None
    along = _along(*letters)
    return None if along[:3] @ along[3:] else along


def _along(row: str, column: str) -> FloatArray:
    return np.array([*_LETTERS[row], *_LETTERS[column]], dtype=np.float64)
