from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medvision.testing.nodules import Look, draw_look, draw_nodule, draw_shape
from medvision.testing.phantom import Grid, affine_of

SMOOTH = Look(0.0, edge_mm=0.5, spicules=0, texture_hu=0.0, solid_fraction=1.0, calcification_hu=0.0)
GRID = Grid((64, 64, 64), affine_of((64, 64, 64), (0.8, 0.8, 0.8)))


def drawn(look, seed=5, diameter=16.0):
    hu, mask = np.full(GRID.shape, -850, np.float32), np.zeros(GRID.shape, np.uint8)
    shape = draw_shape(np.random.default_rng(seed), (0.0, 0.0, 0.0), diameter)
    draw_nodule(hu, mask, GRID, shape, look, 1, seed)
    return hu, mask


@pytest.mark.parametrize("seed", range(6))
def test_lobulation_keeps_the_volume_of_the_sphere(seed):
    _, mask = drawn(SMOOTH, seed)
    assert mask.sum() * 0.8**3 == pytest.approx(np.pi / 6 * 16**3, rel=0.02)


def test_the_look_does_not_change_the_mask():
    _, plain = drawn(SMOOTH)
    _, wild = drawn(Look(1.0, 3.5, 30, 200.0, 0.5, 0.0))
    np.testing.assert_array_equal(plain, wild)


def test_spicules_and_blur_reach_outside_the_mask():
    plain, mask = drawn(SMOOTH)
    spiculated, _ = drawn(replace(SMOOTH, spicules=25))
    outside = mask == 0
    assert (spiculated[outside] > -600).sum() > 5 * (plain[outside] > -600).sum()
    blurred, _ = drawn(replace(SMOOTH, edge_mm=4.0))
    assert (np.abs(blurred + 500) < 150).sum() > 2 * (np.abs(plain + 500) < 150).sum()


def test_texture_core_and_calcium_are_what_the_look_says():
    plain, mask = drawn(SMOOTH)
    inner = mask.astype(bool) & (np.sqrt(sum(c * c for c in GRID.coordinates)) < 4)
    assert plain[inner].std() < 1
    uneven, _ = drawn(replace(SMOOTH, texture_hu=120.0))
    assert 60 < uneven[inner].std() < 200
    calcified, _ = drawn(replace(SMOOTH, calcification_hu=500.0))
    assert calcified[32, 32, 32] - plain[32, 32, 32] == pytest.approx(500, abs=1)
    part_solid, _ = drawn(replace(SMOOTH, solid_fraction=0.5))
    rim = mask.astype(bool) & (np.sqrt(sum(c * c for c in GRID.coordinates)) > 5.5)
    assert np.median(part_solid[rim]) < -350
    assert np.median(plain[rim]) > -250


def test_looks_overlap_but_differ():
    random = np.random.default_rng(0)
    looks = {label: [draw_look(random, label, 0.5) for _ in range(300)] for label in ("benign", "malignant")}
    for feature in ("suspicion", "edge_mm", "spicules", "texture_hu"):
        benign, malignant = (np.array([getattr(x, feature) for x in looks[one]]) for one in looks)
        assert np.median(malignant) > np.quantile(benign, 0.85)
        assert malignant.min() < benign.max()
    assert sum(x.calcification_hu > 0 for x in looks["benign"]) > 100
    assert sum(x.calcification_hu > 0 for x in looks["malignant"]) < 20


def test_without_separation_the_labels_look_alike():
    benign = [draw_look(np.random.default_rng(n), "benign", 0.0) for n in range(20)]
    malignant = [draw_look(np.random.default_rng(n), "malignant", 0.0) for n in range(20)]
    assert benign == malignant
