"""Read a DICOM segmentation: which structures, on which images, and the voxels of each frame.

Binary, fractional and labelmap segmentations in the patient's space. Frames are placed one by one by
their own position, so that frames left out because they are empty do no harm.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medvision.errors import GeometryError, MedvisionError, SeriesError
from medvision.imaging.belonging import References
from medvision.imaging.codestream import refuse_damaged_jpeg, refuse_other_size
from medvision.imaging.coding import pixel_coding
from medvision.imaging.decoding import (
    decode_frames,
    in_short,
    transfer_syntax,
    undecodable,
    unreadable,
    whole_dataset,
)
from medvision.imaging.geometry import Geometry
from medvision.imaging.ordering import UNEVEN_MM, UNEVEN_WARNING_MM
from medvision.imaging.placing import Placement, common_step, place, plane_distance_mm
from medvision.imaging.seg_header import (
    Frame,
    check_numbers,
    frames_of,
    references_of,
    refusal_of,
    segment_of,
)
from medvision.imaging.segments import Region, Segment

SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


@dataclass(frozen=True, eq=False)
class DicomSegmentation:
    """A DICOM SEG whose header was read and checked.

    Attributes:
        path: The file.
        kind: BINARY, FRACTIONAL or LABELMAP.
        segments: Its structures, by number.
        source: The images on which it was drawn.
        frames: Its planes.
        image: The object itself, as highdicom opened it.
        maximum: MaximumFractionalValue; 1 where the values are no fractions.
    """

    path: Path
    kind: str
    segments: tuple[Segment, ...]
    source: References
    frames: tuple[Frame, ...]
    image: Any
    maximum: int

    @property
    def compressed(self) -> bool:
        """Whether its pixels need a decoder."""
        return transfer_syntax(self.image).is_encapsulated

    def references(self, numbers: Sequence[int]) -> References:
        """The images on which some segments were drawn: the same for all."""
        return self.source

    def places(self, grid: Geometry, tolerance_mm: float | None = None) -> list[Placement]:
        """Where each frame lies in an image.

        Args:
            grid: The image's.
            tolerance_mm: How far a pixel may lie from the image's voxel; by default what reading a
                series allows a slice: 0.1 mm, at most a quarter of a voxel.

        Raises:
            GeometryError: A frame that does not lie on the image's voxels, or outside of it.
        """
        allowed = default_tolerance_mm(grid) if tolerance_mm is None else tolerance_mm
        found = [
            place(f.geometry, grid, tolerance_mm=allowed, source_name=f"{self.path}: frame {f.index + 1}")
            for f in self.frames
        ]
        self._check_planes(found, grid)
        worst = max(each.off_mm for each in found)
        if worst > UNEVEN_WARNING_MM:
            warnings.warn(
                f"{self.path}: frames lie up to {worst:.2f} mm from the image's voxels (rounded positions?); "
                f"the nearest voxels are taken",
                stacklevel=2,
            )
        return found

    def _check_planes(self, places: Sequence[Placement], grid: Geometry) -> None:
        """Refuse two frames of a segment in one place, and planes that skip the image's slices."""
        axis = places[0].axes.index(2)
        planes: dict[tuple[int, int], int] = {}
        for frame, found in zip(self.frames, places, strict=True):
            k = found.box[axis].start
            other = planes.setdefault((frame.number, k), frame.index)
            if other != frame.index:
                raise SeriesError(
                    f"{self.path}: frames {other + 1} and {frame.index + 1} show one segment at one "
                    f"position; export the segmentation of one time point"
                )
        used, own = sorted({k for _, k in planes}), plane_distance_mm(grid, axis)
        between = self.frames[0].spacing_between_mm
        if between is None:
            between = common_step(used) * own
        steps = np.diff(used)
        if steps.size and steps.min() > 1 and between > 1.5 * own:
            raise GeometryError(
                f"{self.path}: its slices are {between:.2f} mm apart, the image's {own:.2f} mm, so slices in "
                f"between would stay empty; use the mask that was drawn on this image"
            )

    def regions(self, numbers: Sequence[int], grid: Geometry, threshold: float | None) -> Iterator[Region]:
        """The voxels of some segments in an image, segment by segment (a labelmap frame by frame).

        Raises:
            SeriesError: A frame cannot be decoded, has a value without a segment, or is fractional and
                no threshold was given.
        """
        placed = list(zip(self.frames, self.places(grid), strict=True))
        if self.kind == "LABELMAP":
            for frame, found in placed:
                values = found.turn(self._known(self._pixels(frame)))
                for number in sorted({int(v) for v in np.unique(values)} & set(numbers), key=numbers.index):
                    yield number, found.box, values == number
            return
        for number in numbers:
            for frame, found in placed:
                if frame.number == number:
                    yield number, found.box, found.turn(self._inside(self._pixels(frame), threshold))

    def _pixels(self, frame: Frame) -> npt.NDArray[Any]:
        """(columns, rows, 1), as stored."""
        try:
            if self.compressed:
                (stored,) = decode_frames(self.image, [frame.index])
            else:
                stored = self.image.get_stored_frame(frame.index + 1)
        except unreadable() as error:
            raise SeriesError(
                f"{self.path}: frame {frame.index + 1} cannot be decoded: {in_short(error)}"
            ) from error
        pixels: npt.NDArray[Any] = stored.T[..., None]
        return pixels

    def _known(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        known = {0, *(segment.number for segment in self.segments)}
        unknown = sorted({int(v) for v in np.unique(values)} - known)
        if unknown:
            raise SeriesError(
                f"{self.path}: its pixels have the value {unknown[0]}, and no segment has that number"
            )
        return values

    def _inside(self, values: npt.NDArray[Any], threshold: float | None) -> npt.NDArray[np.bool_]:
        if self.kind != "FRACTIONAL" or np.isin(values, (0, self.maximum)).all():
            inside: npt.NDArray[np.bool_] = values != 0
            return inside
        if threshold is None:
            kind = str(self.image.get("SegmentationFractionalType") or "fraction").lower()
            raise SeriesError(
                f"{self.path}: a fractional segmentation ({kind} from 0 to 1); say from where on a voxel "
                f"belongs to the segment, such as fractional_threshold=0.5"
            )
        # Divided as the threshold was written: 0.07 × 100 is a little more than 7, but 7 / 100 is 0.07.
        above: npt.NDArray[np.bool_] = values / self.maximum >= threshold
        return above


def default_tolerance_mm(grid: Geometry) -> float:
    """How far a contour or frame may lie from its slice: 0.1 mm, at most a quarter of a voxel."""
    return min(UNEVEN_MM, min(grid.spacing_mm) / 4)


def highdicom(purpose: str) -> Any:  # noqa: ANN401 (highdicom is an optional package)
    """The package highdicom.

    Raises:
        MedvisionError: It is not installed; names the extra.
    """
    try:
        return import_module("highdicom")
    except ImportError as error:
        raise MedvisionError(
            f"{purpose} needs the package highdicom; install it with pip install 'medvision[dicom-seg]'"
        ) from error


def read_segmentation(path: Path) -> DicomSegmentation:
    """Open a DICOM segmentation; no pixel is decoded yet.

    Raises:
        SeriesError: Damaged, tiled or without a place in the patient.
        MedvisionError: highdicom is not installed.
    """
    package = highdicom("reading a DICOM segmentation")
    from pydicom.config import disable_value_validation

    with disable_value_validation(), warnings.catch_warnings(action="ignore"):
        try:
            dataset = whole_dataset(path)
            refusal = refusal_of(dataset) or undecodable(transfer_syntax(dataset), pixel_coding(dataset))
            if refusal:
                raise SeriesError(f"{path}: {refusal}")
            if transfer_syntax(dataset).is_encapsulated:
                refuse_other_size(dataset)
                refuse_damaged_jpeg(dataset)
            segments = tuple(segment_of(item) for item in dataset.SegmentSequence)
            frames, references = tuple(frames_of(dataset)), references_of(dataset)
            check_numbers(segments, frames)
            kind = str(dataset.SegmentationType)
            maximum = int(dataset.get("MaximumFractionalValue") or 1) if kind == "FRACTIONAL" else 1
            image = package.seg.Segmentation.from_dataset(dataset, copy=False)
        except GeometryError as error:
            raise GeometryError(f"{path}: {error}") from error
        except unreadable() as error:
            raise SeriesError(
                f"{path}: its DICOM segmentation cannot be understood ({in_short(error)}); export it again"
            ) from error
    known = tuple(s for s in segments if not (kind == "LABELMAP" and s.number == 0))
    return DicomSegmentation(path, kind, known, references, frames, image, maximum)
