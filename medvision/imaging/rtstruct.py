"""Read an RTSTRUCT: the outlines that were drawn on a series, and the voxels inside of them.

A voxel belongs to a structure where its centre lies inside an odd number of the structure's contours in
that slice (even-odd), so an inner contour is a hole. Contours must lie in the image's slices.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medvision.errors import GeometryError, SeriesError
from medvision.imaging.belonging import References, uids
from medvision.imaging.decoding import in_short, unreadable, whole_dataset
from medvision.imaging.geometry import FloatArray, Geometry
from medvision.imaging.ordering import UNEVEN_MM
from medvision.imaging.placing import common_step, plane_distance_mm
from medvision.imaging.polygons import fill_polygons
from medvision.imaging.segments import Region, Segment
from medvision.wording import listed

if TYPE_CHECKING:
    from pydicom import Dataset

RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_AXES = "ijk"
_DECIMALS = 6  # of a voxel: what is on a voxel's centre stays there, whatever the arithmetic of its place


@dataclass(frozen=True, eq=False)
class Roi:
    """One structure of an RTSTRUCT.

    Attributes:
        segment: Its number and name.
        contours: Corners of each closed contour, (n, 3), RAS+ mm.
        other_kinds: Kinds of its contours that enclose nothing, such as POINT.
        frame_of_reference_uid: Of its coordinates, or "".
        instance_uids: SOPInstanceUIDs of the images that its contours name.
    """

    segment: Segment
    contours: tuple[FloatArray, ...]
    other_kinds: frozenset[str]
    frame_of_reference_uid: str
    instance_uids: frozenset[str]

    @property
    def refusal(self) -> str:
        """Why it is no region of the image; "" where it is one (an empty one counts)."""
        if self.other_kinds - {"POINT"} or (self.other_kinds and not self.contours):
            kinds = " and ".join(sorted(self.other_kinds))
            return f"ROI {self.segment} is drawn as {kinds}, which encloses no region"
        return ""


@dataclass(frozen=True, eq=False)
class StructureSet:
    """An RTSTRUCT.

    Attributes:
        path: The file.
        rois: Its structures by number.
        series_uids: SeriesInstanceUIDs of the images on which it was drawn.
        instance_uids: Their SOPInstanceUIDs.
    """

    path: Path
    rois: Mapping[int, Roi]
    series_uids: frozenset[str]
    instance_uids: frozenset[str]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Its structures."""
        return tuple(roi.segment for roi in self.rois.values())

    def references(self, numbers: Sequence[int]) -> References:
        """The images on which some structures were drawn; of several series their contours tell which."""
        frames = frozenset(self.rois[n].frame_of_reference_uid for n in numbers) - {""}
        drawn_on = frozenset[str]().union(*(self.rois[n].instance_uids for n in numbers))
        if len(self.series_uids) > 1 and drawn_on:
            return References(instance_uids=drawn_on, frame_of_reference_uids=frames)
        return References(self.series_uids, self.instance_uids | drawn_on, frames)

    def regions(self, numbers: Sequence[int], grid: Geometry) -> Iterator[Region]:
        """The voxels inside some structures, slice by slice.

        Raises:
            GeometryError: Contours between the image's slices, across them, or outside of the image.
            SeriesError: A structure that encloses nothing, or a contour that is there twice.
        """
        axis, sections = self.sections(numbers, grid)
        in_plane = [a for a in range(3) if a != axis]
        shape = grid.shape[in_plane[0]], grid.shape[in_plane[1]]
        for number, slices in sections.items():
            for k, polygons in slices.items():
                box = [slice(None)] * 3
                box[axis] = slice(k, k + 1)
                inside = np.expand_dims(fill_polygons([p[:, in_plane] for p in polygons], shape), axis)
                yield number, (box[0], box[1], box[2]), inside

    def sections(
        self, numbers: Sequence[int], grid: Geometry
    ) -> tuple[int, dict[int, dict[int, list[FloatArray]]]]:
        """The contours of some structures in voxel indices, by structure and slice, and the slices' axis.

        Raises:
            GeometryError: Contours between the image's slices, across them, or outside of the image.
            SeriesError: A structure that encloses nothing, or a contour that is there twice.
        """
        rois = [self.rois[number] for number in numbers]
        refused = [roi.refusal for roi in rois if roi.refusal]
        if refused:
            raise SeriesError(f"{self.path}: {'; '.join(refused)}; leave it out")
        drawn = {
            roi.segment: [np.round(grid.mm_to_index(points), _DECIMALS) for points in roi.contours]
            for roi in rois
        }
        axis = _slice_axis([points for contours in drawn.values() for points in contours], grid)
        sections = {}
        for segment, contours in drawn.items():
            try:
                sections[segment.number] = _by_slice(contours, grid, axis)
            except GeometryError as error:
                raise GeometryError(f"{self.path}: ROI {segment} {error}") from None
            except SeriesError as error:
                raise SeriesError(f"{self.path}: ROI {segment} {error}") from None
        return axis, sections


def _slice_axis(contours: Sequence[FloatArray], grid: Geometry) -> int:
    """The axis of the image across which the contours are flat."""
    if not contours:
        return 2
    distances = np.array([plane_distance_mm(grid, axis) for axis in range(3)])
    spread = np.max([np.ptp(points, axis=0) for points in contours], axis=0) * distances
    return 2 if spread[2] <= spread.min() + UNEVEN_MM else int(spread.argmin())


def _by_slice(contours: Sequence[FloatArray], grid: Geometry, axis: int) -> dict[int, list[FloatArray]]:
    distance = plane_distance_mm(grid, axis)
    allowed = min(UNEVEN_MM, distance / 4)
    slices: dict[int, list[FloatArray]] = defaultdict(list)
    for points in contours:
        across = points[:, axis]
        k = round(float(np.median(across)))
        off = float(np.abs(across - k).max()) * distance
        if np.ptp(across) * distance > 2 * allowed:
            raise GeometryError(
                f"has a contour that leans {np.ptp(across) * distance:.2f} mm across the image's slices "
                f"(allowed: {2 * allowed:.2f}); give the series on which it was drawn"
            )
        if off > allowed:
            raise GeometryError(
                f"has a contour between the image's slices, {off:.2f} mm from the nearest (allowed: "
                f"{allowed:.2f}; slices are {distance:.2f} mm apart); give the series on which it was drawn"
            )
        _check_inside(points, k, grid, axis, allowed)
        if any(_same_outline(points, other) for other in slices[k]):
            raise SeriesError(
                f"has one contour twice in slice {k}, and by even-odd the two cancel out; export it again"
            )
        slices[k].append(points)
    _check_every_slice(sorted(slices), distance)
    return dict(slices)


def _check_inside(points: FloatArray, k: int, grid: Geometry, axis: int, allowed: float) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    low[axis] = high[axis] = k
    beyond = np.maximum(-0.5 - low, high - np.asarray(grid.shape) + 0.5) * grid.spacing_mm
    worst = int(beyond.argmax())
    if beyond[worst] > allowed:
        raise GeometryError(
            f"has a contour that reaches {beyond[worst]:.1f} mm outside the image along {_AXES[worst]}; "
            f"give the series on which it was drawn, or leave it out"
        )


def _check_every_slice(used: Sequence[int], distance: float) -> None:
    step = common_step(used)
    if step > 1:
        raise GeometryError(
            f"has contours in only one of {step} slices, {step * distance:.2f} mm apart where slices are "
            f"{distance:.2f} mm apart, so slices between would stay empty; interpolate the contours where "
            f"they were drawn, or give the series on which they were drawn"
        )


def _same_outline(one: FloatArray, other: FloatArray) -> bool:
    if one.shape != other.shape:
        return False
    first, second = (p[np.lexsort(np.round(p, 6).T)] for p in (one, other))
    return bool(np.abs(first - second).max() < 1e-6)


def read_structure_set(path: Path) -> StructureSet:
    """Read an RTSTRUCT.

    Raises:
        SeriesError: Damaged, or not an RTSTRUCT.
    """
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        try:
            dataset = whole_dataset(path)
            drawn = _numbered(dataset, "ROIContourSequence", "ReferencedROINumber")
            described = _numbered(dataset, "StructureSetROISequence", "ROINumber")
            rois = {number: _roi(number, item, drawn.get(number)) for number, item in described.items()}
            nameless = [n for n in drawn if n not in rois and drawn[n].get("ContourSequence")]
            series = list(_referenced_series(dataset))
            images = [item for one in series for item in one.get("ContourImageSequence") or []]
            series_uids = uids(iter(series), "SeriesInstanceUID")
            instance_uids = uids(iter(images), "ReferencedSOPInstanceUID")
        except unreadable() as error:
            raise SeriesError(
                f"{path}: its structure set cannot be understood ({in_short(error)}); export it again"
            ) from error
    if not rois:
        raise SeriesError(f"{path}: a structure set without structures; export it again")
    if nameless:
        warnings.warn(
            f"{path}: left out: contours of ROI {listed(nameless)}, which the structure set does not list",
            stacklevel=2,
        )
    return StructureSet(path, rois, series_uids, instance_uids)


def _numbered(dataset: Dataset, sequence: str, number: str) -> dict[int, Dataset]:
    """The items of a sequence by their ROI number, which only one of them may bear."""
    items: dict[int, Dataset] = {}
    for item in dataset.get(sequence) or []:
        if items.setdefault(int(item[number].value), item) is not item:
            raise ValueError(f"two items of {sequence} have the ROI number {item[number].value}")
    return items


def _roi(number: int, item: Dataset, drawn: Dataset | None) -> Roi:
    contours = list((drawn.get("ContourSequence") if drawn is not None else None) or [])
    kinds = [str(contour.get("ContourGeometricType") or "") for contour in contours]
    points = [_points(c) for c, kind in zip(contours, kinds, strict=True) if kind in _CLOSED]
    return Roi(
        segment=Segment(number, str(item.get("ROIName") or "")),
        contours=tuple(points),
        other_kinds=frozenset(kinds) - frozenset(_CLOSED),
        frame_of_reference_uid=str(item.get("ReferencedFrameOfReferenceUID") or ""),
        instance_uids=uids(
            (image for contour in contours for image in contour.get("ContourImageSequence") or []),
            "ReferencedSOPInstanceUID",
        ),
    )


def _points(contour: Dataset) -> FloatArray:
    lps = np.array([float(v) for v in contour.ContourData], dtype=np.float64).reshape(-1, 3)
    if len(lps) == 0 or not np.isfinite(lps).all():
        raise ValueError("a contour without points, or with points that are no numbers")
    stated = contour.get("NumberOfContourPoints")
    if stated is not None and int(stated) != len(lps):
        raise ValueError(f"a contour of {len(lps)} points that should have {stated}")
    closed = len(lps) > 1 and np.array_equal(lps[0], lps[-1])  # the first corner repeated at the end
    return (lps[:-1] if closed else lps) * [-1.0, -1.0, 1.0]


def _referenced_series(dataset: Dataset) -> Iterator[Dataset]:
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or []:
        for study in frame.get("RTReferencedStudySequence") or []:
            yield from study.get("RTReferencedSeriesSequence") or []
