"""Which word was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


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
