"""Hypothesis strategies for what imaging and evaluation take: geometries, volumes, labelled scores.

Needs `hypothesis`, which the package itself does not: ``pip install hypothesis``.

Example:
    >>> from hypothesis import given
    >>> from medvision.testing.strategies import labelled_scores
    >>> @given(labelled_scores())
    ... def test_auc_lies_between_0_and_1(drawn): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from medvision.testing.phantom import Orientation, PatientPosition, Point, affine_of


@dataclass(frozen=True, eq=False)
class DrawnGeometry:
    """A shape (i, j, k) and an affine from index to RAS+ millimetres."""

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DrawnScores:
    """Cases of a diagnostic study: labels 0 and 1 (both occur), scores, and who each case belongs to."""

    labels: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    patient_ids: npt.NDArray[np.str_]


def shapes(low: int = 2, high: int = 9) -> st.SearchStrategy[tuple[int, int, int]]:
    """Numbers of voxels along i, j and k."""
    return st.tuples(*[st.integers(low, high)] * 3)


def spacings(low: float = 0.3, high: float = 6.0) -> st.SearchStrategy[Point]:
    """Distances of voxel centres in millimetres, with three decimals as scanners give them."""
    one = st.integers(round(low * 1000), round(high * 1000)).map(lambda thousandths: thousandths / 1000)
    return st.tuples(one, one, one)


@st.composite
def geometries(
    draw: st.DrawFn, *, low: int = 2, high: int = 9, right_handed: bool = True, oblique: bool = True
) -> DrawnGeometry:
    """Scans in any orientation and patient position, somewhere within half a metre of the origin.

    Args:
        draw: Given by hypothesis.
        low: Smallest number of voxels along an axis.
        high: Largest.
        right_handed: Only frames as DICOM series have them; otherwise also with flipped and swapped axes.
        oblique: Also turned frames.
    """
    shape, coordinate = draw(shapes(low, high)), st.integers(-5000, 5000)
    i, j, k = (draw(coordinate) / 10 for _ in range(3))
    affine = affine_of(
        shape,
        draw(spacings()),
        centre_mm=(i, j, k),
        orientation=draw(st.sampled_from(get_args(Orientation))),
        patient_position=draw(st.sampled_from(get_args(PatientPosition))),
        oblique_deg=draw(st.integers(-40, 40)) if oblique else 0.0,
    )
    if right_handed:
        return DrawnGeometry(shape, affine)
    return _rearranged(shape, affine, draw(st.permutations(range(3))), draw(st.tuples(*[st.booleans()] * 3)))


def _rearranged(
    shape: tuple[int, int, int], affine: npt.NDArray[np.float64], order: list[int], flips: tuple[bool, ...]
) -> DrawnGeometry:
    """The same place in space under an index whose axes are swapped and flipped."""
    index = np.zeros((4, 4))
    index[3, 3] = 1
    for new, (old, flip) in enumerate(zip(order, flips, strict=True)):
        index[old, new] = -1 if flip else 1
        index[old, 3] = shape[old] - 1 if flip else 0
    i, j, k = (shape[old] for old in order)
    return DrawnGeometry((i, j, k), affine @ index + 0.0)


@st.composite
def volumes(
    draw: st.DrawFn, *, low: int = 2, high: int = 9, right_handed: bool = True
) -> tuple[npt.NDArray[np.int16], DrawnGeometry]:
    """An int16 array of CT numbers with its geometry; a voxel hardly ever equals its neighbours."""
    geometry = draw(geometries(low=low, high=high, right_handed=right_handed))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random.integers(-1024, 3072, geometry.shape).astype(np.int16), geometry


@st.composite
def masks(draw: st.DrawFn, *, low: int = 3, high: int = 9, labels: int = 1) -> npt.NDArray[np.uint8]:
    """Blobs with values from 0 to ``labels``; empty and full ones occur."""
    shape = draw(shapes(low, high))
    # Chance alone would hardly ever fill the whole volume, and that is where surface distances go wrong.
    start = draw(st.sampled_from([0, 0, 0, labels]))
    mask = np.full(shape, start, np.uint8)
    for value in range(1, labels + 1):
        if draw(st.integers(0, 3)) == 0:
            continue
        corners = [sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for n in shape]
        mask[tuple(slice(start, stop) for start, stop in corners)] = value
    return mask


@st.composite
def labelled_scores(
    draw: st.DrawFn, *, low: int = 4, high: int = 60, ties: bool = True, clustered: bool = False
) -> DrawnScores:
    """Labels of which both occur, and scores between 0 and 1.

    Args:
        draw: Given by hypothesis.
        low: Fewest cases, at least 2.
        high: Most cases.
        ties: Scores often equal each other, as ratings do; otherwise all differ.
        clustered: Several cases of one patient; otherwise one each.
    """
    count = draw(st.integers(low, high))
    labels = draw(st.lists(st.integers(0, 1), min_size=count - 2, max_size=count - 2))
    place = draw(st.integers(0, count - 2))
    labels[place:place] = draw(st.sampled_from([[0, 1], [1, 0]]))
    steps = draw(st.sampled_from([2, 5, 10])) if ties else 10**6
    levels = st.lists(st.integers(0, steps), min_size=count, max_size=count, unique=not ties)
    patients = (
        [draw(st.integers(1, max(2, count // 2))) for _ in labels] if clustered else range(1, count + 1)
    )
    return DrawnScores(
        labels=np.array(labels, np.int64),
        scores=np.array(draw(levels), float) / steps,
        patient_ids=np.array([f"P{n:03d}" for n in patients]),
    )
