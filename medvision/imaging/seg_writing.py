"""Write a mask as DICOM SEG, with references to the images on which it lies."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

import numpy as np
import numpy.typing as npt

from medvision.errors import MedvisionError, SeriesError
from medvision.imaging.decoding import in_short, unreadable
from medvision.imaging.dicom_seg import highdicom
from medvision.imaging.files import NOT_IMAGES, OTHER_FORMATS, Source
from medvision.imaging.geometry import Geometry, lps_to_ras
from medvision.imaging.label_volume import Mask, place_label_volume
from medvision.imaging.load import ImageHeader, inspect
from medvision.imaging.options import ReadingOptions
from medvision.imaging.placing import plane_distance_mm
from medvision.imaging.segment_codes import codes_of
from medvision.imaging.segments import Segment
from medvision.imaging.volume import Volume
from medvision.wording import listed

if TYPE_CHECKING:
    from pydicom import Dataset

SegKind: TypeAlias = Literal["BINARY", "LABELMAP"]
Algorithm: TypeAlias = Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"]

_MUST_BE_THERE = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime"),
)
_LONGEST_LABEL = 64  # DICOM's LO


def save_seg(
    path: str | os.PathLike[str],
    mask: Mask | Volume,
    reference: Source,
    segments: Mapping[int, str | Segment] | None = None,
    *,
    algorithm: Algorithm | None = None,
    algorithm_name: str = "",
    kind: SegKind = "BINARY",
    description: str = "",
    **options: Unpack[ReadingOptions],
) -> Path:
    """Write a mask as one DICOM SEG file, through highdicom.

    The segments are numbered 1, 2, … in the order of their values. Planes without a structure are left
    out; every other one stands where its source image stands and names it. Patient and study are those
    of the series, so the file carries the patient's name and identifier where the series does. A name
    that DICOM has a term for (CID 7151) gets its code, any other the code of Tissue.

    Args:
        path: The file to write; its folder is made, and the file appears whole or not at all.
        mask: Whole numbers in the grid of the series; its axes may run in another order.
        reference: The DICOM series on which the mask lies.
        segments: Name or Segment of each value; by default those of a Mask.
        algorithm: How the structures were outlined, where the segments do not say.
        algorithm_name: Which algorithm; needed unless MANUAL.
        kind: BINARY, which every viewer reads, or LABELMAP (DICOM 2024 and later), which is smaller.
        description: SeriesDescription of the segmentation.
        options: What to do where the reference leaves a choice, such as ``series_uid``; see
            :class:`medvision.imaging.Reading`.

    Returns:
        The path.

    Raises:
        GeometryError: The mask does not lie on the voxels of the series.
        SeriesError: The series cannot be read or referenced (a mosaic, no frame of reference).
        MedvisionError: A value without a name, nothing about the algorithm, the file name of another
            format, or no highdicom.
    """
    path = Path(path)
    if path.suffix.lower() in (*NOT_IMAGES, *OTHER_FORMATS):
        raise MedvisionError(f"{path}: the name of another format; a DICOM segmentation is named .dcm")
    package = highdicom("writing a DICOM segmentation")
    header = inspect(reference, **options)
    sources = _source_images(header)
    volume = mask.volume if isinstance(mask, Mask) else mask
    placed = place_label_volume(volume.geometry, header.geometry, "the mask").turn(volume.array)
    named = _named(segments if segments is not None else getattr(mask, "segments", {}))
    described = [_with_algorithm(one, algorithm, algorithm_name) for one in named.values()]
    array = _renumbered(placed, list(named))
    try:
        with warnings.catch_warnings(action="ignore"):
            seg = _segmentation(package, sources, array, header.geometry, described, kind)
    except unreadable() as error:
        raise SeriesError(
            f"{path}: highdicom cannot write a segmentation of this series ({in_short(error)})"
        ) from error
    seg.SeriesDescription = description or "Segmentation"
    shared = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    shared.SpacingBetweenSlices = f"{plane_distance_mm(header.geometry, 2):.10g}"
    return _save(seg, path)


def _source_images(header: ImageHeader) -> list[Dataset]:
    """The headers of the images, in the order of the slices, with what a segmentation takes over."""
    from pydicom import dcmread
    from pydicom.config import disable_value_validation

    files = header.provenance.files
    if header.format != "DICOM":
        raise SeriesError(f"{files[0]}: a DICOM SEG names the DICOM images it lies on; give their folder")
    with disable_value_validation():
        sources: list[Dataset] = [dcmread(file, stop_before_pixels=True, force=True) for file in files]
    first = sources[0]
    if header.provenance.notes:
        raise SeriesError(
            f"{files[0]}: a segmentation names slices as they were stored, but {header.provenance.notes[0]}; "
            f"write NIfTI"
        )
    if "NumberOfFrames" not in first and len(sources) != header.shape[2]:
        raise SeriesError(
            f"{files[0]}: shows several slices as one image (a Siemens mosaic), which a segmentation cannot "
            f"name slice by slice; write NIfTI, or export the series as enhanced MR"
        )
    missing = [name for name in _MUST_BE_THERE if any(not source.get(name) for source in sources)]
    if missing:
        raise SeriesError(
            f"{files[0].parent}: its images have no {listed(missing)}, which a segmentation refers to; "
            f"export the series again without removing it"
        )
    for source in sources:
        _share_groups(source)
        for name in _MAY_BE_EMPTY:
            if name not in source:
                setattr(source, name, "")
    return sources


def _share_groups(source: Dataset) -> None:
    """Let a multi-frame object state once what it states in every frame; reading it found one grid."""
    frames = source.get("PerFrameFunctionalGroupsSequence")
    shared = source.get("SharedFunctionalGroupsSequence")
    for name in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if frames and shared and name not in shared[0] and name in frames[0]:
            setattr(shared[0], name, frames[0].get(name))


def _named(segments: Mapping[int, str | Segment]) -> dict[int, Segment]:
    """The segment of each value, in the order of the values."""
    found: dict[int, Segment] = {}
    for number, (value, one) in enumerate(sorted(segments.items()), start=1):
        segment = Segment(number, one) if isinstance(one, str) else replace(one, number=number)
        label = segment.label.strip()
        if value < 1 or not label or len(label) > _LONGEST_LABEL or "\\" in label:
            raise MedvisionError(
                f"segment {value}: {label!r} is no name for it; a value above 0 has a name of 1 to "
                f"{_LONGEST_LABEL} characters, such as segments={{1: 'liver'}}"
            )
        found[value] = replace(segment, label=label)
    return found


def _with_algorithm(segment: Segment, algorithm: Algorithm | None, name: str) -> Segment:
    how, which = segment.algorithm or algorithm or "", segment.algorithm_name or name
    if how not in ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC") or (how != "MANUAL" and not which):
        raise MedvisionError(
            f"segment {segment.label!r}: a DICOM SEG says how it was outlined; give algorithm='MANUAL', or "
            f"'SEMIAUTOMATIC' or 'AUTOMATIC' with algorithm_name="
        )
    return replace(segment, algorithm=how, algorithm_name=which)


def _renumbered(array: npt.NDArray[Any], values: Sequence[int]) -> npt.NDArray[np.uint16]:
    """The array with the values 1, 2, … of the segments."""
    result = np.zeros(array.shape, dtype=np.uint16)
    for number, value in enumerate(values, start=1):
        result[array == value] = number
    unnamed = np.unique(array[(result == 0) & (array != 0)])
    if unnamed.size:
        raise MedvisionError(
            f"the mask has the value {listed(f'{value:g}' for value in unnamed)}, which no segment names; "
            f"name every value, such as segments={{1: 'liver'}}"
        )
    return result


def _segmentation(
    package: Any,  # noqa: ANN401 (highdicom is an optional package)
    sources: list[Dataset],
    array: npt.NDArray[np.uint16],
    geometry: Geometry,
    segments: Sequence[Segment],
    kind: SegKind,
) -> Any:  # noqa: ANN401 (highdicom is an optional package)
    from pydicom.uid import generate_uid

    frames = np.ascontiguousarray(array.transpose(2, 1, 0))
    if "NumberOfFrames" in sources[0]:
        affine = lps_to_ras(geometry.affine)[:, [2, 1, 0, 3]]
        frames = package.Volume(frames, affine, "PATIENT", sources[0].FrameOfReferenceUID)
    return package.seg.Segmentation(
        source_images=sources,
        pixel_array=frames,
        segmentation_type=kind,
        segment_descriptions=[_description(package, segment) for segment in segments],
        series_instance_uid=generate_uid(),
        series_number=int(sources[0].get("SeriesNumber") or 0) + 1000,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="medvision",
        manufacturer_model_name="medvision",
        software_versions=_version(),
        device_serial_number="0",
        content_label="SEGMENTATION",
        content_creator_name="",
        specific_character_set="ISO_IR 192",
    )


def _version() -> str:
    try:
        return version("medvision")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"


def _description(package: Any, segment: Segment) -> Any:  # noqa: ANN401 (highdicom is an optional package)
    from pydicom.sr.coding import Code as DicomCode

    category, kind = codes_of(segment.label)
    category, kind = segment.category or category, segment.type or kind
    described = package.seg.SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.label,
        segmented_property_category=DicomCode(*category),
        segmented_property_type=DicomCode(*kind),
        algorithm_type="MANUAL",
    )
    if segment.algorithm != "MANUAL":
        # The name is all that is known: highdicom would also want a family and a version.
        described.SegmentAlgorithmType = segment.algorithm
        described.SegmentAlgorithmName = segment.algorithm_name
    return described


def _save(dataset: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        dataset.save_as(temporary, enforce_file_format=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
