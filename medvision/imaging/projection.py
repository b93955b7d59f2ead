"""Radiographs and mammograms: images without a place in the patient, kept as volumes of one slice.

Their affine says how large a pixel is and, where PatientOrientation does, which way rows and columns
run; it says nothing about where the image lies. It begins at 0 mm, and its slice is 1 mm thick.
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
    spacing = image.pixel_spacing
    if spacing is None:
        spacing = vector(elements, "ImagerPixelSpacing", 2)
    return replace(
        image,
        position=np.zeros(3),
        orientation=_directions(strings(elements.get("PatientOrientation"))),
        pixel_spacing=spacing,
        depth_mm=1.0,
        projection=True,
    )


def _directions(stated: list[str]) -> FloatArray:
    """Six direction cosines along the main patient axes of rows and columns."""
    letters = [letter[:1].upper() for letter in stated]
    if len(letters) != 2 or any(letter not in _LETTERS for letter in letters):
        letters = list(_FRONTAL)
    row, column = (np.array(_LETTERS[letter], dtype=np.float64) for letter in letters)
    if row @ column:
        row, column = (np.array(_LETTERS[letter], dtype=np.float64) for letter in _FRONTAL)
    return np.concatenate([row, column])
