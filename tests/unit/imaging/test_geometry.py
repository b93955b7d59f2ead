from __future__ import annotations

import pickle

import nibabel as nib
import numpy as np
import pytest

from medvision.errors import GeometryError
from medvision.imaging import Geometry
from medvision.imaging.geometry import dicom_affine, lps_to_ras


def test_affine_follows_the_formula_of_the_standard() -> None:
    # DICOM PS3.3 equation C.7.6.2.1-1, written out for pixel (column 3, row 2) of slice 4.
    row, column = np.array([0, 0.8, -0.6]), np.array([1.0, 0, 0])
    position, step = np.array([1.0, 2, 3]), np.array([0, 1.8, 2.4])
    between_rows, between_columns = 0.5, 0.7
    expected_lps = position + row * between_columns * 3 + column * between_rows * 2 + step * 4
    affine = dicom_affine(position, [*row, *column], [between_rows, between_columns], step)
    found = affine @ [3, 2, 4, 1]
    assert found[:3] == pytest.approx(expected_lps * [-1, -1, 1])


def test_direction_cosines_are_made_unit_vectors() -> None:
    affine = dicom_affine([0, 0, 0], [0.9995, 0, 0, 0, 1.0004, 0], [0.5, 0.7], [0, 0, 2])
    assert np.linalg.norm(affine[:3, :3], axis=0) == pytest.approx([0.7, 0.5, 2])


def test_lps_to_ras_is_its_own_inverse() -> None:
    affine = np.random.default_rng(0).normal(size=(4, 4))
    assert np.array_equal(lps_to_ras(lps_to_ras(affine)), affine)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL"])
def test_axcodes_and_reorientation_agree_with_nibabel(codes: str) -> None:
    rng = np.random.default_rng(4)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ np.diag([0.5, 0.8, 3])
    affine[:3, 3] = [10, -20, 30]
    grid = Geometry((4, 5, 6), affine)
    assert grid.axcodes == "".join(nib.aff2axcodes(affine))
    array = rng.normal(size=(4, 5, 6))
    change = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes))
    expected = nib.Nifti1Image(array, affine).as_reoriented(change)
    turned = grid.reoriented(codes)
    assert turned.axcodes == codes
    assert turned.shape == expected.shape
    assert turned.affine == pytest.approx(expected.affine)


def test_box_of_voxels() -> None:
    grid = Geometry((10, 20, 5), np.diag([-0.5, 0.5, 3.0, 1.0]))
    assert grid.extent_mm == (5.0, 10.0, 15.0)
    assert grid.centre_mm.tolist() == [-2.25, 4.75, 6.0]
    assert grid.corners_mm.min(axis=0).tolist() == [-4.75, -0.25, -1.5]
    assert grid.corners_mm.max(axis=0).tolist() == [0.25, 9.75, 13.5]
    assert grid.mm_to_index(grid.index_to_mm([3, 7, 2])) == pytest.approx([3, 7, 2])


def test_distance_is_that_of_the_worst_voxel() -> None:
    one = Geometry((101, 3, 3), np.eye(4))
    other = Geometry((101, 3, 3), np.diag([1.01, 1, 1, 1]))
    assert one.distance_mm(other) == pytest.approx(1.0)  # 100 steps of 0.01 mm
    assert not one.is_close(other, 0.99)
    assert one.is_close(other, 1.01)
    assert not one.is_close(Geometry((101, 3, 4), np.eye(4)), 1e9)


def test_geometry_is_a_value() -> None:
    affine = np.eye(4)
    grid = Geometry((2, 3, 4), affine)
    affine[0, 3] = 99
    assert grid.affine[0, 3] == 0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 2
    same = Geometry((2, 3, 4), np.eye(4))
    assert grid == same
    assert hash(grid) == hash(same)
    assert grid != Geometry((2, 3, 4), np.diag([1, 1, 2, 1]))
    assert pickle.loads(pickle.dumps(grid)) == grid


def test_shear_is_seen() -> None:
    tilted = np.eye(4)
    tilted[1, 2] = np.tan(np.deg2rad(12))
    assert not Geometry((2, 2, 2), tilted).is_orthogonal
    assert Geometry((2, 2, 2), np.diag([-1, 2, 3, 1])).is_orthogonal


@pytest.mark.parametrize(
    ("shape", "affine", "match"),
    [
        ((2, 2), np.eye(4), "three axes"),
        ((2, 0, 2), np.eye(4), "at least one voxel"),
        ((2, 2, 2), np.eye(3), "4×4"),
        ((2, 2, 2), np.full((4, 4), np.nan), "finite"),
        ((2, 2, 2), np.diag([1, 1, 0, 1]), "squashes"),
        ((2, 2, 2), np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "squashes"),
        ((2, 2, 2), np.diag([1, 1, 1, 2]), "last row"),
    ],
)
def test_impossible_geometry_is_refused(shape: tuple[int, ...], affine: np.ndarray, match: str) -> None:
    with pytest.raises(GeometryError, match=match):
        Geometry(shape, affine)


@pytest.mark.parametrize("codes", ["RAR", "RA", "RASX", "XYZ", ""])
def test_impossible_orientation_is_refused(codes: str) -> None:
    with pytest.raises(GeometryError, match="one of L/R, P/A and I/S"):
        Geometry((2, 2, 2), np.eye(4)).reoriented(codes)
