"""Siemens mosaics: all slices of one volume, tiled row by row in one image."""

from __future__ import annotations

import math
import struct
import warnings
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medvision.imaging.geometry import FloatArray
from medvision.imaging.values import Elements, text

if TYPE_CHECKING:
    from medvision.imaging.header import SliceHeader

# The private creators of group 0029 and the CSA image header in the blocks that they may reserve.
CSA_TAGS = (0x00290010, 0x00290011, 0x00290012, 0x00291010, 0x00291110, 0x00291210)
_UIH_GRID = 0x00651050  # as dcm2niix documents it
GRID_TAGS = (_UIH_GRID,)
_PARALLEL = 0.999


def is_grid(elements: Elements) -> bool:
    """Whether a file of United Imaging (UIH) tiles several slices in one image, which is not read."""
    if "UIH" not in text(elements, "Manufacturer").upper():
        return False
    count = elements.get(_UIH_GRID)
    stated = count.decode("ascii", "ignore").strip("\0 ") if isinstance(count, bytes) else str(count)
    return stated.replace(".", "", 1).isdigit() and float(stated) > 1


def tiles(whole: SliceHeader) -> tuple[SliceHeader, ...]:
    """Take a mosaic apart into its slices.

    The CSA header gives the number of slices and the direction in which they follow one another;
    SpacingBetweenSlices their distance. ImagePositionPatient is that of an image of the mosaic's size
    around the first slice's centre, so the slice's own first pixel lies half the difference further in.

    Args:
        whole: The mosaic read as one slice.

    Raises:
        ValueError: The header does not say where the slices lie.
    """
    if whole.position is None or whole.orientation is None or whole.pixel_spacing is None:
        raise ValueError("a Siemens mosaic without position, orientation or pixel spacing")
    if not whole.spacing_between_mm:
        raise ValueError("a Siemens mosaic without SpacingBetweenSlices")
    count, stated = _slices_and_normal(whole.path)
    across = math.ceil(math.sqrt(count))
    columns, rows = whole.shape[0] // across, whole.shape[1] // across
    if (columns * across, rows * across) != whole.shape:
        raise ValueError(f"a Siemens mosaic of {count} slices that do not tile {whole.shape}")
    right, down = whole.orientation[:3], whole.orientation[3:]
    normal = np.cross(right, down)
    along = float(normal @ stated)
    if not abs(along) >= _PARALLEL * np.linalg.norm(stated) > 0:
        raise ValueError("a Siemens mosaic whose slices do not follow one another along their normal")
    between_rows, between_columns = whole.pixel_spacing
    first = whole.position + right * between_columns * (whole.shape[0] - columns) / 2
    first = first + down * between_rows * (whole.shape[1] - rows) / 2
    step = normal * math.copysign(whole.spacing_between_mm, along)
    return tuple(
        replace(
            whole,
            shape=(columns, rows),
            position=first + number * step,
            tile=(number // across * rows, number % across * columns),
        )
        for number in range(count)
    )


def _slices_and_normal(path: Path) -> tuple[int, FloatArray]:
    """NumberOfImagesInMosaic and SliceNormalVector of the CSA image header."""
    from pydicom import dcmread

    with warnings.catch_warnings(action="ignore"):  # NiBabel calls all of its DICOM readers experimental
        reader: Any = import_module("nibabel.nicom.csareader")
    try:
        dataset = dcmread(path, force=True, stop_before_pixels=True, specific_tags=list(CSA_TAGS))
        header: dict[str, Any] | None = reader.get_csa_header(dataset, "image")
    except (reader.CSAReadError, struct.error, LookupError) as error:
        raise ValueError(f"a Siemens mosaic with a damaged CSA header ({error})") from error
    found = (header or {}).get("tags", {})
    count, normal = (
        found.get(name, {}).get("items", []) for name in ("NumberOfImagesInMosaic", "SliceNormalVector")
    )
    if len(count) != 1 or len(normal) != 3 or int(count[0]) < 1:
        raise ValueError("a Siemens mosaic without the CSA header that says where its slices lie")
    return int(count[0]), np.array(normal, dtype=np.float64)
