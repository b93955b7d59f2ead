"""What the numbers of a split may be called: folds, sites, windows in time, or one test part."""

from __future__ import annotations

from dataclasses import dataclass

from medvision.cohort import Splits


@dataclass(frozen=True)
class Design:
    """How estimates over the parts of a split are made and called.

    Args:
        part: What one part is.
        averaged: What a mean over parts is called; empty where there is one part only.
        pooled: What one estimate over all test parts is called.
        random_folds: Whether the parts are random, of one size and balanced, as LeDell's variance wants.
        names: The name of each part by its fold; empty where chance made the parts.

    Example:
        >>> from medvision.cohort import Part
        >>> design_of(Splits((Part(0, 0, ("a",), ("b",)),), 1, 1, kind="column")).pooled
        'held-out test part'
    """

    part: str
    averaged: str
    pooled: str
    random_folds: bool
    names: dict[int, str]

    @property
    def single(self) -> bool:
        """Whether there is one test part only, and so nothing is cross-validated."""
        return not self.averaged


def design_of(splits: Splits) -> Design:
    """Return how the estimates of a split are made and called.

    Args:
        splits: The split of a study.
    """
    names = {part.fold: part.name for part in splits.parts if part.name}
    if len(splits.parts) == 1:
        return Design("test part", "", "held-out test part", False, names)
    if splits.kind == "site":
        return Design("site", "site-averaged", "pooled over sites", False, names)
    if splits.kind == "time":
        return Design("window", "window-averaged", "pooled over windows", False, names)
    return Design("fold", "fold-averaged", "pooled out-of-fold", splits.kind == "kfold", names)
