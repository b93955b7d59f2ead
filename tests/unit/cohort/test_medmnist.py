"""MedMNIST files: read without executing anything, or refused."""

import zipfile

import numpy as np
import pytest

from medvision.cohort import medmnist
from medvision.cohort.medmnist import PARTS, read_medmnist
from medvision.errors import CohortError


def arrays(**changed):
    whole = {f"{part}_images": np.zeros((2, 4, 4), np.uint8) for part in PARTS}
    whole |= {f"{part}_labels": np.array([[0], [1]], np.uint8) for part in PARTS}
    return whole | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"val_images": np.zeros((2, 4, 4, 3), np.uint8)}, "val_images are in colour"),
        ({"val_images": np.zeros((2, 4), np.uint8)}, r"val_images has the shape \(2, 4\)"),
        ({"test_labels": np.zeros((2, 14), np.uint8)}, "several labels an image"),
        ({"test_labels": np.array([0.5, 1.0])}, "one whole number"),
        ({"train_labels": np.array([{"a": 1}, None], dtype=object)}, "cannot be read as a MedMNIST file"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, changed, message):
    np.savez(tmp_path / "a.npz", **arrays(**changed))
    with pytest.raises(CohortError, match=r"a\.npz") as caught:
        read_medmnist(tmp_path / "a.npz")
    assert caught.match(message)


def test_other_files_are_refused(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", train_images=np.zeros(3))
    with pytest.raises(CohortError, match="it has no train_labels, val_images"):
        read_medmnist(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"no zip")
    with pytest.raises(CohortError, match="cannot be read"):
        read_medmnist(tmp_path / "b.npz")
    with pytest.raises(CohortError, match="cannot be read"):
        read_medmnist(tmp_path / "nowhere.npz")
    np.savez_compressed(tmp_path / "bomb.npz", **arrays(train_images=np.zeros((2, 2000, 2000), np.uint8)))
    assert (tmp_path / "bomb.npz").stat().st_size < 20_000
    monkeypatch.setattr(medmnist, "_MOST_BYTES", 1 << 20)
    with pytest.raises(CohortError, match="more than the 8 GiB"):
        read_medmnist(tmp_path / "bomb.npz")


def test_a_damaged_member_is_refused(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, **arrays())
    with zipfile.ZipFile(file, "a") as archive:
        where = archive.getinfo("train_images.npy").header_offset
    data = bytearray(file.read_bytes())
    data[where + 150] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(CohortError, match="cannot be read"):
        read_medmnist(file)


def test_labels_of_either_shape(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays(train_labels=np.array([1, 2])))
    found = read_medmnist(tmp_path / "a.npz")
    assert found.classes == [0, 1, 2]
    assert found.labels["train"].tolist() == [1, 2]
