"""Preprocessing: every voxel keeps its place in the patient, and intensities follow their rule."""

import nibabel
import nibabel.processing
import numpy as np
import pytest

from medvision.config import (
    CenterCrop,
    ForegroundCrop,
    NoCrop,
    PercentileIntensity,
    Preprocessing,
    RawIntensity,
    WindowIntensity,
    ZscoreIntensity,
)
from medvision.errors import CohortError, GeometryError
from medvision.transforms.cache import cached_case, entry_name
from medvision.transforms.prepare import prepare
from medvision.transforms.preprocess import preprocessing_transforms

RAW = RawIntensity(kind="raw")
# Left-posterior, with unequal spacing and a shift, so that no axis can be mistaken for another.
AFFINE = np.array([[0, -1.5, 0, 20], [0.8, 0, 0, -5], [0, 0, 2.0, 7], [0, 0, 0, 1.0]])
SHAPE = (24, 20, 14)


def ramp(points):
    """A value that tells its place: linear in x, y, z millimetres."""
    return points @ np.array([1.0, 10.0, 100.0])


def world(affine, shape):
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return index @ affine[:3, :3].T + affine[:3, 3]


@pytest.fixture
def scan(tmp_path):
    """An image whose values tell their place, and a mask of one box."""
    image = ramp(world(AFFINE, SHAPE)).astype(np.float32)
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:9, 12:17, 2:6] = 2
    nibabel.save(nibabel.Nifti1Image(image, AFFINE), tmp_path / "image.nii.gz")
    nibabel.save(nibabel.Nifti1Image(mask, AFFINE), tmp_path / "mask.nii.gz")
    return tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"


@pytest.mark.parametrize("spacing", [None, (1.0, 1.0, 1.0), (2.0, 0.7, 3.0)])
@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SAR"])
def test_every_inner_voxel_keeps_its_place(scan, spacing, orientation):
    settings = Preprocessing(orientation=orientation, spacing_mm=spacing, intensity=RAW)
    prepared = prepare(*scan, settings, {"box": 2})
    assert "".join(nibabel.aff2axcodes(prepared.affine)) == orientation
    if spacing is not None:
        assert nibabel.affines.voxel_sizes(prepared.affine) == pytest.approx(spacing)
    expected = ramp(world(prepared.affine, prepared.image.shape[1:]))
    inner = (slice(2, -2),) * 3
    assert np.abs(prepared.image[0][inner] - expected[inner]).max() < 0.05


def test_resampling_agrees_with_nibabel_on_the_same_grid(scan):
    prepared = prepare(scan[0], None, Preprocessing(spacing_mm=(1.1, 1.3, 1.7), intensity=RAW), {})
    target = (prepared.image.shape[1:], prepared.affine)
    reference = nibabel.processing.resample_from_to(nibabel.load(scan[0]), target, order=1, mode="nearest")
    inner = (slice(1, -1),) * 3
    assert np.allclose(prepared.image[0][inner], reference.get_fdata()[inner], atol=0.02)


def test_masks_keep_their_volume_and_become_class_indices(scan):
    prepared = prepare(
        *scan, Preprocessing(spacing_mm=(0.5, 0.5, 0.5), intensity=RAW), {"other": 1, "box": 2}
    )
    assert set(np.unique(prepared.mask)) == {0, 2}
    true_mm3 = 5 * 5 * 4 * 0.8 * 1.5 * 2.0
    assert (prepared.mask == 2).sum() * 0.125 == pytest.approx(true_mm3, rel=0.1)
    assert all(prepared.mask[tuple(voxel)] == 2 for voxel in prepared.foreground)


@pytest.mark.parametrize("size", [(6, 6, 6), (40, 7, 30)])
@pytest.mark.parametrize("around", ["image", "mask"])
def test_a_box_is_cut_where_it_belongs_and_padded_with_the_lowest_value(scan, size, around):
    settings = Preprocessing(intensity=RAW, crop=CenterCrop(kind="center", size_voxels=size, around=around))
    prepared = prepare(*scan, settings, {"box": 2})
    whole = prepare(*scan, Preprocessing(intensity=RAW), {"box": 2})
    assert prepared.image.shape == (1, *size)
    expected = ramp(world(prepared.affine, size))
    real = np.abs(prepared.image[0] - expected) < 0.05
    padded = prepared.image[0] == whole.image.min()
    assert (real | padded).all()
    assert real.any()
    source = whole.mask if around == "mask" else np.ones(whole.image.shape[1:])
    inside = np.argwhere(source)
    middle = whole.affine @ np.append((inside.min(0) + inside.max(0)) / 2, 1)
    center = prepared.affine @ np.append((np.array(size) - 1) / 2, 1)
    assert np.abs(middle - center)[:3].max() <= nibabel.affines.voxel_sizes(whole.affine).max()


def test_a_foreground_crop_keeps_a_margin_in_millimetres(tmp_path):
    image = np.zeros((30, 30, 30), np.float32)
    image[10:20, 12:18, 14:16] = 5
    nibabel.save(nibabel.Nifti1Image(image, np.diag([1, 2, 0.5, 1.0])), tmp_path / "a.nii.gz")
    settings = Preprocessing(intensity=RAW, crop=ForegroundCrop(kind="foreground", above=1, margin_mm=3))
    prepared = prepare(tmp_path / "a.nii.gz", None, settings, {})
    assert prepared.image.shape == (1, 10 + 2 * 3, 6 + 2 * 2, 2 + 2 * 6)
    assert (prepared.affine @ [0, 0, 0, 1])[:3] == pytest.approx([7, 20, 4])


def test_an_image_without_foreground_and_a_crop_around_an_empty_mask_are_refused(scan):
    high = Preprocessing(intensity=RAW, crop=ForegroundCrop(kind="foreground", above=1e9))
    with pytest.raises(CohortError, match="no foreground"):
        prepare(scan[0], None, high, {})
    nibabel.save(nibabel.Nifti1Image(np.zeros(SHAPE, np.uint8), AFFINE), scan[1])
    box = Preprocessing(intensity=RAW, crop=CenterCrop(kind="center", size_voxels=(4, 4, 4), around="mask"))
    with pytest.raises(CohortError, match="its mask is empty"):
        prepare(*scan, box, {"box": 2})


def test_intensity_rules(scan):
    def prepared(intensity):
        return prepare(scan[0], None, Preprocessing(intensity=intensity, crop=NoCrop(kind="none")), {}).image

    raw = prepared(RAW)
    window = prepared(WindowIntensity(kind="window", window_hu=(0, 1000)))
    assert np.allclose(window, np.clip(raw / 500 - 1, -1, 1), atol=1e-5)
    zscore = prepared(ZscoreIntensity(kind="zscore"))
    assert (zscore.mean(), zscore.std()) == pytest.approx((0, 1), abs=1e-4)
    percentile = prepared(PercentileIntensity(kind="percentile", percentiles=(10, 90)))
    low, high = np.percentile(raw, [10, 90])
    assert np.allclose(percentile, np.clip((raw - low) / (high - low) * 2 - 1, -1, 1), atol=2e-3)


def test_a_mask_of_another_place_is_refused(scan):
    moved = AFFINE.copy()
    moved[0, 3] += 0.75
    nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), moved), scan[1])
    with pytest.raises(GeometryError, match="mask"):
        prepare(*scan, Preprocessing(), {"box": 1})


def test_the_whole_chain_is_one_monai_transform(scan):
    chain = preprocessing_transforms(Preprocessing(intensity=RAW), with_mask=True)
    done = chain({"image": str(scan[0]), "mask": str(scan[1])})
    assert done["image"].shape == done["mask"].shape
    assert np.allclose(done["image"].affine, done["mask"].affine)


def test_the_cache_is_read_the_second_time_and_names_what_it_was_made_from(scan, tmp_path, monkeypatch):
    hashes = {str(path): str(path) for path in scan}
    settings = Preprocessing(intensity=RAW)
    first = cached_case(*scan, settings, {"box": 2}, hashes, root=tmp_path)
    monkeypatch.setattr("medvision.transforms.cache.prepare", lambda *_: pytest.fail("preprocessed again"))
    again = cached_case(*scan, settings, {"box": 2}, hashes, root=tmp_path)
    assert np.array_equal(first.image(), again.image())
    assert first.shape == first.image().shape[1:]
    assert np.allclose(first.scan().affine, AFFINE)
    names = {
        entry_name(settings, {"box": 2}, "a", "b"),
        entry_name(settings, {"box": 1}, "a", "b"),
        entry_name(settings, {"box": 2}, "a", None),
        entry_name(settings, {"box": 2}, "c", "b"),
        entry_name(Preprocessing(), {"box": 2}, "a", "b"),
    }
    assert len(names) == 5
