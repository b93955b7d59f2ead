"""Marks and lesions of detection studies: what is asked of the tables, and the arrays they become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.detection_matching import Assignment, match_marks
from medvision.evaluation.detection_tables import numbers, table_with
from medvision.evaluation.inputs import Floats, Integers, one_dimensional, one_of, patient_codes, same_length

if TYPE_CHECKING:
    import pandas as pd

Duplicates = Literal["ignore", "false_positive"]
Cases = Any  # a DataFrame with case_id and perhaps patient_id, or one identifier a case

_SHOWN = 10
# Weights written with three decimals (0.333 three times) still sum to 1.
_WEIGHT_TOLERANCE = 0.002


@dataclass(frozen=True)
class Detections:
    """One detector's marks on one set of cases.

    Attributes:
        cases: The case identifiers in the order in which they were given, shape ``(cases,)``.
        patients: Patient codes of the cases, shape ``(cases,)``.
        lesion_cases: The case of each lesion, shape ``(lesions,)``.
        lesion_scores: The score that found each lesion; minus infinity where none did.
        lesion_weights: The weight of each lesion; they sum to 1 within a case.
        alarm_cases: The case of each false positive, shape ``(alarms,)``.
        alarm_scores: Its score.

    Example:
        >>> import pandas as pd
        >>> marks = pd.DataFrame({"case_id": ["B"], "score": [0.2], "lesion_id": [None]})
        >>> lesions = pd.DataFrame({"case_id": ["A"], "lesion_id": [1]})
        >>> detections(marks, lesions, cases=["A", "B"]).highest_alarm.tolist()
        [-inf, 0.2]
    """

    cases: NDArray[Any]
    patients: Integers
    lesion_cases: Integers
    lesion_scores: Floats
    lesion_weights: Floats
    alarm_cases: Integers
    alarm_scores: Floats

    @property
    def n_patients(self) -> int:
        """How many patients the cases belong to."""
        return len(np.unique(self.patients))

    @property
    def diseased(self) -> NDArray[np.bool_]:
        """Whether a case has a lesion, shape ``(cases,)``."""
        return np.bincount(self.lesion_cases, minlength=len(self.cases)) > 0

    @property
    def strata(self) -> Integers:
        """Kinds of patients to resample apart, shape ``(patients,)``: with and without a lesion.

        Where all have one, it is those with and without a case that has none, so that both stay present.
        """
        some = np.bincount(self.patients, weights=self.diseased, minlength=self.n_patients) > 0
        if some.all():
            some = np.bincount(self.patients, weights=~self.diseased, minlength=self.n_patients) > 0
        return some.astype(np.int64)

    @property
    def highest_alarm(self) -> Floats:
        """The highest false positive of each case; minus infinity where it has none."""
        return _highest(self.alarm_scores, self.alarm_cases, len(self.cases))

    @property
    def highest_mark(self) -> Floats:
        """The highest mark of each case, on a lesion or beside it; minus infinity where it has none."""
        return np.maximum(
            self.highest_alarm, _highest(self.lesion_scores, self.lesion_cases, len(self.cases))
        )


def detections(
    marks: pd.DataFrame,
    lesions: pd.DataFrame,
    *,
    cases: Cases,
    patients: ArrayLike | None = None,
    rule: str | None = None,
    assignment: Assignment = "greedy",
    duplicates: Duplicates = "ignore",
    weighted: bool = False,
) -> Detections:
    """Checked marks and lesions as arrays.

    Args:
        marks: A row for each mark: ``case_id``, ``score``, and ``lesion_id``, the lesion that it hits
            (missing where it hits none); or the coordinates that ``rule`` needs in its place.
        lesions: A row for each lesion: ``case_id``, ``lesion_id``, and ``weight`` where weights are wanted.
        cases: All cases that were read, those without marks or lesions, too: a DataFrame with ``case_id``
            and perhaps ``patient_id``, or one identifier a case.
        patients: The patient of each case, where ``cases`` does not say it.
        rule: The hit rule of :func:`medvision.evaluation.detection_matching.match_marks`; None where
            ``lesion_id`` says what each mark hits.
        assignment: Of the matching.
        duplicates: What further marks on a found lesion are: ignored, or false positives. Of several marks
            on a lesion the one with the highest score finds it, unless ``rule`` matched another.
        weighted: Whether the weights of the lesions are needed and so checked; without a column ``weight``
            the lesions of a case weigh the same.

    Returns:
        The arrays.

    Raises:
        EvaluationError: Marks or lesions in unknown cases, scores that are not finite, hits of unknown
            lesions, repeated cases or lesions, weights that do not sum to 1: all at once, with the cases.

    Example:
        >>> import pandas as pd
        >>> marks = pd.DataFrame({"case_id": ["A", "B"], "score": [0.9, 0.2], "lesion_id": [1, None]})
        >>> lesions = pd.DataFrame({"case_id": ["A", "A"], "lesion_id": [1, 2]})
        >>> detections(marks, lesions, cases=["A", "B"]).lesion_scores.tolist()
        [0.9, -inf]
    """
    one_of(duplicates, ("ignore", "false_positive"), "duplicates")
    names, owners = _cases(cases, patients)
    truth = table_with(lesions, "lesions", ["case_id", "lesion_id"])
    if rule is not None:
        marks = match_marks(marks, lesions, rule=rule, assignment=assignment)
    found = table_with(marks, "marks", ["case_id", "score", "lesion_id"])
    places = {name: place for place, name in enumerate(names.tolist())}
    lesion_cases, mark_cases = (
        np.asarray([places.get(name, -1) for name in table["case_id"].tolist()], dtype=np.int64)
        for table in (truth, found)
    )
    scores, hits = numbers(found["score"]), _hits(found, truth)
    lost = (hits == _UNKNOWN) & (mark_cases >= 0)
    problems = [
        *_repeated(names.tolist(), "cases stand more than once in cases="),
        *_listed(found[mark_cases < 0]["case_id"], "marks lie in cases that are not in cases="),
        *_listed(truth[lesion_cases < 0]["case_id"], "lesions lie in cases that are not in cases="),
        *_listed(found[~np.isfinite(scores)]["case_id"], "marks have no finite score, in cases"),
        *_listed(found[lost]["case_id"], "marks hit a lesion_id that is not in lesions, in cases"),
        *_repeated(list(zip(truth["case_id"], truth["lesion_id"], strict=True)), "lesions stand twice"),
        *(_wrong_weights(truth) if weighted else []),
    ]
    if problems:
        raise EvaluationError("the marks, lesions and cases do not fit together", problems=problems)
    finds = _finds(found, hits, scores)
    lesion_scores = np.full(len(truth), -np.inf)
    lesion_scores[hits[finds]] = scores[finds]
    alarms = hits == _NONE if duplicates == "ignore" else ~finds
    return Detections(
        names, owners, lesion_cases, lesion_scores, _weights(truth, lesion_cases, weighted),
        mark_cases[alarms], scores[alarms],
    )  # fmt: skip


_NONE, _UNKNOWN = -1, -2


def _cases(cases: Cases, patients: ArrayLike | None) -> tuple[NDArray[Any], Integers]:
    if hasattr(cases, "columns"):
        table = table_with(cases, "cases", ["case_id"])
        patients = table["patient_id"] if patients is None and "patient_id" in table else patients
        cases = table["case_id"]
    names = one_dimensional(np.asarray(cases), "cases")
    if len(names) == 0:
        raise EvaluationError("cases= is empty; name every case that was read, also those without marks")
    if patients is not None:
        same_length(len(names), patients=np.asarray(patients))
    return names, patient_codes(names if patients is None else patients, len(names))


def _hits(found: pd.DataFrame, truth: pd.DataFrame) -> Integers:
    known = {key: row for row, key in enumerate(zip(truth["case_id"], truth["lesion_id"], strict=True))}
    rows = zip(found["case_id"], found["lesion_id"], found["lesion_id"].isna(), strict=True)
    return np.asarray(
        [_NONE if none else known.get((case, lesion), _UNKNOWN) for case, lesion, none in rows],
        dtype=np.int64,
    )


def _finds(found: pd.DataFrame, hits: Integers, scores: Floats) -> NDArray[np.bool_]:
    """Which marks find a lesion: the matched ones, or the highest on each lesion."""
    if "further" in found:
        return np.asarray((hits >= 0) & ~found["further"].to_numpy(dtype=bool))
    order = np.argsort(-scores, kind="stable")
    first = order[np.unique(hits[order], return_index=True)[1]]
    finds = np.zeros(len(hits), dtype=bool)
    finds[first] = hits[first] >= 0
    return finds


def _weights(truth: pd.DataFrame, lesion_cases: Integers, weighted: bool) -> Floats:
    given = weighted and "weight" in truth
    raw = truth["weight"].to_numpy(dtype=np.float64) if given else np.ones(len(truth))
    return raw / np.bincount(lesion_cases, weights=raw, minlength=1)[lesion_cases]


def _wrong_weights(truth: pd.DataFrame) -> list[str]:
    if "weight" not in truth:
        return []
    weight = numbers(truth["weight"])
    sums = truth.assign(weight=weight).groupby("case_id")["weight"].sum()
    return [
        *_listed(truth[~(weight >= 0)]["case_id"], "lesions have a missing or negative weight, in cases"),
        *_listed(sums[(sums - 1).abs() > _WEIGHT_TOLERANCE].index, "cases have weights that do not sum to 1"),
    ]


def _repeated(keys: Sequence[object], what: str) -> list[str]:
    twice = [key for key, times in Counter(keys).items() if times > 1]
    return _listed((f"{key[0]} ({key[1]})" if isinstance(key, tuple) else key for key in twice), what)


def _listed(values: Iterable[object], what: str) -> list[str]:
    names = [str(value) for value in values]
    if not names:
        return []
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return [f"{len(names)} {what}: {', '.join(distinct[:_SHOWN])}{more}"]


def _highest(scores: Floats, cases: Integers, n_cases: int) -> Floats:
    highest = np.full(n_cases, -np.inf)
    np.maximum.at(highest, cases, scores)
    return highest
