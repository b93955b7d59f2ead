"""Enhanced multi-frame objects made of single-frame ones, as newer scanners store them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, EnhancedPETImageStorage

from medvision.testing.dicom_header import uid_of

_KINDS = {"CT": EnhancedCTImageStorage, "MR": EnhancedMRImageStorage, "PT": EnhancedPETImageStorage}
_IN_FRAMES = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "SpacingBetweenSlices", "RescaleSlope", "RescaleIntercept", "RescaleType", "SliceLocation",
    "InstanceNumber", "EchoTime", "WindowCenter", "WindowWidth",
)  # fmt: skip
Edit = Callable[[Dataset, int], object]


def write_enhanced(
    slices: Sequence[str | Path],
    path: str | Path,
    *,
    share: bool = True,
    frame_order: Sequence[int] | None = None,
    edit: Edit | None = None,
    finish: Callable[[Dataset], object] | None = None,
) -> Path:
    """Write one enhanced CT, MR or PET object with the images of single-frame files.

    Args:
        slices: Uncompressed files of one series, in the order of their places.
        path: The file to write.
        share: Whether orientation, spacing and scaling stand once for all frames or in every frame.
        frame_order: Order of the frames; by default that of the files.
        edit: Called with the functional groups of each frame and its number, to change them.
        finish: Called with the whole object before it is written.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> from medvision.imaging import inspect
        >>> from medvision.testing import thorax_phantom, write_dicom_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = write_dicom_series(thorax_phantom(1, shape=(48, 48, 16), lesions=1), folder)
        ...     inspect(write_enhanced(files, f"{folder}/enhanced")).shape
        (48, 48, 16)
    """
    sources = [dcmread(file) for file in slices]
    order = list(frame_order or range(len(sources)))
    enhanced = _common(sources[0], len(sources))
    shared, own = Dataset(), [Dataset() for _ in order]
    for number, (place, groups) in enumerate(zip(order, own, strict=True)):
        source = sources[place]
        groups.PlanePositionSequence = [_item(source, "ImagePositionPatient")]
        content = Dataset()
        content.StackID, content.InStackPositionNumber = "1", place + 1
        content.DimensionIndexValues = [1, place + 1]
        groups.FrameContentSequence = [content]
        if not share:
            _add_shared(groups, source)
        if edit is not None:
            edit(groups, number)
    if share:
        _add_shared(shared, sources[0])
    enhanced.SharedFunctionalGroupsSequence = [shared]
    enhanced.PerFrameFunctionalGroupsSequence = own
    enhanced.PixelData = b"".join(sources[place].PixelData for place in order)
    if finish is not None:
        finish(enhanced)
    enhanced.save_as(path, enforce_file_format=True)
    return Path(path)


def _common(source: Dataset, frames: int) -> Dataset:
    """All that does not change from frame to frame."""
    enhanced = Dataset()
    for element in source:
        if element.keyword not in (*_IN_FRAMES, "PixelData"):
            enhanced.add(element)
    enhanced.SOPClassUID = _KINDS[str(source.Modality)]
    enhanced.SOPInstanceUID = uid_of(source.SOPInstanceUID, "enhanced")
    enhanced.NumberOfFrames = frames
    enhanced.InstanceNumber = 1
    pointers = (0x00209056, 0x00209057)  # StackID, InStackPositionNumber
    enhanced.DimensionIndexSequence = [_pointer(tag) for tag in pointers]
    enhanced.file_meta = source.file_meta
    enhanced.file_meta.MediaStorageSOPClassUID = enhanced.SOPClassUID
    enhanced.file_meta.MediaStorageSOPInstanceUID = enhanced.SOPInstanceUID
    return enhanced


def _pointer(tag: int) -> Dataset:
    item = Dataset()
    item.DimensionIndexPointer = tag
    item.FunctionalGroupPointer = 0x00209111  # FrameContentSequence
    return item


def _add_shared(groups: Dataset, source: Dataset) -> None:
    groups.PlaneOrientationSequence = [_item(source, "ImageOrientationPatient")]
    groups.PixelMeasuresSequence = [_item(source, "PixelSpacing", "SliceThickness", "SpacingBetweenSlices")]
    if "RescaleSlope" in source:
        names = ("RescaleIntercept", "RescaleSlope", "RescaleType")
        groups.PixelValueTransformationSequence = [_item(source, *names)]


def _item(source: Dataset, *names: str) -> Dataset:
    item = Dataset()
    for name in names:
        value: Any = source.get(name)
        if value is not None:
            setattr(item, name, value)
    return item
