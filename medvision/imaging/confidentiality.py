"""What a DICOM header tells of a person: the attributes that PS3.15's basic profile removes or replaces.

The list is Table E.1-1 of DICOM PS3.15 (2026c), "Basic Application Level Confidentiality Profile", with its
action codes: X remove, Z empty or dummy, D dummy, U replace the UID, and combinations of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from medvision.imaging.decoding import unreadable

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.dataelem import DataElement
    from pydicom.tag import BaseTag

EDITION = "PS3.15 2026c, Table E.1-1"
KINDS = (
    "identity", "free text", "place or device", "graphics", "private", "other",
    "characteristic", "date or time", "UID",
)  # fmt: skip
"""What attributes tell, the gravest first. The last three may stay by options of the profile."""
_CHARACTERISTICS = {
    "PatientAge", "PatientSex", "PatientSize", "PatientWeight", "PatientSexNeutered", "SmokingStatus",
    "PregnancyStatus", "EthnicGroup", "EthnicGroups", "EthnicGroupCodeSequence", "Allergies",
}  # fmt: skip
_TEXT = re.compile(
    r"Description|Comment|History|Reason|Narrative|Interpretation|Text|Label|Impressions|Notes"
)
_DATE = re.compile(r"(Date|Time)(?!Point)")
_PLACE = re.compile(
    r"Institution|Station|Device|Serial|Manufacturer|Location|AET|Detector|Lens|Cassette|Plate|Scanner|"
    r"Gantry|Organization|Generator|Software|System|Department|Source(ID|Serial|Manu|Ident)|Hospital|"
    r"GPS|UDI|AE$"
)
_PERSON = re.compile(
    r"Patient|Physician|Operator|Person|Name|Address|Telephone|Telecom|Author|Creator|Reviewer|Observer|"
    r"Accession|Admission|Subject|Insurance|Identi|ID$|Number|Birth"
)
_DUMMY = re.compile(
    r"(?i).*(anon|de-?ident|removed|pseudo|dummy|redacted|unknown|masked).*|none|n/?a|no ?name|x+|0+|"
    r"[-^=* .]*"
)
_GRAPHICS = {"CurveData", "OverlayData", "OverlayComments", "IconImageSequence", "GraphicAnnotationSequence"}


@dataclass(frozen=True)
class ProfileEntry:
    """An attribute of the profile.

    Attributes:
        tag: Eight hexadecimal digits, with `x` for the digits of a repeating group.
        keyword: Its keyword in PS3.6.
        action: Code of PS3.15 Table E.1-1a, such as `X` or `Z/D`.
        kind: What it tells; one of `KINDS`.
    """

    tag: str
    keyword: str
    action: str
    kind: str


@dataclass(frozen=True)
class Element:
    """An attribute with a value in a header.

    Attributes:
        entry: What the profile says of it.
        value: The value as text, at most 64 characters; the number of items for a sequence.
    """

    entry: ProfileEntry
    value: str

    @property
    def looks_like_dummy(self) -> bool:
        """Whether the value says of itself that it stands for nobody, such as ANONYMOUS."""
        return bool(_DUMMY.fullmatch(self.value))


@cache
def basic_profile() -> dict[str, ProfileEntry]:
    """The profile's attributes by tag.

    Example:
        >>> entry = basic_profile()["00100010"]
        >>> entry.keyword, entry.action, entry.kind
        ('PatientName', 'Z', 'identity')
    """
    text = files("medvision.imaging").joinpath("confidentiality.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["tag"]: ProfileEntry(
            row["tag"], row["keyword"], row["action"], _kind(row["tag"], row["keyword"], row["action"])
        )
        for row in rows
    }


def identifying_elements(dataset: Dataset) -> Iterator[Element]:
    """Every element with a value that the profile lists, and every private one, at any depth.

    Args:
        dataset: A header; damaged elements count by their tag alone.

    Yields:
        The elements. The values of private elements, of overlays and of curves are not read.

    Example:
        >>> from pydicom import Dataset
        >>> header = Dataset()
        >>> header.PatientName, header.Modality = "Doe^Jane", "CT"
        >>> [(found.entry.keyword, found.value) for found in identifying_elements(header)]
        [('PatientName', 'Doe^Jane')]
    """
    meta = getattr(dataset, "file_meta", None)
    for part in (dataset,) if meta is None else (meta, dataset):
        yield from _elements(part)


def _elements(dataset: Dataset) -> Iterator[Element]:
    for tag in list(dataset.keys()):
        if tag.is_private:
            yield from _private(dataset, tag)
            continue
        entry = _entry(tag)
        if entry is not None and entry.kind == "graphics" and entry.tag[2:4] == "xx":
            yield Element(entry, "data")
            continue
        if entry is None and not _is_sequence(dataset, tag):
            continue
        element = _read(dataset, tag)
        value = "?" if element is None else _text(element)
        if entry is not None and value:
            yield Element(entry, value)
        for item in _items(element):
            yield from _elements(item)


def _entry(tag: BaseTag) -> ProfileEntry | None:
    name = f"{int(tag):08X}"
    known = basic_profile()
    found = known.get(name)
    if found is None and name[:2] in {"50", "60"}:
        found = known.get("50xxxxxx") if name[:2] == "50" else known.get(f"60xx{name[4:]}")
    return found


def _private(dataset: Dataset, tag: BaseTag) -> Iterator[Element]:
    """A private element by its group and the vendor's name of its block, where pydicom knows that name."""
    if tag.element < 0x1000:
        return  # the name of a block, not a value
    creator = _read(dataset, (tag.group, tag.element >> 8))
    name = _known_creator("" if creator is None else str(creator.value).strip())
    yield Element(ProfileEntry(f"{tag.group:04X}xxxx", name, "X", "private"), "private")


@cache
def _known_creator(name: str) -> str:
    """Vendors' names are written out; anything else might be somebody's."""
    from pydicom._private_dict import private_dictionaries

    return name if name in private_dictionaries else "unknown creator"


def _is_sequence(dataset: Dataset, tag: BaseTag) -> bool:
    from pydicom.datadict import dictionary_VR

    raw = dataset.get_item(tag)
    stated = getattr(raw, "VR", None)
    if stated is not None:
        return bool(stated == "SQ")
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


def _read(dataset: Dataset, tag: BaseTag | tuple[int, int]) -> DataElement | None:
    try:
        return dataset[tag]
    except unreadable():
        return None


def _items(element: DataElement | None) -> list[Dataset]:
    return list(element.value) if element is not None and element.VR == "SQ" and element.value else []


def _text(element: DataElement) -> str:
    if element.VR == "SQ":
        count = len(element.value or ())
        return f"{count} item{'s' * (count > 1)}" if count else ""
    if isinstance(element.value, bytes):
        return f"{len(element.value)} bytes" if element.value else ""
    return "" if element.value is None else str(element.value).strip()[:64]


def _kind(tag: str, keyword: str, action: str) -> str:
    is_text = bool(_TEXT.search(keyword))
    by_rank = (
        ("graphics", keyword in _GRAPHICS),
        ("characteristic", keyword in _CHARACTERISTICS),
        ("UID", action == "U" or keyword.endswith("UID")),
        ("date or time", keyword != "PatientBirthDate" and not is_text and bool(_DATE.search(keyword))),
        ("identity", tag.startswith("0010") and not is_text),
        ("free text", is_text),
        ("place or device", bool(_PLACE.search(keyword))),
        ("identity", bool(_PERSON.search(keyword))),
    )
    return next((kind for kind, fits in by_rank if fits), "other")
