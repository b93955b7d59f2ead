from __future__ import annotations

import numpy as np
import pytest

from medvision.testing.fields import correlated_noise, draw_strand, smooth_field
from medvision.testing.phantom import Grid, affine_of


def correlation(field, lag):
    return float(np.corrcoef(field[:-lag].ravel(), field[lag:].ravel())[0, 1])


def test_smooth_field_is_standardised_and_follows_the_generator():
    field = smooth_field(np.random.default_rng(1), (40, 40, 20), (1, 1, 2), 6.0)
    assert field.shape == (40, 40, 20)
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-3)
    again = smooth_field(np.random.default_rng(1), (40, 40, 20), (1, 1, 2), 6.0)
    np.testing.assert_array_equal(field, again)


def test_smooth_field_scale_is_in_millimetres():
    narrow = smooth_field(np.random.default_rng(2), (64, 64, 8), (1, 1, 1), 4.0)
    wide = smooth_field(np.random.default_rng(2), (64, 64, 8), (1, 1, 1), 12.0)
    coarse = smooth_field(np.random.default_rng(2), (64, 64, 8), (3, 3, 3), 12.0)
    assert correlation(narrow, 6) < 0.2 < 0.5 < correlation(wide, 3)
    # Three times the spacing and three times the scale: the same field in voxels.
    assert correlation(coarse, 2) == pytest.approx(correlation(narrow, 2), abs=0.12)


def test_noise_has_unit_spread_and_is_correlated_in_the_slice_only():
    noise = correlated_noise(np.random.default_rng(3), (64, 64, 16), 0.6)
    assert noise.std() == pytest.approx(1, abs=1e-3)
    assert correlation(noise, 1) > 0.2
    assert abs(correlation(np.moveaxis(noise, 2, 0), 1)) < 0.03


def test_a_strand_has_the_volume_of_its_cylinder():
    grid = Grid((60, 60, 60), affine_of((60, 60, 60), (0.5, 0.5, 0.5)))
    canvas = np.zeros(grid.shape, np.float32)
    draw_strand(canvas, grid, (-8, -2, 1), (8, 3, 0), (2.0, 2.0))
    length = np.sqrt(16**2 + 5**2 + 1)
    capsule = np.pi * 4 * length + 4 / 3 * np.pi * 8
    assert canvas.sum() * 0.5**3 == pytest.approx(capsule, rel=0.03)
    assert canvas.max() == 1


def test_a_strand_thinner_than_a_voxel_fades():
    grid = Grid((20, 20, 20), affine_of((20, 20, 20), (1, 1, 1)))
    thin, thick = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    draw_strand(thin, grid, (-6, 0, 0), (6, 0, 0), (0.2, 0.2))
    draw_strand(thick, grid, (-6, 0, 0), (6, 0, 0), (0.6, 0.6))
    assert 0 < thin.max() < 0.3 < thick.max()


def test_a_strand_outside_the_volume_changes_nothing():
    grid = Grid((8, 8, 8), affine_of((8, 8, 8), (1, 1, 1)))
    canvas = np.zeros(grid.shape, np.float32)
    draw_strand(canvas, grid, (50, 0, 0), (60, 0, 0), (2, 1))
    assert not canvas.any()
