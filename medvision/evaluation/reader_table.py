"""The readings of a fully crossed reader study: every reader read every case under every treatment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    finite_scores,
    patient_codes,
)

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 10
_Values = TypeVar("_Values")


@dataclass(frozen=True)
class Readings:
    """Scores by treatment, reader and case.

    Attributes:
        treatments: Names, in the order of their first reading.
        readers: Names, likewise.
        truth: Whether each case has the condition, shape ``(cases,)``.
        scores: Shape ``(treatments, readers, cases)``.
        patients: Patient code of each case, shape ``(cases,)``.

    Example:
        >>> Readings(("CT",), ("A",), np.array([True]), np.ones((1, 1, 1)), np.array([0])).readers
        ('A',)
    """

    treatments: tuple[str, ...]
    readers: tuple[str, ...]
    truth: Booleans
    scores: Floats
    patients: Integers


def crossed_readings(
    table: pd.DataFrame,
    *,
    reader: str,
    treatment: str,
    case: str,
    label: str,
    score: str,
    patients: str | None = None,
    positive: object = None,
    least_treatments: int = 2,
) -> Readings:
    """The readings of a long table, one row a reading.

    Args:
        table: The readings.
        reader: Column of the readers.
        treatment: Column of the treatments (modalities).
        case: Column of the cases.
        label: Column of the truth, 0 or 1, the same in all readings of a case.
        score: Column of the ratings or scores.
        patients: Column of the patients, where a patient has several cases.
        positive: The label that means that the condition is present.
        least_treatments: How many treatments there must be.

    Raises:
        EvaluationError: A column or a reading is missing, a reading stands twice, the truth of a case
            contradicts itself, or there are too few readers, treatments or classes; all are named at once.

    Example:
        >>> import pandas as pd
        >>> rows = [(r, t, c, c % 2, c) for r in "AB" for t in "XY" for c in range(4)]
        >>> table = pd.DataFrame(rows, columns=["r", "t", "c", "y", "s"])
        >>> crossed_readings(table, reader="r", treatment="t", case="c", label="y", score="s").scores.shape
        (2, 2, 4)
    """
    columns = [reader, treatment, case, label, score] + ([patients] if patients else [])
    if not hasattr(table, "columns"):
        raise EvaluationError(f"the readings must be a DataFrame, and not {type(table).__name__}")
    lacking = [f"no column {name!r}" for name in columns if name not in table.columns]
    if lacking:
        raise EvaluationError("the table of readings cannot be read; give every reading", problems=lacking)
    named = table[[reader, treatment, case]].notna().all(axis=1).to_numpy()
    problems = _unnamed(table, (reader, treatment, case))
    truth = _checked(problems, "the truth", lambda: binary_labels(table[label].to_numpy(), positive=positive))
    values = _checked(problems, "the score", lambda: finite_scores(table[score].to_numpy()))
    codes = [_numbered(table.loc[named, name]) for name in (treatment, reader, case)]
    (i, treatments), (j, readers), (k, cases) = codes
    counts = np.zeros((len(treatments), len(readers), len(cases)), dtype=np.int64)
    np.add.at(counts, (i, j, k), 1)
    problems += _wrong_counts(counts, treatments, readers, cases)
    problems += _too_few(treatments, readers, truth, least_treatments)
    if truth is not None:
        problems += _contradictions(truth[named], k, cases, "truth")
    owner = table[patients].to_numpy() if patients else None
    patient = _checked(problems, "the patient", lambda: patient_codes(owner, len(table)))
    if patients and patient is not None:
        problems += _contradictions(patient[named], k, cases, "patient")
    if problems or truth is None or values is None or patient is None:
        raise EvaluationError("the readings are not a fully crossed reader study", problems=problems)
    scores = np.zeros(counts.shape)
    scores[i, j, k] = values
    first = np.unique(k, return_index=True)[1]
    owners = patient[first] if patients else np.arange(len(cases))
    return Readings(tuple(treatments), tuple(readers), truth[first], scores, owners)


def _unnamed(table: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    return [
        f"column {name!r}: {int(table[name].isna().sum())} values are missing"
        for name in columns
        if table[name].isna().any()
    ]


def _checked(problems: list[str], what: str, check: Callable[[], _Values]) -> _Values | None:
    """What a check returns; what it refuses joins the other problems, so that all are named at once."""
    try:
        return check()
    except EvaluationError as error:
        problems += [f"{what}: {line}" for line in (error.message, *error.problems)]
        return None


def _numbered(column: pd.Series[Any]) -> tuple[NDArray[np.intp], list[str]]:
    import pandas as pd

    codes, names = pd.factorize(column.astype(str))
    return codes, [str(name) for name in names]


def _wrong_counts(counts: Integers, treatments: list[str], readers: list[str], cases: list[str]) -> list[str]:
    problems: list[str] = []
    for wrong, word in ((counts == 0, "missing"), (counts > 1, "given more than once")):
        places = np.argwhere(wrong)
        problems += [
            f"reader {readers[j]}, treatment {treatments[i]}, case {cases[k]}: {word}"
            for i, j, k in places[:_SHOWN]
        ]
        if len(places) > _SHOWN:
            problems.append(f"… and {len(places) - _SHOWN} more readings {word}")
    return problems


def _contradictions(values: NDArray[Any], case: NDArray[np.intp], cases: list[str], what: str) -> list[str]:
    first = values[np.unique(case, return_index=True)[1]]
    wrong = np.unique(case[values != first[case]])
    shown = [f"case {cases[k]}: its readings differ in their {what}" for k in wrong[:_SHOWN]]
    return shown + ([f"… and {len(wrong) - _SHOWN} more cases"] if len(wrong) > _SHOWN else [])


def _too_few(treatments: list[str], readers: list[str], truth: Booleans | None, least: int) -> list[str]:
    problems = [
        f"{len(names)} {word}; at least {needed} are needed"
        for names, word, needed in ((treatments, "treatments", least), (readers, "readers", 2))
        if len(names) < needed
    ]
    if truth is not None and (truth.all() or not truth.any()):
        problems.append("the cases are of one class; cases with and without the condition are needed")
    return problems
