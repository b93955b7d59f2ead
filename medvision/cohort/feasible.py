"""Whether a split can be trained and tested on, with the arithmetic where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from medvision.cohort.parts import Part, Splits
from medvision.cohort.splits import labels_of
from medvision.errors import CohortError
from medvision.wording import first_of


def check_parts(splits: Splits, table: pd.DataFrame) -> None:
    """Refuse parts that are empty, or that lack a class that the cohort has.

    Args:
        splits: Parts of the table's cases.
        table: A table of cases.

    Raises:
        CohortError: Names each such part with its patients by class.

    Example:
        >>> table = pd.DataFrame({"case_id": ["a", "b"], "patient_id": ["x", "y"], "label": [0, 1]})
        >>> check_parts(Splits((Part(0, 0, ("a",), ("b",), "site B"),), 1, 1, kind="site"), table)
        Traceback (most recent call last):
        medvision.errors.CohortError: this split cannot be trained and tested on; ...
          - site B: the training part has 1 patient of class 0 and none of class 1
          - site B: the test part has none of class 0 and 1 patient of class 1
    """
    known = _Patients(table)
    problems = [problem for part in splits.parts for problem in _problems(part, known)]
    if problems:
        raise CohortError(
            "this split cannot be trained and tested on; ask for fewer parts, join sites or times "
            "that are too small, or leave their cases out",
            problems=first_of(problems),
        )


def check_inner(splits: Splits, table: pd.DataFrame, *, folds: int, what: str) -> None:
    """Refuse training parts whose classes have too few patients for the inner division.

    Args:
        splits: Parts of the table's cases; those that come with an inner division pass.
        table: A table of cases.
        folds: Patients of each class that the division needs.
        what: What divides, such as `training.inner (cross_fit)`.

    Raises:
        CohortError: Names part, class and patients.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abc"), "patient_id": list("xyz"), "label": [0, 0, 1]})
        >>> check_inner(Splits((Part(0, 0, ("a", "b"), ("c",)),), 1, 1), table, folds=3, what="inner_folds")
        Traceback (most recent call last):
        medvision.errors.CohortError: inner_folds divides every training part and needs ...
          - fold 0: 2 patients of class 0
          - fold 0: none of class 1
    """
    known = _Patients(table)
    problems = [
        f"{_where(part, splits)}: {_patients(count)} of class {label}"
        for part in splits.parts
        if not part.inner
        for label, count in known.by_class(part.train).items()
        if count < folds
    ]
    if problems:
        raise CohortError(
            f"{what} divides every training part and needs {folds} patients of each class",
            problems=first_of(problems),
        )


class _Patients:
    """Counts the patients of each class in a part."""

    def __init__(self, table: pd.DataFrame) -> None:
        labels = labels_of(table)
        self._label = dict(zip(table["case_id"], [0] * len(table) if labels is None else labels, strict=True))
        self._owner = dict(zip(table["case_id"], table["patient_id"], strict=True))
        self.has_classes = labels is not None
        self._classes = sorted(set(self._label.values()))

    def by_class(self, cases: Sequence[str]) -> dict[object, int]:
        return {
            label: len({self._owner[case] for case in cases if self._label[case] == label})
            for label in self._classes
        }


def _problems(part: Part, known: _Patients) -> Iterator[str]:
    where = part.title
    sides = [("training part", part.train), ("test part", part.test)]
    for number, inner in enumerate(part.inner):
        name = f"inner fold {number}" if len(part.inner) > 1 else "inner division"
        sides += [(f"{name} to learn from", inner.train), (f"{name} to validate", inner.validation)]
    for side, cases in sides:
        counts = known.by_class(cases)
        if not cases:
            yield f"{where}: the {side} has no patient"
        elif known.has_classes and not all(counts.values()):
            words = [f"{_patients(count)} of class {label}" for label, count in counts.items()]
            yield f"{where}: the {side} has {' and '.join(words)}"


def _patients(count: int) -> str:
    return f"{count} patient{'s' * (count != 1)}" if count else "none"


def _where(part: Part, splits: Splits) -> str:
    return part.title if splits.repeats == 1 else f"repeat {part.repeat}, {part.title}"
