"""Where in which file something is wrong, and what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
COMMAND_LINE = "command line: "


@dataclass(frozen=True, order=True)
class Where:
    """A place: a file with line and column, both from 1, or an override on the command line."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: at which place, at which path of the study, and what.

    `unknown` marks a key that a study does not have.
    """

    where: Where
    path: KeyPath
    message: str
    unknown: bool = False

    def __str__(self) -> str:
        path = dotted(self.path)
        if not path or self.where.source.startswith(f"{COMMAND_LINE}{path}="):
            return f"{self.where}: {self.message}"
        return f"{self.where}: {path}: {self.message}"


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as the command line does.

    Args:
        path: Keys, and positions in lists from 0.

    Returns:
        The path as text.

    Example:
        >>> dotted(("comparators", 0, "name"))
        'comparators[0].name'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
