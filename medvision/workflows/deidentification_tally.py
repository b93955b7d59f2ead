"""What single files tell of a person, counted; nothing but counts and digests is kept."""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medvision.errors import MedvisionError
from medvision.imaging.confidentiality import Element, ProfileEntry, identifying_elements
from medvision.imaging.dataset import looks_like_dicom
from medvision.imaging.decoding import unreadable
from medvision.imaging.nifti import is_nifti
from medvision.imaging.nifti_texts import date_in, nifti_texts, sidecar_texts

if TYPE_CHECKING:
    from pydicom import Dataset

PRONE = ("US", "IVUS", "SC", "OT", "XA", "RF", "ES", "XC", "GM", "SM", "IO", "PX", "DOC")
"""Modalities whose pixels often hold text: ultrasound, secondary captures, fluoroscopy, photographs."""
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_MOST_DIGESTS, _MOST_EXAMPLES = 10_000, 3
# Roots that vendors' scanners put before their UIDs; replaced UIDs begin otherwise.
_VENDORS = {
    "1.2.840.113619.": "GE", "1.3.12.2.1107.": "Siemens", "1.3.46.670589.": "Philips",
    "1.2.840.113704.": "Philips", "1.2.392.200036.9116.": "Canon (Toshiba)",
    "1.2.392.200036.9107.": "Hitachi", "1.2.392.200036.9123.": "Hitachi", "1.2.392.200036.9125.": "Fujifilm",
    "1.2.392.200036.9110.": "Shimadzu", "1.2.840.114350.": "Epic", "1.2.840.113564.": "Carestream",
    "1.2.840.113681.": "Hologic",
}  # fmt: skip
_FLAGS = (
    "PatientIdentityRemoved", "LongitudinalTemporalInformationModified", "BurnedInAnnotation",
    "RecognizableVisualFeatures",
)  # fmt: skip


@dataclass
class Count:
    """How often one attribute has a value.

    Attributes:
        files: Files with a value.
        dummies: Of these, files where the value says of itself that it stands for nobody.
        digests: Hashes of different values, to count them.
        examples: Values, kept only where they may be shown.
    """

    files: int = 0
    dummies: int = 0
    digests: set[int] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def add(self, other: Count) -> None:
        """Add the counts of other files."""
        self.files += other.files
        self.dummies += other.dummies
        self.digests |= set(list(other.digests)[: _MOST_DIGESTS - len(self.digests)])
        self.examples += [text for text in other.examples if text not in self.examples]
        del self.examples[_MOST_EXAMPLES:]


@dataclass
class Tally:
    """What some files tell.

    Attributes:
        formats: Files by format.
        attributes: Counts by attribute.
        flags: Files by flag and its value.
        roots: Files by what their SeriesInstanceUID begins with.
        names: Files whose path tells something, by what.
        unread: Files that could not be read.
        series: A few files of each series (by digest), and whether its pixels are prone to text.
        dicom_prone: Files of prone modalities without a BurnedInAnnotation.
    """

    formats: Counter[str] = field(default_factory=Counter)
    attributes: dict[ProfileEntry, Count] = field(default_factory=dict)
    flags: Counter[tuple[str, str]] = field(default_factory=Counter)
    roots: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    unread: list[Path] = field(default_factory=list)
    series: dict[str, list[Path]] = field(default_factory=dict)
    prone: set[str] = field(default_factory=set)
    unflagged: int = 0

    def add(self, other: Tally, frames: int) -> None:
        """Add what other files tell; of each series as many files are kept as frames are looked at."""
        for mine, theirs in (
            (self.formats, other.formats), (self.flags, other.flags),
            (self.roots, other.roots), (self.names, other.names),
        ):  # fmt: skip
            mine.update(theirs)  # type: ignore[arg-type]  # the pairs are of one type each
        for entry, count in other.attributes.items():
            self.attributes.setdefault(entry, Count()).add(count)
        self.unread += other.unread
        self.prone |= other.prone
        self.unflagged += other.unflagged
        for name, paths in other.series.items():
            kept = self.series.setdefault(name, [])
            kept += paths
            if name not in self.prone:
                # Which files is decided by their names, not by the order in which processes finish.
                kept.sort(key=_digest)
                del kept[frames:]


def tally_files(paths: Iterable[Path], root: Path, *, show: bool, frames: int) -> Tally:
    """Look at files and count what they tell.

    Args:
        paths: The files.
        root: Folder below which their paths count.
        show: Keep up to three values of each attribute.
        frames: How many files of each series to name for a look at their pixels.

    Returns:
        The counts.
    """
    total = Tally()
    failures: tuple[type[Exception], ...] = (*unreadable(), MedvisionError)
    for path in paths:
        try:
            with quiet_pydicom():
                one = _tally(path, path.relative_to(root).as_posix(), show)
        except failures:
            one = Tally(formats=Counter({"unreadable": 1}), unread=[path])
        total.add(one, frames)
    return total


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's warnings away: they quote values, and no value may be shown."""
    from pydicom.config import disable_value_validation

    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _tally(path: Path, name: str, show: bool) -> Tally:
    tally = Tally()
    if date_in(name):
        tally.names["a date"] = 1
    if is_nifti(path):
        tally.formats["NIfTI"] = 1
        _count(tally, nifti_texts(path), show)
    elif path.suffix.lower() == ".json":
        tally.formats["JSON"] = 1
        _count(tally, sidecar_texts(path), show)
    elif path.stat().st_size >= 132 and looks_like_dicom(path):
        _tally_dicom(tally, path, name, show)
    else:
        tally.formats[f"not checked: {path.suffix.lower() or 'no suffix'}"] = 1
    return tally


def _tally_dicom(tally: Tally, path: Path, name: str, show: bool) -> None:
    from pydicom import dcmread

    header = dcmread(path, stop_before_pixels=True, force=True)
    elements = list(identifying_elements(header))
    _flags(tally, header)
    tally.formats["DICOM"] = 1
    _count(tally, elements, show)
    for what in _told_by_path(name, elements):
        tally.names[what] = 1
    _series(tally, header, path)


def _count(tally: Tally, elements: Iterable[Element], show: bool) -> None:
    """Count an attribute once a file, however often it stands there."""
    for element in elements:
        count = tally.attributes.setdefault(element.entry, Count())
        count.files = 1
        count.dummies = int(element.looks_like_dummy and (not count.digests or count.dummies == 1))
        count.digests.add(hash_of(element.value))
        if show and element.entry.kind != "private" and len(count.examples) < _MOST_EXAMPLES:
            count.examples.append(element.value)


def _flags(tally: Tally, header: Dataset) -> None:
    for keyword in _FLAGS:
        value = str(header.get(keyword) or "absent").upper().strip()
        known = {"YES", "NO", "ABSENT", "UNMODIFIED", "MODIFIED", "REMOVED"}
        tally.flags[keyword, value if value in known else "another value"] = 1
    stated = header.get("DeidentificationMethod") or header.get("DeidentificationMethodCodeSequence")
    tally.flags["DeidentificationMethod", "stated" if stated else "ABSENT"] = 1
    for item in header.get("DeidentificationMethodCodeSequence") or ():
        code = str(item.get("CodeValue", ""))
        tally.flags["De-identification code", code if re.fullmatch(r"1131\d\d", code) else "another"] = 1


def _series(tally: Tally, header: Dataset, path: Path) -> None:
    uid = str(header.get("SeriesInstanceUID") or path.parent)
    root = next((vendor for start, vendor in _VENDORS.items() if uid.startswith(start)), "")
    tally.roots[f"{root}, as a scanner writes them" if root else "another root"] = 1
    if "Rows" not in header:
        return
    name = f"{hash_of(uid):016x}"
    tally.series[name] = [path]
    kind = str(header.get("SOPClassUID") or "")
    if str(header.get("Modality") or "") in PRONE or kind.startswith(_SECONDARY_CAPTURE):
        tally.prone.add(name)
        tally.unflagged = int(not header.get("BurnedInAnnotation"))


def _told_by_path(name: str, elements: list[Element]) -> Iterator[str]:
    """Whether the path of a file holds the patient's name or number as the header gives them."""
    plain = re.sub(r"[^a-z0-9]+", " ", name.lower())
    values = {element.entry.keyword: element for element in elements}
    patient, number = values.get("PatientName"), values.get("PatientID")
    same = patient is not None and number is not None and number.value in patient.value
    if patient is not None and not patient.looks_like_dummy and not same:
        parts = [part for part in re.split(r"[^a-z0-9]+", patient.value.lower()) if len(part) > 3]
        if any(part in plain for part in parts):
            yield "the patient's name"
    if number is not None and len(number.value) > 3 and number.value.lower() in name.lower():
        yield "the patient's number (PatientID)"


def hash_of(text: str) -> int:
    """A number that stands for a text, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _digest(path: Path) -> int:
    return hash_of(str(path))
