"""Every measure of a scan against an independent implementation or an image whose answer is known."""

import numpy as np
import pytest
import scipy.ndimage
import SimpleITK as sitk  # noqa: N813 (its own documentation writes it so)
from hypothesis import given
from hypothesis import strategies as st

from medvision.imaging import Geometry, Volume, reorient
from medvision.imaging.quality import (
    clipped,
    constant_slices,
    image_quality,
    mask_quality,
    otsu,
    quantile_profile,
)


def volume(array, spacing=(1.0, 1.0, 1.0), **words):
    return Volume(array, Geometry(array.shape, np.diag([*spacing, 1.0])), **words)


def between_variance(values, threshold):
    low, high = values[values <= threshold], values[values > threshold]
    if not low.size or not high.size:
        return 0.0
    return low.size * high.size * (low.mean() - high.mean()) ** 2


@pytest.mark.parametrize("seed", range(6))
def test_otsu_agrees_with_simpleitk_and_with_a_search_over_all_thresholds(seed):
    random = np.random.default_rng(seed)
    values = np.concatenate([random.normal(-700, 90, 4000 + 500 * seed), random.normal(40, 60, 3000)]).astype(
        np.float32
    )
    low, high = np.quantile(values, [0.005, 0.995])
    inside = values.clip(low, high)
    found = otsu(values)
    oracle = sitk.OtsuThresholdImageFilter()
    oracle.SetNumberOfHistogramBins(256)
    oracle.Execute(sitk.GetImageFromArray(inside.reshape(1, -1)))
    # Between the two classes several bins are empty; the share on each side is what counts.
    assert np.mean(values > found) == pytest.approx(np.mean(values > oracle.GetThreshold()), abs=2e-3)
    best = max(between_variance(inside, t) for t in np.linspace(low, high, 513)[1:-1])
    assert between_variance(inside, found) >= 0.9999 * best


def test_otsu_of_a_small_mask_lies_between_its_values_and_a_constant_has_none():
    mask = np.zeros(10_000)
    mask[:10] = 1
    assert 0 < otsu(mask) < 1
    assert otsu(np.full(7, 3.0)) == np.inf
    assert otsu(np.array([])) == np.inf


def test_clipping_is_seen_and_its_amount_is_right():
    random = np.random.default_rng(0)
    values = random.normal(0, 1, 200_000)
    assert clipped(values) == (0.0, 0.0)
    low, high = clipped(values.clip(-1, 1.5))
    # Standard normal: Φ(−1) = 0.158655 lies below −1, 1 − Φ(1.5) = 0.066807 above 1.5. The hundredth of the
    # range beside each end holds φ·0.025 = 0.00605 and 0.00324.
    assert low == pytest.approx(0.158655 - 0.00605, abs=0.003)
    assert high == pytest.approx(0.066807 - 0.00324, abs=0.003)
    assert clipped(np.full(5, 2)) == (0.0, 0.0)
    assert all(np.isnan(clipped(np.array([]))))


def test_slices_of_one_value_are_counted_across_the_axis_that_has_most():
    array = np.random.default_rng(0).random((5, 6, 7))
    assert constant_slices(array) == 0
    array[:, :, [1, 4, 5]] = 3.0
    assert constant_slices(array) == 3
    array[2] = np.nan  # one slice across the first axis; those across the third now hold two values
    assert constant_slices(array) == 1
    assert constant_slices(np.zeros((1, 1, 1))) == 0


@given(st.integers(0, 2**32 - 1))
def test_the_profile_agrees_with_numpy_and_is_sorted(seed):
    values = np.random.default_rng(seed).normal(size=57)
    profile = quantile_profile(values)
    assert np.allclose(profile, np.percentile(values, np.arange(101)))
    assert (np.diff(profile) >= 0).all()


def test_a_long_profile_is_sampled_and_keeps_its_extremes():
    values = np.zeros(2**22 + 5, dtype=np.int16)
    values[3], values[-2] = -7, 99
    profile = quantile_profile(values)
    assert (profile[0], profile[50], profile[-1]) == (-7, 0, 99)
    assert np.isnan(quantile_profile(np.array([]))).all()


def test_a_body_inside_the_field_of_view_is_whole_and_one_beyond_it_is_cut():
    array = np.zeros((20, 20, 10))
    array[5:15, 5:15, :] = 100  # goes through both end slices, as a body does
    whole = image_quality(volume(array))
    assert (whole.foreground, whole.cut_field) == (0.25, 0.0)
    moved = np.roll(array, 5, axis=0)
    moved[:15] = np.roll(array, 5, axis=0)[:15]
    assert image_quality(volume(moved)).cut_field == 0.5
    # Thick slices tell the slice axis, wherever it is stored.
    coronal = volume(np.moveaxis(array, 2, 1), spacing=(1.0, 3.0, 1.0))
    assert image_quality(coronal).cut_field == 0.0


def test_not_finite_voxels_are_counted_and_leave_the_other_measures_alone():
    array = np.random.default_rng(0).normal(size=(8, 8, 8))
    array[0, 0, :4] = [np.nan, np.inf, -np.inf, np.nan]
    found = image_quality(volume(array))
    assert found.not_finite == pytest.approx(4 / 512)
    assert np.isfinite(found.profile).all()
    assert 0 < found.foreground < 1


def test_a_volume_without_any_number_and_a_constant_one_are_described():
    empty = image_quality(volume(np.full((3, 3, 3), np.nan)))
    assert empty.not_finite == 1
    assert np.isnan([empty.foreground, empty.cut_field, empty.clipped_low]).all()
    assert empty.constant_slices == 3
    flat = image_quality(volume(np.full((3, 3, 3), 5)))
    assert np.isnan([flat.foreground, flat.cut_field]).all()
    assert (flat.clipped_low, flat.constant_slices, flat.profile[0]) == (0.0, 3, 5.0)


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SAL"])
def test_measures_do_not_depend_on_how_the_axes_are_stored(codes):
    random = np.random.default_rng(1)
    scan = volume(random.normal(size=(6, 7, 8)), spacing=(1.0, 1.2, 2.5))
    one, other = image_quality(scan), image_quality(reorient(scan, codes))
    assert (one.orientation, other.orientation) == ("RAS", codes)
    for name in ("not_finite", "foreground", "constant_slices", "clipped_low", "clipped_high", "cut_field"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))
    assert np.allclose(one.profile, other.profile)


@given(st.integers(0, 2**32 - 1))
def test_components_agree_with_a_flood_fill(seed):
    array = (np.random.default_rng(seed).random((6, 6, 6)) < 0.08).astype(np.uint8)
    left, parts = set(map(tuple, np.argwhere(array))), 0
    while left:
        parts, open_ = parts + 1, [left.pop()]
        while open_:
            here = open_.pop()
            near = {v for v in left if max(abs(a - b) for a, b in zip(v, here, strict=True)) == 1}
            left -= near
            open_ += near
    assert mask_quality(volume(array)).components == parts


def test_mask_measures_of_a_ball_are_those_of_the_ball():
    radius, mm = 9.0, 0.5
    grid = (np.indices((60, 60, 60)) - 29.5) * mm
    ball = (np.linalg.norm(grid, axis=0) <= radius).astype(np.uint8) * 2
    found = mask_quality(volume(ball, spacing=(mm, mm, mm)))
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.01)
    assert (found.components, found.values, found.touches_border) == (1, (2.0,), False)
    assert mask_quality(volume(scipy.ndimage.shift(ball, (14, 0, 0), order=0))).touches_border
    empty = mask_quality(volume(np.zeros((3, 3, 3), np.uint8)))
    assert (empty.volume_mm3, empty.components, empty.values, empty.touches_border) == (0.0, 0, (), False)
    # In one slice every voxel lies on an outer face of the volume; that is not the border meant.
    flat = np.zeros((5, 5, 1), np.uint8)
    flat[2, 2, 0] = 1
    assert not mask_quality(volume(flat)).touches_border
