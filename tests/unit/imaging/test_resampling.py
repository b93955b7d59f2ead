"""Moving voxels between grids, with NiBabel's processing module as the other implementation."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to

from medvision.errors import GeometryError
from medvision.imaging import Geometry, Volume, reorient, resample, resample_array, resample_to


def scan(dtype: str = "float64", shape: tuple[int, int, int] = (9, 10, 7), seed: int = 0) -> Volume:
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ np.diag([0.8, 1.1, 2.5])
    affine[:3, 3] = rng.normal(size=3) * 20
    return Volume(rng.integers(0, 100, size=shape).astype(dtype), Geometry(shape, affine), "MR")


def oblique_target(volume: Volume) -> Geometry:
    """A grid that lies inside the volume's outermost centres, turned against it."""
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0] * 0.6
    affine = np.eye(4)
    affine[:3, :3] = turn
    # Off the centre: halfway between two voxels, which one is nearest is a matter of the last bit.
    affine[:3, 3] = volume.geometry.centre_mm - turn @ [2, 2, 2] + [0.013, 0.021, 0.017]
    return Geometry((5, 5, 5), affine)


class TestReorient:
    @pytest.mark.parametrize("codes", ["RAS", "LPS", "SRP"])
    def test_agrees_with_nibabel(self, codes: str) -> None:
        volume = scan()
        image = nib.Nifti1Image(np.array(volume.array), np.array(volume.affine))
        change = nib.orientations.ornt_transform(
            nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(codes)
        )
        expected, found = image.as_reoriented(change), reorient(volume, codes)
        assert np.array_equal(found.array, np.asarray(expected.dataobj))
        assert found.affine == pytest.approx(expected.affine)

    def test_every_voxel_stays_in_its_place(self) -> None:
        volume = scan()
        turned = reorient(volume, "SRP")
        where = volume.geometry.index_to_mm([2, 3, 4])
        i, j, k = np.rint(turned.geometry.mm_to_index(where)).astype(int)
        assert turned.array[i, j, k] == volume.array[2, 3, 4]
        assert (turned.modality, turned.provenance) == (volume.modality, volume.provenance)


class TestResampleTo:
    @pytest.mark.parametrize("order", ["linear", "nearest"])
    def test_agrees_with_nibabel_on_an_oblique_grid(self, order: str) -> None:
        volume = scan()
        target = oblique_target(volume)
        image = nib.Nifti1Image(np.array(volume.array), np.array(volume.affine))
        expected = resample_from_to(
            image, (target.shape, np.array(target.affine)), order=1 if order == "linear" else 0
        )
        found = resample_to(volume, target, order)
        assert found.array == pytest.approx(expected.get_fdata(), abs=1e-4)
        assert found.geometry == target

    def test_agrees_with_trilinear_weights_by_hand(self) -> None:
        array = np.arange(8.0).reshape(2, 2, 2) ** 2
        point = np.array([0.25, 0.5, 0.75])
        weights = [np.array([1 - p, p]) for p in point]
        expected = np.einsum("ijk,i,j,k", array, *weights)
        shifted = np.eye(4)
        shifted[:3, 3] = point
        found = resample_array(array, Geometry((2, 2, 2), np.eye(4)), Geometry((1, 1, 1), shifted))
        assert found.item() == pytest.approx(expected)

    def test_identity_is_exact(self) -> None:
        volume = scan("int16")
        assert np.array_equal(resample_to(volume, volume.geometry, "nearest").array, volume.array)
        assert resample_to(volume, volume.geometry).array.dtype == np.float32
        assert np.array_equal(resample_to(volume, volume.geometry).array, volume.array)

    def test_through_a_reordered_grid_and_back(self) -> None:
        volume = scan("uint8")
        there = resample_to(volume, volume.geometry.reoriented("SPL"), "nearest")
        assert np.array_equal(there.array, reorient(volume, "SPL").array)
        assert np.array_equal(resample_to(there, volume.geometry, "nearest").array, volume.array)

    def test_outside_is_air_or_background(self) -> None:
        volume = Volume(np.full((2, 2, 2), -1000, "i2"), Geometry((2, 2, 2), np.eye(4)), "CT")
        wide = np.eye(4)
        wide[:3, 3] = -2
        target = Geometry((6, 6, 6), wide)
        assert set(np.unique(resample_to(volume, target).array)) == {-1000}
        nearest = resample_to(volume, target, "nearest").array
        assert (nearest == -1000).sum() == 8
        assert (nearest == 0).sum() == 6**3 - 8
        assert resample_to(volume, target, fill=7).array[0, 0, 0] == 7

    def test_between_the_last_centre_and_the_face_the_last_value_goes_on(self) -> None:
        array = np.array([5.0, 9.0]).reshape(2, 1, 1)
        for at, expected in ((-0.49, 5), (1.49, 9), (-0.51, -1), (1.51, -1)):
            affine = np.eye(4)
            affine[0, 3] = at
            found = resample_array(
                array, Geometry((2, 1, 1), np.eye(4)), Geometry((1, 1, 1), affine), fill=-1
            )
            assert found.item() == expected

    def test_nearest_never_invents_a_label(self) -> None:
        volume = scan("uint8")
        labels = volume.with_voxels(np.where(volume.array > 50, 4, 2).astype(np.uint8))
        found = resample_to(labels, resample(labels, 0.77, "nearest").geometry, "nearest").array
        assert set(np.unique(found)) == {2, 4}
        assert found.dtype == np.uint8

    @pytest.mark.parametrize("dtype", ["bool", "float16", "uint16", "int64"])
    def test_types(self, dtype: str) -> None:
        volume = scan(dtype)
        target = oblique_target(volume)
        assert resample_to(volume, target, "nearest").array.dtype == dtype
        assert resample_to(volume, target, "linear").array.dtype == np.float32

    def test_array_off_its_grid(self) -> None:
        with pytest.raises(GeometryError, match=r"shape \(2, 2, 2\) on a grid of shape \(3, 2, 2\)"):
            resample_array(
                np.zeros((2, 2, 2)), Geometry((3, 2, 2), np.eye(4)), Geometry((1, 1, 1), np.eye(4))
            )


class TestResample:
    def test_keeps_the_first_outer_corner_and_the_directions(self) -> None:
        volume = scan()
        found = resample(volume, (1.0, 1.0, 1.0))
        assert found.spacing_mm == pytest.approx((1, 1, 1))
        assert found.geometry.corners_mm[0] == pytest.approx(volume.geometry.corners_mm[0])
        assert found.geometry.directions == pytest.approx(volume.geometry.directions)
        for mm, new in zip(volume.geometry.extent_mm, found.geometry.extent_mm, strict=True):
            assert abs(mm - new) <= 0.5 + 1e-9

    def test_keeps_all_corners_where_the_extent_is_a_multiple(self) -> None:
        volume = Volume(np.zeros((8, 6, 4)), Geometry((8, 6, 4), np.diag([-0.5, 1.0, 3.0, 1.0])))
        found = resample(volume, (1.0, 0.5, 6.0))
        assert found.shape == (4, 12, 2)
        assert found.geometry.corners_mm == pytest.approx(volume.geometry.corners_mm)

    def test_a_ramp_stays_a_ramp(self) -> None:
        grid = Geometry((20, 3, 3), np.diag([0.5, 1.0, 1.0, 1.0]))
        ramp = np.broadcast_to((np.arange(20) * 0.5)[:, None, None], (20, 3, 3))
        found = resample(Volume(ramp, grid), (0.8, 1.0, 1.0))
        x = found.geometry.index_to_mm(np.argwhere(np.ones(found.shape)))[:, 0].reshape(found.shape)
        inside = (x >= 0) & (x <= 9.5)
        assert found.array[inside] == pytest.approx(x[inside], abs=1e-5)

    def test_ties_go_to_the_lower_voxel_everywhere(self) -> None:
        # Halving 0.7 mm voxels puts every new centre midway between two old ones, up to rounding.
        array = np.arange(40, dtype=np.uint8).reshape(40, 1, 1)
        volume = Volume(array, Geometry((40, 1, 1), np.diag([0.7, 1.0, 1.0, 1.0])))
        assert resample(volume, (1.4, 1.0, 1.0), "nearest").array.ravel().tolist() == list(range(0, 40, 2))

    def test_there_and_back_by_a_whole_factor_restores_a_mask(self) -> None:
        mask = Volume((scan().array > 50).astype(np.uint8), scan().geometry)
        finer = resample(mask, (0.4, 1.1 / 3, 0.5), "nearest")
        assert np.array_equal(resample_to(finer, mask.geometry, "nearest").array, mask.array)

    def test_one_voxel_remains(self) -> None:
        assert resample(scan(), 1000.0).shape == (1, 1, 1)

    @pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), (1.0, 1.0, 0.0)])
    def test_impossible_spacing(self, spacing: float | tuple[float, float, float]) -> None:
        with pytest.raises(GeometryError, match="a spacing is positive mm"):
            resample(scan(), spacing)


def test_a_kept_gantry_tilt_is_set_upright() -> None:
    """A field that is linear in space, sampled on a sheared stack, is the same field on an upright one."""

    def field(points: np.ndarray) -> np.ndarray:
        return points @ [1.0, 2.0, 3.0]

    sheared = np.diag([1.0, 1.0, 2.0, 1.0])
    sheared[1, 2] = 2 * np.tan(np.deg2rad(15))
    tilted = Geometry((10, 30, 10), sheared)
    values = field(tilted.index_to_mm(np.argwhere(np.ones(tilted.shape)))).reshape(tilted.shape)
    upright_affine = np.diag([1.0, 1.0, 1.5, 1.0])
    upright_affine[:3, 3] = [1, 10, 2]
    upright = Geometry((8, 12, 8), upright_affine)
    found = resample_to(Volume(values, tilted), upright).array
    expected = field(upright.index_to_mm(np.argwhere(np.ones(upright.shape)))).reshape(upright.shape)
    assert found == pytest.approx(expected, abs=1e-4)
