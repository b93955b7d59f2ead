"""Read one case, check that it is what the study says, and bring it to the network's form."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Compose
from numpy.typing import NDArray

from medvision.config.intensity import NyulIntensity
from medvision.config.pixels import Preprocessing
from medvision.errors import CohortError, MedvisionError
from medvision.imaging import Geometry, ReadingOptions, inspect, load_mask
from medvision.imaging.nifti import is_nifti
from medvision.imaging.segments import Overlap
from medvision.transforms.load import LoadVolumed
from medvision.transforms.preprocess import padding, up_to_intensity
from medvision.transforms.regions import IMAGE, MASK, REGION, foreground_voxels, otsu_threshold
from medvision.transforms.standard import HistogramStandard, Landmarks, landmarks_of

QUANTILES = 201
"""Intensity percentiles that are kept of each scan: 0, 0.5, 1, … 100."""

_MOST_VOXELS = 1_000_000


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
        landmarks: Of the preprocessed image's histogram, where the study standardises it; else None.
        quantiles: Intensity percentiles of the scan's foreground as it was read: of the structures where
            there are any, else of the voxels above Otsu's threshold.
        structure_ml: Volume of each structure in the scan and in the preprocessed mask, by class.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.uint8] | None
    affine: NDArray[np.float64]
    scan: Geometry
    voxels_sha256: str
    foreground: NDArray[np.int16] | None
    landmarks: Landmarks | None
    quantiles: tuple[float, ...]
    structure_ml: Mapping[int, tuple[float, float]]

    def description(self) -> dict[str, object]:
        """Return everything but the arrays, for JSON."""
        return {
            "affine": self.affine.tolist(),
            "shape": list(self.image.shape[1:]),
            "scan_affine": np.asarray(self.scan.affine).tolist(),
            "scan_shape": list(self.scan.shape),
            "voxels_sha256": self.voxels_sha256,
            "landmarks": self.landmarks,
            "quantiles": self.quantiles,
            "structure_ml": {str(value): list(pair) for value, pair in self.structure_ml.items()},
        }


def prepare(
    image: Path,
    mask: Path | None,
    settings: Preprocessing,
    labels: Mapping[str, int],
    *,
    region: Path | None = None,
) -> Prepared:
    """Load, check and preprocess one case.

    Args:
        image: A NIfTI, a DICOM file, or a folder with one DICOM series.
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT that lies on the image's voxels, or None.
        settings: The `preprocessing:` part of a study.
        labels: Structures and their mask values; empty for classification, where a mask only says where
            to crop.
        region: As `mask`, where the settings need one; every voxel that belongs to anything.

    Raises:
        SeriesError: The image is not one readable series, or the mask belongs to another one, lacks
            structures, or has values that the study does not name.
        GeometryError: The mask or the region does not lie in the image's grid.
        CohortError: The image has NaN or is constant, or there is nothing where a step looks for something.
    """
    paths = {IMAGE: image, MASK: mask, REGION: region if settings.needs_region else None}
    given = {key: path for key, path in paths.items() if path is not None}
    loaded = _load(given, labels, **settings.reading.options())
    keys = tuple(str(key) for key in loaded)
    scan = _geometry(loaded[IMAGE])
    # Before the steps: some of MONAI's change an image in place.
    facts = _facts(loaded, labels)
    done = _apply(Compose(up_to_intensity(settings, keys)), loaded)
    landmarks = _landmarks(done, settings)
    done = _apply(Compose(padding(settings, keys)), done)
    classes = None if mask is None else np.ascontiguousarray(done[MASK].numpy()[0]).astype(np.uint8)
    affine = np.asarray(done[IMAGE].affine, dtype=np.float64)
    return Prepared(
        image=np.ascontiguousarray(done[IMAGE].numpy(), dtype=np.float32),
        mask=classes,
        affine=affine,
        scan=scan,
        voxels_sha256=facts.sha256,
        foreground=None if classes is None else _foreground(classes),
        landmarks=landmarks,
        quantiles=facts.quantiles,
        structure_ml={value: (ml, _ml(classes, value, affine)) for value, ml in facts.structure_ml.items()},
    )


def prepare_image(image: Path, settings: Preprocessing) -> Prepared:
    """Load, check and preprocess one image without a mask, as for prediction."""
    return prepare(image, None, settings, {})


def standardised(prepared: Prepared, standard: HistogramStandard | None) -> Prepared:
    """Bring an image to the standard histogram that a fold learned; without one it stays as it is."""
    if standard is None or prepared.landmarks is None:
        return prepared
    return replace(prepared, image=standard.apply(prepared.image, prepared.landmarks))


def _load(
    paths: Mapping[str, Path], labels: Mapping[str, int], **options: Unpack[ReadingOptions]
) -> dict[Hashable, Any]:
    """Read the files of a case and check them against each other and the study."""
    image = paths[IMAGE]
    loaded = LoadVolumed((IMAGE,), ensure_channel_first=True, **options)({IMAGE: str(image)})
    scan = _geometry(loaded[IMAGE])
    _check_image(loaded[IMAGE], image)
    for key, named in ((MASK, labels), (REGION, {})):
        if key in paths:
            loaded[key] = _as_classes(read_mask(paths[key], image, scan, named, **options), scan, named)
    return loaded


def _apply(steps: Compose, loaded: dict[Hashable, Any]) -> dict[Hashable, Any]:
    try:
        done: dict[Hashable, Any] = steps(loaded)
    except RuntimeError as error:
        # MONAI wraps what a transform raises; the sentence for the user is inside.
        if isinstance(error.__cause__, MedvisionError):
            raise error.__cause__ from None
        raise
    return done


def _landmarks(done: Mapping[Hashable, Any], settings: Preprocessing) -> Landmarks | None:
    intensity = settings.intensity
    if not isinstance(intensity, NyulIntensity):
        return None
    inside = foreground_voxels(done, intensity.foreground)
    return landmarks_of(done[IMAGE].numpy()[0][inside], intensity.percentiles)


@dataclass(frozen=True)
class _Facts:
    """What is kept of a scan as it was read; see `Prepared`."""

    sha256: str
    quantiles: tuple[float, ...]
    structure_ml: Mapping[int, float]


def _facts(loaded: Mapping[Hashable, Any], labels: Mapping[str, int]) -> _Facts:
    voxels = np.ascontiguousarray(loaded[IMAGE].numpy())
    mask = loaded[MASK].numpy()[0] if MASK in loaded and labels else None
    affine = np.asarray(loaded[IMAGE].affine, dtype=np.float64)
    return _Facts(
        hashlib.sha256(voxels.tobytes()).hexdigest(),
        _quantiles(voxels[0], None if mask is None else mask > 0),
        {} if mask is None else {value: _ml(mask, value, affine) for value in range(1, len(labels) + 1)},
    )


def _quantiles(voxels: NDArray[np.float32], inside: NDArray[np.bool_] | None) -> tuple[float, ...]:
    """Percentiles of the foreground, of at most a million voxels that are spread evenly over it."""
    if inside is None or not inside.any():
        thin = voxels.ravel()[:: -(-voxels.size // _MOST_VOXELS)]
        thin = thin if thin.min() < thin.max() else voxels.ravel()
        values = thin[thin > otsu_threshold(thin)]
    else:
        values = voxels[inside]
        values = values[:: -(-values.size // _MOST_VOXELS)]
    found = np.percentile(values, np.linspace(0, 100, QUANTILES))
    return tuple(float(f"{value:.6g}") for value in found)


def _ml(mask: NDArray[Any] | None, value: int, affine: NDArray[np.float64]) -> float:
    voxels = 0 if mask is None else int((mask == value).sum())
    return voxels * abs(float(np.linalg.det(affine[:3, :3]))) / 1000


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


def read_mask(
    mask: Path,
    image: Path,
    scan: Geometry,
    labels: Mapping[str, int],
    **options: Unpack[ReadingOptions],
) -> NDArray[Any]:
    """Read the mask of a case into its scan's grid.

    Args:
        mask: A NIfTI, a DICOM SEG or an RTSTRUCT.
        image: The case's image, whose series a DICOM mask must name.
        scan: Shape and affine of the image.
        labels: Structures and their values. A NIfTI holds these values; in a SEG or an RTSTRUCT the
            structures are found by their names. Empty where it only matters where anything is.
        options: How the image is read.

    Raises:
        GeometryError: The mask does not lie on the image's voxels.
        SeriesError: It belongs to another series, lacks structures, or has values without a name.
    """
    place = scan if is_nifti(mask) else inspect(image, **options)
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
