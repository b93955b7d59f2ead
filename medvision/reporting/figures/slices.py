"""One slice of one case as a radiologist wants to see it: orientation, aspect, scale and contours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from numpy.typing import NDArray

from medvision.errors import GeometryError
from medvision.imaging import Volume, load_volume, reorient

Pixels = NDArray[Any]

_PLANES = ("sagittal", "coronal", "axial")
_EDGES = (("A", "P", "S", "I"), ("R", "L", "S", "I"), ("R", "L", "A", "P"))
_COUNTED_FROM = ("left", "posterior", "inferior")
# From here on a slice across the coarsest axis shows more than an axial one.
_ANISOTROPIC = 1.5
_SMALLEST_VIEW_MM = 30.0
_BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Slice:
    """One plane in radiological convention: the patient's right, or front, is on the left of the picture.

    Args:
        image: Rows from top to bottom, columns from left to right.
        masks: Masks of the same shape, 0 is background.
        row_mm: Distance of two rows.
        column_mm: Distance of two columns.
        plane: `axial`, `coronal` or `sagittal`.
        position: Such as `slice 12 of 40 from inferior`.
        edges: Letters of the left, right, top and bottom edge.
    """

    image: Pixels
    masks: Mapping[str, Pixels]
    row_mm: float
    column_mm: float
    plane: str
    position: str
    edges: tuple[str, str, str, str]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the picture."""
        return self.image.shape[1] * self.column_mm, self.image.shape[0] * self.row_mm


@dataclass(frozen=True)
class Look:
    """How slices are drawn.

    Args:
        window: Intensities shown as black and as white; None takes the 0.5th and 99.5th percentile of
            each slice.
        colours: Colour of each mask's contour.
    """

    window: tuple[float, float] | None = None
    colours: Mapping[str, str] = field(default_factory=dict)


def read_slice(image: Path, masks: Mapping[str, Path], prefer: Sequence[str] = ()) -> Slice:
    """Read a case and return the slice in which the first preferred mask that is not empty is largest.

    The plane is axial, or across the coarsest axis where the voxels are more than 1.5 times longer than
    wide. Without any mask it is the middle slice. A slice much larger than the masks is cropped to them.

    Args:
        image: A NIfTI file, or what else `load_volume` reads.
        masks: Masks by name, on the grid of the image.
        prefer: Names of masks, the most wanted first.

    Raises:
        GeometryError: A mask does not lie on the grid of the image.
        MedvisionError: A file cannot be read.
    """
    volume = reorient(load_volume(image), "RAS")
    loaded = {name: reorient(load_volume(path), "RAS") for name, path in masks.items()}
    for name, mask in loaded.items():
        if not volume.geometry.is_close(mask.geometry, 0.01):
            raise GeometryError(f"{name} does not lie on the grid of {image.name}")
    return cut_slice(volume, {name: mask.array for name, mask in loaded.items()}, prefer)


def cut_slice(volume: Volume, masks: Mapping[str, Pixels], prefer: Sequence[str] = ()) -> Slice:
    """Cut a slice from a volume in RAS orientation; see `read_slice`.

    Args:
        volume: Indexed (i, j, k) from left to right, posterior to anterior, inferior to superior.
        masks: Arrays of the same shape.
        prefer: Names of masks, the most wanted first.

    Example:
        >>> from medvision.imaging.geometry import Geometry
        >>> array = np.zeros((4, 6, 3))
        >>> array[3, 5, 1] = 1.0  # right, anterior
        >>> cut = cut_slice(Volume(array, Geometry((4, 6, 3), np.eye(4))), {})
        >>> cut.image.shape, float(cut.image[0, 0]), cut.position
        ((6, 4), 1.0, 'slice 2 of 3 from inferior')
    """
    spacing = volume.spacing_mm
    axis = int(np.argmax(spacing)) if max(spacing) >= _ANISOTROPIC * min(spacing) else 2
    index = _largest(masks, prefer, axis, volume.shape[axis])
    across, along = (other for other in range(3) if other != axis)
    picture = Slice(
        image=_plane(volume.array, index, axis),
        masks={name: _plane(mask, index, axis) for name, mask in masks.items()},
        row_mm=float(spacing[along]),
        column_mm=float(spacing[across]),
        plane=_PLANES[axis],
        position=f"slice {index + 1} of {volume.shape[axis]} from {_COUNTED_FROM[axis]}",
        edges=_EDGES[axis],
    )
    return _cropped(picture)


def draw_slice(axes: Axes, picture: Slice, look: Look) -> None:
    """Draw a slice with its contours, edge letters and a scale bar, in true proportions."""
    width, height = picture.size_mm
    low, high = look.window or _contrast(picture.image)
    axes.imshow(
        picture.image, cmap="gray", vmin=low, vmax=high, extent=(0, width, height, 0), interpolation="nearest"
    )
    # Where both agree the first is seen below the thinner second.
    widths = (1.8, 0.9) if len(picture.masks) > 1 else (1.1,)
    for (name, mask), line in zip(picture.masks.items(), widths, strict=False):
        for value in np.unique(mask[mask > 0]):
            _contour(axes, mask == value, picture, look.colours.get(name, "#FFFFFF"), line)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    _letters(axes, picture.edges)
    _scale_bar(axes, width, height)


def _largest(masks: Mapping[str, Pixels], prefer: Sequence[str], axis: int, n: int) -> int:
    others = tuple(other for other in range(3) if other != axis)
    for name in prefer:
        if name in masks and masks[name].any():
            return int(np.count_nonzero(masks[name], axis=others).argmax())
    return n // 2


def _plane(array: Pixels, index: int, axis: int) -> Pixels:
    # Both remaining axes of RAS run against the picture: to the viewer's left and upwards.
    return np.asarray(np.take(array, index, axis=axis)[::-1, ::-1].T)


def _cropped(picture: Slice) -> Slice:
    union = np.any([mask > 0 for mask in picture.masks.values()], axis=0) if picture.masks else None
    if union is None or not union.any():
        return picture
    keep = tuple(
        _view(np.flatnonzero(union.any(axis=1 - axis)), union.shape[axis], mm, _view_mm(union, picture))
        for axis, mm in enumerate((picture.row_mm, picture.column_mm))
    )
    return Slice(
        picture.image[keep],
        {name: mask[keep] for name, mask in picture.masks.items()},
        picture.row_mm,
        picture.column_mm,
        picture.plane,
        picture.position,
        picture.edges,
    )


def _view_mm(union: Pixels, picture: Slice) -> float:
    """Return the side of a square view: twice the larger side of the outlined part."""
    rows, columns = np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0))
    sides = (np.ptp(rows) + 1) * picture.row_mm, (np.ptp(columns) + 1) * picture.column_mm
    return max(2.0 * float(max(sides)), _SMALLEST_VIEW_MM)


def _view(inside: Pixels, n: int, mm: float, wanted_mm: float) -> slice:
    wanted = min(n, round(wanted_mm / mm))
    start = round((inside[0] + inside[-1] + 1 - wanted) / 2)
    start = min(max(start, 0), n - wanted)
    return slice(start, start + wanted)


def _contrast(image: Pixels) -> tuple[float, float]:
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
    return float(low), float(high) if high > low else float(low) + 1.0


def _contour(axes: Axes, mask: Pixels, picture: Slice, colour: str, width: float) -> None:
    # A border of background closes contours that touch the edge of the picture.
    padded = np.pad(mask.astype(float), 1)
    rows = (np.arange(padded.shape[0]) - 0.5) * picture.row_mm
    columns = (np.arange(padded.shape[1]) - 0.5) * picture.column_mm
    axes.contour(columns, rows, padded, levels=[0.5], colors=[colour], linewidths=width)


def _letters(axes: Axes, edges: tuple[str, str, str, str]) -> None:
    places = ((0.03, 0.5, "left", "center"), (0.97, 0.5, "right", "center"), (0.5, 0.97, "center", "top"))
    for letter, (x, y, horizontal, vertical) in zip(edges, places, strict=False):
        axes.text(
            x, y, letter, transform=axes.transAxes, color="white", fontsize=7, ha=horizontal, va=vertical,
            path_effects=[patheffects.withStroke(linewidth=1.5, foreground="black")],
        )  # fmt: skip


def _scale_bar(axes: Axes, width: float, height: float) -> None:
    length = max((mm for mm in _BAR_LENGTHS_MM if mm <= 0.35 * width), default=_BAR_LENGTHS_MM[0])
    left, bottom = 0.05 * width, 0.95 * height
    outline = [patheffects.withStroke(linewidth=3.5, foreground="black")]
    axes.plot(
        [left, left + length], [bottom, bottom], color="white", linewidth=2, solid_capstyle="butt",
        path_effects=outline,
    )  # fmt: skip
    axes.text(
        left, bottom - 0.025 * height, f"{length} mm", color="white", fontsize=6.5, va="bottom",
        path_effects=[patheffects.withStroke(linewidth=1.5, foreground="black")],
    )  # fmt: skip
