"""How errors are worded: which name was meant, and how long lists are cut short."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_MOST_OF_ONE_KIND = 20


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is closest to a wrong one, whatever the capitals.

    Args:
        word: What was written.
        known: What would have been right.

    Returns:
        The word; None where no known word is close.

    Example:
        >>> closest("Epohcs", ["epochs", "batch_size"])
        'epochs'
    """
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Continue an error sentence with the known word that is closest to a wrong one.

    Args:
        word: What was written.
        known: What would have been right.

    Returns:
        `"; did you mean '…'?"`, or nothing where no known word is close.

    Example:
        >>> did_you_mean("chanels", ["channels", "norm"])
        "; did you mean 'channels'?"
    """
    meant = closest(word, known)
    return "" if meant is None else f"; did you mean {meant!r}?"


def first_of(problems: Sequence[str], most: int = _MOST_OF_ONE_KIND) -> list[str]:
    """Shorten a long list of problems of one kind.

    Args:
        problems: All of them.
        most: How many to keep.

    Returns:
        The first ones, and how many more there are.

    Example:
        >>> first_of(["row 1", "row 2", "row 3"], most=1)
        ['row 1', '… and 2 more of this kind']
    """
    if len(problems) <= most + 1:
        return list(problems)
    return [*problems[:most], f"… and {len(problems) - most} more of this kind"]


def several(count: int, noun: str) -> str:
    """A number with its noun, which takes an s unless it is one.

    Args:
        count: How many.
        noun: Of one.

    Returns:
        Both.

    Example:
        >>> several(1, "case"), several(2, "case")
        ('1 case', '2 cases')
    """
    return f"{count} {noun}{'s' * (count != 1)}"


def listed(values: Iterable[object], most: int = 8) -> str:
    """Join values for a sentence, the first few of many.

    Args:
        values: What to name.
        most: How many to name at most.

    Returns:
        The values with commas between.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b, …'
    """
    texts = [str(value) for value in values]
    return ", ".join(texts[:most] + ["…"] * (len(texts) > most))


def pseudonym(patient_id: str) -> str:
    """Call a patient by something that is no name: a hash of the identifier, always the same.

    Whoever knows the identifiers can find out which one it is: it keeps them out of logs and pages, and is no
    anonymisation.

    Args:
        patient_id: The identifier of the DICOM header.

    Example:
        >>> pseudonym("Smith 1234")
        'patient-7db5aabf'
    """
    return f"patient-{hashlib.sha256(patient_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
