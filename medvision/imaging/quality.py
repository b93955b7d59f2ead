"""What can be measured of one scan and its mask, to find the ones that are not like the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.imaging.volume import Volume

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

QUANTILES = 101
"""Quantiles of a profile: 0, 1, …, 100%."""

_BINS = 256
_NEIGHBOURS = 0.01
_THICK = 1.5
_SAMPLED = 2**22


@dataclass(frozen=True, eq=False)
class ImageQuality:
    """Measures of one scan, taken in RAS orientation.

    Attributes:
        shape: Voxels along (i, j, k) as stored.
        spacing_mm: Their distances.
        orientation: Where the stored axes grow to, such as ``LPS``.
        dtype: Type of the voxels after rescaling.
        modality: DICOM's letters, or "".
        profile: The 0, 1, …, 100% quantiles of the finite values, shape (101,); NaN where there is none.
        not_finite: Share of voxels that are NaN or infinite.
        foreground: Share of the finite voxels above Otsu's threshold; NaN in a constant image.
        constant_slices: Slices of one single value, counted across the axis that has most of them.
        clipped_low: Share of voxels at the lowest value in excess of that in the hundredth of the range
            above it: an artificial lower limit (padding, a window).
        clipped_high: The same at the highest value.
        cut_field: The largest share of foreground in one of the four faces around the slices: the body goes
            on beyond the field of view. NaN in a constant image.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    orientation: str
    dtype: str
    modality: str
    profile: Floats
    not_finite: float
    foreground: float
    constant_slices: int
    clipped_low: float
    clipped_high: float
    cut_field: float


@dataclass(frozen=True)
class MaskQuality:
    """Measures of one mask.

    Attributes:
        values: The values but 0 that it holds, ascending.
        volume_mm3: Volume of all voxels that are not 0.
        components: Connected parts of what is not 0, whatever the values; voxels that share a face, an edge
            or a corner are connected.
        touches_border: Whether it reaches an outer face of the volume (along axes of several voxels).
    """

    values: tuple[float, ...]
    volume_mm3: float
    components: int
    touches_border: bool


def image_quality(volume: Volume) -> ImageQuality:
    """Measure a scan.

    Args:
        volume: Any scan; it is not changed.

    Returns:
        The measures.

    Example:
        >>> from medvision.imaging import Geometry
        >>> array = np.zeros((4, 4, 4))
        >>> array[1:3, 1:3, 1:3] = 5
        >>> found = image_quality(Volume(array, Geometry((4, 4, 4), np.eye(4))))
        >>> found.foreground, found.constant_slices, found.cut_field
        (0.125, 2, 0.0)
    """
    from medvision.imaging.resampling import reorient

    array = reorient(volume, "RAS").array
    finite = np.isfinite(array) if array.dtype.kind == "f" else np.ones(array.shape, dtype=bool)
    values = array[finite]
    threshold = otsu(values)
    above = finite & (array > threshold)
    constant = not math.isfinite(threshold)
    spacing = np.asarray(volume.geometry.reoriented("RAS").spacing_mm)
    low, high = clipped(values)
    return ImageQuality(
        shape=volume.shape,
        spacing_mm=volume.spacing_mm,
        orientation=volume.geometry.axcodes,
        dtype=str(volume.array.dtype),
        modality=volume.modality,
        profile=quantile_profile(values),
        not_finite=float(1 - finite.mean()),
        foreground=math.nan if constant else float(above.sum() / values.size),
        constant_slices=constant_slices(array),
        clipped_low=low,
        clipped_high=high,
        cut_field=math.nan if constant else _cut_field(above, spacing),
    )


def mask_quality(mask: Volume) -> MaskQuality:
    """Measure a mask.

    Args:
        mask: 0 is background.

    Returns:
        The measures; an empty mask has no values and no components.

    Example:
        >>> from medvision.imaging import Geometry
        >>> array = np.zeros((5, 5, 5), dtype=np.uint8)
        >>> array[1, 1, 1], array[3, 3, 3:] = 1, 2
        >>> mask_quality(Volume(array, Geometry((5, 5, 5), np.diag([1.0, 1.0, 2.0, 1.0]))))
        MaskQuality(values=(1.0, 2.0), volume_mm3=6.0, components=2, touches_border=True)
    """
    from scipy.ndimage import label

    inside = mask.array != 0
    voxel_mm3 = abs(float(np.linalg.det(mask.affine[:3, :3])))
    _, components = label(inside, structure=np.ones((3, 3, 3)))
    faces = [inside.take(end, axis=axis) for axis in range(3) if inside.shape[axis] > 1 for end in (0, -1)]
    return MaskQuality(
        values=tuple(float(value) for value in np.unique(mask.array[inside])),
        volume_mm3=float(np.count_nonzero(inside) * voxel_mm3),
        components=int(components),
        touches_border=any(bool(face.any()) for face in faces),
    )


def quantile_profile(values: Values) -> Floats:
    """The 0, 1, …, 100% quantiles of some values, shape (101,); NaN where there are none.

    Of more than four million values every n-th is taken; the extremes are exact.

    Example:
        >>> quantile_profile(np.array([0, 10]))[[0, 30, 100]].tolist()
        [0.0, 3.0, 10.0]
    """
    if not values.size:
        return np.full(QUANTILES, np.nan)
    sample = values[:: max(1, math.ceil(values.size / _SAMPLED))]
    profile = np.quantile(sample.astype(np.float64), np.linspace(0, 1, QUANTILES))
    profile[0], profile[-1] = values.min(), values.max()
    return np.asarray(profile, dtype=np.float64)


def otsu(values: Values) -> float:
    """Otsu's threshold (IEEE Trans Syst Man Cybern 1979;9:62) on 256 bins from the 0.5 to the 99.5% quantile.

    Between the bins of equally good thresholds the middle is taken. Where the two quantiles agree (a small
    mask), the bins go from the lowest to the highest value.

    Returns:
        Foreground lies above it; infinite where all values are equal or there are none.

    Example:
        >>> round(otsu(np.array([0.0, 0.1, 0.2, 9.8, 9.9, 10.0])), 9)
        5.0
    """
    if not values.size:
        return math.inf
    low, high = np.quantile(values[:: max(1, math.ceil(values.size / _SAMPLED))], [0.005, 0.995])
    if not high > low:
        low, high = values.min(), values.max()
    if not high > low:
        return math.inf
    counts, edges = np.histogram(values.clip(low, high), bins=_BINS, range=(float(low), float(high)))
    centres = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts)[:-1], counts.sum()
    sums = np.cumsum(counts * centres)
    # The variance between the classes, up to a factor: n0·n1·(mean0 − mean1)².
    between = (sums[-1] * below - total * sums[:-1]) ** 2 / (below * (total - below))
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float((edges[1 + best[0]] + edges[1 + best[-1]]) / 2)


def clipped(values: Values) -> tuple[float, float]:
    """The shares of voxels at the lowest and at the highest value beyond what lies just beside them.

    Just beside is the next hundredth of the range. The tail of a real distribution gets thinner towards its
    end and gives 0; a window, a saturated detector or padding puts many voxels at the end.

    Returns:
        Low and high, 0 to 1; 0 for a constant image, NaN without values.

    Example:
        >>> clipped(np.minimum(np.arange(100), 59)), clipped(np.arange(100))
        ((0.0, 0.4), (0.0, 0.0))
    """
    if not values.size:
        return math.nan, math.nan
    low, high = values.min(), values.max()
    near = _NEIGHBOURS * (float(high) - float(low))
    if not near > 0:
        return 0.0, 0.0
    at_low, at_high = np.count_nonzero(values == low), np.count_nonzero(values == high)
    beside_low = np.count_nonzero(values <= float(low) + near) - at_low
    beside_high = np.count_nonzero(values >= float(high) - near) - at_high
    # One voxel always has the extreme value.
    return (
        max(int(at_low - 1 - beside_low), 0) / values.size,
        max(int(at_high - 1 - beside_high), 0) / values.size,
    )


def constant_slices(array: Values) -> int:
    """Slices that hold one single value, counted across the axis that has most of them.

    Not finite counts as a value. A slice of one voxel does not count.

    Example:
        >>> array = np.arange(8).reshape(2, 2, 2)
        >>> array[1] = 7
        >>> constant_slices(array)
        1
    """
    counts = [0]
    for axis in range(3):
        planes = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
        if planes.shape[1] > 1:
            first = planes[:, :1]
            same = planes == first
            if array.dtype.kind == "f":
                same |= ~np.isfinite(planes) & ~np.isfinite(first)
            counts.append(int(same.all(axis=1).sum()))
    return max(counts)


def _cut_field(foreground: Values, spacing_mm: Values) -> float:
    """The end slices do not count: the body goes on beyond them in nearly every scan."""
    across = int(np.argmax(spacing_mm)) if spacing_mm.max() >= _THICK * spacing_mm.min() else 2
    faces = [
        foreground.take(end, axis=axis)
        for axis in range(3)
        if axis != across and foreground.shape[axis] > 1
        for end in (0, -1)
    ]
    return max((float(face.mean()) for face in faces), default=0.0)
