from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.errors import GeometryError
from medvision.imaging import Geometry, Volume, reorient
from medvision.imaging.placing import place, plane_distance_mm
from medvision.testing.strategies import volumes

IMAGE = Geometry((6, 7, 8), np.array([[-0.5, 0, 0, 9], [0, -0.5, 0, 9], [0, 0, 2, -3], [0, 0, 0, 1]]))


def at(mask: Geometry, **options):
    return place(mask, IMAGE, **{"tolerance_mm": 0.01, "source_name": "m.nii", **options})


@given(volumes(right_handed=False), st.data())
def test_a_box_of_an_image_in_any_orientation_comes_back_to_its_place(drawn, data) -> None:
    array, geometry = drawn
    image = Volume(array, Geometry(geometry.shape, geometry.affine))
    starts = [data.draw(st.integers(0, n - 1)) for n in image.shape]
    stops = [data.draw(st.integers(a + 1, n)) for a, n in zip(starts, image.shape, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))
    affine = np.array(image.affine)
    affine[:3, 3] = image.geometry.index_to_mm(starts)
    i, j, k = (b - a for a, b in zip(starts, stops, strict=True))
    part = Volume(array[box], Geometry((i, j, k), affine))
    codes = data.draw(st.sampled_from(["RAS", "LPS", "SRA", "ILP", "AIR"]))
    turned = reorient(part, codes)
    found = place(turned.geometry, image.geometry, tolerance_mm=1e-3, source_name="")
    assert found.box == box
    assert np.array_equal(found.turn(turned.array), array[box])


@pytest.mark.parametrize(
    ("shift", "told"),
    [
        ((0.25, 0, 0), r"shifted by 0.25 mm \(0.50 voxel\) along i "),
        ((0, 0, 1.0), r"shifted by 1 mm \(0.50 voxel\) along k "),
        ((0, 0.1, -0.5), r"0.1 mm \(0.20 voxel\) along j and 0.5 mm \(0.25 voxel\) along k"),
    ],
)
def test_part_of_a_voxel_is_refused_with_axis_and_mm(shift, told) -> None:
    affine = np.array(IMAGE.affine)
    affine[:3, 3] += shift
    with pytest.raises(GeometryError, match=told):
        at(Geometry(IMAGE.shape, affine))


def test_another_spacing_and_direction_are_refused() -> None:
    finer = Geometry((6, 7, 8), IMAGE.affine @ np.diag([1, 1, 0.5, 1]))
    with pytest.raises(GeometryError, match=r"m.nii has voxels of 0.50×0.50×1.00 mm where the image has"):
        at(finer)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    with pytest.raises(GeometryError, match=r"turned against the image by 5.7°"):
        at(Geometry(IMAGE.shape, turn @ IMAGE.affine))
    drift = IMAGE.affine @ np.diag([1.005, 1, 1, 1])
    with pytest.raises(GeometryError, match=r"drifts .* \(up to 0.0125 mm\)"):
        at(Geometry(IMAGE.shape, drift))


def test_outside_in_whole_or_in_part_is_refused_in_mm() -> None:
    def moved(i, j, k):
        affine = np.array(IMAGE.affine)
        affine[:3, 3] = IMAGE.index_to_mm([i, j, k])
        return Geometry((6, 7, 8), affine)

    with pytest.raises(
        GeometryError, match=r"reaches outside the image by 1 voxels \(0.5 mm\) along i and 3 v"
    ):
        at(moved(1, 0, -3))
    with pytest.raises(GeometryError, match=r"lies outside the image, 6.0 mm beyond its last voxel along k"):
        at(moved(0, 0, 10))
    with pytest.raises(GeometryError, match=r"lies outside the image, 2.0 mm beyond"):
        at(moved(0, 0, -8))


def test_the_distance_of_sheared_planes_is_along_their_normal() -> None:
    sheared = np.array(IMAGE.affine)
    sheared[:3, 2] = [0, 1.5, 2.0]
    assert Geometry(IMAGE.shape, sheared).spacing_mm[2] == 2.5
    assert plane_distance_mm(Geometry(IMAGE.shape, sheared), 2) == pytest.approx(2.0)
    assert at(Geometry((6, 7, 1), IMAGE.affine)).box[2] == slice(0, 1)


def test_a_plane_fits_a_sheared_stack_and_one_voxel_fits_anywhere() -> None:
    sheared = np.array(IMAGE.affine)
    sheared[:3, 2] = [0, 1.5, 2.0]
    stack = Geometry(IMAGE.shape, sheared)
    plane = np.array(IMAGE.affine)
    plane[:3, 3] = stack.index_to_mm([0, 0, 5])
    found = place(Geometry((6, 7, 1), plane), stack, tolerance_mm=1e-6, source_name="")
    assert found.box == (slice(0, 6), slice(0, 7), slice(5, 6))
    one = place(Geometry((1, 1, 1), plane), stack, tolerance_mm=1e-6, source_name="")
    assert one.box == (slice(0, 1), slice(0, 1), slice(5, 6))
