"""The report of a check for what identifies a patient: tables, and one page that holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from medvision.imaging.confidentiality import EDITION, KINDS, ProfileEntry
from medvision.reporting.html import page_template
from medvision.reporting.tables.table import Table

_CODES = {  # PS3.16 CID 7050, de-identification methods
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113102": "Clean Recognizable Visual Features Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}


@dataclass(frozen=True)
class Finding:
    """An attribute that has a value in some files.

    Attributes:
        entry: The attribute and what the profile asks for.
        files: Files with a value.
        dummies: Of these, files with an evident dummy.
        values: How many different values.
        examples: Some values, where they may be shown.
    """

    entry: ProfileEntry
    files: int
    dummies: int
    values: int
    examples: tuple[str, ...] = ()


def deidentification_tables(
    found: Sequence[Finding],
    *,
    formats: Counter[str],
    flags: Mapping[tuple[str, str], int],
    roots: Mapping[str, int],
    names: Mapping[str, int],
    texts: Sequence[tuple[str, str, int]],
    unread: Sequence[str],
    pixels: str,
    shows_patient: bool,
) -> tuple[Table, ...]:
    """Make the tables of a report.

    Args:
        found: Attributes with a value.
        formats: Files by format.
        flags: Files by flag and value.
        roots: Files by the root of their SeriesInstanceUID.
        names: Files by what their path tells.
        texts: File, place and number of marks of each region that looks like text.
        unread: Files that could not be read.
        pixels: What was done with the pixels, one sentence.
        shows_patient: Whether examples are shown.

    Returns:
        Attributes, statements of the files, regions of text, and the files themselves.
    """
    return (
        _attributes(found, shows_patient),
        _statements(flags, roots, names),
        Table(
            "text_regions",
            "Regions of pixels that look like text",
            ("File", "Where", "Marks"),
            tuple((name, where, str(marks)) for name, where, marks in texts),
            (pixels, "A person has to look at these; text that was not found may still be there."),
        ),
        Table(
            "files",
            "Files",
            ("Format", "Files"),
            (
                *((name, str(count)) for name, count in sorted(formats.items())),
                *((f"unreadable: {name}", "1") for name in unread),
            ),
        ),
    )


def _attributes(found: Sequence[Finding], shows_patient: bool) -> Table:
    ordered = sorted(found, key=lambda f: (KINDS.index(f.entry.kind), -f.files, f.entry.tag))
    columns: tuple[str, ...] = (
        "Kind",
        "Tag",
        "Attribute",
        "Action",
        "Files",
        "Evident dummy",
        "Different values",
    )
    rows: list[tuple[str, ...]] = [
        (
            f.entry.kind, _tag(f.entry.tag), f.entry.keyword, f.entry.action, str(f.files),
            str(f.dummies), str(f.values),
        )
        for f in ordered
    ]  # fmt: skip
    if shows_patient:
        columns += ("Examples",)
        rows = [(*row, " · ".join(f.examples)) for row, f in zip(rows, ordered, strict=True)]
    notes = (
        f"Attributes with a value, counted once a file, at any depth of sequences. Source: {EDITION}.",
        "Action, as the basic profile asks: X remove, Z leave empty or write a dummy, D write a dummy, "
        "U replace the UID; X/Z and the like where it depends on the kind of object.",
        "Whether a value is a dummy, a date shifted or a UID replaced cannot be told from a file: "
        "one value in the files of many patients is a sign of it.",
        "Dates, UIDs and patient characteristics may stay by options of the profile.",
        "Elements after the pixels, such as digital signatures, are not read.",
    )
    return Table("attributes", "What the headers tell", columns, tuple(rows), notes)


def _statements(
    flags: Mapping[tuple[str, str], int], roots: Mapping[str, int], names: Mapping[str, int]
) -> Table:
    rows = [
        (_CODES.get(value, value.lower()) if name.startswith("De-id") else name, value.lower(), str(count))
        for (name, value), count in sorted(flags.items())
    ]
    rows += [("SeriesInstanceUID", root, str(count)) for root, count in sorted(roots.items())]
    rows += [("Path of the file", f"holds {what}", str(count)) for what, count in sorted(names.items())]
    return Table("statements", "What the files say of themselves", ("What", "Value", "Files"), tuple(rows))


def _tag(tag: str) -> str:
    return f"({tag[:4]},{tag[4:]})" if tag else "–"


def deidentification_page(verdict: str, identifies: bool, files: int, tables: Sequence[Table]) -> str:
    """Return the report as one HTML document without any link to the outside."""
    return page_template("deidentification.html.j2").render(
        verdict=verdict, identifies=identifies, files=files, tables=[_shown(table) for table in tables]
    )


def _shown(table: Table) -> Markup:
    return (
        table.to_html()
        if table.rows
        else Markup("<p>{}: none.</p>{}").format(
            table.title, Markup("").join(Markup('<p class="notes">{}</p>').format(n) for n in table.notes)
        )
    )
