"""Preprocess each case once and keep the result on disk as plain arrays.

An entry is named by the SHA-256 of what it was made from: the content of the image and of the mask, the
`preprocessing:` part of the study, and the version of the code. So a changed file or setting makes a new
entry, and a second start of the same study reads what is there. Arrays are memory-mapped, so memory does
not grow with the number of cases.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import monai
import numpy as np
from numpy.typing import NDArray

from medvision.config.pixels import Preprocessing
from medvision.imaging import Geometry
from medvision.runs import cache_folder, write_error
from medvision.transforms.prepare import Prepared, prepare
from medvision.transforms.preprocess import VERSION

_DESCRIPTION = "case.json"


@dataclass(frozen=True)
class CachedCase:
    """One preprocessed case on disk.

    Args:
        folder: The entry.
    """

    folder: Path

    def image(self, *, mapped: bool = True) -> NDArray[np.float32]:
        """Return the image, (1, i, j, k), memory-mapped; or read whole, which is faster if all is needed."""
        image: NDArray[np.float32] = np.load(self.folder / "image.npy", mmap_mode="r" if mapped else None)
        return image

    def mask(self, *, mapped: bool = True) -> NDArray[np.uint8]:
        """Return the mask, (i, j, k): 0 background, then the structures in order; as `image`."""
        mask: NDArray[np.uint8] = np.load(self.folder / "mask.npy", mmap_mode="r" if mapped else None)
        return mask

    def foreground(self) -> NDArray[np.int16]:
        """Return voxels of the structures, (n, 3); none where the mask is empty."""
        foreground: NDArray[np.int16] = np.load(self.folder / "foreground.npy", mmap_mode="r")
        return foreground

    def description(self) -> dict[str, Any]:
        """Return shape, affine, the scan's own geometry and the digest of its voxels."""
        text = (self.folder / _DESCRIPTION).read_text(encoding="utf-8")
        description: dict[str, Any] = json.loads(text)
        return description

    def scan(self) -> Geometry:
        """Return the grid of the scan as it was read."""
        found = self.description()
        i, j, k = found["scan_shape"]
        return Geometry(shape=(i, j, k), affine=np.asarray(found["scan_affine"]))

    def affine(self) -> NDArray[np.float64]:
        """Return the map from the preprocessed voxels to RAS millimetres, (4, 4)."""
        return np.asarray(self.description()["affine"], dtype=np.float64)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sides of the preprocessed volume in voxels."""
        i, j, k = self.image().shape[1:]
        return i, j, k


def entry_name(settings: Preprocessing, labels: Mapping[str, int], image: str, mask: str | None) -> str:
    """Return the name of an entry.

    Args:
        settings: The `preprocessing:` part of a study.
        labels: Structures and their mask values; empty for classification.
        image: SHA-256 of the image's content.
        mask: SHA-256 of the mask's content, or None.
    """
    steps = settings.model_dump(mode="json")
    made_from = [VERSION, monai.__version__, steps, list(labels.items()), image, mask]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()


def cached_case(
    image: Path,
    mask: Path | None,
    settings: Preprocessing,
    labels: Mapping[str, int],
    hashes: Mapping[str, str],
    *,
    root: Path | None = None,
) -> CachedCase:
    """Return the cache entry of one case, and make it where it is not there.

    Args:
        image: A NIfTI, a DICOM file, or a folder with one DICOM series.
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT that lies on the image's voxels, or None.
        settings: The `preprocessing:` part of a study.
        labels: Structures and their mask values; empty for classification.
        hashes: SHA-256 of each file or folder.
        root: The cache; by default `cache_folder()`.

    Raises:
        MedvisionError: The case cannot be read, or is not what the study says; see `prepare`.
        RunError: The cache cannot be written.
    """
    name = entry_name(settings, labels, hashes[str(image)], None if mask is None else hashes[str(mask)])
    folder = (root or cache_folder()) / "cases" / name[:2] / name
    if not (folder / _DESCRIPTION).exists():
        _write(folder, prepare(image, mask, settings, labels))
    return CachedCase(folder)


def _write(folder: Path, prepared: Prepared) -> None:
    unfinished = folder.with_name(f".unfinished-{uuid.uuid4().hex}")
    try:
        unfinished.mkdir(parents=True)
        np.save(unfinished / "image.npy", prepared.image)
        if prepared.mask is not None:
            np.save(unfinished / "mask.npy", prepared.mask)
        if prepared.foreground is not None:
            np.save(unfinished / "foreground.npy", prepared.foreground)
        (unfinished / _DESCRIPTION).write_text(json.dumps(prepared.description()), encoding="utf-8")
        if not folder.exists():  # else another process has just made the same entry
            unfinished.rename(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
