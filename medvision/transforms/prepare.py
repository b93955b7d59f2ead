"""Read one case, check that it is what the study says, and bring it to the network's form."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Compose
from numpy.typing import NDArray

from medvision.config.pixels import Preprocessing
from medvision.errors import CohortError, MedvisionError
from medvision.imaging import Geometry, load_mask
from medvision.imaging.nifti import is_nifti
from medvision.imaging.segments import Overlap
from medvision.transforms.load import LoadVolumed
from medvision.transforms.preprocess import IMAGE, MASK, spatial_and_intensity


@dataclass(frozen=True)
class Prepared:
    """One case in the network's form.

    Args:
        image: (1, i, j, k).
        mask: (i, j, k): 0 background, then 1, 2, … for the structures in the study's order; or None.
        affine: Voxels to RAS millimetres, (4, 4).
        scan: Shape and affine of the scan as it was read.
        voxels_sha256: Digest of the scan's voxels, the same whatever the container.
        foreground: Up to 1,000 voxels of each structure, (n, 3), from which patches are centred without
            searching the mask at every step; None without a mask.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.uint8] | None
    affine: NDArray[np.float64]
    scan: Geometry
    voxels_sha256: str
    foreground: NDArray[np.int16] | None

    def description(self) -> dict[str, object]:
        """Return everything but the arrays, for JSON."""
        return {
            "affine": self.affine.tolist(),
            "shape": list(self.image.shape[1:]),
            "scan_affine": np.asarray(self.scan.affine).tolist(),
            "scan_shape": list(self.scan.shape),
            "voxels_sha256": self.voxels_sha256,
        }


def prepare(image: Path, mask: Path | None, settings: Preprocessing, labels: Mapping[str, int]) -> Prepared:
    """Load, check and preprocess one case.

    Args:
        image: A NIfTI, a DICOM file, or a folder with one DICOM series.
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT that lies on the image's voxels, or None.
        settings: The `preprocessing:` part of a study.
        labels: Structures and their mask values; empty for classification, where a mask only says where
            to crop.

    Raises:
        SeriesError: The image is not one readable series, or the mask belongs to another one, lacks
            structures, or has values that the study does not name.
        GeometryError: The mask does not lie in the image's grid.
        CohortError: The image has NaN or is constant.
    """
    keys = (IMAGE,) if mask is None else (IMAGE, MASK)
    loaded = LoadVolumed((IMAGE,), ensure_channel_first=True)({IMAGE: str(image)})
    scan = _geometry(loaded[IMAGE])
    _check_image(loaded[IMAGE], image)
    if mask is not None:
        loaded[MASK] = _as_classes(read_mask(mask, image, scan, labels), scan, labels)
    digest = hashlib.sha256(np.ascontiguousarray(loaded[IMAGE].numpy()).tobytes()).hexdigest()
    done = _apply(Compose(spatial_and_intensity(settings, keys)), loaded)
    classes = None if mask is None else np.ascontiguousarray(done[MASK].numpy()[0]).astype(np.uint8)
    return Prepared(
        image=np.ascontiguousarray(done[IMAGE].numpy(), dtype=np.float32),
        mask=classes,
        affine=np.asarray(done[IMAGE].affine, dtype=np.float64),
        scan=scan,
        voxels_sha256=digest,
        foreground=None if classes is None else _foreground(classes),
    )


def prepare_image(image: Path, settings: Preprocessing) -> Prepared:
    """Load, check and preprocess one image without a mask, as for prediction."""
    return prepare(image, None, settings, {})


def _apply(steps: Compose, loaded: dict[Hashable, Any]) -> dict[Hashable, Any]:
    try:
        done: dict[Hashable, Any] = steps(loaded)
    except RuntimeError as error:
        # MONAI wraps what a transform raises; the sentence for the user is inside.
        if isinstance(error.__cause__, MedvisionError):
            raise error.__cause__ from None
        raise
    return done


def _foreground(classes: NDArray[np.uint8], most: int = 1000) -> NDArray[np.int16]:
    chosen = []
    for value in np.unique(classes[classes > 0]):
        voxels = np.argwhere(classes == value)
        chosen.append(voxels[np.linspace(0, len(voxels) - 1, min(len(voxels), most)).astype(int)])
    return np.concatenate([np.empty((0, 3), int), *chosen]).astype(np.int16)


def _geometry(volume: MetaTensor) -> Geometry:
    i, j, k = volume.shape[1:]
    return Geometry(shape=(i, j, k), affine=np.asarray(volume.affine, dtype=np.float64))


def _check_image(volume: MetaTensor, path: Path) -> None:
    bad = int((~torch.isfinite(volume)).sum())
    if bad:
        raise CohortError(f"{path}: {bad} voxels are NaN or infinite; export the image again or exclude it")
    low, high = float(volume.min()), float(volume.max())
    if low == high:
        raise CohortError(f"{path}: every voxel is {low:g}; an image that is constant holds no information")


def read_mask(mask: Path, image: Path, scan: Geometry, labels: Mapping[str, int]) -> NDArray[Any]:
    """Read the mask of a case into its scan's grid.

    Args:
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT.
        image: The case's image, whose series a DICOM mask must name.
        scan: Shape and affine of the image.
        labels: Structures and their values. A NIfTI holds these values; in a SEG or an RTSTRUCT the
            structures are found by their names. Empty where it only matters where anything is.

    Raises:
        GeometryError: The mask does not lie on the image's voxels.
        SeriesError: It belongs to another series, lacks structures, or has values without a name.
    """
    place = scan if is_nifti(mask) else image
    overlap: Overlap = "refuse" if labels else "first"
    return load_mask(mask, place, labels=labels or None, overlap=overlap).array


def _as_classes(mask: NDArray[Any], scan: Geometry, labels: Mapping[str, int]) -> MetaTensor:
    """Turn the mask's values into class indices 0, 1, 2, … in the study's order."""
    classes = np.zeros((1, *mask.shape), np.float32)
    for index, value in enumerate(labels.values(), start=1):
        classes[0, mask == value] = index
    if not labels:
        classes[0] = mask != 0
    return MetaTensor(torch.from_numpy(classes), affine=torch.tensor(scan.affine, dtype=torch.float64))
