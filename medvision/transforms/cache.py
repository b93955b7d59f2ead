"""Preprocess each case once and keep the result on disk as plain arrays.

An entry is named by the SHA-256 of what it was made from: the content of the image and of the masks, the
`preprocessing:` part of the study, and the version of the code. So a changed file or setting makes a new
entry, and a second start of the same study reads what is there. Arrays are memory-mapped, so memory does
not grow with the number of cases. An entry that is damaged is made again; see `medvision.store`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import monai
import numpy as np
from numpy.typing import NDArray

from medvision.config.intensity import N4BiasField
from medvision.config.pixels import Preprocessing
from medvision.errors import RunError
from medvision.imaging import Geometry
from medvision.leases import hold
from medvision.runs import cache_folder, write_error
from medvision.store import (
    UNFINISHED,
    cache_limit,
    is_whole,
    make_room,
    place,
    publish,
    seal,
    touch,
)
from medvision.transforms.prepare import Prepared, prepare
from medvision.transforms.preprocess import VERSION
from medvision.transforms.standard import HistogramStandard, Landmarks

# Raised whenever an entry holds something else beside its voxels.
FORMAT = 2

_DESCRIPTION = "case.json"
_SHARE_WRITTEN_UNCHECKED = 0.05


@dataclass(frozen=True)
class CachedCase:
    """One preprocessed case on disk.

    Args:
        folder: The entry.
        standard: The standard histogram that its fold learned, where the study asks for one; the image is
            mapped to it when it is read.
    """

    folder: Path
    standard: HistogramStandard | None = None

    def image(self, *, mapped: bool = True) -> NDArray[np.float32]:
        """Return the image, (1, i, j, k), memory-mapped; or read whole, which is faster if all is needed."""
        return self.standardised(self.stored_image(mapped=mapped))

    def mask(self, *, mapped: bool = True) -> NDArray[np.uint8]:
        """Return the mask, (i, j, k): 0 background, then the structures in order; as `image`."""
        return self._array("mask.npy", mapped)

    def stored_image(self, *, mapped: bool = True) -> NDArray[np.float32]:
        """Return the image as it is stored, before the fold's standard histogram; as `image`."""
        return self._array("image.npy", mapped)

    def standardised(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring the stored image, or a part of it, to the fold's standard histogram; else return it."""
        return image if self.standard is None else self.standard.apply(image, self.landmarks)

    def foreground(self) -> NDArray[np.int16]:
        """Return voxels of the structures, (n, 3); none where the mask is empty."""
        return self._array("foreground.npy", True)

    def _array(self, name: str, mapped: bool) -> NDArray[Any]:
        try:
            array: NDArray[Any] = np.load(self.folder / name, mmap_mode="r" if mapped else None)
        except (OSError, ValueError, EOFError) as error:
            raise RunError(
                f"{self.folder / name} has gone or was damaged while it was in use ({error}); give the same "
                "command again to make it anew"
            ) from error
        return array

    @cached_property
    def landmarks(self) -> Landmarks:
        """The landmarks of the stored image's histogram."""
        return tuple(self.description()["landmarks"])

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


def entry_name(
    settings: Preprocessing,
    labels: Mapping[str, int],
    image: str,
    mask: str | None,
    region: str | None = None,
) -> str:
    """Return the name of an entry.

    Args:
        settings: The `preprocessing:` part of a study.
        labels: Structures and their mask values; empty for classification.
        image: SHA-256 of the image's content.
        mask: SHA-256 of the mask's content, or None.
        region: SHA-256 of the region's content, or None.
    """
    versions = [VERSION, FORMAT, monai.__version__]
    if isinstance(settings.bias_field, N4BiasField):
        versions.append(importlib.metadata.version("SimpleITK"))
    steps = settings.model_dump(mode="json")
    made_from = [versions, steps, list(labels.items()), image, mask, region]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()


def cached_case(
    image: Path,
    mask: Path | None,
    settings: Preprocessing,
    labels: Mapping[str, int],
    hashes: Mapping[str, str],
    *,
    region: Path | None = None,
    root: Path | None = None,
) -> CachedCase:
    """Return the cache entry of one case, and make it where it is not there or is damaged.

    The entry is kept until this process ends, whatever the limit of the cache, unless the cache can only be
    read and the entry is there.

    Args:
        image: A NIfTI, a DICOM file, or a folder with one DICOM series.
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT that lies on the image's voxels, or None.
        settings: The `preprocessing:` part of a study.
        labels: Structures and their mask values; empty for classification.
        hashes: SHA-256 of each file or folder.
        region: As `mask`, where the settings need one.
        root: The cache; by default `cache_folder()`.

    Raises:
        MedvisionError: The case cannot be read, or is not what the study says; see `prepare`.
        RunError: The cache cannot be written.
    """
    root = root or cache_folder()
    masks = [None if path is None else hashes[str(path)] for path in (mask, region)]
    name = entry_name(settings, labels, hashes[str(image)], *masks)
    folder = place(root, name)
    try:
        hold(root, name)
    except OSError as error:
        if not is_whole(folder):
            raise write_error(folder, error) from error
        return CachedCase(folder)  # of a cache that can only be read, such as a group's
    if not is_whole(folder):
        size = _write(folder, prepare(image, mask, settings, labels, region=region))
        _room.wrote(root, size)
    touch(folder)
    return CachedCase(folder)


def _write(folder: Path, prepared: Prepared) -> int:
    """Write an entry and return its size in bytes."""
    unfinished = folder.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
    arrays = {"image": prepared.image, "mask": prepared.mask, "foreground": prepared.foreground}
    try:
        unfinished.mkdir(parents=True)
        for name, array in arrays.items():
            if array is not None:
                np.save(unfinished / f"{name}.npy", array)
        (unfinished / _DESCRIPTION).write_text(json.dumps(prepared.description()), encoding="utf-8")
        seal(unfinished)
        size = sum(file.stat().st_size for file in unfinished.iterdir())
        publish(unfinished, folder)
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return size


class _Room:
    """Looks at the size of a cache once for many entries, because looking reads every folder."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.unchecked: dict[Path, float] = {}

    def wrote(self, root: Path, size: int) -> None:
        limit = cache_limit()
        if limit is None:
            return
        with self.lock:
            written = self.unchecked.get(root, float("inf")) + size
            due = written > _SHARE_WRITTEN_UNCHECKED * limit
            self.unchecked[root] = 0 if due else written
        if due:
            make_room(root, limit)


_room = _Room()
