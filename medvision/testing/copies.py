"""Copies of a scan as people make them, to test whether they are found again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import CohortError
from medvision.wording import did_you_mean

Array = npt.NDArray[Any]
Change = Callable[[Array, np.random.Generator], Array]


def changed_copy(array: Array, changes: Sequence[str], seed: int) -> Array:
    """Return a copy of a volume after some changes, one after the other.

    Args:
        array: Voxels (i, j, k).
        changes: Names in `CHANGES`: `flip` (one to three axes), `crop` (up to 15% on each side), `resample`
            (voxels 0.7 to 1.5 times as long), `window` (cut at a low and a high percentile), `gamma` (a
            power of 0.5 to 2), `eight_bits`, `noise` (Gaussian, 3% of the range), `repeated` (nothing).
        seed: Decides everything.

    Raises:
        CohortError: There is no such change.

    Example:
        >>> changed_copy(np.arange(8.0).reshape(2, 2, 2), ["eight_bits"], seed=0).ravel().tolist()
        [0.0, 36.0, 73.0, 109.0, 146.0, 182.0, 219.0, 255.0]
    """
    unknown = [name for name in changes if name not in CHANGES]
    if unknown:
        raise CohortError(f"there is no change {unknown[0]!r}{did_you_mean(unknown[0], CHANGES)}")
    random = np.random.default_rng(seed)
    for name in changes:
        array = CHANGES[name](array, random)
    return array


def _flip(array: Array, random: np.random.Generator) -> Array:
    axes = [axis for axis in range(3) if array.shape[axis] > 1]
    chosen = random.choice(axes, size=random.integers(1, len(axes) + 1), replace=False)
    return np.flip(array, tuple(int(axis) for axis in chosen))


def _crop(array: Array, random: np.random.Generator) -> Array:
    kept = []
    for side in array.shape:
        lower, upper = (int(random.uniform(0, 0.15) * side) for _ in range(2))
        kept.append(slice(lower, side - upper))
    return array[tuple(kept)]


def _resample(array: Array, random: np.random.Generator) -> Array:
    from scipy.ndimage import zoom

    factors = [1 / random.uniform(0.7, 1.5) if side > 1 else 1.0 for side in array.shape]
    return np.asarray(zoom(array.astype(np.float64), factors, order=1, mode="nearest", grid_mode=True))


def _window(array: Array, random: np.random.Generator) -> Array:
    low, high = np.percentile(array, [random.uniform(1, 10), random.uniform(90, 99)])
    return array.clip(low, high if high > low else low + 1)


def _gamma(array: Array, random: np.random.Generator) -> Array:
    low, high = float(array.min()), float(array.max())
    return np.asarray(((array - low) / max(high - low, 1e-9)) ** random.uniform(0.5, 2) * 1000)


def _eight_bits(array: Array, random: np.random.Generator) -> Array:
    low, high = np.percentile(array, [0.5, 99.5])
    if array.size < 200 or not high > low:
        low, high = array.min(), array.max()
    return np.asarray(np.round(((array - low) / max(high - low, 1e-9)).clip(0, 1) * 255))


def _noise(array: Array, random: np.random.Generator) -> Array:
    low, high = np.percentile(array, [1, 99])
    return np.asarray(array + random.normal(0, 0.03 * (high - low), array.shape))


def _repeated(array: Array, random: np.random.Generator) -> Array:
    return array.copy()


CHANGES: dict[str, Change] = {
    "flip": _flip,
    "crop": _crop,
    "resample": _resample,
    "window": _window,
    "gamma": _gamma,
    "eight_bits": _eight_bits,
    "noise": _noise,
    "repeated": _repeated,
}
"""What may be done to a copy, by name."""
