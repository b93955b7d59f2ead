"""Pieces of surface: their areas against the published tables, their distances against MONAI."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from monai.metrics import compute_surface_dice
from monai.metrics.utils import (
    create_table_neighbour_code_to_contour_length,
    create_table_neighbour_code_to_surface_area,
)

from medvision.evaluation.surfaces import surface_distances


def _cube(code: int, dimensions: int) -> np.ndarray:
    """The voxels of a code, in the bit order of the tables: the first voxel has the highest bit."""
    mask = np.zeros((2,) * dimensions, dtype=bool)
    for place, corner in enumerate(itertools.product((0, 1), repeat=dimensions)):
        mask[corner] = code >> (2**dimensions - 1 - place) & 1
    return mask


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.3, 0.7), (5.0, 0.5, 0.5)])
def test_areas_of_all_256_codes_are_those_of_the_published_table(spacing) -> None:
    """MONAI ships the table of google-deepmind/surface-distance (in float32)."""
    from medvision.evaluation.surfaces import _areas, _corner_codes

    table = np.asarray(create_table_neighbour_code_to_surface_area(spacing)[0])
    for code in range(256):
        middle = _corner_codes(_cube(code, 3))[1, 1, 1]
        assert _areas(spacing)[middle] == pytest.approx(table[code], abs=1e-5)


def test_lengths_of_all_16_codes_are_those_of_the_published_table() -> None:
    from medvision.evaluation.surfaces import _areas, _corner_codes

    table = np.asarray(create_table_neighbour_code_to_contour_length((2.0, 0.7))[0])
    for code in range(16):
        middle = _corner_codes(_cube(code, 2))[1, 1]
        assert _areas((2.0, 0.7))[middle] == pytest.approx(table[code], abs=1e-6)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI's own call
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.8, 0.8)])
@pytest.mark.parametrize("tolerance", [0.5, 1.0, 2.0])
def test_nsd_as_monai_with_subvoxels(spacing, tolerance) -> None:
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(24)] * 3, indexing="ij"))
    reference = np.linalg.norm(grid - 11.5, axis=0) < 7
    prediction = np.linalg.norm(grid - np.array([12.0, 11.0, 10.5])[:, None, None, None], axis=0) < 6.5
    prediction ^= rng.random(prediction.shape) < 0.001
    expected = compute_surface_dice(
        *(torch.from_numpy(mask)[None, None].float() for mask in (prediction, reference)),
        class_thresholds=[tolerance],
        include_background=True,
        spacing=spacing,
        use_subvoxels=True,
    )
    found = surface_distances(reference, prediction, spacing)
    assert found.within(tolerance) == pytest.approx(float(expected), abs=1e-5)


def test_the_surface_of_a_box_is_nearly_that_of_the_box() -> None:
    """A box of 20 x 10 x 10 voxels; only its cut edges and corners are missing."""
    mask = np.zeros((30, 20, 20), dtype=bool)
    mask[5:25, 5:15, 5:15] = True
    found = surface_distances(mask, mask, (2.0, 1.0, 1.0))
    faces = 2 * (40 * 10 + 40 * 10 + 10 * 10)
    assert 0.93 * faces < found.reference_area.sum() < faces


def test_masks_at_the_border_are_closed_there() -> None:
    inside, border = np.zeros((2, 12, 12, 12), dtype=bool)
    inside[4:8, 4:8, 4:8], border[:4, :4, :4] = True, True
    areas = [surface_distances(mask, mask, (1, 1, 1)).reference_area.sum() for mask in (inside, border)]
    assert areas[0] == pytest.approx(areas[1])


def test_distances_are_in_millimetres_along_each_axis() -> None:
    for axis, size in enumerate((3.0, 2.0, 0.5)):
        reference, prediction = np.zeros((2, 9, 9, 9), dtype=bool)
        reference[4, 4, 4] = True
        place = [4, 4, 4]
        place[axis] = 7
        prediction[tuple(place)] = True
        found = surface_distances(reference, prediction, (3.0, 2.0, 0.5))
        assert found.percentile(100) == pytest.approx(3 * size)


def test_the_larger_direction_counts() -> None:
    """A speck far away changes the distances from the prediction only."""
    reference = np.zeros((40, 12, 12), dtype=bool)
    reference[4:8, 4:8, 4:8] = True
    prediction = reference.copy()
    prediction[35, 5, 5] = True
    found, turned = (
        surface_distances(a, b, (1, 1, 1)) for a, b in ((reference, prediction), (prediction, reference))
    )
    assert found.percentile(100) == turned.percentile(100) == pytest.approx(28.0)
    assert found.reference_mm.max() == 0.0


@pytest.mark.parametrize("spacing", [0.1, 0.7, 1.1])
@pytest.mark.parametrize("steps", [3, 6, 7])
def test_a_distance_that_is_the_tolerance_lies_within_it(spacing: float, steps: int) -> None:
    # 3 * 0.1 is 0.30000000000000004 in binary.
    reference, prediction = np.zeros((2, 3, 3, 12), dtype=bool)
    reference[1, 1, 2] = prediction[1, 1, 2 + steps] = True
    found = surface_distances(reference, prediction, (1.0, 1.0, spacing))
    assert found.within(round(steps * spacing, 10)) == 1.0
    assert found.within(round(steps * spacing, 10) - 1e-6) < 1


def test_a_percentile_does_not_change_with_the_sense_of_an_axis() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        masks = np.zeros((2, *rng.integers(3, 12, 2)), dtype=bool)
        for mask in masks:
            (i, k), (j, m) = (sorted(rng.integers(0, size + 1, 2)) for size in mask.shape)
            mask[min(i, len(mask) - 1) : k + 1, min(j, mask.shape[1] - 1) : m + 1] = True
        spacing = tuple(rng.choice([0.5, 0.7, 1.1, 0.35], 2).tolist())
        one = surface_distances(*masks, spacing)
        other = surface_distances(*masks[:, ::-1, ::-1], spacing)
        for percent in (50, 75, 95):
            assert one.percentile(percent) == pytest.approx(other.percentile(percent), abs=1e-9)
