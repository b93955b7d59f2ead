"""Regions of an image that look like letters written into its pixels.

Burned-in text is drawn at one value, brighter or darker than all around it, as marks of one height that
stand in a row. Anatomy has bright spots too, but few rows of them. This finds where a person should look;
it reads no letter, and a page without findings is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_LEAST_MARKS, _SPOTS = 4, 16
_LEAST_HEIGHT, _LARGEST_SHARE = 5, 0.22
# Where to cut, as a share of the image's range (thin strokes are pale), and how far a mark must rise above
# what surrounds it: less at the very top, which anatomy seldom reaches in rows.
_LEVELS = {0.9: 0.12, 0.7: 0.3, 0.5: 0.3}
_ONE_VALUE = 0.05  # of the range, between the letters of a row
_FLAT = ((12, 0.0), (32, 0.3), (2**31, 0.6))  # rows of a mark below this: least share at one value


@dataclass(frozen=True)
class TextRegion:
    """A row of marks that looks like text.

    Attributes:
        rows: First row and the one after the last.
        columns: First column and the one after the last.
        marks: How many marks of the size of letters.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    marks: int


@dataclass(frozen=True)
class _Mark:
    top: int
    bottom: int
    left: int
    right: int
    value: float

    @property
    def height(self) -> int:
        return self.bottom - self.top


def text_regions(pixels: npt.NDArray[Any]) -> tuple[TextRegion, ...]:
    """Find rows of marks that look like letters.

    Args:
        pixels: (rows, columns) of grey values, or (rows, columns, 3 or 4) of colours.

    Returns:
        The regions, from top to bottom; each has four marks or more.

    Example:
        >>> frame = np.zeros((96, 192), np.uint8)
        >>> for letter in range(5):
        ...     frame[10:20, 10 + 9 * letter : 13 + 9 * letter] = 255
        >>> [(region.rows, region.marks) for region in text_regions(frame)]
        [((10, 20), 5)]
    """
    grey = _grey(pixels)
    low, high = float(grey.min()), float(grey.max())
    if min(grey.shape) < 4 * _LEAST_HEIGHT or not high > low:
        return ()
    scaled = (grey - low) / (high - low)
    found = [
        region
        for image in (scaled, 1.0 - scaled)
        for level, contrast in _LEVELS.items()
        for region in _rows_of(_marks(image, level, contrast))
    ]
    return _without_overlaps(found)


def _grey(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    grey = np.nan_to_num(np.asarray(pixels, dtype=np.float32), posinf=0.0, neginf=0.0)
    # The brightest channel keeps coloured letters as bright as white ones.
    return grey[..., :3].max(axis=2) if grey.ndim == 3 else grey


def _marks(image: npt.NDArray[np.float32], level: float, contrast: float) -> list[_Mark]:
    from scipy import ndimage

    bright = image >= level
    if bright.mean() > 0.5:
        return []
    labels, _ = ndimage.label(bright, structure=np.ones((3, 3)))
    largest = max(_LEAST_HEIGHT + 1, int(_LARGEST_SHARE * image.shape[0]))
    marks = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if not _LEAST_HEIGHT <= height <= largest or width > 2 * height:
            continue
        inside = labels[rows, columns] == number
        drawn = image[rows, columns][inside]
        mark = _Mark(rows.start, rows.stop, columns.start, columns.stop, float(drawn.max()))
        share = float((drawn >= mark.value - _ONE_VALUE).mean())
        flat = share >= next(least for rows_below, least in _FLAT if height < rows_below)
        if flat and inside.mean() >= 0.15 and _surroundings(image, mark) < mark.value - contrast:
            marks.append(mark)
    return marks


def _surroundings(image: npt.NDArray[np.float32], mark: _Mark) -> float:
    """What most of the pixels around a mark do not exceed; a neighbouring letter may touch them."""
    around = image[max(mark.top - 2, 0) : mark.bottom + 2, max(mark.left - 2, 0) : mark.right + 2]
    return float(np.quantile(np.concatenate([around[0], around[-1], around[:, 0], around[:, -1]]), 0.7))


def _rows_of(marks: list[_Mark]) -> Iterator[TextRegion]:
    """Chain marks of like height on one line, each near the one before."""
    waiting = sorted(marks, key=lambda mark: (mark.left, mark.top))
    # Among hundreds of spots, as in noise, four stand in a row by chance.
    needed = _LEAST_MARKS + round(np.log2(max(len(marks) / _SPOTS, 1)))
    while waiting:
        chain = [waiting.pop(0)]
        for mark in list(waiting):
            if _follows(chain[-1], mark):
                chain.append(mark)
                waiting.remove(mark)
        line = _on_one_line(chain)
        if len(line) >= needed and 2 * len(line) > len(chain):
            yield TextRegion(
                (min(mark.top for mark in line), max(mark.bottom for mark in line)),
                (min(mark.left for mark in line), max(mark.right for mark in line)),
                len(line),
            )


def _follows(before: _Mark, mark: _Mark) -> bool:
    tall = max(before.height, mark.height)
    apart = mark.left - before.right
    level = min(before.bottom, mark.bottom) - max(before.top, mark.top)
    return -1 <= apart <= 1.2 * tall and level >= 0.6 * tall


def _on_one_line(chain: list[_Mark]) -> list[_Mark]:
    """The marks that end on one line, have the height of letters of one size, and one value."""
    height = float(np.median([mark.height for mark in chain]))
    bottom = float(np.median([mark.bottom for mark in chain]))
    value = float(np.median([mark.value for mark in chain]))
    return [
        mark
        for mark in chain
        if 0.6 * height <= mark.height <= 1.5 * height
        and abs(mark.bottom - bottom) <= max(1.0, 0.12 * height)
        and abs(mark.value - value) <= _ONE_VALUE
    ]


def _without_overlaps(found: list[TextRegion]) -> tuple[TextRegion, ...]:
    kept: list[TextRegion] = []
    for region in sorted(found, key=lambda region: -region.marks):
        if not any(_overlap(region, other) for other in kept):
            kept.append(region)
    return tuple(sorted(kept, key=lambda region: (region.rows, region.columns)))


def _overlap(a: TextRegion, b: TextRegion) -> bool:
    apart = a.rows[1] <= b.rows[0] or b.rows[1] <= a.rows[0]
    return not (apart or a.columns[1] <= b.columns[0] or b.columns[1] <= a.columns[0])
