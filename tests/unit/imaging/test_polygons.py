"""The rasteriser against Matplotlib's, an exact one in fractions, and shapes of known area."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Outline

from medvision.imaging.polygons import fill_polygons

SHAPE = (13, 11)


def exactly_inside(polygons: list[np.ndarray], i: int, j: int) -> bool | None:
    """Even-odd by a ray in exact arithmetic, a rule of its own: the ray runs along j; None on an outline."""
    crossings = 0
    for polygon in polygons:
        corners = [(Fraction(float(x)), Fraction(float(y))) for x, y in polygon]
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            across = (x1 - x0) * (j - y0) - (y1 - y0) * (i - x0)
            between = min(x0, x1) <= i <= max(x0, x1) and min(y0, y1) <= j <= max(y0, y1)
            if across == 0 and between:
                return None
            if (x0 > i) != (x1 > i) and y0 + (i - x0) * (y1 - y0) / (x1 - x0) > j:
                crossings += 1
    return crossings % 2 == 1


def corners(step: int) -> st.SearchStrategy[np.ndarray]:
    point = st.tuples(*(st.integers(-2 * step, (n + 1) * step) for n in SHAPE))
    return st.lists(point, min_size=3, max_size=9).map(lambda found: np.array(found, float) / step)


@given(st.lists(corners(7), min_size=1, max_size=4))
def test_equals_an_exact_even_odd_rule_wherever_a_centre_is_not_on_an_outline(polygons) -> None:
    filled = fill_polygons(polygons, SHAPE)
    for i, j in np.ndindex(SHAPE):
        expected = exactly_inside(polygons, i, j)
        assert expected is None or filled[i, j] == expected


@given(st.integers(3, 40), st.floats(0.5, 5), st.tuples(st.floats(2, 10), st.floats(2, 8)))
def test_equals_matplotlib_on_regular_polygons(count, radius, centre) -> None:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + 0.1234
    polygon = np.array(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pixels = np.indices(SHAPE).reshape(2, -1).T
    expected = Outline(np.vstack([polygon, polygon[:1]]), closed=True).contains_points(pixels)
    assert np.array_equal(fill_polygons([polygon], SHAPE).ravel(), expected)


@given(corners(1), st.integers(0, 3))
def test_turning_round_and_starting_elsewhere_changes_nothing(polygon, start) -> None:
    filled = fill_polygons([polygon], SHAPE)
    assert np.array_equal(fill_polygons([np.roll(polygon, start, axis=0)], SHAPE), filled)
    assert np.array_equal(fill_polygons([polygon[::-1]], SHAPE), filled)


@given(corners(3))
def test_cut_along_a_diagonal_the_parts_share_no_pixel_and_leave_none_out(polygon) -> None:
    whole, cut = fill_polygons([polygon], SHAPE), len(polygon) // 2
    first, second = polygon[: cut + 1], np.vstack([polygon[cut:], polygon[:1]])
    # By even-odd the two parts differ exactly where the whole is, also where corners lie on centres.
    assert np.array_equal(fill_polygons([first], SHAPE) ^ fill_polygons([second], SHAPE), whole)


def test_neighbours_share_no_pixel() -> None:
    left = np.array([[0, 0], [5, 0], [3, 8], [0, 8]], float)
    right = np.array([[5, 0], [12, 0], [12, 8], [3, 8]], float)
    both = [fill_polygons([one], SHAPE).astype(int) for one in (left, right)]
    whole = np.zeros(SHAPE, int)
    whole[:12, :8] = 1
    assert np.array_equal(both[0] + both[1], whole)


def test_half_open_by_hand() -> None:
    square = np.array([[1, 1], [4, 1], [4, 3], [1, 3]], float)
    expected = np.zeros((6, 6), bool)
    expected[1:4, 1:3] = True
    assert np.array_equal(fill_polygons([square], (6, 6)), expected)


def test_a_keyhole_and_an_inner_contour_give_one_hole() -> None:
    outer = np.array([[0.5, 0.5], [9.5, 0.5], [9.5, 9.5], [0.5, 9.5]])
    inner = np.array([[3.5, 3.5], [6.5, 3.5], [6.5, 6.5], [3.5, 6.5]])
    keyhole = np.vstack([outer, outer[:1], inner[::-1][-1:], inner[::-1], outer[:1]])
    ring = fill_polygons([outer, inner], (11, 11))
    assert ring.sum() == 81 - 9
    assert np.array_equal(fill_polygons([keyhole], (11, 11)), ring)


def test_nothing_beyond_the_grid_and_nothing_of_lines_and_points() -> None:
    wide = np.array([[-50, -50], [50, -50], [50, 50], [-50, 50]], float)
    assert fill_polygons([wide], SHAPE).all()
    assert not fill_polygons([wide + 200], SHAPE).any()
    assert not fill_polygons([np.array([[2.0, 3]]), np.array([[2.0, 3], [7, 8]])], SHAPE).any()
    assert not fill_polygons([], SHAPE).any()


@pytest.mark.parametrize("radius", [20.0, 35.5, 60.25])
def test_the_area_of_a_disc(radius) -> None:
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    disc = 70.3 + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # Gauss' circle problem: the count differs by less than 2 sqrt(2) pi r, in practice far less.
    assert fill_polygons([disc], (141, 141)).sum() == pytest.approx(np.pi * radius**2, rel=0.005)
