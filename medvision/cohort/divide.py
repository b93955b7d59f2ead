"""Splits that the cohort itself dictates: by site, by time, by an official column, by a hash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort.feasible import check_parts
from medvision.cohort.hashing import hash_shares
from medvision.cohort.labels import same_value
from medvision.cohort.parts import InnerPart, Part, Splits
from medvision.cohort.splits import check_table
from medvision.cohort.times import Times, read_times
from medvision.errors import CohortError
from medvision.wording import first_of, listed

Mask = NDArray[np.bool_]
Value = str | int | float | bool
_CURE = "a patient stands in one part only; mend the table, or leave these patients out of it"


@dataclass(frozen=True)
class Division:
    """One part as masks over the rows of a table; `validation` lies within `train`."""

    name: str
    train: Mask
    test: Mask
    validation: Mask | None = None


def site_splits(table: pd.DataFrame, *, column: str) -> Splits:
    """Leave one site out: each value of a column is the test part once.

    Args:
        table: A table of cases.
        column: The column of the site.

    Returns:
        One part for each site, in the order of their names.

    Raises:
        CohortError: One site only, cases without one, a patient at several, or a part without a class.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcd"), "patient_id": list("wxyz"),
        ...     "label": [0, 1, 0, 1], "hospital": ["A", "A", "B", "B"]})
        >>> [(part.name, part.test) for part in site_splits(table, column="hospital").parts]
        [('hospital A', ('a', 'b')), ('hospital B', ('c', 'd'))]
    """
    names = _texts(table, column)
    check_table(table, 1, ())
    _one_value_a_patient(table, names, column)
    sites = sorted(set(names.tolist()))
    if len(sites) < 2:
        raise CohortError(
            f"every case has the {column} {sites[0]}; leaving one out leaves nobody to learn from"
        )
    return _splits(
        table, [Division(f"{column} {site}", names != site, names == site) for site in sites], kind="site"
    )


def column_splits(
    table: pd.DataFrame,
    *,
    column: str,
    train: Sequence[Value],
    test: Sequence[Value],
    validation: Sequence[Value] = (),
) -> Splits:
    """Follow an official split.

    Args:
        table: A table of cases.
        column: The column that says it.
        train: Its values for training.
        test: Its values for testing.
        validation: Its values for validation, which become the one inner division of the training part.

    Returns:
        One part.

    Raises:
        CohortError: Cases of other values or none, a patient in several parts, or a part without a class.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abc"), "patient_id": list("xyz"), "part": [1, 1, 2]})
        >>> column_splits(table, column="part", train=[1], test=[2]).parts[0].train
        ('a', 'b')
    """
    role_of = {same_value(value): "training" for value in train}
    role_of |= {same_value(value): "validation" for value in validation}
    role_of |= {same_value(value): "test" for value in test}
    values = _present(table, column)
    roles = np.array([role_of.get(same_value(value), "") for value in values], dtype=object)
    others = Counter(str(value) for value, role in zip(values, roles, strict=True) if not role)
    if others:
        found = listed(f"{value!r} ({count} cases)" for value, count in others.items())
        raise CohortError(
            f"{column!r} holds values that are no part of the split: {found}; name them in train_values, "
            "validation_values or test_values, or leave their cases out of the table"
        )
    check_table(table, 1, ())
    _one_value_a_patient(table, roles, column)
    learned, tested = roles != "test", roles == "test"
    watched = roles == "validation" if validation else None
    return _splits(
        table, [Division(f"official test part ({column})", learned, tested, watched)], kind="column"
    )


def time_splits(
    table: pd.DataFrame,
    *,
    column: str,
    test_from: str | int | None = None,
    last_fraction: float | None = None,
    windows: int | None = None,
    by_first_scan: bool = False,
) -> Splits:
    """Learn from earlier patients and test on later ones. One of the three boundaries is given.

    Args:
        table: A table of cases.
        column: When each case was.
        test_from: The first date of the test part.
        last_fraction: The share of patients to test on, the latest; those of one date stay together, so
            the nearest share that dates allow is taken.
        windows: So many test parts one after another, of as equal numbers of patients as dates allow; each
            is tested by what was learned from all before it, and the first block is never tested.
        by_first_scan: A patient with scans on both sides belongs where the first one does; else refused.

    Returns:
        One part for each boundary, in the order of time.

    Raises:
        CohortError: No times, patients on both sides, or a part that is empty or lacks a class.

    Example:
        >>> years = {"case_id": list("abc"), "patient_id": list("xyz"), "year": [2019, 2020, 2021]}
        >>> table = pd.DataFrame(years)
        >>> time_splits(table, column="year", test_from=2021).parts[0].test
        ('c',)
    """
    times = read_times(_column(table, column), column, _case_names(table))
    check_table(table, 1, ())
    firsts = _first_of_patient(table, times.keys)
    cuts = _cuts(table, times, firsts, test_from, last_fraction, windows)
    moments = firsts if by_first_scan else times.keys
    block = np.searchsorted(cuts, moments, side="right")
    if not by_first_scan:
        _one_block_a_patient(table, block, times, column)
    ends = [*cuts[1:], np.inf]
    parts = []
    for number, (start, end) in enumerate(zip(cuts, ends, strict=True), start=1):
        name = f"{column} from {times.show(start)}"
        name += f" to before {times.show(end)}" if np.isfinite(end) else ""
        parts.append(Division(name, block < number, block == number))
    return _splits(table, parts, kind="time")


def hash_splits(table: pd.DataFrame, *, folds: int, seed: int) -> Splits:
    """Cross-validate in folds that a hash of patient and seed chooses.

    A patient's fold depends on nobody else: patients who join later move nobody, and one who leaves
    neither. The price is balance: sizes and classes are even in expectation only.

    Args:
        table: A table of cases.
        folds: Parts.
        seed: The seed of the study.

    Returns:
        One part for each fold.

    Raises:
        CohortError: A fold that got nobody, or lacks a class.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcdef"), "patient_id": list("uvwxyz")})
        >>> [len(part.test) for part in hash_splits(table, folds=2, seed=1).parts]
        [3, 3]
    """
    check_table(table, folds, ())
    fold_of = (hash_shares(table, seed=seed, purpose="fold") * folds).astype(np.int64)
    parts = [Division("", fold_of != fold, fold_of == fold) for fold in range(folds)]
    return _splits(table, parts, kind="hash", seed=seed)


def column_is(table: pd.DataFrame, column: str, values: Sequence[Value]) -> Mask:
    """Return which cases have one of some values; a patient has them in all cases or in none.

    Args:
        table: A table of cases.
        column: The column.
        values: The values; numbers are compared as numbers, text as it stands.

    Raises:
        CohortError: Cases without a value, a value that nobody has, or a patient with and without.
    """
    found = _present(table, column)
    keys = [same_value(value) for value in found]
    unknown = [value for value in values if same_value(value) not in keys]
    if unknown:
        held = listed(repr(value) for value in dict.fromkeys(found))
        raise CohortError(f"no case has {column!r} {listed(map(repr, unknown))}; it holds {held}")
    wanted = {same_value(value) for value in values}
    chosen = np.array([key in wanted for key in keys], dtype=np.bool_)
    _one_value_a_patient(table, np.where(chosen, "locked away", "not locked"), column)
    return chosen


def time_is_from(table: pd.DataFrame, column: str, start: str | int, *, by_first_scan: bool) -> Mask:
    """Return which cases belong to patients from a date on.

    Args:
        table: A table of cases.
        column: When each case was.
        start: The first date.
        by_first_scan: As for :func:`time_splits`.

    Raises:
        CohortError: As for :func:`time_splits`.
    """
    times = read_times(_column(table, column), column, _case_names(table))
    moments = _first_of_patient(table, times.keys) if by_first_scan else times.keys
    late: Mask = moments >= times.boundary(start)
    if not by_first_scan:
        _one_block_a_patient(table, late.astype(np.int64), times, column)
    return late


def _splits(
    table: pd.DataFrame, divisions: Sequence[Division], *, kind: str, seed: int | None = None
) -> Splits:
    names = np.asarray(table["case_id"].tolist(), dtype=object)

    def chosen(mask: Mask) -> tuple[str, ...]:
        return tuple(sorted(names[mask].tolist()))

    parts = []
    for fold, each in enumerate(divisions):
        inner: tuple[InnerPart, ...] = ()
        if each.validation is not None:
            inner = (InnerPart(chosen(each.train & ~each.validation), chosen(each.validation)),)
        parts.append(Part(0, fold, chosen(each.train), chosen(each.test), each.name, inner))
    splits = Splits(tuple(parts), len(parts), 1, seed, kind)
    check_parts(splits, table)
    return splits


def _cuts(
    table: pd.DataFrame,
    times: Times,
    firsts: NDArray[np.float64],
    test_from: str | int | None,
    last_fraction: float | None,
    windows: int | None,
) -> list[float]:
    """Where the test parts begin, in the order of time."""
    if test_from is not None:
        return [times.boundary(test_from)]
    patients = pd.Series(firsts).groupby(table["patient_id"].to_numpy()).first().to_numpy()
    dates = np.unique(patients)[1:]
    count = 1 if windows is None else windows
    if len(dates) < count:
        raise CohortError(
            f"{count} test part{'s' * (count > 1)} and the patients before them need {count + 1} different "
            f"times of first scans; there are {len(dates) + 1}"
        )
    shares = np.array([(patients >= start).mean() for start in dates])
    wanted = (
        [last_fraction] if last_fraction is not None else [1 - j / (count + 1) for j in range(1, count + 1)]
    )
    chosen: list[float] = []
    for place, share in enumerate(wanted):
        # Later parts need a time of their own each.
        low = int(np.searchsorted(dates, chosen[-1], side="right")) if chosen else 0
        high = len(dates) - (len(wanted) - 1 - place)
        chosen.append(float(dates[low + int(np.argmin(np.abs(shares[low:high] - share)))]))
    return chosen


def _first_of_patient(table: pd.DataFrame, keys: NDArray[np.float64]) -> NDArray[np.float64]:
    first: NDArray[np.float64] = (
        pd.Series(keys).groupby(table["patient_id"].to_numpy()).transform("min").to_numpy(dtype=np.float64)
    )
    return first


def _one_block_a_patient(table: pd.DataFrame, block: NDArray[np.int64], times: Times, column: str) -> None:
    problems = []
    owners = table["patient_id"].to_numpy()
    crossing = pd.Series(block).groupby(owners).nunique()
    for patient in crossing.index[crossing > 1]:
        own = np.sort(np.unique(times.keys[owners == patient]))
        problems.append(f"patient {patient} has scans of {listed(times.show(key) for key in own)}")
    if problems:
        raise CohortError(
            f"{len(problems)} of {len(crossing)} patients have scans on both sides of a boundary of "
            f"{column!r}; let the first scan decide with on_crossing: first_scan, or leave them out",
            problems=first_of(problems),
        )


def _one_value_a_patient(table: pd.DataFrame, values: NDArray[np.object_], column: str) -> None:
    counts: dict[str, Counter[str]] = {}
    for patient, value in zip(table["patient_id"].tolist(), values.tolist(), strict=True):
        counts.setdefault(str(patient), Counter())[str(value)] += 1
    problems = [
        f"patient {patient}: "
        + ", ".join(f"{value} ({n} case{'s' * (n > 1)})" for value, n in sorted(own.items()))
        for patient, own in sorted(counts.items())
        if len(own) > 1
    ]
    if problems:
        raise CohortError(
            f"{len(problems)} of {len(counts)} patients stand in several parts by {column!r}; {_CURE}",
            problems=first_of(problems),
        )


def _texts(table: pd.DataFrame, column: str) -> NDArray[np.object_]:
    """A column as text, in which 1, 1.0 and "1" are one value."""
    first: dict[float | str, str] = {}
    values = _present(table, column)
    texts = [first.setdefault(same_value(value), _text(value)) for value in values]
    return np.array(texts, dtype=object)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _column(table: pd.DataFrame, column: str) -> list[object]:
    if column not in table.columns:
        check_table(table, 1, (column,))
    return list(table[column].tolist())


def _present(table: pd.DataFrame, column: str) -> list[object]:
    values = _column(table, column)
    missing = [
        f"{name}: {column!r} is empty"
        for name, value in zip(_case_names(table), values, strict=True)
        if value is None or value != value or not str(value).strip()
    ]
    if missing:
        raise CohortError(f"a split by {column!r} needs its value of every case", problems=first_of(missing))
    return values


def _case_names(table: pd.DataFrame) -> list[str]:
    rows = zip(table["case_id"].tolist(), table["patient_id"].tolist(), strict=True)
    return [f"case {case} of patient {patient}" for case, patient in rows]
