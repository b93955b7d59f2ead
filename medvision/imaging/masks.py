"""Read a mask, whatever it is stored as, into the grid of its image.

NIfTI (or any scan with whole numbers), DICOM SEG and RTSTRUCT, told apart by their content. A mask is
placed by geometry and never by the shape of its array; one that does not lie on the image's voxels, lies
outside of it, or was drawn on another series is refused. Nothing is resampled.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from medvision.errors import SeriesError
from medvision.imaging.belonging import check_belongs
from medvision.imaging.blocks import ElementsError, NotDicomError
from medvision.imaging.dataset import looks_like_dicom
from medvision.imaging.dicom_seg import SEG_CLASSES, DicomSegmentation, read_segmentation
from medvision.imaging.elements import read_elements
from medvision.imaging.files import Source, find_files
from medvision.imaging.geometry import Geometry
from medvision.imaging.label_volume import Mask, load_label_volume, place_label_volume
from medvision.imaging.load import ImageHeader, inspect
from medvision.imaging.nifti import is_nifti
from medvision.imaging.rtstruct import RTSTRUCT_CLASS, StructureSet, read_structure_set
from medvision.imaging.segments import (
    Labels,
    Overlap,
    Region,
    Segment,
    check_values,
    chosen_values,
    combine,
)
from medvision.imaging.volume import Provenance, Volume

Image: TypeAlias = "Volume | ImageHeader | Geometry | Source"
_Structures: TypeAlias = DicomSegmentation | StructureSet


def load_mask(
    source: Source,
    image: Image,
    *,
    labels: Labels | None = None,
    fractional_threshold: float | None = None,
    overlap: Overlap = "refuse",
    allow_other_series: bool = False,
) -> Mask:
    """Load a mask into the grid of its image.

    Args:
        source: A NIfTI, a DICOM SEG or an RTSTRUCT.
        image: What the mask belongs to: a Volume, an ImageHeader, a Geometry, or a scan's path.
        labels: The value that each structure gets, by its name (segment label, ROI name, meaning of its
            type; capitals do not matter) or number (segment or ROI number); others are left out, see
            :func:`~medvision.imaging.segments.chosen_values`. A NIfTI has no names: there they name the
            values that are in the file, which stay, and a value without a name is refused. By
            default all structures, each with its number.
        fractional_threshold: A voxel of a fractional SEG belongs from this fraction on, in (0, 1].
        overlap: Refuse structures that share voxels, or give these to the structure ``"first"`` named.
        allow_other_series: Accept a mask that was drawn on another series in the same frame of reference.

    Raises:
        GeometryError: The mask does not lie on the image's voxels, or lies (partly) outside.
        SeriesError: A damaged mask, one of another series, structures that are not there or overlap.
        MedvisionError: A package that reads the format is not installed.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import save_nifti
        >>> image = Geometry((2, 1, 1), np.diag([-1.0, -1, 1, 1]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save_nifti(f"{folder}/m.nii", np.array([[[3]], [[0]]], "u1"), image.reoriented("RAS"))
        ...     load_mask(file, image, labels={"liver": 3}).array.ravel().tolist()
        [0, 3]
    """
    where, structures = _opened(source)
    check_values(labels, where)
    grid, provenance = _grid(image)
    if structures is None:
        return load_label_volume(source, grid, labels, where)
    values = _wanted(structures, labels, provenance, where, allow_other_series=allow_other_series)
    regions = _regions(structures, list(values), grid, fractional_threshold)
    array = combine(regions, structures.segments, values, grid.shape, overlap=overlap, where=where)
    volume = Volume(array, grid, "SEG", Provenance(files=(structures.path,)))
    return Mask(volume, _by_value(structures.segments, values, labels))


def load_mask_stack(
    source: Source,
    image: Image,
    *,
    labels: Labels | None = None,
    fractional_threshold: float | None = None,
    allow_other_series: bool = False,
) -> tuple[npt.NDArray[np.bool_], tuple[int, ...]]:
    """Load a mask as one channel for each value, so that structures may overlap.

    Arguments and errors are those of :func:`load_mask`.

    Returns:
        Boolean, (value, i, j, k), and the values in the order of the channels.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import save_nifti
        >>> image = Geometry((2, 1, 1), np.eye(4))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = save_nifti(f"{folder}/m.nii", np.array([[[3]], [[5]]], "u1"), image)
        ...     stack, values = load_mask_stack(file, image)
        >>> stack[:, :, 0, 0].astype(int).tolist(), values
        ([[1, 0], [0, 1]], (3, 5))
    """
    where, structures = _opened(source)
    check_values(labels, where)
    grid, provenance = _grid(image)
    if structures is None:
        mask = load_label_volume(source, grid, labels, where)
        known = tuple(mask.segments)
        return np.array([mask.array == v for v in known], bool).reshape(len(known), *grid.shape), known
    values = _wanted(structures, labels, provenance, where, allow_other_series=allow_other_series)
    channels = tuple(dict.fromkeys(values.values()))
    stack = np.zeros((len(channels), *grid.shape), dtype=np.bool_)
    for number, box, inside in _regions(structures, list(values), grid, fractional_threshold):
        stack[channels.index(values[number])][box] |= inside
    return stack, channels


def check_mask(
    source: Source, image: Image, *, labels: Labels | None = None, allow_other_series: bool = False
) -> None:
    """Refuse what :func:`load_mask` would refuse, as far as it shows without the mask's voxels.

    Arguments and errors are those of :func:`load_mask`.
    """
    where, structures = _opened(source)
    check_values(labels, where)
    grid, provenance = _grid(image)
    if structures is None:
        place_label_volume(inspect(source).geometry, grid, where)
        return
    values = _wanted(structures, labels, provenance, where, allow_other_series=allow_other_series)
    if isinstance(structures, StructureSet):
        structures.sections(list(values), grid)
    else:
        structures.places(grid)


def _grid(image: Image) -> tuple[Geometry, Provenance]:
    if isinstance(image, Geometry):
        return image, Provenance()
    if isinstance(image, Volume | ImageHeader):
        return image.geometry, image.provenance
    header = inspect(image)
    return header.geometry, header.provenance


def dicom_kind(path: Path) -> str:
    """The SOPClassUID of a DICOM file, "" of any other file."""
    if is_nifti(path) or not looks_like_dicom(path):
        return ""
    try:
        return str(read_elements(path, ("SOPClassUID",)).get("SOPClassUID") or "")
    except (ElementsError, NotDicomError, OSError):
        return ""


def _opened(source: Source) -> tuple[str, _Structures | None]:
    """What an error calls the mask, and its structures; None where it is an array of labels."""
    where, files = find_files(source)
    kind = dicom_kind(files[0])
    if kind not in (*SEG_CLASSES, RTSTRUCT_CLASS):
        return where, None
    if len(files) > 1:
        raise SeriesError(f"{where}: {len(files)} files, the first a DICOM mask; give the one with the mask")
    read = read_structure_set if kind == RTSTRUCT_CLASS else read_segmentation
    return str(files[0]), read(files[0])


def _wanted(
    structures: _Structures,
    labels: Labels | None,
    image: Provenance,
    where: str,
    *,
    allow_other_series: bool,
) -> dict[int, int]:
    """The value of each structure that is wanted; the mask belongs to the image."""
    values = chosen_values(structures.segments, labels, where)
    if labels is None and isinstance(structures, StructureSet):
        values = _with_region(structures, values)
    references = structures.references(list(values))
    check_belongs(references, image, where, allow_other_series=allow_other_series)
    return values


def _with_region(structures: StructureSet, values: dict[int, int]) -> dict[int, int]:
    """Where nothing was asked for, structures that are points or lines are left out."""
    refused = [structures.rois[n].refusal for n in values if structures.rois[n].refusal]
    if refused:
        warnings.warn(f"{structures.path}: left out: {'; '.join(refused)}", stacklevel=4)
    return {n: value for n, value in values.items() if not structures.rois[n].refusal}


def _regions(
    structures: _Structures, numbers: list[int], grid: Geometry, threshold: float | None
) -> Iterator[Region]:
    if threshold is not None and not 0 < threshold <= 1:
        raise SeriesError(f"fractional_threshold is a fraction above 0 and up to 1, not {threshold:g}")
    if isinstance(structures, StructureSet):
        return structures.regions(numbers, grid)
    return structures.regions(numbers, grid, threshold)


def _by_value(
    segments: tuple[Segment, ...], values: Mapping[int, int], labels: Labels | None
) -> dict[int, Segment]:
    """The structure of each value; one that is absent in this patient by the name asked for."""
    by_number = {segment.number: segment for segment in segments}
    found: dict[int, Segment] = {}
    for number, value in values.items():
        segment, first = by_number[number], found.get(value)
        joined = segment.label if first is None else f"{first.label} + {segment.label}"
        found[value] = replace(first or segment, label=joined)
    for name, value in (labels or {}).items():
        found.setdefault(value, Segment(0, str(name)))
    return found
