from __future__ import annotations

import numpy as np
import pytest

from medvision.testing.anatomy import Body, draw_anatomy, draw_body, draw_vessels
from medvision.testing.phantom import Grid, affine_of

BODY = Body(112, 76, 14, 11, 1.0, -860, 150, 1.0, 0.4)


@pytest.fixture(scope="module")
def chest():
    shape = (90, 70, 30)
    grid = Grid(shape, affine_of(shape, (4.0, 4.0, 4.0)))
    hu, lung = draw_anatomy(grid, BODY, np.random.default_rng(0))
    return grid, hu, lung


def at(grid, array, point):
    return array[tuple(np.rint(grid.index_of(point)).astype(int))]


# Typical CT numbers: textbook ranges for air, lung, fat, soft tissue, enhanced blood and bone.
@pytest.mark.parametrize(
    ("what", "point", "low", "high"),
    [
        ("air around the patient", (170, 0, 0), -1000, -990),
        ("right lung", (70, 10, 0), -950, -780),
        ("left lung", (-80, -20, 10), -950, -780),
        ("descending aorta", (-19, -34, 0), 120, 180),
        ("heart", (-20, 20, -32), 120, 180),
        ("trachea", (2, -12, 44), -1000, -850),
        ("spinal canal", (0, -85, 0), 0, 80),
    ],
)
def test_tissues_have_their_ct_numbers(chest, what, point, low, high):
    grid, hu, _ = chest
    assert low <= at(grid, hu, point) <= high, what


def test_bone_is_in_the_wall_and_the_spine_and_fat_under_the_skin(chest):
    grid, hu, lung = chest
    x, y, _ = grid.coordinates
    assert (hu[(np.abs(x) > 100) & (np.abs(x) < 135)] > 200).any()
    assert (hu[(np.abs(x) < 15) & (y < -55) & (y > -75)] > 150).mean() > 0.5
    assert ((hu > -130) & (hu < -80)).mean() > 0.05
    assert (hu[lung < -6] < -700).all()


def test_lung_is_denser_at_the_back(chest):
    grid, hu, lung = chest
    _, y, _ = grid.coordinates
    inside = lung < -6
    assert hu[inside & (y < -30)].mean() > hu[inside & (y > 30)].mean() + 10


def test_vessels_lie_in_the_lung_of_their_side(chest):
    grid, hu, lung = chest
    with_vessels = hu.copy()
    draw_vessels(with_vessels, lung, grid, BODY, 1, np.random.default_rng(1))
    changed = with_vessels > hu + 100
    assert changed.sum() > 50
    assert (lung[changed] < grid.voxel_mm / 2).all()
    assert (grid.coordinates[0][changed] > 0).mean() > 0.95


def test_bodies_differ_and_follow_the_generator():
    assert draw_body(np.random.default_rng(1)) == draw_body(np.random.default_rng(1))
    assert draw_body(np.random.default_rng(1)) != draw_body(np.random.default_rng(2))
