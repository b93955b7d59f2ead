"""One case read once: its measures, its hash, and two small pictures; remembered by the files' content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from medvision.cohort import Case
from medvision.imaging import ReadingOptions, load_mask, load_volume, reorient
from medvision.imaging.content import voxels_hash
from medvision.imaging.nifti import is_nifti
from medvision.imaging.perceptual import Picture, picture
from medvision.imaging.quality import ImageQuality, MaskQuality, image_quality, mask_quality
from medvision.imaging.volume import Volume
from medvision.runs import atomic_path, cache_folder

VERSION = 1
"""Raised whenever a measure changes, so that no older result is read."""

_THUMBNAIL = 96
_WINDOW_HU = (-1000.0, 1000.0)


@dataclass(frozen=True, eq=False)
class ExaminedCase:
    """What is kept of a case; a few tens of kilobytes.

    Args:
        image: Measures of the scan.
        mask: Measures of the mask; None where the study reads none.
        voxels: Hash of the scan's voxels, whatever the container and the order of axes.
        mask_voxels: That of the mask, or "".
        picture: For the search of near-duplicates.
        thumbnail: The middle slice, or that of the largest part of the mask, grey values 0 to 255.
    """

    image: ImageQuality
    mask: MaskQuality | None
    voxels: str
    mask_voxels: str
    picture: Picture
    thumbnail: npt.NDArray[np.uint8]


def examine(
    case: Case,
    *,
    with_mask: bool,
    hashes: Mapping[str, str],
    labels: Mapping[str, int] | None = None,
    **options: Unpack[ReadingOptions],
) -> ExaminedCase:
    """Read and measure a case, or take what an earlier check kept.

    Args:
        case: Which.
        with_mask: Also read its mask.
        hashes: Content hash of its files by path.
        labels: Structures and their values, by which those of a DICOM mask are found.
        options: How the scan is read.

    Raises:
        MedvisionError: A file cannot be read, or the mask does not lie on the image's grid.
        RunError: The cache cannot be written.
    """
    mask_path = case.mask if with_mask else None
    image_hash = hashes[str(case.image)]
    mask_hash = "" if mask_path is None else hashes[str(mask_path)]
    told = hashlib.sha256(
        repr((sorted(options.items()), sorted((labels or {}).items()))).encode()
    ).hexdigest()
    name = f"{VERSION}-{image_hash[:32]}-{mask_hash[:32]}-{told[:8]}.npz"
    entry = cache_folder() / "quality" / name
    kept = _load(entry)
    if kept is not None:
        return kept
    found = _examine(case.image, mask_path, labels, **options)
    _save(entry, found)
    return found


def _examine(
    image_path: Path,
    mask_path: Path | None,
    labels: Mapping[str, int] | None = None,
    **options: Unpack[ReadingOptions],
) -> ExaminedCase:
    volume = load_volume(image_path, **options)
    mask = None if mask_path is None else _mask(mask_path, volume, labels)
    canonical = reorient(volume, "RAS")
    return ExaminedCase(
        image=image_quality(volume),
        mask=None if mask is None else mask_quality(mask),
        voxels=voxels_hash(canonical),
        mask_voxels="" if mask is None else voxels_hash(mask),
        picture=picture(canonical.array),
        thumbnail=_thumbnail(canonical, None if mask is None else reorient(mask, "RAS")),
    )


def _mask(path: Path, image: Volume, labels: Mapping[str, int] | None) -> Volume:
    """A NIfTI as it is, so that values without a name show; of a DICOM mask what the study names."""
    if is_nifti(path):
        return load_mask(path, image).volume
    return load_mask(path, image, labels=labels, overlap="refuse" if labels else "first").volume


def _thumbnail(volume: Volume, mask: Volume | None) -> npt.NDArray[np.uint8]:
    from medvision.reporting.figures.slices import cut_slice

    masks = {} if mask is None else {"mask": mask.array}
    cut = cut_slice(volume, masks, ("mask",))
    pixels = np.nan_to_num(np.asarray(cut.image, dtype=np.float64), posinf=0.0, neginf=0.0)
    low, high = _WINDOW_HU if volume.modality == "CT" else np.percentile(pixels, [0.5, 99.5])
    grey = (pixels - low) / max(high - low, 1e-9) * 255
    # True proportions: as many rows and columns as the picture is high and wide, at most 96.
    width, height = cut.size_mm
    scale = _THUMBNAIL / max(width, height)
    rows = np.linspace(0, grey.shape[0] - 1, max(1, round(height * scale))).round().astype(int)
    columns = np.linspace(0, grey.shape[1] - 1, max(1, round(width * scale))).round().astype(int)
    return np.asarray(grey[np.ix_(rows, columns)].clip(0, 255), dtype=np.uint8)


def _save(entry: Path, found: ExaminedCase) -> None:
    text = json.dumps(
        {
            "image": {key: value for key, value in vars(found.image).items() if key != "profile"},
            "mask": None if found.mask is None else vars(found.mask),
            "voxels": found.voxels,
            "mask_voxels": found.mask_voxels,
        }
    )
    with atomic_path(entry) as temporary:
        np.savez(
            temporary,
            text=np.array(text),
            profile=found.image.profile,
            picture=found.picture,
            thumbnail=found.thumbnail,
        )


def _load(entry: Path) -> ExaminedCase | None:
    """What is kept; None where nothing is, or it is damaged."""
    try:
        with np.load(entry) as arrays:
            held: dict[str, Any] = json.loads(str(arrays["text"]))
            image: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value
                for key, value in held["image"].items()
            }
            mask = held["mask"]
            return ExaminedCase(
                ImageQuality(profile=arrays["profile"], **image),
                None if mask is None else MaskQuality(**{**mask, "values": tuple(mask["values"])}),
                held["voxels"],
                held["mask_voxels"],
                arrays["picture"],
                arrays["thumbnail"],
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None
