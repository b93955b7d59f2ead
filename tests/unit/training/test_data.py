"""Batches of cached cases."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medvision.training.data import CaseDataset, EpochSampler, EveryCase, PatchSettings, cut, loader
from medvision.transforms.cache import CachedCase


@pytest.fixture
def cases(tmp_path):
    made = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        shape = (9 + number, 10, 8)
        image = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape) + 1000 * number
        mask = np.zeros(shape, np.uint8)
        mask[-1, -1, -1] = 1
        np.save(folder / "image.npy", image)
        np.save(folder / "mask.npy", mask)
        np.save(folder / "foreground.npy", np.argwhere(mask).astype(np.int16))
        made.append(CachedCase(folder))
    return made


def test_whole_volumes_come_as_they_are(cases):
    item = CaseDataset(cases, labels=[0, 1, 1, 0])[(2, 7)]
    assert torch.equal(item["image"], torch.from_numpy(np.array(cases[2].image())))
    assert item["label"] == 1
    assert "mask" not in item


def test_a_patch_is_a_part_of_its_volume_and_mask_moves_along(cases):
    dataset = CaseDataset(cases, with_mask=True, patch=PatchSettings((4, 4, 4), foreground_fraction=1.0))
    item = dataset[(1, 3)]
    assert item["image"].shape == (1, 4, 4, 4)
    assert item["mask"][-1, -1, -1] == 1
    assert item["image"][0, -1, -1, -1] == float(cases[1].image()[0, -1, -1, -1])


def test_a_patch_larger_than_its_volume_is_padded_with_the_lowest_value_and_background(cases):
    dataset = CaseDataset(cases, with_mask=True, patch=PatchSettings((16, 16, 16)))
    item = dataset[(0, 5)]
    image = cases[0].image()
    assert item["image"].shape == (1, 16, 16, 16)
    assert item["image"].sum() == pytest.approx(float(image.sum() + (16**3 - image.size) * image.min()))
    assert item["mask"].sum() == 1


def test_patches_reach_every_place(cases):
    dataset = CaseDataset(cases, patch=PatchSettings((9, 10, 7)))
    first = {float(dataset[(0, seed)]["image"][0, 0, 0, 0]) for seed in range(30)}
    assert first == {0.0, 1.0}


@given(st.integers(1, 20), st.integers(1, 60), st.integers(0, 5))
def test_every_case_comes_once_before_any_comes_again(count, draws, epoch):
    sampler = EpochSampler(count, draws, seed=1, purpose=("test",))
    sampler.set_epoch(epoch)
    order = [index for index, _ in sampler]
    assert len(order) == len(sampler) == draws
    for start in range(0, draws - count + 1, count):
        assert sorted(order[start : start + count]) == list(range(count))


def test_epochs_differ_and_repeat():
    sampler = EpochSampler(30, 30, seed=1, purpose=("test",))
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert [index for index, _ in first] != [index for index, _ in second]
    assert not {seed for _, seed in first} & {seed for _, seed in second}


def test_the_number_of_workers_changes_nothing(cases):
    dataset = CaseDataset(cases, with_mask=True, patch=PatchSettings((5, 5, 5)))
    sampler = EpochSampler(4, 8, seed=3, purpose=("test",))
    alone, helped = (
        [batch["image"] for batch in loader(dataset, sampler, batch_size=2, workers=workers)]
        for workers in (0, 2)
    )
    assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))
    assert list(EveryCase(3)) == [(0, 0), (1, 0), (2, 0)]


@given(st.integers(1, 8), st.integers(-9, 9), st.integers(1, 12))
def test_a_cut_equals_cutting_from_a_padded_copy(side, start, size):
    array = np.arange(1, side + 1)
    padded = np.pad(array, 30, constant_values=-1)
    assert cut(array, [start], [size], value=-1).tolist() == padded[30 + start : 30 + start + size].tolist()
