"""A mask as an array of whole numbers, and how one that is stored so comes into its image's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError, SeriesError
from medvision.imaging.files import Source
from medvision.imaging.geometry import Geometry, times
from medvision.imaging.load import load_volume
from medvision.imaging.placing import Placement, place
from medvision.imaging.segments import Labels, Segment, smallest_type
from medvision.imaging.volume import Volume
from medvision.wording import listed

TOLERANCE_MM = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class Mask:
    """Structures in the grid of their image.

    Attributes:
        volume: Whole numbers, 0 where there is none of the structures; in exactly the image's grid.
        segments: The structure of each value; where several were joined, the first, its label naming all.
    """

    volume: Volume
    segments: Mapping[int, Segment]

    @property
    def array(self) -> npt.NDArray[Any]:
        """Values indexed (i, j, k), read-only."""
        return self.volume.array

    @property
    def geometry(self) -> Geometry:
        """The image's grid."""
        return self.volume.geometry

    def __repr__(self) -> str:
        named = listed(f"{value} {s.label}".strip() for value, s in self.segments.items())
        return f"mask {self.geometry!r} · {named or 'empty'}"


def load_label_volume(source: Source, grid: Geometry, labels: Labels | None, where: str) -> Mask:
    """Load a NIfTI (or another scan) of whole numbers into an image's grid; see ``load_mask``.

    Raises:
        GeometryError: It does not cover exactly the image's grid.
        SeriesError: Values that are no labels, or that ``labels`` does not name.
    """
    volume = load_volume(source)
    array = place_label_volume(volume.geometry, grid, where).turn(volume.array)
    counts = _counts(array, where)
    present = [int(value) for value in np.flatnonzero(counts) if value]
    values = {value: value for value in present}
    if labels is not None:
        values = {value if isinstance(name, str) else name: value for name, value in labels.items()}
        _check_named(present, values, labels, where)
    table = np.zeros(counts.size, dtype=smallest_type(values.values()))
    table[present] = [values[old] for old in present]
    result = array.astype(table.dtype, order="K")
    if any(old != values[old] for old in present):
        for k in range(grid.shape[2]):  # by planes: an index of the whole volume takes 8 bytes a voxel
            result[..., k] = table[array[..., k].astype(np.intp)]
    result.setflags(write=False)
    named = {value: str(name) for name, value in (labels or {}).items()}
    segments = {value: Segment(old, named.get(value, "")) for old, value in values.items()}
    return Mask(Volume(result, grid, "SEG", volume.provenance), segments)


def place_label_volume(mask: Geometry, grid: Geometry, where: str) -> Placement:
    """How the axes of a mask become those of its image, which it must cover whole.

    Raises:
        GeometryError: It lies elsewhere, or covers a part only; says by how many mm.
    """
    found = place(mask, grid, tolerance_mm=TOLERANCE_MM, source_name=where)
    covered = tuple(one.stop - one.start for one in found.box)
    if covered != grid.shape:
        raise GeometryError(
            f"{where} covers only {times(covered)} of the image's {times(grid.shape)} voxels; use the mask "
            f"that was drawn on this image, or resample_to(mask, image.geometry, order='nearest') if both "
            f"are right"
        )
    return found


def _counts(array: npt.NDArray[Any], where: str) -> npt.NDArray[np.int_]:
    """How often each value from 0 on is there."""
    if array.dtype.kind == "f":
        odd = array[~(np.isfinite(array) & (array == np.rint(array)))]
        if odd.size:
            raise SeriesError(
                f"{where}: values such as {odd.flat[0]:g} are no labels; give a mask of whole numbers"
            )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise SeriesError(f"{where}: values {low}…{high} are no labels; a mask has 0 to 65535")
    planes = (np.ravel(array[..., k], order="K").astype(np.intp) for k in range(array.shape[2]))
    counts: npt.NDArray[np.int_] = sum(
        (np.bincount(plane, minlength=high + 1) for plane in planes), np.zeros(high + 1, np.int_)
    )
    return counts


def _check_named(present: list[int], values: Mapping[int, int], labels: Labels, where: str) -> None:
    unknown = [value for value in present if value not in values]
    if unknown:
        named = listed((f"{name} {value}" for name, value in labels.items()), 40)
        raise SeriesError(
            f"{where}: the mask has the value {listed(unknown)}, but only these are named: {named}"
        )
