"""Patients dealt out to folds, each to the fold that needs it most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from medvision.cohort.patients import Class, PatientGroup, units_by_class

# Less than one, so that where each patient has one unit a class is never uneven for a stratum's sake.
_STRATUM_WEIGHT = 0.5


class Dealer:
    """Deals patients and counts what each fold has.

    By units, the largest patients are dealt first, each to the fold with fewest units of its classes.
    By patients, those with most classes are dealt first, each to the fold with fewest patients that
    have them, so that every fold gets every class that enough patients have: patients of several
    classes are spread evenly, and those of one class go first to the folds that lack it.

    Args:
        groups: Patients in random order.
        folds: The folds in random order, which settles ties.
        by_units: Balance units rather than patients.
    """

    def __init__(self, groups: Sequence[PatientGroup], folds: Sequence[int], *, by_units: bool) -> None:
        self._by_units = by_units
        self._having: dict[tuple[Class, int], int] = defaultdict(int)
        self._units: dict[tuple[Class, int], int] = defaultdict(int)
        self._cells: dict[tuple[Class, tuple[str, ...], int], int] = defaultdict(int)
        self._size: dict[int, int] = defaultdict(int)
        self._total = units_by_class(groups)
        self.folds = [(group, self._deal(group, folds)) for group in sorted(groups, key=self._turn)]
        self.complete = all(self._having[label, fold] for label in self._total for fold in folds)

    def _turn(self, group: PatientGroup) -> tuple[object, ...]:
        kind = (-len(group.units), group.classes, group.stratum)
        size = -len(group.rows)
        return (size, *kind) if self._by_units else (*kind, size)

    def _deal(self, group: PatientGroup, folds: Sequence[int]) -> int:
        fold = min(folds, key=lambda fold: self._need(group, fold))
        self._size[fold] += len(group.rows)
        for label, count in group.units.items():
            self._having[label, fold] += 1
            self._units[label, fold] += count
            self._cells[label, group.stratum, fold] += count
        return fold

    def _need(self, group: PatientGroup, fold: int) -> tuple[float, ...]:
        having = sum(self._having[label, fold] for label in group.units)
        # How much the squared differences of the folds grow, each class in proportion to its size.
        units = sum(
            count
            * (self._units[label, fold] + _STRATUM_WEIGHT * self._cells[label, group.stratum, fold])
            / self._total[label] ** 2
            for label, count in group.units.items()
        )
        size = self._size[fold]
        return (units, having, size) if self._by_units else (having, units, size)
