"""The grid of another voxel size: where it begins and ends, and MONAI's own where that one is defined."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import Spacing

from medvision.transforms.voxel_size import ToVoxelSized, grid_of_voxel_size

SHAPE = (9, 7, 5)


def oblique(seed: int, decimals: int) -> np.ndarray:
    """Axes as files have them: perpendicular but for rounding."""
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = np.round(np.linalg.qr(rng.normal(size=(3, 3)))[0], decimals) * rng.uniform(0.3, 5, 3)
    affine[:3, 3] = rng.uniform(-300, 300, 3)
    return affine


@given(
    st.integers(0, 2**32 - 1),
    st.integers(5, 9),
    st.tuples(*[st.integers(1, 30)] * 3),
    st.tuples(*[st.floats(0.3, 6.0)] * 3),
)
def test_the_first_centre_stays_and_the_last_is_within_half_a_voxel(seed, decimals, shape, spacing):
    affine = oblique(seed, decimals)
    new, size = grid_of_voxel_size(affine, shape, spacing)
    assert np.allclose(np.linalg.norm(new[:3, :3], axis=0), spacing)
    assert np.allclose(new[:3, 3], affine[:3, 3], atol=1e-2)
    last = np.linalg.solve(new, affine @ [*np.subtract(shape, 1), 1])[:3]
    assert np.abs(last - np.subtract(size, 1)).max() <= 0.5 + 1e-2


@pytest.mark.parametrize("spacing", [(0.5, 0.7, 1.0), (1.3, 2.0, 2.9), (1.0, 1.0, 1.0)])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_on_perpendicular_axes_it_is_monais(spacing, mode):
    volume = MetaTensor(torch.rand(1, *SHAPE), affine=torch.tensor(np.diag([-1.0, 2.0, 1.5, 1.0])))
    expected = Spacing(spacing, mode=mode, padding_mode="border")(volume)
    found = ToVoxelSized("image", spacing_mm=spacing, mode=mode, padding_mode="border").resampled(volume)
    assert np.allclose(found.affine, expected.affine)
    assert torch.equal(found.as_tensor(), expected.as_tensor())


def test_a_sheared_grid_is_covered_whole():
    affine = np.array([[1, 0, 0.3, 5], [0, 1, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]])
    new, size = grid_of_voxel_size(affine, SHAPE, (1.0, 1.0, 1.0))
    corners = np.array(np.meshgrid(*[(0, side - 1) for side in SHAPE], indexing="ij")).reshape(3, -1)
    at = np.linalg.solve(new, affine @ np.vstack([corners, np.ones(8)]))[:3]
    assert at.min(axis=1) == pytest.approx([0, 0, 0], abs=1e-9)
    assert (at.max(axis=1) <= np.array(size) - 0.5 + 1e-9).all()
    assert np.allclose(new[:3, :3].T @ new[:3, :3], np.eye(3))
