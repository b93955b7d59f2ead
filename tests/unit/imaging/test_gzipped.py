"""Bombs: what becomes huge is refused before room is made for it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from medvision.errors import SeriesError
from medvision.imaging import inspect, load_volume
from medvision.imaging.gzipped import holds, is_gzip, open_unpacked, refuse_bomb, refuse_deflated_bomb
from medvision.testing.bombs import BOMBS, dicom_deflated
from medvision.testing.samples import phantom, sample


@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("packed", [False, True])
def test_whether_the_bytes_are_there(tmp_path: Path, packed: bool, extra: int) -> None:
    content = bytes(range(256)) * 10
    (tmp_path / "a").write_bytes(gzip.compress(content) if packed else content)
    assert is_gzip(tmp_path / "a") == packed
    assert holds(tmp_path / "a", len(content) - extra) == (extra >= 0)
    with open_unpacked(tmp_path / "a") as file:
        assert file.read() == content


def test_several_members_and_damage(tmp_path: Path) -> None:
    one = gzip.compress(bytes(500))
    (tmp_path / "a").write_bytes(one + one)
    assert holds(tmp_path / "a", 1000)
    assert not holds(tmp_path / "a", 1001)
    (tmp_path / "a").write_bytes(one + one[:10] + b"\xff\xff" + one[12:])
    assert not holds(tmp_path / "a", 1000)


def test_masks_are_no_bombs() -> None:
    refuse_bomb("mask", 500_000, 2 * 512 * 512 * 400)  # 400 times
    refuse_bomb("zeros", 100, 100_000)
    with pytest.raises(SeriesError, match="zeros: unpacks to 2 GiB or more, 1000 times its size"):
        refuse_bomb("zeros", 2**31 // 1000, 2**31)


def test_a_deflated_file_of_dicom(tmp_path: Path) -> None:
    bomb = dicom_deflated(tmp_path, np.random.default_rng(0))
    for read in (inspect, load_volume):
        with pytest.raises(SeriesError, match=r"scan\.dcm: unpacks to .* as decompression bombs do"):
            read(bomb)
    whole = next(iter(sample("dicom-deflated").values()))
    for content in (whole, whole[:-30], whole[:400] + b"\xff" * 50 + whole[450:], whole[:300]):
        (tmp_path / "a.dcm").write_bytes(content)
        refuse_deflated_bomb(tmp_path / "a.dcm")  # damage is for the reader to name


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_every_bomb_is_refused_or_harmless(name: str, tmp_path: Path) -> None:
    for seed in range(1 if name == "zip-many" else 3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        source = BOMBS[name](folder, np.random.default_rng(seed))
        if name == "nifti-zeros-behind":
            assert np.array_equal(load_volume(source).array, phantom().array)
            continue
        for read in (inspect, load_volume):
            if name == "dicom-codestream" and read is inspect and seed_is_honest(source):
                continue  # only the codestream inside lies
            with pytest.raises(SeriesError):
                read(source)


def seed_is_honest(source: Path) -> bool:
    from pydicom import dcmread

    return dcmread(source, specific_tags=["Rows"]).Rows < 100


def test_a_deflated_file_with_gigabytes_behind_its_end_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "scan.dcm"
    path.write_bytes(next(iter(sample("dicom-deflated").values())))
    refuse_deflated_bomb(path)
    with path.open("r+b") as file:
        file.truncate(10 << 30)
    with pytest.raises(SeriesError, match="10239 MiB lie behind the end of its data"):
        load_volume(path)
