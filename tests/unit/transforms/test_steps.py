"""Regions, intensities, crops, labels and bias fields, each against another program or by hand."""

import sys

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.interpolate import interp1d

from medvision.config import Preprocessing
from medvision.errors import CohortError, ConfigError
from medvision.testing import brain_phantom
from medvision.transforms.prepare import prepare
from medvision.transforms.preprocess import preprocessing_transforms
from medvision.transforms.regions import otsu_threshold
from medvision.transforms.standard import HistogramStandard, landmarks_of

AFFINE = np.diag([1.0, 2.0, 0.5, 1.0])
SHAPE = (24, 20, 22)


def write(folder, **arrays):
    paths = []
    for name, array in arrays.items():
        paths.append(folder / f"{name}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(array, AFFINE), paths[-1])
    return paths


@pytest.fixture
def scan(tmp_path):
    """A body with a hole, a table beside it, and a region inside the body."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, SHAPE).astype(np.float32) - 1000
    image[4:16, 4:15, 3:20] += 1040
    image[8:11, 7:11, 6:20] -= 900  # open at no end of the slices
    image[20:22, 2:18, 2:21] += 800
    region = np.zeros(SHAPE, np.uint8)
    region[6:9, 5:10, 8:12] = 5
    return write(tmp_path, image=image, region=region)


def prepared(scan, **steps):
    return prepare(scan[0], None, Preprocessing.model_validate(steps), {}, region=scan[1])


RAW = {"kind": "raw"}


@given(st.integers(0, 2**31), st.floats(0.5, 20), st.floats(0.1, 0.9))
def test_otsus_threshold_is_that_of_simpleitk(seed, apart, share):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(4000) < share, rng.normal(0, 1, 4000), rng.normal(apart, 1, 4000))
    image = SimpleITK.GetImageFromArray(values.reshape(20, 20, 10))
    filtered = SimpleITK.OtsuThresholdImageFilter()
    filtered.SetNumberOfHistogramBins(256)
    filtered.Execute(image)
    # Between two classes that are apart any threshold is the best: the classes are compared.
    apart_from_ours = (values > otsu_threshold(values)) != (values > filtered.GetThreshold())
    assert apart_from_ours.mean() < 0.03  # about two bins where voxels are densest


@pytest.mark.parametrize("above", [-500, "otsu"])
def test_a_body_crop_leaves_the_table_out_and_keeps_a_margin(scan, above):
    done = prepared(scan, intensity=RAW, crop={"kind": "body", "above": above, "margin_mm": 2})
    assert done.image.shape == (1, 12 + 2 * 2, 11 + 2 * 1, 17 + 3 + 2)  # the margin ends at the border
    assert (done.affine @ [0, 0, 0, 1])[:3] == pytest.approx([2, 6, 0])


def test_a_crop_to_a_region(scan):
    done = prepared(scan, intensity=RAW, crop={"kind": "region", "margin_mm": 0})
    assert done.image.shape == (1, 3, 5, 4)


def test_padding_to_a_multiple_is_even_and_low(scan):
    done = prepared(scan, intensity=RAW, multiple_of_voxels=(16, 7, 11))
    assert done.image.shape == (1, 32, 21, 22)
    assert (done.image[0, :4] == done.image.min()).all()
    assert (done.affine @ [4, 0, 0, 1])[:3] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(
    ("foreground", "voxels"),
    [
        ({"kind": "above", "above": -300}, lambda image, region: image > -300),
        ({"kind": "given"}, lambda image, region: region > 0),
        ({"kind": "whole"}, lambda image, region: image > -9e9),
        ({"kind": "body", "above": -500}, None),
    ],
)
def test_figures_of_a_foreground(scan, foreground, voxels):
    image, region = (np.asarray(nibabel.load(path).dataobj) for path in scan)
    if voxels is None:
        inside = np.zeros(SHAPE, bool)
        inside[4:16, 4:15, 3:20] = True  # the hole is filled, the table is not taken
    else:
        inside = voxels(image, region)
    values = image[inside].astype(np.float64)
    zscore = prepared(scan, intensity={"kind": "zscore", "foreground": foreground}).image[0]
    assert np.allclose(zscore, (image - values.mean()) / values.std(), atol=1e-3)
    percentile = prepared(
        scan, intensity={"kind": "percentile", "percentiles": [5, 95], "foreground": foreground}
    ).image[0]
    low, high = np.percentile(values, [5, 95])
    assert np.allclose(percentile, np.clip(2 * (image - low) / (high - low) - 1, -1, 1), atol=2e-3)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            {"intensity": {"kind": "zscore", "foreground": {"kind": "above", "above": 1e9}}},
            "no voxel is above",
        ),
        ({"crop": {"kind": "body", "above": 1e9}}, "no voxel is above"),
        ({"crop": {"kind": "foreground", "above": 1e9}}, "no foreground to crop to"),
    ],
)
def test_where_nothing_is_found(scan, steps, words):
    with pytest.raises(CohortError, match=words):
        prepared(scan, **steps)


def test_an_empty_region_and_a_constant_foreground_are_refused(scan, tmp_path):
    image = np.asarray(nibabel.load(scan[0]).dataobj).copy()
    image[6:9, 5:10, 8:12] = 7
    scan = write(tmp_path, image=image, region=np.asarray(nibabel.load(scan[1]).dataobj))
    for intensity in ("zscore", "percentile"):
        with pytest.raises(CohortError, match="foreground is constant"):
            prepared(scan, intensity={"kind": intensity, "foreground": {"kind": "given"}})
    with pytest.raises(CohortError, match="are both 7"):
        prepared(scan, intensity={"kind": "nyul", "foreground": {"kind": "given"}})
    empty = write(tmp_path, image=image, region=np.zeros(SHAPE, np.uint8))
    with pytest.raises(CohortError, match="region is empty"):
        prepared(empty, crop={"kind": "region"})
    with pytest.raises(CohortError, match="region is empty"):
        prepared(empty, intensity={"kind": "zscore", "foreground": {"kind": "given"}})


def test_cubic_resampling_is_scipys_spline(scan):
    done = prepared(scan, spacing_mm=(0.8, 1.7, 0.6), interpolation="cubic", intensity=RAW)
    image = np.asarray(nibabel.load(scan[0]).dataobj).astype(np.float64)
    index = np.linalg.inv(AFFINE) @ done.affine
    expected = ndimage.affine_transform(
        image, index[:3, :3], index[:3, 3], output_shape=done.image.shape[1:], order=3, mode="nearest"
    )
    assert np.allclose(done.image[0], expected, atol=0.05)


@given(st.integers(0, 2**31), st.tuples(*[st.floats(0.4, 2.5)] * 3), st.sampled_from(["nearest", "linear"]))
def test_no_class_is_made_that_was_not_there(seed, spacing, way):
    import tempfile
    from pathlib import Path

    rng = np.random.default_rng(seed)
    values = np.array([0, 1, 3, 7])
    mask = values[ndimage.zoom(rng.integers(0, 4, (3, 3, 3)), 4, order=0)].astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), image=rng.normal(size=mask.shape).astype(np.float32), mask=mask)
        steps = Preprocessing(spacing_mm=spacing, mask_interpolation=way, intensity=RAW)
        done = prepare(*paths, steps, {"a": 1, "b": 3, "c": 7})
    there = {int(np.searchsorted(values, value)) for value in np.unique(mask)}
    assert set(np.unique(done.mask).tolist()) <= there


def test_linear_labels_take_the_largest_share(tmp_path):
    mask = np.zeros((6, 2, 2), np.uint8)
    mask[2:4] = 1
    mask[4:] = 3
    paths = write(tmp_path, image=np.arange(24, dtype=np.float32).reshape(6, 2, 2), mask=mask)
    steps = Preprocessing(spacing_mm=(0.25, 2, 0.5), mask_interpolation="linear", intensity=RAW)
    done = prepare(*paths, steps, {"a": 1, "b": 3})
    # Outlines lie midway between voxels; there the lower class wins. 2 is the class of the value 3.
    expected = [0 if x <= 1.5 else 1 if x <= 3.5 else 2 for x in np.arange(0, 5.01, 0.25)]
    assert done.mask[:, 0, 0].tolist() == expected


def test_facts_are_of_the_scan_as_it_was_read_whatever_the_steps(scan):
    image = np.asarray(nibabel.load(scan[0]).dataobj)
    first = prepared(scan, intensity={"kind": "zscore", "nonzero": True}, spacing_mm=(2, 2, 2))
    second = prepared(scan, intensity=RAW)
    assert first.voxels_sha256 == second.voxels_sha256
    assert first.quantiles == second.quantiles
    inside = image[image > otsu_threshold(image)]
    assert first.quantiles[100] == pytest.approx(np.median(inside), rel=1e-5)


class TestStandard:
    @given(st.integers(0, 2**31))
    def test_learning_and_applying_agree_with_scipy(self, seed):
        rng = np.random.default_rng(seed)
        images = np.sort(rng.normal(100, 30, (5, 6)), axis=1)
        standard = HistogramStandard.learn([tuple(row) for row in images])
        scaled = [interp1d([row[0], row[-1]], [-1, 1])(row) for row in images]
        assert standard.landmarks == pytest.approx(np.mean(scaled, axis=0), abs=1e-9)
        values = rng.normal(100, 60, 50).astype(np.float32)
        expected = interp1d(images[0], standard.landmarks, fill_value="extrapolate")(values)
        assert standard.apply(values, tuple(images[0])) == pytest.approx(expected, rel=1e-4, abs=1e-4)

    def test_an_image_in_other_units_becomes_the_same(self):
        values = np.random.default_rng(1).gamma(3, 100, 5000).astype(np.float32)
        where = (1, 20, 50, 80, 99)
        own, other = landmarks_of(values, where), landmarks_of(7 * values + 40, where)
        standard = HistogramStandard.learn([own])
        assert np.allclose(standard.apply(values, own), standard.apply(7 * values + 40, other), atol=1e-4)

    def test_landmarks_that_coincide_leave_one_line_fewer(self):
        standard = HistogramStandard((-1.0, -0.5, 0.5, 1.0))
        found = standard.apply(np.array([0, 1, 2], np.float32), (0.0, 0.0, 2.0, 2.0))
        assert found.tolist() == pytest.approx([-1, 0, 1])
        assert np.isfinite(found).all()


@pytest.fixture
def biased(tmp_path):
    """A phantom of the brain with and without a bias field of known form."""
    phantom = brain_phantom(3, shape=(40, 40, 32))
    clean = np.asarray(phantom.volume.array if hasattr(phantom, "volume") else phantom.array, np.float32)
    clean = clean - clean.min() + 1
    i, j, k = np.meshgrid(*[np.linspace(-1, 1, side) for side in clean.shape], indexing="ij")
    field = np.exp(0.4 * i - 0.3 * j + 0.2 * k**2).astype(np.float32)
    return clean, write(tmp_path, image=clean * field)


def test_n4_takes_out_most_of_a_bias_field_and_gives_the_same_twice(biased):
    clean, (path,) = biased
    steps = Preprocessing(
        bias_field={
            "kind": "n4",
            "shrink_factor": 2,
            "foreground": {"kind": "above", "above": clean.max() / 5},
        },
        intensity=RAW,
    )
    first, second = prepare(path, None, steps, {}), prepare(path, None, steps, {})
    assert np.array_equal(first.image, second.image)
    inside = clean > clean.max() / 5
    biased_image = prepare(path, None, Preprocessing(intensity=RAW), {}).image[0]
    left = np.log(first.image[0][inside] / clean[inside]).std()
    assert left < 0.6 * np.log(biased_image[inside] / clean[inside]).std()


def test_n4_without_simpleitk_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(ConfigError, match=r"medvision\[simpleitk\]"):
        preprocessing_transforms(Preprocessing(bias_field={"kind": "n4"}), with_mask=False)


def test_a_voxel_size_that_a_fold_has_to_learn_is_no_step_yet():
    with pytest.raises(TypeError, match="median"):
        preprocessing_transforms(Preprocessing(spacing_mm="median"), with_mask=False)
