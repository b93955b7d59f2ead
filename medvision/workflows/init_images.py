"""What the images of a new study are like: their headers, and a look at some voxels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medvision.errors import CohortError, MedvisionError
from medvision.imaging import ImageHeader, inspect, load_volume
from medvision.wording import first_of

_MOST_HEADERS, _MOST_VOLUMES, _MOST_MASKS = 200, 6, 40
_AIR_HU = -500.0
_MOST_STRUCTURES = 20
Triple = tuple[float, float, float]
_AXES = ("RL", "AP", "SI")


@dataclass(frozen=True)
class ImageSummary:
    """What the sampled images have in common; axes are right–left, front–back, head–foot.

    Attributes:
        looked_at: How many headers were read.
        of: How many images there are.
        spacing_mm: Median voxel size.
        one_spacing: Whether all have that size, within 1 %.
        extent_mm: Extent that nine in ten do not exceed.
        smallest_mm: Extent of the smallest.
        one_size: Whether all have the same number of voxels.
        modality: `CT`, or what the headers or the source say; empty where nothing does.
        why: Where the modality comes from.
        refused: Images whose header is refused, with the reason.
    """

    looked_at: int
    of: int
    spacing_mm: Triple
    one_spacing: bool
    extent_mm: Triple
    smallest_mm: Triple
    one_size: bool
    modality: str
    why: str
    refused: tuple[str, ...]


def summarise_images(paths: Sequence[str], hint: str = "") -> ImageSummary:
    """Read the headers of up to 200 images, and the voxels of a few.

    Args:
        paths: The images.
        hint: What the source says of the modality.

    Returns:
        The summary.

    Raises:
        CohortError: No header could be read.
    """
    chosen = evenly(sorted(set(paths)), _MOST_HEADERS)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(_inspected, chosen))
    headers = [header for header in found if isinstance(header, ImageHeader)]
    refused = tuple(str(problem) for problem in found if isinstance(problem, MedvisionError))
    if not headers:
        raise CohortError("no image can be read", problems=first_of(refused, 5))
    spacing = np.array([_along_axes(header, header.spacing_mm) for header in headers])
    shape = np.array([_along_axes(header, header.shape) for header in headers])
    extent = spacing * shape
    median = np.median(spacing, axis=0)
    modality, why = _modality(headers, hint)
    return ImageSummary(
        looked_at=len(chosen),
        of=len(set(paths)),
        spacing_mm=_triple(median),
        one_spacing=bool(np.all(np.abs(spacing / median - 1) < 0.01)),
        extent_mm=_triple(np.quantile(extent, 0.9, axis=0)),
        smallest_mm=_triple(extent.min(axis=0)),
        one_size=len(np.unique(shape, axis=0)) == 1,
        modality=modality,
        why=why,
        refused=refused,
    )


def structures_in(masks: Sequence[str]) -> tuple[dict[str, int], int]:
    """The values of up to 40 masks, as structures without a name of their own.

    Args:
        masks: The mask files.

    Returns:
        `structure_1: 1` and so on, and how many masks were looked at.

    Raises:
        CohortError: No value but 0, or values that are no labels.
    """
    chosen = evenly(sorted(set(masks)), _MOST_MASKS)
    values: set[float] = set()
    for path in chosen:
        values |= set(np.unique(load_volume(path).array).tolist())
        if len(values) > _MOST_STRUCTURES + 1:
            break
    found = sorted(value for value in values if value != 0)
    if not found or len(found) > _MOST_STRUCTURES or any(v != int(v) or not 0 < v <= 255 for v in found):
        raise CohortError(
            f"{chosen[0]} and the other masks hold {len(found)} values but 0, such as {found[:4]}; "
            "masks hold a "
            f"whole number from 1 to 255 for each of at most {_MOST_STRUCTURES} structures"
        )
    return {f"structure_{int(value)}": int(value) for value in found}, len(chosen)


def box_extent_mm(masks: Sequence[str]) -> Triple:
    """Extent of the box around what is outlined that nine in ten of up to 40 masks do not exceed, in mm."""
    extents = []
    for path in evenly(sorted(set(masks)), _MOST_MASKS):
        volume = load_volume(path)
        inside = np.argwhere(volume.array != 0)
        if len(inside):
            sides = (np.ptp(inside, axis=0) + 1) * np.array(volume.spacing_mm)
            extents.append(_by_axcodes(volume.geometry.axcodes, sides))
    if not extents:
        raise CohortError(
            f"{masks[0]} and the other masks are empty; a crop around masks needs what they outline"
        )
    return _triple(np.quantile(np.array(extents), 0.9, axis=0))


def evenly(values: Sequence[str], most: int) -> list[str]:
    """At most so many of a list, evenly spread.

    Example:
        >>> evenly(["a", "b", "c", "d", "e"], 3)
        ['a', 'c', 'e']
    """
    if len(values) <= most:
        return list(values)
    return [values[int(place)] for place in np.linspace(0, len(values) - 1, most).round()]


def _inspected(path: str) -> ImageHeader | MedvisionError:
    try:
        return inspect(Path(path))
    except MedvisionError as error:
        return error


def _along_axes(header: ImageHeader, values: Sequence[float]) -> list[float]:
    return _by_axcodes(header.geometry.axcodes, values)


def _by_axcodes(
    axcodes: str, values: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[float]:
    """Values in the order right–left, front–back, head–foot."""
    return [float(values[next(i for i, code in enumerate(axcodes) if code in ends)]) for ends in _AXES]


def _modality(headers: Sequence[ImageHeader], hint: str) -> tuple[str, str]:
    stated = Counter(header.modality for header in headers if header.modality)
    if stated:
        return stated.most_common(1)[0][0], "as the DICOM headers say"
    if hint:
        plain = hint.upper()
        return (
            "CT" if plain.startswith("CT") else "MR" if plain.startswith("MR") else hint
        ), "as the source says"
    lows = []
    for path in evenly([str(header.provenance.files[0]) for header in headers], _MOST_VOLUMES):
        try:
            lows.append(float(load_volume(path).array.min()))
        except MedvisionError:
            continue
    if lows and float(np.median(lows)) <= _AIR_HU:
        return (
            "CT",
            f"the lowest values of {len(lows)} images are near {np.median(lows):.0f}, as air is in HU",
        )
    return "", "no header says, and the values are not Hounsfield units"


def _triple(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Triple:
    a, b, c = (float(value) for value in values)
    return a, b, c
