"""A mask that is preprocessed and brought back lies where it lay: exactly, in the scan's own grid."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from medvision.config import Preprocessing
from medvision.imaging import Geometry
from medvision.transforms.invert import mask_in_scan_grid
from medvision.transforms.prepare import prepare

CODES = ["RAS", "LPS", "SAR", "PIL", "IRA", "ASL"]
sides = st.tuples(*[st.integers(14, 26)] * 3)
lengths = st.tuples(*[st.floats(0.4, 3.0)] * 3)


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Any turn, any flips, any voxel size, any place."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] if draw(st.booleans()) else np.eye(3)[rng.permutation(3)]
    affine[:3, :3] = turn @ np.diag(rng.choice([-1.0, 1.0], 3)) @ np.diag(draw(lengths))
    affine[:3, 3] = rng.uniform(-300, 300, 3)
    return affine


@st.composite
def masks(draw: st.DrawFn, shape: tuple[int, int, int]) -> np.ndarray:
    """Two structures of any shape, compact or ragged, that may touch the border."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    field = ndimage.gaussian_filter(rng.normal(size=shape), draw(st.sampled_from([0.0, 0.7, 1.5, 3.0])))
    first, second = np.quantile(field, [0.75, 0.9])
    return (field > first).astype(np.uint8) + (field > second).astype(np.uint8)


def there_and_back(mask: np.ndarray, affine: np.ndarray, steps: Preprocessing) -> tuple[np.ndarray, Geometry]:
    image = np.random.default_rng(0).normal(size=mask.shape).astype(np.float32) + 3 * (mask > 0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("image.nii", "mask.nii")]
        for path, array in zip(paths, (image, mask), strict=True):
            nibabel.save(nibabel.Nifti1Image(array, affine), path)
        done = prepare(paths[0], paths[1], steps, {"a": 1, "b": 2})
    assert done.mask is not None
    assert done.scan.shape == mask.shape
    assert np.allclose(done.scan.affine, affine, atol=1e-3)
    return mask_in_scan_grid(done.mask, done.affine, done.scan), done.scan


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * (first & second).sum() / (first.sum() + second.sum())


@given(st.data(), sides, affines(), st.sampled_from(CODES))
def test_what_only_turns_and_pads_comes_back_voxel_for_voxel(data, shape, affine, codes):
    mask = data.draw(masks(shape))
    multiple = data.draw(st.none() | st.tuples(*[st.integers(1, 16)] * 3))
    steps = Preprocessing(orientation=codes, multiple_of_voxels=multiple)
    assert np.array_equal(there_and_back(mask, affine, steps)[0], mask)


@given(st.data(), st.tuples(*[st.integers(1, 26)] * 3), affines(), st.sampled_from(CODES))
def test_voxels_that_are_no_longer_than_the_scans_bring_every_voxel_back(data, shape, affine, codes):
    """The nearest of the new voxels lies inside each old one, so not even ragged structures change.

    Nor at the border, whether the axes are perpendicular or only nearly so, as a file in 32 bits says.
    """
    assume(np.prod(shape) > 8)
    mask = data.draw(masks(shape))
    multiple = data.draw(st.none() | st.tuples(*[st.integers(1, 16)] * 3))
    own = Geometry(shape, affine).reoriented(codes).spacing_mm
    share = data.draw(st.tuples(*[st.floats(0.45, 1.0) | st.just(1.0)] * 3))
    steps = Preprocessing(
        orientation=codes,
        spacing_mm=tuple(mm * part for mm, part in zip(own, share, strict=True)),
        multiple_of_voxels=multiple,
    )
    assert np.array_equal(there_and_back(mask, affine, steps)[0], mask)


@given(st.data(), affines(), st.sampled_from(CODES))
def test_inside_a_crop_every_voxel_comes_back_and_outside_there_is_nothing(data, affine, codes):
    mask = data.draw(masks((20, 18, 16)))
    steps = Preprocessing(orientation=codes, crop={"kind": "center", "size_voxels": (12, 30, 10)})
    back, scan = there_and_back(mask, affine, steps)
    kept = there_and_back(np.full_like(mask, 1), affine, steps)[0] > 0
    assert np.array_equal(back[kept], mask[kept])
    assert not back[~kept].any()
    expected = np.prod(np.minimum([12, 30, 10], scan.reoriented(codes).shape))
    assert kept.sum() == expected


@settings(max_examples=25)
@given(st.data(), affines(), st.tuples(*[st.floats(1.0, 2.0)] * 3), st.sampled_from(["nearest", "linear"]))
def test_coarser_voxels_keep_what_is_large_beside_them(data, affine, factor, way):
    """Dice falls with the share of voxels near the outline: an ellipsoid 22 new voxels wide keeps 0.95."""
    wide = [round(22 * each) for each in factor]
    shape = tuple(side + 6 for side in wide)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    shift = np.asarray(data.draw(st.tuples(*[st.floats(-1, 1)] * 3)))
    mask = ((((grid - (np.array(shape) - 1) / 2 - shift) / (np.array(wide) / 2)) ** 2).sum(-1) < 1).astype(
        "u1"
    )
    assume(mask.sum() > 100)
    own = Geometry(shape, affine).reoriented("RAS").spacing_mm
    order = [int(axis) for axis in nibabel.io_orientation(affine)[:, 0].argsort()]
    spacing = tuple(mm * factor[axis] for mm, axis in zip(own, order, strict=True))
    steps = Preprocessing(spacing_mm=spacing, mask_interpolation=way)
    assert dice(there_and_back(mask, affine, steps)[0] > 0, mask > 0) >= 0.95


def test_a_sheared_scan_keeps_its_grid_and_its_structures():
    """A kept gantry tilt: the preprocessed grid has perpendicular axes, so it cannot be exact."""
    affine = np.array([[1, 0, 0.25, 3], [0, 1, 0, -4], [0, 0, 1, 5], [0, 0, 0, 1.0]])
    mask = np.zeros((30, 30, 24), np.uint8)
    mask[8:20, 9:22, 6:18] = 1
    for spacing in [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5)]:
        back, scan = there_and_back(mask, affine, Preprocessing(spacing_mm=spacing))
        assert back.shape == scan.shape
        assert dice(back > 0, mask > 0) >= (0.97 if spacing[0] == 1 else 0.985)


@pytest.mark.parametrize("shape", [(18, 22, 1), (15, 16, 14)])
def test_an_oblique_scan_in_32_bits_comes_back_to_its_outermost_slices(shape):
    """Axes that are perpendicular to the seventh decimal only must not move the grid off the scan."""
    rng = np.random.default_rng(3)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] * [0.7, 0.3, 5.0]
    affine[:3, 3] = [-120.0, 35.0, 410.0]
    mask = (rng.random(shape) < 0.3).astype(np.uint8)
    own = Geometry(shape, affine).reoriented("RAS").spacing_mm
    steps = Preprocessing(spacing_mm=[mm / 2 for mm in own], multiple_of_voxels=(3, 3, 3))
    assert np.array_equal(there_and_back(mask, affine, steps)[0], mask)
