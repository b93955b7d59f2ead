"""Patients divided into folds, or into a part that is held out: balanced, seeded, never torn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.cohort.dealing import Dealer
from medvision.cohort.patients import Class, PatientGroup, patient_groups, patients_by_class, units_by_class
from medvision.errors import CohortError

Seed = int | Sequence[int] | np.random.SeedSequence
Kind = tuple[Class, ...]

_DRAWS = 20


def group_folds(
    patients: ArrayLike,
    labels: ArrayLike | None,
    *,
    folds: int,
    seed: Seed,
    strata: Sequence[Hashable] | None = None,
) -> NDArray[np.int64]:
    """Divide units into folds so that no patient is in two, each class as evenly as patients allow.

    Where each patient has one unit, the number of units of each class, and of each class in each
    stratum, differs by at most one between folds, and so does the number of all units where there are
    no strata. Where patients have several units they are dealt out, the largest first, each to the
    fold that has fewest units of the same classes. Every fold has every class.

    Args:
        patients: Patient of each unit.
        labels: Class of each unit; None for no classes.
        folds: Number of folds.
        seed: Where the randomness starts; the order of the units does not matter.
        strata: A further value of each unit (or tuple of values) that is balanced.

    Returns:
        The fold of each unit, 0 to folds − 1.

    Raises:
        CohortError: Fewer than two folds; a class with fewer patients than folds.

    Example:
        >>> group_folds(["a", "a", "b", "c", "d"], [1, 0, 1, 0, 0], folds=2, seed=1).tolist()
        [0, 0, 1, 1, 1]
    """
    groups = patient_groups(patients, labels, strata)
    _check_folds(groups, folds)
    rng = np.random.default_rng(seed)
    shuffled = [groups[place] for place in rng.permutation(len(groups))]
    dealt = [int(fold) for fold in rng.permutation(folds)]
    by_units = Dealer(shuffled, dealt, by_units=True)
    # Large patients of both classes can leave a fold without one of them; dealing by patients cannot.
    chosen = by_units if by_units.complete else Dealer(shuffled, dealt, by_units=False)
    result = np.empty(sum(len(group.rows) for group in groups), dtype=np.int64)
    for group, fold in chosen.folds:
        result[list(group.rows)] = fold
    return result


def _check_folds(groups: Sequence[PatientGroup], folds: int) -> None:
    if folds < 2:
        raise CohortError(f"a cross-validation needs 2 folds or more, not {folds}")
    if len(groups) < folds:
        raise CohortError(
            f"{len(groups)} patients cannot fill {folds} folds; use {len(groups)} folds or fewer"
        )
    problems = [
        f"class {label} has {count} patient{'s' * (count != 1)}, and {folds} folds need at least {folds}"
        for label, count in patients_by_class(groups).items()
        if count < folds
    ]
    if problems:
        raise CohortError("not every fold can have every class; use fewer folds", problems=problems)


def holdout(
    patients: ArrayLike,
    labels: ArrayLike | None,
    *,
    fraction: float,
    seed: Seed,
    strata: Sequence[Hashable] | None = None,
) -> NDArray[np.bool_]:
    """Choose a share of the patients to hold out, with every class in both parts.

    Of several systematic samples of the patients, sorted by stratum and number of units, the one is
    taken whose share of the units of each class is nearest.

    Args:
        patients: Patient of each unit.
        labels: Class of each unit; None for no classes.
        fraction: Share of the patients to hold out; the number is rounded, and raised where a class
            would be missing.
        seed: Where the randomness starts; the order of the units does not matter.
        strata: A further value of each unit (or tuple of values) that is balanced.

    Returns:
        True for each unit that is held out.

    Raises:
        CohortError: A fraction that is not between 0 and 1; fewer than two patients, in all or of a class.

    Example:
        >>> holdout(["a", "a", "b", "c", "d"], [1, 1, 1, 0, 0], fraction=0.5, seed=1).tolist()
        [True, True, False, True, False]
    """
    groups = patient_groups(patients, labels, strata)
    _check_fraction(groups, fraction)
    rng = np.random.default_rng(seed)
    order = [groups[place] for place in rng.permutation(len(groups))]
    order.sort(key=lambda group: (group.stratum, -len(group.rows)))
    kinds: dict[Kind, list[PatientGroup]] = defaultdict(list)
    for group in order:
        kinds[group.classes].append(group)
    shares = _shares({kind: len(kinds[kind]) for kind in sorted(kinds)}, fraction)
    draws = [_systematic(kinds, shares, rng) for _ in range(_DRAWS)]
    best = min(draws, key=lambda draw: _imbalance(draw, groups, fraction))
    held = np.zeros(sum(len(group.rows) for group in groups), dtype=np.bool_)
    held[[row for group in best for row in group.rows]] = True
    return held


def _systematic(
    kinds: dict[Kind, list[PatientGroup]], shares: dict[Kind, int], rng: np.random.Generator
) -> list[PatientGroup]:
    """Every n-th patient of each kind, from a random start: each patient with the same probability."""
    return [
        kinds[kind][int((step + start) * len(kinds[kind]) / count)]
        for kind, count in shares.items()
        for start in [rng.random()]
        for step in range(count)
    ]


def _imbalance(draw: Sequence[PatientGroup], groups: Sequence[PatientGroup], fraction: float) -> float:
    """The squared deviation of the share of units from the fraction, over the classes."""
    total, held = units_by_class(groups), units_by_class(draw)
    return sum((held.get(label, 0) / count - fraction) ** 2 for label, count in total.items())


def _check_fraction(groups: Sequence[PatientGroup], fraction: float) -> None:
    if not 0 < fraction < 1:
        raise CohortError(f"the share that is held out must be between 0 and 1, not {fraction:g}")
    few = {label: count for label, count in patients_by_class(groups).items() if count < 2}
    problems = [
        f"class {label} has {count} patient, and one is needed in each of the two parts"
        for label, count in few.items()
    ]
    if problems:
        raise CohortError("not both parts can have every class", problems=problems)


def _shares(sizes: dict[Kind, int], fraction: float) -> dict[Kind, int]:
    """How many patients of each kind are held out: the nearest whole numbers that leave no class out."""
    ideal = {kind: fraction * size for kind, size in sizes.items()}
    shares = {kind: int(share) for kind, share in ideal.items()}
    missing = round(fraction * sum(sizes.values())) - sum(shares.values())
    for kind in sorted(sizes, key=lambda kind: shares[kind] - ideal[kind])[: max(missing, 0)]:
        shares[kind] += 1
    for _ in range(2 * len(sizes)):
        if not _left_out(shares, sizes):
            break
        steps = [
            shares | {kind: shares[kind] + step}
            for kind in sizes
            for step in (1, -1)
            if 0 <= shares[kind] + step <= sizes[kind]
        ]
        shares = min(
            steps, key=lambda s: (_left_out(s, sizes), sum(abs(s[kind] - ideal[kind]) for kind in sizes))
        )
    return shares


def _left_out(shares: dict[Kind, int], sizes: dict[Kind, int]) -> int:
    """Count the classes that are missing in one of the two parts."""
    labels = {label for kind in sizes for label in kind}
    return sum(
        not 0
        < sum(share for kind, share in shares.items() if label in kind)
        < sum(size for kind, size in sizes.items() if label in kind)
        for label in labels
    )
