"""Entries of the cache: damaged ones are made again, and memory does not grow with their number."""

import subprocess
import sys

import nibabel
import numpy as np
import pytest

from medvision import store
from medvision.config import Preprocessing
from medvision.errors import RunError
from medvision.transforms.cache import CachedCase, cached_case, entry_name
from medvision.transforms.standard import HistogramStandard


@pytest.fixture
def scan(tmp_path):
    rng = np.random.default_rng(0)
    for name, array in {
        "image": rng.normal(size=(12, 10, 8)).astype(np.float32),
        "mask": rng.integers(0, 2, (12, 10, 8)).astype(np.uint8),
    }.items():
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / f"{name}.nii")
    return tmp_path / "image.nii", tmp_path / "mask.nii"


def cached(scan, root, **steps):
    hashes = {str(path): str(path) for path in scan}
    return cached_case(*scan, Preprocessing.model_validate(steps), {"a": 1}, hashes, root=root)


@pytest.mark.parametrize("name", ["image.npy", "mask.npy", "foreground.npy", "case.json", "checksums.json"])
@pytest.mark.parametrize("harm", ["flip", "truncate", "delete"])
def test_a_damaged_entry_is_made_again(scan, tmp_path, name, harm):
    root = tmp_path / "cache"
    case = cached(scan, root)
    before = {file.name: file.read_bytes() for file in case.folder.iterdir()}
    file = case.folder / name
    match harm:
        case "flip":
            data = bytearray(before[name])
            data[-3] ^= 4
            file.write_bytes(data)
        case "truncate":
            file.write_bytes(before[name][: len(before[name]) // 2])
        case "delete":
            file.unlink()
    store._found_whole.clear()
    again = cached(scan, root)
    assert {file.name: file.read_bytes() for file in again.folder.iterdir()} == before


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half(scan, tmp_path, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(RunError, match="the disk is full"):
        cached(scan, tmp_path / "cache")
    monkeypatch.undo()
    assert not list((tmp_path / "cache").glob("cases/*/*"))
    monkeypatch.setattr("medvision.transforms.cache.hold", full)
    with pytest.raises(RunError, match="the disk is full"):
        cached(scan, tmp_path / "cache")


def test_a_cache_that_can_only_be_read_gives_what_it_holds(scan, tmp_path, monkeypatch):
    root = tmp_path / "cache"
    expected = cached(scan, root).image()

    def refuse(*_args, **_more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("medvision.leases.FileLock", refuse)
    monkeypatch.setattr("medvision.leases._OURS", {})
    assert np.array_equal(cached(scan, root).image(), expected)
    assert [entry.in_use for entry in store.entries(root)] == [False]
    with pytest.raises(RunError, match="cannot be written"):
        store.clear(root)
    with pytest.raises(RunError, match="cannot be written"):
        cached(scan, root, spacing_mm=(2, 2, 2))


def test_an_entry_that_goes_while_it_is_read_is_one_sentence(scan, tmp_path):
    case = cached(scan, tmp_path / "cache")
    (case.folder / "image.npy").write_bytes(b"")
    for mapped in (True, False):
        with pytest.raises(RunError, match="give the same command again"):
            case.image(mapped=mapped)


def test_a_folds_standard_is_applied_when_the_image_is_read(scan, tmp_path):
    plain = cached(scan, tmp_path / "cache", intensity={"kind": "nyul", "percentiles": [5, 50, 95]})
    standard = HistogramStandard((-1.0, 0.25, 1.0))
    fitted = CachedCase(plain.folder, standard)
    assert np.array_equal(fitted.image(), standard.apply(plain.image(), fitted.landmarks))
    assert np.array_equal(fitted.stored_image(), plain.image())
    assert plain.description()["landmarks"] == list(fitted.landmarks)


def test_the_limit_removes_what_no_process_uses(scan, tmp_path, monkeypatch):
    root = tmp_path / "cache"
    old = root / "cases" / "aa" / "aa00"
    old.mkdir(parents=True)
    (old / "image.npy").write_bytes(b"0" * 50_000)
    store.seal(old)
    monkeypatch.setenv(store.LIMIT_VARIABLE, "20 kB")
    case = cached(scan, root)
    assert not old.exists()
    assert store.is_whole(case.folder)
    cached(scan, root, orientation="LPS")
    assert len(store.entries(root)) == 2


def test_a_region_and_the_version_of_simpleitk_name_an_entry_where_they_matter():
    n4 = Preprocessing(bias_field={"kind": "n4"})
    names = {
        entry_name(steps, {}, "a", None, region) for steps in (Preprocessing(), n4) for region in (None, "r")
    }
    assert len(names) == 4


MANY = """
import json, resource, sys
from pathlib import Path
import numpy as np
from medvision.training.data import CaseDataset, EpochSampler, PatchSettings, loader
from medvision.transforms.cache import CachedCase
folder, count, whole = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "whole"
cases = [CachedCase(folder / str(number)) for number in range(count)]
patch = None if whole else PatchSettings((24, 24, 24), foreground_fraction=0.5)
dataset = CaseDataset(cases, with_mask=True, patch=patch)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def batches(sampler):
    for batch in loader(dataset, sampler, batch_size=8, workers=0):
        batch["image"].sum()
batches(EpochSampler(40, 80, seed=1, purpose=("warm",)))
before = peak()
batches(EpochSampler(count, 2 * count, seed=1, purpose=("all",)))
print(peak() - before)
"""


@pytest.mark.parametrize("way", ["whole", "patches"])
def test_memory_does_not_grow_with_the_number_of_cases(tmp_path, way):
    """2,000 entries of 0.28 MB (0.55 GB), each read twice: the process may grow by the noise of one batch."""
    rng = np.random.default_rng(0)
    image, mask = rng.normal(size=(1, 38, 38, 38)).astype(np.float32), rng.integers(0, 2, (38, 38, 38))
    first = tmp_path / "0"
    first.mkdir()
    np.save(first / "image.npy", image)
    np.save(first / "mask.npy", mask.astype(np.uint8))
    np.save(first / "foreground.npy", np.argwhere(mask)[:1000].astype(np.int16))
    for number in range(1, 2000):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in first.iterdir():
            # Links would share pages; only the images, which are most of an entry, are copied.
            if file.name == "image.npy":
                (folder / file.name).write_bytes(file.read_bytes())
            else:
                (folder / file.name).hardlink_to(file)
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path), "2000", way], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 25  # MB; all images together are 439 MB
