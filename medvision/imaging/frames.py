"""Enhanced multi-frame objects: every frame's place and coding from the functional groups.

An enhanced CT, MR or PET object keeps what single-frame files say at their top level in two sequences:
one item shared by all frames, and one item for each frame. DICOM PS3.3 C.7.6.16.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from medvision.imaging.coding import is_rescaled, rescale
from medvision.imaging.philips import scale_slope
from medvision.imaging.private import private
from medvision.imaging.values import Elements, Key, Keys, is_many, key, number, strings, text, vector

if TYPE_CHECKING:
    from medvision.imaging.header import SliceHeader

GROUP_TAGS = (
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "DimensionIndexSequence",
)

_VOLUME_KEYS: Mapping[str, tuple[str, ...]] = {
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "DiffusionGradientOrientation": (
        "MRDiffusionSequence",
        "DiffusionGradientDirectionSequence",
        "DiffusionGradientOrientation",
    ),
    "TriggerTime": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    "NominalPercentageOfCardiacPhase": ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "StackID": ("FrameContentSequence", "StackID"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
    "AcquisitionTime": ("FrameContentSequence", "FrameAcquisitionDateTime"),
    "ContentTime": ("FrameContentSequence", "FrameReferenceDateTime"),
}
_FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
# Philips keeps the frame's original private elements in a sequence of its own.
_PHILIPS_FRAME = (0x2005, "Philips MR Imaging DD 005", 0x0F)
# A dimension that counts along space does not tell volumes apart.
_NOTHING: dict[str | int, Any] = {}
_SPATIAL = (0x00200032, 0x00200037, 0x00209056, 0x00209057, 0x00201041)


@dataclass(frozen=True, eq=False)
class FrameGroups:
    """The functional groups of one frame: its own macros, else those that all frames share."""

    own: Elements
    shared: Elements

    def item(self, macro: str) -> Elements:
        """The first item of a macro; without elements where the frame has none."""
        return _first(self.own, macro) or _first(self.shared, macro)

    def private_item(self, group: int, creator: str, element: int) -> Elements:
        """As `item`, of a private sequence."""
        found = private(self.own, group, creator, element) or private(self.shared, group, creator, element)
        first: Elements = found[0] if found else _NOTHING
        return first

    def get(self, *path: str) -> Any:  # noqa: ANN401 (any DICOM value)
        """The value at a path of macro, sequences within it, and keyword; None where one is absent."""
        item = self.item(path[0])
        for name in path[1:-1]:
            item = _first(item, name)
        return item.get(path[-1])


def frames(elements: Elements, whole: SliceHeader) -> tuple[SliceHeader, ...]:
    """Take an enhanced multi-frame object apart into its frames.

    Args:
        elements: Of the file, `GROUP_TAGS` among them.
        whole: The object read as one slice; what it says holds where a frame says nothing.

    Raises:
        ValueError: The functional groups do not fit the number of frames, or are damaged.
    """
    count = int(elements.get("NumberOfFrames") or 1)
    groups = list(functional_groups(elements))
    if len(groups) != count:
        raise ValueError(f"{count} frames but functional groups of {len(groups)}")
    dimensions = _dimensions(elements)
    return tuple(_frame(whole, index, one, dimensions) for index, one in enumerate(groups))


def is_enhanced(elements: Elements) -> bool:
    """Whether an object describes each of its frames by functional groups."""
    return "PerFrameFunctionalGroupsSequence" in elements


def functional_groups(elements: Elements) -> Iterator[FrameGroups]:
    """The functional groups of every frame, in the order of the frames."""
    shared = _first(elements, "SharedFunctionalGroupsSequence")
    for own in elements.get("PerFrameFunctionalGroupsSequence") or ():
        yield FrameGroups(own, shared)


def _first(elements: Elements, sequence: str) -> Elements:
    """The first item of a sequence; without elements where there is none."""
    found = elements.get(sequence)
    items = getattr(found, "value", found)
    first: Elements = items[0] if items else _NOTHING
    return first


def _frame(
    whole: SliceHeader, index: int, groups: FrameGroups, dimensions: tuple[tuple[str, int], ...]
) -> SliceHeader:
    measures, scaling = groups.item("PixelMeasuresSequence"), groups.item("PixelValueTransformationSequence")
    between, thickness = number(measures, "SpacingBetweenSlices"), number(measures, "SliceThickness")
    slope, intercept = rescale(scaling)
    philips = groups.private_item(*_PHILIPS_FRAME)
    return replace(
        whole,
        frame=index,
        instance_number=index + 1,
        position=vector(groups.item("PlanePositionSequence"), "ImagePositionPatient", 3),
        orientation=vector(groups.item("PlaneOrientationSequence"), "ImageOrientationPatient", 6),
        pixel_spacing=vector(measures, "PixelSpacing", 2),
        depth_mm=next((mm for mm in (between, thickness) if mm and mm > 0), None),
        spacing_between_mm=between,
        slope=whole.slope if slope is None else slope,
        intercept=whole.intercept if intercept is None else intercept,
        rescaled=whole.rescaled or is_rescaled(whole.modality, slope, intercept),
        same=MappingProxyType(_must_agree(whole, scaling)),
        keys=MappingProxyType({**whole.keys, **_keys(groups, dimensions)}),
        philips_slope=scale_slope(philips) or whole.philips_slope,
    )


def _must_agree(whole: SliceHeader, scaling: Elements) -> dict[str, str]:
    return {**whole.same, "rescale type": text(scaling, "RescaleType") or whole.same["rescale type"]}


def _keys(groups: FrameGroups, dimensions: tuple[tuple[str, int], ...]) -> Keys:
    found = {name: groups.get(*path) for name, path in _VOLUME_KEYS.items()}
    found["ImageType"] = next((t for m in _FRAME_TYPES if (t := groups.get(m, "FrameType"))), None)
    keys = {name: key(value) for name, value in found.items() if value not in (None, "")}
    index = groups.get("FrameContentSequence", "DimensionIndexValues")
    values = [] if index is None else list(index) if is_many(index) else [index]
    return keys | {name: _index(values, place) for name, place in dimensions if place < len(values)}


def _index(values: list[Any], place: int) -> Key:
    return (float(values[place]),)


def _dimensions(elements: Elements) -> tuple[tuple[str, int], ...]:
    """Name and place of the dimensions that do not count along space."""
    from pydicom.datadict import keyword_for_tag

    named = []
    for place, item in enumerate(elements.get("DimensionIndexSequence") or ()):
        pointer = item.get("DimensionIndexPointer")
        if pointer is not None and int(pointer) not in _SPATIAL:
            label = keyword_for_tag(pointer) or " ".join(strings(item.get("DimensionDescriptionLabel")))
            named.append((f"index of {label or f'dimension {place + 1}'}", place))
    return tuple(named)
