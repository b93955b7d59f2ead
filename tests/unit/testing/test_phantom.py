from __future__ import annotations

from itertools import product

import nibabel as nib
import numpy as np
import pytest

from medvision.errors import GeometryError
from medvision.testing.phantom import Grid, affine_of, coverage


# An axial slice of a supine patient has rows to the left and columns to the back (PS3.3 C.7.6.2.1.1);
# a coronal one is seen from the front, a sagittal one from the left, both with the head up.
@pytest.mark.parametrize(
    ("orientation", "position", "codes"),
    [
        ("axial", "HFS", "LPS"),
        ("axial", "HFP", "RAS"),
        ("axial", "FFS", "RPI"),
        ("axial", "FFP", "LAI"),
        ("coronal", "HFS", "LIP"),
        ("sagittal", "HFS", "PIR"),
    ],
)
def test_axes_point_where_a_scanner_points_them(orientation, position, codes):
    affine = affine_of((4, 5, 6), (1, 2, 3), orientation=orientation, patient_position=position)
    assert "".join(nib.aff2axcodes(affine)) == codes


def test_every_frame_is_right_handed_orthogonal_and_centred():
    for orientation, position, angle in product(
        ["axial", "coronal", "sagittal"], ["HFS", "HFP", "FFS", "FFP"], [0, 17]
    ):
        affine = affine_of(
            (4, 5, 6),
            (1.0, 2.0, 3.0),
            centre_mm=(10, -20, 30),
            orientation=orientation,
            patient_position=position,
            oblique_deg=angle,
        )
        axes = affine[:3, :3]
        np.testing.assert_allclose(axes.T @ axes, np.diag([1, 4, 9]), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(6)
        np.testing.assert_allclose((affine @ [1.5, 2, 2.5, 1])[:3], [10, -20, 30])


def test_oblique_turns_about_the_right_left_axis_first():
    affine = affine_of((3, 3, 3), (1, 1, 1), oblique_deg=30)
    tilted = np.array([0, -np.sin(np.pi / 6), np.cos(np.pi / 6)])  # what about_x makes of (0, 0, 1)
    turned = [-np.sin(np.pi / 12) * tilted[1], np.cos(np.pi / 12) * tilted[1], tilted[2]]
    np.testing.assert_allclose(affine[:3, 2], turned, atol=1e-12)


@pytest.mark.parametrize("spacing", [(1, 0, 1), (1, 1, -2), (1, 1)])
def test_impossible_spacing_is_refused(spacing):
    with pytest.raises(GeometryError, match="spacing_mm must be three positive numbers"):
        affine_of((2, 2, 2), spacing)


@pytest.mark.parametrize("angle", [0, 25])
def test_coordinates_are_the_affine_applied_to_every_index(angle):
    shape = (3, 4, 5)
    grid = Grid(shape, affine_of(shape, (1.5, 0.5, 2), centre_mm=(7, 8, 9), oblique_deg=angle))
    expected = nib.affines.apply_affine(grid.affine, np.moveaxis(np.indices(shape), 0, -1))
    np.testing.assert_allclose(np.stack(grid.coordinates, axis=-1), expected, atol=1e-5)
    np.testing.assert_allclose(grid.index_of(expected), np.moveaxis(np.indices(shape), 0, -1), atol=1e-9)


def test_straight_axes_cost_one_line_each():
    assert [a.shape for a in Grid((3, 4, 5), affine_of((3, 4, 5), (1, 1, 1))).axes] == [
        (3, 1, 1),
        (1, 4, 1),
        (1, 1, 5),
    ]


@pytest.mark.parametrize("angle", [0, 25])
def test_box_holds_every_voxel_inside(angle):
    shape = (20, 22, 24)
    grid = Grid(shape, affine_of(shape, (1, 1.2, 0.8), oblique_deg=angle))
    low, high = np.array([-4.0, 1.0, -3.0]), np.array([3.0, 6.0, 2.0])
    inside = np.all(
        [(c >= a) & (c <= b) for c, a, b in zip(grid.coordinates, low, high, strict=True)], axis=0
    )
    within = np.zeros(shape, bool)
    within[grid.box(low, high)] = True
    assert inside.any()
    assert within[inside].all()
    assert within.sum() < 0.6 * within.size


def test_box_outside_the_volume_is_empty():
    grid = Grid((5, 5, 5), affine_of((5, 5, 5), (1, 1, 1)))
    assert np.zeros((5, 5, 5))[grid.box((50, 0, 0), (60, 1, 1))].size == 0
    assert np.zeros((5, 5, 5))[grid.box((-60, 0, 0), (-50, 1, 1))].size == 0


def test_coverage_goes_from_full_to_none_over_its_width():
    distances = np.array([-9, -1, -0.5, 0, 0.5, 1, 9], np.float32)
    np.testing.assert_allclose(coverage(distances, 2.0), [1, 1, 0.75, 0.5, 0.25, 0, 0])


def test_table_has_a_row_for_each_lesion(small_ct):
    table = small_ct.table()
    assert len(table) == len(small_ct.lesions) == 1
    assert table["diameter_mm"].iloc[0] == small_ct.lesions[0].diameter_mm
    assert small_ct.spacing_mm == (1.3, 1.1, 2.0)
