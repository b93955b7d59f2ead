"""One patient under two spellings would be two patients, one in training and one in test."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from medvision.wording import first_of

_WHOLE_NUMBER = re.compile(r"0*(\d+)(\.0+)?")


def patient_name(text: str) -> str:
    r"""Return an identifier in Unicode's composed form (NFC), so that one letter is not two.

    Args:
        text: As it stands in a table.

    Example:
        >>> patient_name("Mu\u0308ller") == "Müller"
        True
    """
    return unicodedata.normalize("NFC", text)


def written_alike(patients: Sequence[str], places: Sequence[str]) -> list[str]:
    """Say which patients differ only in how they are written.

    That is in capitals, spaces, characters that are not seen, the kind of a dash or of a letter (full width),
    and, for whole numbers, in leading zeros or `.0`, which spreadsheets add and take away.

    Args:
        patients: The patient of each row; empty where missing.
        places: Where each row stands.

    Returns:
        One sentence for each such patient.

    Example:
        >>> written_alike(["P1", "p1", "P1"], ["a.csv:2", "a.csv:3", "a.csv:4"])
        ["'P1' (a.csv:2) and 'p1' (a.csv:3) may be one patient; write one the same way, two more differently"]
    """
    first = dict(zip(reversed(patients), reversed(places), strict=True))
    spellings: dict[str, list[str]] = {}
    for name in dict.fromkeys(patients):
        spellings.setdefault(_without_spelling(name), []).append(name)
    groups = (
        [f"{name!r} ({first[name]})" for name in names]
        for key, names in spellings.items()
        if key and len(names) > 1
    )
    cure = "may be one patient; write one the same way, two more differently"
    return first_of([f"{' and '.join(names)} {cure}" for names in groups])


def _without_spelling(name: str) -> str:
    seen = (
        "-" if unicodedata.category(letter) == "Pd" else letter
        for letter in unicodedata.normalize("NFKC", name)
        if unicodedata.category(letter) != "Cf" and not letter.isspace()
    )
    text = "".join(seen).casefold()
    number = _WHOLE_NUMBER.fullmatch(text)
    return number[1] if number else text
