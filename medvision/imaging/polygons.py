"""Fill polygons on a grid of pixels, by the even-odd rule at pixel centres.

Libraries that draw polygons (Pillow, OpenCV) also paint the pixels that an outline touches, which makes
every structure about half a pixel larger all round; here a pixel belongs where its centre is inside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medvision.imaging.geometry import FloatArray

BoolArray = npt.NDArray[np.bool_]


def fill_polygons(polygons: Sequence[FloatArray], shape: tuple[int, int]) -> BoolArray:
    """Mark the pixels whose centre lies inside an odd number of closed polygons.

    A polygon inside another one is a hole; the edges of a keyhole, there and back, cancel out. A centre
    exactly on an outline belongs to the side of the larger index, so that two structures that share an
    outline share no pixel and leave none out.

    Args:
        polygons: Corners in pixel indices, (n, 2) each; whole numbers are pixel centres. The last corner
            is joined to the first.
        shape: Number of pixels along the two axes.

    Returns:
        Boolean, of ``shape``.

    Example:
        >>> square = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5]])
        >>> fill_polygons([square, square / 3 + 1.3], (5, 5)).astype(int).tolist()[2]
        [0, 1, 0, 1, 0]
    """
    edges = [np.stack([one, np.roll(one, -1, axis=0)], axis=1) for one in polygons]
    pixels, lines = _crossings(np.concatenate([np.empty((0, 2, 2)), *edges]), shape)
    # Going up along the first axis, every edge that is passed changes inside to outside and back.
    passed = np.bincount(pixels * shape[1] + lines, minlength=(shape[0] + 1) * shape[1]) % 2
    passed = passed.reshape(shape[0] + 1, shape[1])[:-1].astype(np.bool_)
    inside: BoolArray = np.logical_xor.accumulate(passed, axis=0)
    return inside


def _crossings(edges: FloatArray, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], ...]:
    """The first pixel at or behind each edge, (m, 2, 2), in every line that it crosses; and the line."""
    falling = edges[:, 0, 1] > edges[:, 1, 1]
    edges[falling] = edges[falling][:, ::-1]  # one direction: an edge there and back gives one result
    first = np.clip(np.ceil(edges[:, 0, 1]), 0, shape[1]).astype(np.int64)
    stop = np.clip(np.ceil(edges[:, 1, 1]), 0, shape[1]).astype(np.int64)
    counts = stop - first
    which = np.repeat(np.arange(len(edges)), counts)
    lines = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[which]
    (x0, y0), (x1, y1) = edges[which].transpose(1, 2, 0)
    crossings = x0 + (lines - y0) * ((x1 - x0) / (y1 - y0))
    return np.clip(np.ceil(crossings), 0, shape[0]).astype(np.int64), lines
