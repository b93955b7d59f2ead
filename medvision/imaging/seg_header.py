"""What the header of a DICOM segmentation says: its structures, planes and source images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medvision.errors import GeometryError
from medvision.imaging.belonging import References, uids
from medvision.imaging.geometry import Geometry, dicom_affine
from medvision.imaging.segments import Code, Segment

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True, eq=False)
class Frame:
    """One plane of a segmentation.

    Attributes:
        index: Its place in the file, from 0.
        number: The segment that it shows; 0 in a labelmap, whose values are segment numbers.
        geometry: Shape (columns, rows, 1) and affine, → RAS+ mm.
        spacing_between_mm: SpacingBetweenSlices without its sign, None where absent.
    """

    index: int
    number: int
    geometry: Geometry
    spacing_between_mm: float | None


def refusal_of(dataset: Dataset) -> str:
    """Why a segmentation cannot be placed in a patient; "" where it can."""
    tiled = str(dataset.get("DimensionOrganizationType") or "").startswith("TILED")
    if tiled or "TotalPixelMatrixColumns" in dataset:
        return "a tiled segmentation of a whole-slide image, which lies on a slide and not in a patient"
    if str(dataset.get("SegmentationType")) not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        return f"SegmentationType {dataset.get('SegmentationType')!r} is not known; export it as BINARY"
    if not dataset.get("PixelData"):
        return "a segmentation without pixels; export it again"
    return ""


def segment_of(item: Dataset) -> Segment:
    """One item of the SegmentSequence."""
    return Segment(
        number=int(item.SegmentNumber),
        label=str(item.get("SegmentLabel") or ""),
        category=_code(item, "SegmentedPropertyCategoryCodeSequence"),
        type=_code(item, "SegmentedPropertyTypeCodeSequence"),
        algorithm=str(item.get("SegmentAlgorithmType") or ""),
        algorithm_name=str(item.get("SegmentAlgorithmName") or ""),
    )


def check_numbers(segments: Sequence[Segment], frames: Sequence[Frame]) -> None:
    """Refuse two segments of one number, and frames of a segment that is not described.

    Raises:
        ValueError: Names the number.
    """
    known = {segment.number for segment in segments}
    if len(known) < len(segments):
        number = next(n for n in known if sum(s.number == n for s in segments) > 1)
        raise ValueError(f"two segments have the number {number}")
    unknown = next((frame for frame in frames if frame.number and frame.number not in known), None)
    if unknown:
        raise ValueError(
            f"frame {unknown.index + 1} shows segment {unknown.number}, which it does not describe"
        )


def _code(item: Dataset, keyword: str) -> Code | None:
    sequence = item.get(keyword)
    if not sequence:
        return None
    value = next(
        (sequence[0].get(k) for k in ("CodeValue", "LongCodeValue", "URNCodeValue") if k in sequence[0]), ""
    )
    designator, meaning = (sequence[0].get(k) or "" for k in ("CodingSchemeDesignator", "CodeMeaning"))
    return Code(str(value), str(designator), str(meaning))


def frames_of(dataset: Dataset) -> Iterator[Frame]:
    """The planes of a segmentation.

    Raises:
        GeometryError: They have no place in the patient.
        ValueError: Their number or segment is not stated.
    """
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if len(groups) != int(dataset.get("NumberOfFrames") or 1):
        raise ValueError(f"{len(groups)} functional groups for {dataset.get('NumberOfFrames')} frames")
    labelmap = str(dataset.SegmentationType) == "LABELMAP"
    for index, own in enumerate(groups):
        measures = _group(own, shared, "PixelMeasuresSequence")
        position = _group(own, shared, "PlanePositionSequence")
        orientation = _group(own, shared, "PlaneOrientationSequence")
        if position is None or orientation is None or measures is None:
            raise GeometryError(
                "its frames have no position in the patient (a mask of a projection image?), so it cannot be "
                "placed by geometry; convert it with the image on which it was drawn"
            )
        cosines = np.array([float(v) for v in orientation.ImageOrientationPatient])
        affine = dicom_affine(
            [float(v) for v in position.ImagePositionPatient],
            cosines,
            [float(v) for v in measures.PixelSpacing],
            np.cross(cosines[:3], cosines[3:]),
        )
        identification = _group(own, shared, "SegmentIdentificationSequence")
        if identification is None and not labelmap:
            raise ValueError(f"frame {index + 1} does not say which segment it shows")
        number = 0 if labelmap or identification is None else int(identification.ReferencedSegmentNumber)
        between = measures.get("SpacingBetweenSlices")
        yield Frame(
            index,
            number,
            Geometry((int(dataset.Columns), int(dataset.Rows), 1), affine),
            abs(float(between)) if between else None,
        )


def _group(own: Dataset, shared: Mapping[str, Any] | Dataset, name: str) -> Dataset | None:
    sequence = own.get(name) or shared.get(name)
    return sequence[0] if sequence else None


def references_of(dataset: Dataset) -> References:
    """The images on which a segmentation was drawn."""
    series = list(dataset.get("ReferencedSeriesSequence") or [])
    instances = [item for one in series for item in one.get("ReferencedInstanceSequence") or []]
    instances += list(dataset.get("SourceImageSequence") or [])
    for frame in dataset.get("PerFrameFunctionalGroupsSequence") or []:
        for derivation in frame.get("DerivationImageSequence") or []:
            instances += list(derivation.get("SourceImageSequence") or [])
    return References(
        series_uids=uids(iter(series), "SeriesInstanceUID"),
        instance_uids=uids(iter(instances), "ReferencedSOPInstanceUID"),
        frame_of_reference_uids=uids(iter([dataset]), "FrameOfReferenceUID"),
    )
