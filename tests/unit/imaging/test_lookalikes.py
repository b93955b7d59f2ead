"""Copies are found whatever was done to them, and scans of other patients are not called copies."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision.imaging import Geometry, Volume, load_volume, reorient
from medvision.imaging.alignment import similarity
from medvision.imaging.candidates import FLIPS, Candidate, Search
from medvision.imaging.content import voxels_hash
from medvision.imaging.lookalikes import LEAST, MOST, find_lookalikes
from medvision.imaging.perceptual import apply_axes, linear, picture
from medvision.testing import brain_phantom, thorax_phantom
from medvision.testing.copies import CHANGES, changed_copy

KINDS = [
    ["repeated"], ["flip"], ["crop"], ["resample"], ["window"], ["gamma"], ["eight_bits"], ["noise"],
    ["flip", "crop"], ["crop", "resample"], ["flip", "resample", "window"],
    ["flip", "crop", "resample", "window", "eight_bits", "noise"],
]  # fmt: skip


@pytest.fixture(scope="module")
def brains():
    return [brain_phantom(seed, shape=(30, 34, 28)).array for seed in range(30)]


def recall_and_false(volumes, per_kind, seed=0):
    """Plant copies of every kind; return the share that is found and the pairs of different volumes."""
    plan = [(kind, (7 * n + 3 * k) % len(volumes)) for k, kind in enumerate(KINDS) for n in range(per_kind)]
    copies = [changed_copy(volumes[s], kind, seed + n) for n, (kind, s) in enumerate(plan)]
    found = find_lookalikes([picture(each) for each in [*volumes, *copies]])
    owner = [*range(len(volumes)), *(source for _, source in plan)]
    pairs = {(pair.first, pair.second) for pair in found.pairs}
    hits = [(source, len(volumes) + n) in pairs for n, (_, source) in enumerate(plan)]
    return np.mean(hits), [pair for pair in pairs if owner[pair[0]] != owner[pair[1]]]


@pytest.mark.slow
def test_planted_copies_of_phantoms_are_found_and_no_others(brains):
    chests = [
        thorax_phantom(seed, shape=(56, 56, 18), spacing_mm=(2.7, 2.7, 4.4)).array for seed in range(10)
    ]
    recall, false = recall_and_false([*brains, *chests], 2)
    assert recall >= 0.95
    assert false == []


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("folder", "step"), [("hippocampus/imagesTr", 3), ("lidc_nodules/images", 9)])
def test_planted_copies_of_real_scans_are_found_and_no_others(folder, step, data_dir):
    files = sorted((data_dir / folder).glob("*.nii.gz"))[::step]
    volumes = [reorient(load_volume(file), "RAS").array for file in files]
    recall, false = recall_and_false(volumes, 2)
    assert recall >= 0.95
    assert false == []


@pytest.mark.data
def test_the_image_that_stands_in_two_parts_of_breastmnist_is_found(data_dir):
    with np.load(data_dir / "breastmnist" / "breastmnist.npz") as arrays:
        train, test = arrays["train_images"], arrays["test_images"]
    # The data's own description: one image is in both train and test.
    same = [(a, b) for a, b in product(range(len(train)), range(len(test))) if (train[a] == test[b]).all()]
    ((a, b),) = same
    chosen = [*range(a, a + 20), *range(max(a - 20, 0), a)]
    images = [train[place % len(train)] for place in chosen] + [test[b]]
    found = find_lookalikes([picture(each[:, :, None]) for each in images])
    assert (0, 40) in {(pair.first, pair.second) for pair in found.pairs}
    grid = Geometry((28, 28, 1), np.eye(4))
    hashes = [voxels_hash(Volume(each[:, :, None], grid)) for each in [*train, test[b]]]
    assert [place for place, digest in enumerate(hashes[:-1]) if digest == hashes[-1]] == [a]


def test_a_pair_says_how_it_is_mirrored_and_how_sure_it_is(brains):
    pictures = [picture(each) for each in brains]
    copy = brains[4][::-1, :, ::-1]
    (pair,) = find_lookalikes([*pictures, picture(copy)]).pairs
    assert (pair.first, pair.second, pair.flip) == (4, 30, (True, False, True))
    assert pair.similarity == pytest.approx(1, abs=0.01)


def test_many_copies_of_one_scan_are_all_connected(brains):
    copies = [changed_copy(brains[2], ["crop", "noise"], seed) for seed in range(6)]
    found = find_lookalikes([picture(each) for each in [*brains, *copies]])
    connected = {2}
    for _ in range(6):
        connected |= {p for pair in found.pairs for p in (pair.first, pair.second)
                      if {pair.first, pair.second} & connected}  # fmt: skip
    assert connected == {2, *range(30, 36)}


def test_few_or_empty_pictures_are_no_copies():
    blank, noise = np.zeros((8, 8, 8)), np.random.default_rng(0).random((8, 8, 8))
    assert find_lookalikes([]).pairs == ()
    assert find_lookalikes([picture(noise)]).pairs == ()
    assert find_lookalikes([picture(blank), picture(blank), picture(noise)]).pairs == ()


def test_images_and_volumes_may_be_mixed(brains):
    flat = [each[:, :, 14:15] for each in brains[:5]]
    pictures = [picture(each) for each in [*brains[:12], *flat, np.flip(flat[1], 0)]]
    assert [each.shape for each in pictures][-2:] == [(32, 32, 1)] * 2
    found = find_lookalikes(pictures)
    assert (13, 17) in {(pair.first, pair.second) for pair in found.pairs}


def test_the_threshold_follows_the_cohort_between_its_limits():
    random = np.random.default_rng(0)
    unlike = find_lookalikes([picture(random.random((9, 9, 9))) for _ in range(20)])
    assert LEAST <= unlike.threshold < MOST
    base = random.random((9, 9, 9))
    alike = find_lookalikes([picture(base + 0.01 * random.random((9, 9, 9))) for _ in range(20)])
    assert alike.threshold == MOST
    assert len(alike.pairs) == alike.compared


def test_progress_counts_every_case(brains):
    seen = []
    find_lookalikes([picture(each) for each in brains[:5]], progress=seen.append)
    assert seen == [1, 2, 3, 4, 5]


@given(st.integers(0, 2**32 - 1), st.sampled_from(FLIPS))
@settings(max_examples=15)
def test_a_flip_of_the_copy_changes_the_flip_that_is_found_and_nothing_else(seed, flip):
    scan = np.random.default_rng(seed).random((7, 8, 9))
    mirrored = np.flip(scan, [axis for axis, yes in enumerate(flip) if yes])
    pictures = np.stack([picture(scan), picture(mirrored)])
    (best,) = Search(pictures).candidates(1)
    assert (best.first, best.flip) == (0, flip)
    assert best.likeness == pytest.approx(1, abs=1e-3)
    assert similarity(pictures[0], pictures[1], best) == pytest.approx(1, abs=1e-3)


def test_alignment_recovers_a_shift_and_a_scale_that_the_search_did_not_try():
    scan = brain_phantom(3, shape=(60, 60, 60)).array
    first, second = picture(scan), picture(scan[5:-2, 1:-6, 3:-4])
    start = Candidate(0, 1, 0.9, (False,) * 3, ((0.075, 0.075),) * 3)
    assert similarity(first, second, start) > 0.95
    other = picture(brain_phantom(4, shape=(60, 60, 60)).array)
    assert similarity(first, other, start) < 0.8


def test_the_picture_is_the_mean_of_what_a_cell_covers():
    array = np.random.default_rng(0).random((64, 96, 40))
    means = array.reshape(32, 2, 32, 3, 40).mean(axis=(1, 3))
    # Half a million different values: equalised they are their ranks, which for even values are themselves.
    assert np.abs(picture(array)[:, :, ::5].mean() / 255 - means.mean()) < 0.01
    uneven = picture(array).astype(float) / 255
    assert np.corrcoef(uneven[:, :, 16].ravel(), means[:, :, 20].ravel())[0, 1] > 0.7


@pytest.mark.parametrize("n", [1, 2, 5])
def test_linear_reading_agrees_with_numpy(n):
    points, values = np.linspace(-0.2, 1.2, 23), np.random.default_rng(n).random(n)
    expected = np.interp(points, (np.arange(n) + 0.5) / n, values)
    assert linear(points, n) @ values == pytest.approx(expected, abs=1e-6)


def test_axes_are_multiplied_one_by_one():
    random = np.random.default_rng(0)
    array = random.random((3, 4, 5)).astype(np.float32)
    matrices = [random.random((2, n)).astype(np.float32) for n in array.shape]
    expected = np.einsum("ijk,pi,qj,rk->pqr", array, *matrices)
    assert apply_axes(array, matrices) == pytest.approx(expected, rel=1e-5)


def test_a_picture_shrugs_off_what_is_not_a_number():
    array = np.random.default_rng(0).random((9, 9, 9))
    broken = array.copy()
    broken[0, 0, 0] = np.nan
    # One voxel of 729 becomes the lowest value; it is seen in the cells around it alone.
    assert (np.abs(picture(broken).astype(int) - picture(array)) > 8).mean() < 0.01
    assert np.unique(picture(np.full((4, 4, 4), np.inf))).size == 1


def test_every_change_is_the_same_with_the_same_seed():
    array = np.random.default_rng(0).random((9, 9, 9))
    for name in CHANGES:
        one, other = (changed_copy(array, [name], 5) for _ in range(2))
        assert (one == other).all()
