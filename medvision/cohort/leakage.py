"""Proof that no patient is in two parts that must be disjoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from medvision.cohort.cases import Cohort
from medvision.cohort.parts import Part, Splits
from medvision.errors import CohortError, LeakageError
from medvision.wording import did_you_mean, first_of, listed


def check_disjoint(splits: Splits, cases: Cohort | pd.DataFrame) -> None:
    """Refuse splits in which a patient is on two sides, or that do not fit the cohort.

    The sides are training, test and locked test set, and within a training part those of each inner
    division.

    Args:
        splits: Drawn here, or read from a file that anyone may have edited.
        cases: The cohort, or a table with `case_id` and `patient_id`.

    Raises:
        LeakageError: A patient or case is on two sides of a fold; names them.
        CohortError: Cases that the cohort has not; cases that are tested twice, or never in a repeat
            of several folds that is not by time.

    Example:
        >>> table = pd.DataFrame({"case_id": ["a", "b"], "patient_id": ["7", "7"]})
        >>> check_disjoint(Splits((Part(0, 0, ("a",), ("b",)),), 1, 1), table)
        Traceback (most recent call last):
        medvision.errors.LeakageError: a patient is in training and test
          - repeat 0, fold 0: patient 7 is in training (case a) and in test (case b)
    """
    table = cases.table if isinstance(cases, Cohort) else cases
    patient_of = dict(zip(table["case_id"], table["patient_id"], strict=True))
    leaks = [problem for part in splits.parts for problem in _leaks(part, splits.locked, patient_of)]
    others = first_of(list(dict.fromkeys(_unknown(splits, patient_of)))) + first_of(
        list(_uneven(splits, set(patient_of) - set(splits.locked)))
    )
    if leaks:
        raise LeakageError("a patient is in training and test", problems=[*first_of(leaks), *others])
    if others:
        raise CohortError("the splits do not fit the cohort", problems=others)


def _leaks(part: Part, locked: tuple[str, ...], patient_of: dict[str, str]) -> Iterator[str]:
    here = f"repeat {part.repeat}, fold {part.fold}"
    sides = {"in training": part.train, "in test": part.test, "locked away": locked}
    yield from _shared(here, sides, patient_of)
    for number, inner in enumerate(part.inner):
        sides = {"in training": inner.train, "in validation": inner.validation}
        yield from _shared(f"{here}, inner {number}", sides, patient_of)
        for case in sorted({*inner.train, *inner.validation} - set(part.train)):
            yield f"{here}, inner {number}: the case {case!r} is not in the training part"


def _shared(here: str, sides: dict[str, tuple[str, ...]], patient_of: dict[str, str]) -> Iterator[str]:
    # A case that the cohort does not have is still the same case on both sides.
    owners = {
        side: [patient_of.get(case, f"of case {case}") for case in cases] for side, cases in sides.items()
    }
    count = Counter(patient for own in owners.values() for patient in set(own))
    for patient in sorted(patient for patient, places in count.items() if places > 1):
        cases = {
            side: [case for case, who in zip(sides[side], own, strict=True) if who == patient]
            for side, own in owners.items()
        }
        where = [f"{side} (case {listed(own)})" for side, own in cases.items() if own]
        yield f"{here}: patient {patient} is {' and '.join(where)}"


def _unknown(splits: Splits, patient_of: dict[str, str]) -> Iterator[str]:
    for part in splits.parts:
        for case in (*part.train, *part.test, *splits.locked):
            if case not in patient_of:
                yield f"the cohort has no case {case!r}{did_you_mean(case, patient_of)}"


def _uneven(splits: Splits, known: set[str]) -> Iterator[str]:
    for repeat in sorted({part.repeat for part in splits.parts}):
        parts = [part for part in splits.parts if part.repeat == repeat]
        count = Counter(case for part in parts for case in part.test)
        yield from (
            f"repeat {repeat}: the case {case!r} is tested {n} times" for case, n in count.items() if n > 1
        )
        if len(parts) > 1 and splits.kind != "time":
            # One part alone is a fixed division, which may leave cases out; of windows in time the first is
            # only learned from.
            yield from (
                f"repeat {repeat}: the case {case!r} is never tested" for case in sorted(known - set(count))
            )
