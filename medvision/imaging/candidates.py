"""Which scans may be copies of one another: a search over flips and crops that costs little a pair.

The middle 60% of every picture, as its lowest cosine waves, is compared with windows of every other picture:
one window for each way in which up to 15% a side may have been cut off. A flip only changes signs of
waves. Few windows choose a pool for each picture, all windows choose its candidates in the pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from medvision.imaging.perceptual import Floats, Picture, apply_axes, linear

FLIPS: tuple[tuple[bool, bool, bool], ...] = tuple(product((False, True), (False, True), (False, True)))
LARGEST_CROP = 0.15
"""The largest part that may have been cut off on each side."""

_SIDES = (0.0, LARGEST_CROP / 2, LARGEST_CROP)
_CROPS = tuple(product(_SIDES, _SIDES))
_FEW = (0, 2, 4, 6, 8)  # nothing, one side, both sides a little, the other side, both sides
_MIDDLE = (0.2, 0.8)
_WAVES, _POINTS = 5, 12
_POOL, _KEPT = 64, 8
_LEAST = 0.7


@dataclass(frozen=True)
class Candidate:
    """Two pictures of which the second may be a flipped and cropped copy of the first.

    Attributes:
        first: Place of the first picture.
        second: Place of the second.
        likeness: Correlation of the middle of the first with a window of the second.
        flip: Axes along which the first is mirrored.
        crops: What was cut off at the lower and upper end of each axis of the (mirrored) first, as parts
            of its extent.
    """

    first: int
    second: int
    likeness: float
    flip: tuple[bool, bool, bool]
    crops: tuple[tuple[float, float], ...]


class Search:
    """The middles of all pictures, ready to be looked for in windows of each.

    Args:
        pictures: Shape (cases, i, j, k), from :func:`~medvision.imaging.perceptual.picture`.
    """

    def __init__(self, pictures: npt.NDArray[np.uint8]) -> None:
        self.pictures = pictures
        middles = np.stack([_windows(each, (0,))[0] for each in pictures])
        signs = _flip_signs(pictures.shape[1:])
        self._middles = middles[:, None, :] * signs  # (cases, flips, waves)
        self._flat = np.ascontiguousarray(self._middles.reshape(-1, middles.shape[1]).T)

    def candidates(self, second: int) -> list[Candidate]:
        """The pictures of which picture ``second`` most likely is a copy, the likeliest first."""
        cases, flips, _ = self._middles.shape
        scores = (_windows(self.pictures[second], _FEW) @ self._flat).max(axis=0)
        best = scores.reshape(cases, flips).max(axis=1)
        best[second] = -np.inf
        size = min(_POOL, cases - 1)
        pool = np.sort(np.argpartition(-best, size - 1)[:size])
        full = _windows(self.pictures[second]) @ self._middles[pool].reshape(size * flips, -1).T
        by_flip = full.max(axis=0).reshape(size, flips)
        order = np.argsort(-by_flip.max(axis=1), kind="stable")[:_KEPT]
        chosen = [(int(place), int(by_flip[place].argmax())) for place in order]
        return [
            Candidate(
                int(pool[place]),
                second,
                float(by_flip[place, flip]),
                FLIPS[flip],
                _crops(int(full[:, place * flips + flip].argmax()), self.pictures.shape[1:]),
            )
            for place, flip in chosen
            if by_flip[place, flip] >= _LEAST
        ]


def _windows(small: Picture, which: tuple[int, ...] | None = None) -> Floats:
    """Waves of windows of a picture, each of length 1, shape (windows, waves); the mean is left out."""
    axes = [_axis_windows(n, which) for n in small.shape]
    stacked = apply_axes(small.astype(np.float32), [m.reshape(-1, m.shape[-1]) for m in axes])
    (a, b, c), (u, v, w) = zip(*[m.shape[:2] for m in axes], strict=True)
    waves = stacked.reshape(a, u, b, v, c, w).transpose(0, 2, 4, 1, 3, 5).reshape(a * b * c, -1)[:, 1:]
    lengths = np.linalg.norm(waves, axis=1, keepdims=True)
    # Rounding noise of an empty picture is no pattern: grey values are whole numbers.
    return np.asarray(np.where(lengths > 1e-2, waves / np.maximum(lengths, 1e-2), 0), dtype=np.float32)


@cache
def _axis_windows(n: int, which: tuple[int, ...] | None) -> Floats:
    """Matrices from the cells of an axis to the waves of each window, shape (windows, waves, n)."""
    if n == 1:
        return np.ones((1, 1, 1), dtype=np.float32)
    crops = _CROPS if which is None else [_CROPS[place] for place in which]
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    waves = np.cos(np.pi * np.arange(_WAVES)[:, None] * steps)
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    windows = []
    for lower, upper in crops:
        start, stop = ((end - lower) / (1 - lower - upper) for end in _MIDDLE)
        windows.append(waves @ linear(start + steps * (stop - start), n))
    return np.asarray(windows, dtype=np.float32)


def _flip_signs(shape: tuple[int, ...]) -> Floats:
    """What each flip does to each wave, shape (flips, waves)."""
    signs = []
    for flip in FLIPS:
        x, y, z = (
            (-1.0) ** (np.arange(_WAVES if n > 1 else 1) * mirrored)
            for mirrored, n in zip(flip, shape, strict=True)
        )
        signs.append((x[:, None, None] * y[:, None] * z).ravel()[1:])
    return np.asarray(signs, dtype=np.float32)


def _crops(window: int, shape: tuple[int, ...]) -> tuple[tuple[float, float], ...]:
    places = np.unravel_index(window, [len(_CROPS) if n > 1 else 1 for n in shape])
    return tuple(_CROPS[int(place)] for place in places)
