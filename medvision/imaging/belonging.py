"""Whether a DICOM mask belongs to the series that it is put on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medvision.errors import SeriesError
from medvision.imaging.volume import Provenance

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class References:
    """What a mask says about the images on which it was drawn.

    Attributes:
        series_uids: SeriesInstanceUIDs.
        instance_uids: SOPInstanceUIDs.
        frame_of_reference_uids: FrameOfReferenceUIDs of its coordinates; empty where it names none.
    """

    series_uids: frozenset[str] = frozenset()
    instance_uids: frozenset[str] = frozenset()
    frame_of_reference_uids: frozenset[str] = frozenset()


def check_belongs(
    references: References, image: Provenance, name: str, *, allow_other_series: bool = False
) -> None:
    """Refuse a mask that was drawn on another series than the image.

    The mask's SeriesInstanceUIDs decide; where it names none, its SOPInstanceUIDs; where it names
    neither, its frame of reference. A frame of reference that differs is always refused: coordinates in
    two frames cannot be compared. An image that is no DICOM has no identity, and nothing is checked.

    Args:
        references: What the mask names.
        image: Where the image came from.
        name: What an error calls the mask.
        allow_other_series: Accept a mask of another series in the same frame of reference.

    Raises:
        SeriesError: The mask belongs elsewhere; names both UIDs.

    Example:
        >>> check_belongs(References(frozenset({"1.2"})), Provenance(series_uid="1.3"), "seg.dcm")
        Traceback (most recent call last):
        medvision.errors.SeriesError: seg.dcm was drawn on series 1.2, but the image is series 1.3; ...
    """
    frames, own = references.frame_of_reference_uids, image.frame_of_reference_uid
    if own and frames - {own}:
        lies = "has structures" if own in frames else "lies"
        raise SeriesError(
            f"{name} {lies} in the frame of reference {_few(frames - {own})}, but the image in {own}; their "
            f"coordinates cannot be compared, give the mask and the image of one frame of reference"
            + (", or ask for the structures in this one by name" if own in frames else "")
        )
    told = _elsewhere(references, image)
    if not told:
        return
    if not allow_other_series:
        hint = "allow_other_series=True accepts it, as both lie in one frame of reference"
        cure = hint if frames and own else "neither says that both lie in one frame of reference"
        raise SeriesError(f"{name} {told}; give the mask of this series ({cure})")
    if not (frames and own):
        raise SeriesError(
            f"{name} {told}, and without a FrameOfReferenceUID in both nothing says that their coordinates "
            f"can be compared; give the mask of this series"
        )


def _elsewhere(references: References, image: Provenance) -> str:
    if references.series_uids and image.series_uid:
        if image.series_uid in references.series_uids:
            return ""
        drawn_on = _few(references.series_uids)
        return f"was drawn on series {drawn_on}, but the image is series {image.series_uid}"
    own = frozenset(image.instance_uids)
    if references.instance_uids and own and not references.instance_uids & own:
        drawn_on = _few(references.instance_uids)
        return f"was drawn on images such as {drawn_on}, none of them in series {image.series_uid}"
    return ""


def _few(uids: frozenset[str]) -> str:
    first = sorted(uids)
    return first[0] if len(first) == 1 else f"{first[0]} (and {len(first) - 1} more)"


def uids(datasets: Iterator[Dataset], keyword: str) -> frozenset[str]:
    """One UID of each of some data sets, without the empty ones."""
    return frozenset(str(uid) for dataset in datasets if (uid := dataset.get(keyword)))
