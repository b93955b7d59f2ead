"""The images of a MedMNIST file (`.npz`), with the split that its authors made."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import CohortError

PARTS = ("train", "val", "test")
_MOST_BYTES = 8 << 30


@dataclass(frozen=True)
class MedMnist:
    """What a MedMNIST file holds.

    Attributes:
        images: (n, rows, columns) or (n, depth, rows, columns), by part.
        labels: (n,) whole numbers, by part.
    """

    images: dict[str, npt.NDArray[Any]]
    labels: dict[str, npt.NDArray[np.int64]]

    @property
    def classes(self) -> list[int]:
        """The classes, over all parts."""
        return sorted({int(label) for labels in self.labels.values() for label in np.unique(labels)})


def read_medmnist(path: str | Path) -> MedMnist:
    """Read a MedMNIST file; nothing in it is executed, and its size is known before it is unpacked.

    Args:
        path: The `.npz`, with `train_images`, `train_labels`, `val_images`, … `test_labels`.

    Returns:
        Grey images and one label each.

    Raises:
        CohortError: Not such a file; colour images; several labels an image; over 8 GiB unpacked.

    Example:
        >>> file = getfixture("tmp_path") / "tiny.npz"
        >>> parts = {f"{part}_images": np.zeros((2, 8, 8), np.uint8) for part in PARTS}
        >>> np.savez(file, **parts, **{f"{part}_labels": np.array([[0], [1]]) for part in PARTS})
        >>> read_medmnist(file).labels["test"].tolist()
        [0, 1]
    """
    file = Path(path)
    wanted = [f"{part}_{what}" for part in PARTS for what in ("images", "labels")]
    try:
        _check_size(file)
        with np.load(file, allow_pickle=False) as archive:
            missing = [name for name in wanted if name not in archive.files]
            if missing:
                raise CohortError(f"{file.name}: no MedMNIST file, it has no {', '.join(missing)}")
            arrays = {name: archive[name] for name in wanted}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise CohortError(f"{path}: cannot be read as a MedMNIST file: {error}") from None
    problems = [problem for part in PARTS for problem in _problems(part, arrays)]
    if problems:
        raise CohortError(f"{file.name} cannot be used", problems=problems)
    return MedMnist(
        {part: arrays[f"{part}_images"] for part in PARTS},
        {part: arrays[f"{part}_labels"].reshape(-1).astype(np.int64) for part in PARTS},
    )


def _check_size(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        total = math.fsum(info.file_size for info in archive.infolist())
    if total > _MOST_BYTES:
        raise CohortError(f"{file.name}: {total / 2**30:.0f} GiB unpacked, more than the 8 GiB that are read")


def _problems(part: str, arrays: dict[str, npt.NDArray[Any]]) -> list[str]:
    images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
    if images.ndim == 4 and images.shape[-1] in (3, 4):
        return [f"{part}_images are in colour {images.shape}; medvision reads grey images"]
    if images.ndim not in (3, 4) or images.dtype.kind not in "uif":
        return [f"{part}_images has the shape {images.shape} of {images.dtype}, not (n, rows, columns)"]
    if labels.size != len(images) or len(labels) != len(images) or labels.dtype.kind not in "ui":
        return [
            f"{part}_labels has the shape {labels.shape}, and {len(images)} images need one whole number "
            "each (several labels an image are not supported)"
        ]
    return []
