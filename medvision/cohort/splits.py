"""Who is in which part of which fold, and proof that it was not changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort.cases import Cohort
from medvision.cohort.grouping import group_folds
from medvision.errors import CohortError
from medvision.wording import did_you_mean

_MANY_VALUES = 20


@dataclass(frozen=True)
class Part:
    """One fold of one repeat.

    Attributes:
        repeat: Which repeat, from 0.
        fold: Which fold of the repeat, from 0.
        train: Cases to learn from, sorted.
        test: Cases to test on, sorted.
    """

    repeat: int
    fold: int
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """All parts of a repeated cross-validation.

    Attributes:
        parts: In the order of repeat and fold.
        folds: Folds of each repeat.
        repeats: Repeats.
        seed: Where the randomness started; None for a split that was not drawn here.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcd"), "patient_id": list("wxyz"), "label": [0, 1, 0, 1]})
        >>> splits = make_splits(table, folds=2, seed=1)
        >>> [part.test for part in splits.parts], Splits.from_json(splits.to_json()) == splits
        ([('b', 'c'), ('a', 'd')], True)
    """

    parts: tuple[Part, ...]
    folds: int
    repeats: int
    seed: int | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of who is where; the seed that led there does not count."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> str:
        """Return the splits as the text of a file, one line a part."""
        parts = ",\n  ".join(json.dumps(part, ensure_ascii=False) for part in self._content())
        head = json.dumps(
            {"folds": self.folds, "repeats": self.repeats, "seed": self.seed, "sha256": self.sha256}
        )
        return f'{head[:-1]}, "parts": [\n  {parts}\n]}}\n'

    @classmethod
    def from_json(cls, text: str) -> Splits:
        """Read splits, written by :meth:`to_json` or by hand.

        Args:
            text: The text of the file. `sha256` in it is not believed but computed.

        Returns:
            The splits. Only :func:`check_disjoint` says whether they fit a cohort.

        Raises:
            CohortError: No JSON, or not of this form.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise CohortError(f"splits, line {error.lineno}: no JSON: {error.msg}") from None
        entries = content.get("parts") if isinstance(content, dict) else None
        if not isinstance(entries, list) or not entries:
            raise CohortError("splits need a list 'parts' with repeat, fold, train and test")
        problems = [
            f"parts[{place}]: {wrong}" for place, e in enumerate(entries) if (wrong := _wrong_part(e))
        ]
        if problems:
            raise CohortError("splits of another form", problems=problems)
        parts = [
            Part(e["repeat"], e["fold"], tuple(sorted(e["train"])), tuple(sorted(e["test"]))) for e in entries
        ]
        parts.sort(key=lambda part: (part.repeat, part.fold))
        folds, repeats = len({p.fold for p in parts}), len({p.repeat for p in parts})
        seed = content.get("seed")
        return cls(tuple(parts), folds, repeats, seed if isinstance(seed, int) else None)

    def _content(self) -> list[dict[str, object]]:
        return [
            {"repeat": part.repeat, "fold": part.fold, "train": part.train, "test": part.test}
            for part in self.parts
        ]


def make_splits(
    cases: Cohort | pd.DataFrame,
    *,
    folds: int,
    repeats: int = 1,
    seed: int,
    stratify_by: Sequence[str] = (),
) -> Splits:
    """Draw a patient-grouped, stratified cross-validation; the order of the cases does not matter.

    Args:
        cases: A cohort, or a table with `case_id`, `patient_id` and, for a classification, `label`.
        folds: Folds of each repeat.
        repeats: Repeats, each with another split.
        seed: Where the randomness starts.
        stratify_by: Further columns that are balanced, of few values each; missing is a value.

    Returns:
        The parts.

    Raises:
        CohortError: Columns or labels that are missing, cases that stand there twice, or a class with
            fewer patients than folds.

    Example:
        >>> table = pd.DataFrame({"case_id": list("abcd"), "patient_id": list("wwyz"), "label": [0, 1, 0, 1]})
        >>> [part.test for part in make_splits(table, folds=2, seed=1).parts]
        [('a', 'b'), ('c', 'd')]
    """
    table = cases.table if isinstance(cases, Cohort) else cases
    _check_table(table, folds, repeats, stratify_by)
    names = np.asarray(table["case_id"].tolist(), dtype=object)
    strata = list(zip(*(table[name].tolist() for name in stratify_by), strict=True)) if stratify_by else None
    parts = []
    for repeat in range(repeats):
        # A stream of its own for each repeat; the plain seed stays free for other uses.
        stream = np.random.SeedSequence(seed, spawn_key=(repeat,))
        patients = table["patient_id"].tolist()
        fold_of = group_folds(patients, _labels(table), folds=folds, seed=stream, strata=strata)
        for fold in range(folds):
            train, test = names[fold_of != fold], names[fold_of == fold]
            parts.append(Part(repeat, fold, tuple(sorted(train)), tuple(sorted(test))))
    return Splits(tuple(parts), folds, repeats, seed)


def _labels(table: pd.DataFrame) -> NDArray[np.object_] | None:
    if "label" not in table.columns or table["label"].isna().all():
        return None
    return np.asarray(table["label"].tolist(), dtype=object)


def _check_table(table: pd.DataFrame, folds: int, repeats: int, stratify_by: Sequence[str]) -> None:
    problems = [
        f"no column {name!r}{did_you_mean(name, table.columns)}"
        for name in ("case_id", "patient_id", *stratify_by)
        if name not in table.columns
    ]
    if repeats < 1:
        problems.append(f"{repeats} repeats; 1 is the least")
    if not problems:
        twice = table["case_id"][table["case_id"].duplicated()].tolist()
        problems += [f"the case {case!r} stands there twice" for case in dict.fromkeys(twice)]
        patients = table["patient_id"].nunique()
        for name in stratify_by:
            values = table[name].nunique()
            if values > _MANY_VALUES and values * folds > patients:
                problems.append(
                    f"{name!r} has {values} values in {patients} patients; sort it into a few groups"
                )
    if problems:
        raise CohortError("these cases cannot be split", problems=problems)


def _wrong_part(entry: object) -> str:
    if not isinstance(entry, dict):
        return "expected an object with repeat, fold, train and test"
    for name in ("repeat", "fold"):
        if not isinstance(entry.get(name), int) or isinstance(entry.get(name), bool):
            return f"{name} must be a whole number"
    for name in ("train", "test"):
        cases = entry.get(name)
        if not isinstance(cases, list) or not all(isinstance(case, str) for case in cases) or not cases:
            return f"{name} must list cases"
    return ""
