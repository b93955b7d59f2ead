"""Find near-duplicates: the same scan flipped, cropped, resampled, windowed or stored with other values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medvision.imaging.alignment import similarity
from medvision.imaging.candidates import Candidate, Search
from medvision.imaging.perceptual import Picture

LEAST, MOST = 0.75, 0.95
"""Between these lies the similarity from which a pair counts as a near-duplicate."""

_DEVIATIONS = 6.5
_FEW_PAIRS, _WITHOUT_PAIRS = 40, 0.9


@dataclass(frozen=True)
class Lookalike:
    """Two cases that show the same.

    Attributes:
        first: Place of one case, the smaller number.
        second: Place of the other.
        similarity: Correlation of their fine detail after alignment, up to 1.
        flip: Axes (of the canonical orientation) along which one is mirrored against the other.
        threshold: The similarity from which these two count as near-duplicates.
    """

    first: int
    second: int
    similarity: float
    flip: tuple[bool, bool, bool]
    threshold: float = _WITHOUT_PAIRS


@dataclass(frozen=True)
class Lookalikes:
    """What a search among the cases of a cohort found.

    Attributes:
        pairs: Near-duplicates, the most similar first.
        threshold: The median, over the compared pairs, of the similarity from which a pair counts.
        compared: Pairs that were aligned and compared, of all there are.
    """

    pairs: tuple[Lookalike, ...]
    threshold: float
    compared: int


def find_lookalikes(
    pictures: Sequence[Picture],
    *,
    threads: int = 2,
    progress: Callable[[int], None] | None = None,
) -> Lookalikes:
    """Find near-duplicates among cases by their pictures.

    Found are copies with other grey values (window, monotone curve, clipping, 8 bits, mild noise), mirrored
    along any axes, cropped by up to 15% on each side, and resampled, whatever the header says of the
    voxel size; and all of these together. Not found are permuted axes without a header that says so, free
    rotations, larger crops, single slices of a volume, and grey values that are inverted.

    Args:
        pictures: From :func:`~medvision.imaging.perceptual.picture`, in one canonical orientation.
        threads: How many pictures are compared at a time.
        progress: Called with the number of cases that are done.

    Returns:
        The pairs, and from which similarity on they count. In most cohorts different patients are alike to
        some degree, crops of one organ more than others. So a pair must lie above what the two cases have
        with their other candidates: above the median of the more alike one by 6.5 robust standard
        deviations of all compared pairs from such medians (on Fisher's z scale), but not below 0.75 nor above
        0.95; 0.9 where fewer than 40 pairs were compared.

    Example:
        >>> from medvision.imaging.perceptual import picture
        >>> volumes = [np.random.default_rng(seed).random((12, 12, 12)) for seed in range(6)]
        >>> volumes.append(volumes[2][::-1, 1:, :-1] ** 2)
        >>> found = find_lookalikes([picture(volume) for volume in volumes])
        >>> [(pair.first, pair.second, pair.flip) for pair in found.pairs]
        [(2, 6, (True, False, False))]
    """
    if len(pictures) < 2:
        return Lookalikes((), _WITHOUT_PAIRS, 0)
    stacked = _stacked(pictures)
    search = Search(stacked)

    def work(second: int) -> list[tuple[Candidate, float]]:
        return [
            (each, similarity(stacked[each.first], stacked[second], each))
            for each in search.candidates(second)
        ]

    best: dict[tuple[int, int], Lookalike] = {}
    with ThreadPoolExecutor(threads) as pool:
        for done, compared in enumerate(pool.map(work, range(len(stacked))), start=1):
            for each, value in compared:
                pair = (min(each.first, each.second), max(each.first, each.second))
                if pair not in best or value > best[pair].similarity:
                    best[pair] = Lookalike(*pair, value, each.flip)
            if progress is not None:
                progress(done)
    aligned = list(best.values())
    thresholds = _thresholds(aligned)
    found = [
        replace(pair, threshold=float(needed))
        for pair, needed in zip(aligned, thresholds, strict=True)
        if pair.similarity >= needed
    ]
    found.sort(key=lambda pair: (-pair.similarity, pair.first, pair.second))
    middle = float(np.median(thresholds)) if aligned else _WITHOUT_PAIRS
    return Lookalikes(tuple(found), middle, len(aligned))


def _stacked(pictures: Sequence[Picture]) -> npt.NDArray[np.uint8]:
    """All pictures in one array; a picture of one slice is repeated where others have several."""
    shape = tuple(max(sides) for sides in zip(*(each.shape for each in pictures), strict=True))
    return np.stack([np.broadcast_to(each, shape) for each in pictures])


def _thresholds(pairs: Sequence[Lookalike]) -> npt.NDArray[np.float64]:
    """The similarity from which each pair counts."""
    if len(pairs) < _FEW_PAIRS:
        return np.full(len(pairs), _WITHOUT_PAIRS)
    scores = np.arctanh(np.clip([pair.similarity for pair in pairs], -0.999, 0.999))
    of_case: dict[int, list[float]] = defaultdict(list)
    for pair, score in zip(pairs, scores, strict=True):
        of_case[pair.first].append(score)
        of_case[pair.second].append(score)
    usual = {case: float(np.median(each)) for case, each in of_case.items()}
    expected = np.array([max(usual[pair.first], usual[pair.second]) for pair in pairs])
    beyond = scores - expected
    middle = np.median(beyond)
    deviation = np.median(np.abs(beyond - middle)) / 0.6745
    needed = np.tanh(expected + middle + _DEVIATIONS * deviation)
    return np.asarray(needed.clip(LEAST, MOST), dtype=np.float64)
