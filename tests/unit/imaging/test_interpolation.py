"""Both ways of sampling agree with each other and with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from medvision.imaging import interpolation
from medvision.imaging.interpolation import Order, interpolate

ARRAY = np.random.default_rng(0).normal(size=(7, 8, 9))


def permuted(axes: tuple[int, int, int], scale: tuple[float, ...], shift: tuple[float, ...]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    for target, source in enumerate(axes):
        matrix[source, target] = scale[target]
    matrix[:3, 3] = shift
    return matrix


ALONG = [
    permuted((0, 1, 2), (0.7, 1.3, 2.1), (0.15, -0.3, 0.4)),
    permuted((2, 0, 1), (0.9, -0.8, 0.55), (6.1, 0.2, 0.3)),
    permuted((1, 2, 0), (-1.0, -1.0, -1.0), (6.0, 7.0, 8.0)),
]


@pytest.mark.parametrize("matrix", ALONG)
def test_linear_along_axes_is_scipys(matrix: np.ndarray) -> None:
    expected = affine_transform(
        ARRAY, matrix[:3, :3], matrix[:3, 3], output_shape=(6, 5, 4), order=1, mode="nearest"
    )
    found = interpolate(ARRAY, matrix, (6, 5, 4), "linear", None)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("matrix", ALONG)
@pytest.mark.parametrize("order", ["linear", "nearest"])
@pytest.mark.parametrize("fill", [None, -99.0])
def test_the_general_way_gives_the_same(
    matrix: np.ndarray, order: Order, fill: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = (9, 10, 11)  # reaches outside on every side
    quick = interpolate(ARRAY, matrix, shape, order, fill)
    monkeypatch.setattr(interpolation, "_axes", lambda *_: None)
    assert interpolate(ARRAY, matrix, shape, order, fill) == pytest.approx(quick, abs=1e-6)
    if fill is not None:
        assert (quick == fill).any()
        assert (quick != fill).any()


def test_a_slight_turn_is_not_taken_for_none() -> None:
    turned = np.eye(4)
    turned[0, 1] = 0.05
    expected = affine_transform(ARRAY, turned[:3, :3], order=1, mode="nearest")
    assert interpolate(ARRAY, turned, ARRAY.shape, "linear", None) == pytest.approx(expected, abs=1e-6)


def test_whole_numbers_are_exact() -> None:
    array = np.arange(60, dtype=np.int32).reshape(3, 4, 5) * 100_000
    assert np.array_equal(interpolate(array, np.eye(4), array.shape, "linear", 0.0), array)
