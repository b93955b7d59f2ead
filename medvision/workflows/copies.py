"""Pairs of cases that show the same, and whether they cross a patient or a split."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import combinations

from medvision.cohort import Case, Cohort, Splits
from medvision.imaging.lookalikes import Lookalike, Lookalikes, find_lookalikes
from medvision.imaging.perceptual import Picture
from medvision.runs import atomic_json, cache_folder
from medvision.workflows.quality_case import VERSION, ExaminedCase

_MOST_OF_ONE_SCAN = 50


@dataclass(frozen=True)
class Copy:
    """Two cases with the same scan.

    Args:
        kind: `exact` (the same voxels) or `near`.
        first: Case id.
        second: Case id.
        similarity: 1 for an exact copy.
        threshold: The similarity from which this pair counts; 1 for an exact copy.
        flip: Axes along which one is mirrored, such as `LR`; "" where none is.
        patients: The patients of both.
        crosses_patient: Whether the patients differ.
        crosses_split: Whether, in some fold, one is learned from while the other is tested on.
        labels: The labels of both; None without labels.
        same_mask: Whether the masks hold the same voxels too; None without masks.
    """

    kind: str
    first: str
    second: str
    similarity: float
    threshold: float
    flip: str
    patients: tuple[str, str]
    crosses_patient: bool
    crosses_split: bool
    labels: tuple[int | None, int | None]
    same_mask: bool | None

    @property
    def leaks(self) -> bool:
        """Whether the pair breaks the independence of the parts."""
        return self.crosses_patient or self.crosses_split

    @property
    def contradicts(self) -> bool:
        """Whether one and the same thing has two labels."""
        return self.same_mask is not False and None not in self.labels and self.labels[0] != self.labels[1]

    def __str__(self) -> str:
        what = "the same voxels" if self.kind == "exact" else f"near-duplicates ({self.similarity:.2f})"
        mirrored = f", mirrored {self.flip}" if self.flip else ""
        crossing = ", in training and test of a fold" if self.crosses_split else ""
        first, second = (
            f"case {case} of patient {patient}"
            for case, patient in zip((self.first, self.second), self.patients, strict=True)
        )
        return f"{first} and {second}: {what}{mirrored}{crossing}"


@dataclass(frozen=True)
class Copies:
    """All pairs, those that leak first.

    Args:
        pairs: Exact pairs and near-duplicates.
        threshold: Similarity from which a pair counts as a near-duplicate here; the median over pairs.
        compared: Pairs that were aligned.
    """

    pairs: tuple[Copy, ...]
    threshold: float
    compared: int


def find_copies(
    cohort: Cohort,
    splits: Splits,
    examined: Mapping[str, ExaminedCase],
    *,
    threads: int,
    progress: Callable[[int], None] | None = None,
) -> Copies:
    """Find cases that show the same scan.

    One scan that is stored once and used for several cases (nodules of one CT) is searched for once; its
    cases are no copies of one another unless their masks agree too.

    Args:
        cohort: The cases.
        splits: Who is learned from and tested on.
        examined: What was measured, by case id; cases that could not be read are missing.
        threads: How many pictures are compared at a time.
        progress: Called with the number of compared scans.
    """
    cases = [case for case in cohort if case.case_id in examined]
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[examined[case.case_id].voxels].append(case)
    joined = _Joiner(splits, examined)
    pairs = [
        joined(first, second, "exact")
        for group in groups.values()
        for first, second in list(combinations(group, 2))[:_MOST_OF_ONE_SCAN]
        if first.image != second.image or joined.same_mask(first, second) is not False
    ]
    scans = [group[0] for group in groups.values()]
    found = _lookalikes([examined[case.case_id].picture for case in scans], threads, progress)
    for each in found.pairs:
        flip = "".join(letters for letters, mirrored in zip(_AXES, each.flip, strict=True) if mirrored)
        first, second = scans[each.first], scans[each.second]
        pairs.append(joined(first, second, "near", each.similarity, each.threshold, flip))
    pairs.sort(key=lambda pair: (not pair.leaks, pair.kind, -pair.similarity, pair.first, pair.second))
    return Copies(tuple(pairs), found.threshold, found.compared)


def _lookalikes(
    pictures: Sequence[Picture], threads: int, progress: Callable[[int], None] | None
) -> Lookalikes:
    """Compare the pictures, or take what an earlier check of the same ones found."""
    digest = hashlib.sha256()
    for each in pictures:
        digest.update(repr(each.shape).encode())
        digest.update(each.tobytes())
    entry = cache_folder() / "quality" / f"copies-{VERSION}-{digest.hexdigest()}.json"
    try:
        held = json.loads(entry.read_text(encoding="utf-8"))
        pairs = [Lookalike(a, b, value, tuple(flip), needed) for a, b, value, flip, needed in held["pairs"]]
        return Lookalikes(tuple(pairs), held["threshold"], held["compared"])
    except (OSError, ValueError, KeyError, TypeError):
        found = find_lookalikes(pictures, threads=threads, progress=progress)
    rows = [astuple(pair) for pair in found.pairs]
    atomic_json(entry, {"pairs": rows, "threshold": found.threshold, "compared": found.compared})
    return found


_AXES = ("left–right ", "front–back ", "up–down ")


class _Joiner:
    """Adds to a pair of cases whose they are and where they fall."""

    def __init__(self, splits: Splits, examined: Mapping[str, ExaminedCase]) -> None:
        self.examined = examined
        # The parts in which a case is tested, and those in which it is learned from.
        self.tested: dict[str, set[int]] = defaultdict(set)
        self.trained: dict[str, set[int]] = defaultdict(set)
        for place, part in enumerate(splits.parts):
            for case in part.test:
                self.tested[case].add(place)
            for case in part.train:
                self.trained[case].add(place)

    def __call__(
        self,
        first: Case,
        second: Case,
        kind: str,
        similarity: float = 1.0,
        threshold: float = 1.0,
        flip: str = "",
    ) -> Copy:
        crosses = bool(
            self.tested[first.case_id] & self.trained[second.case_id]
            or self.trained[first.case_id] & self.tested[second.case_id]
        )
        return Copy(
            kind,
            first.case_id,
            second.case_id,
            similarity,
            threshold,
            flip.strip(),
            (first.patient_id, second.patient_id),
            first.patient_id != second.patient_id,
            crosses,
            (first.label, second.label),
            self.same_mask(first, second),
        )

    def same_mask(self, first: Case, second: Case) -> bool | None:
        one, other = (self.examined[case.case_id].mask_voxels for case in (first, second))
        return None if not one or not other else one == other
