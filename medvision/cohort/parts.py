"""Who is in which part of which fold, and proof that it was not changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medvision.errors import CohortError

# What a JSON file holds has any type until it is checked.
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class InnerPart:
    """One division of a training part.

    Attributes:
        train: Cases to learn from, sorted.
        validation: Cases to watch the training and to choose the threshold on, sorted.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One fold of one repeat.

    Attributes:
        repeat: Which repeat, from 0.
        fold: Which fold of the repeat, from 0.
        train: Cases to learn from, sorted.
        test: Cases to test on, sorted.
        name: What the test part is, such as `site A`; empty for a fold that chance made.
        inner: How the training part is divided, where the split says so.
    """

    repeat: int
    fold: int
    train: tuple[str, ...]
    test: tuple[str, ...]
    name: str = ""
    inner: tuple[InnerPart, ...] = ()

    @property
    def title(self) -> str:
        """What a person calls the part.

        Example:
            >>> Part(0, 1, ("a",), ("b",)).title, Part(0, 1, ("a",), ("b",), "site B").title
            ('fold 1', 'site B')
        """
        return self.name or f"fold {self.fold}"

    def _content(self) -> dict[str, object]:
        inner = [{"train": each.train, "validation": each.validation} for each in self.inner]
        content = {"repeat": self.repeat, "fold": self.fold, "train": self.train, "test": self.test}
        return content | ({"inner": inner} if inner else {})

    def _entry(self) -> dict[str, object]:
        return self._content() | ({"name": self.name} if self.name else {})


@dataclass(frozen=True)
class Splits:
    """All parts of a split, and who is locked away.

    Attributes:
        parts: In the order of repeat and fold.
        folds: Folds of each repeat.
        repeats: Repeats.
        seed: Where the randomness started; None for a split that was not drawn here.
        kind: How it was made: `kfold`, `hash`, `site`, `time` or `column`.
        locked: Cases of the locked test set, sorted; they are in no part.

    Example:
        >>> splits = Splits((Part(0, 0, ("a",), ("b",)),), 1, 1, kind="column", locked=("c",))
        >>> Splits.from_json(splits.to_json()) == splits
        True
    """

    parts: tuple[Part, ...]
    folds: int
    repeats: int
    seed: int | None = None
    kind: str = "kfold"
    locked: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """SHA-256 of who is where; the seed that led there and the names of parts do not count."""
        parts: list[dict[str, object]] = [part._content() for part in self.parts]
        return _digest({"parts": parts, "locked": self.locked} if self.locked else parts)

    @property
    def locked_sha256(self) -> str:
        """SHA-256 of who is locked away."""
        return _digest(self.locked)

    def to_json(self) -> str:
        """Return the splits as the text of a file, one line a part."""
        parts = ",\n  ".join(json.dumps(part._entry(), ensure_ascii=False) for part in self.parts)
        head = {"folds": self.folds, "repeats": self.repeats, "seed": self.seed, "sha256": self.sha256}
        head |= {"kind": self.kind} if self.kind != "kfold" else {}
        text = json.dumps(head)[:-1]
        if self.locked:
            test = {"sha256": self.locked_sha256, "cases": self.locked}
            text += f', "locked_test":\n  {json.dumps(test, ensure_ascii=False)}\n'
        return f'{text}, "parts": [\n  {parts}\n]}}\n'

    @classmethod
    def from_json(cls, text: str) -> Splits:
        """Read splits, written by :meth:`to_json` or by hand.

        Args:
            text: The text of the file. Every `sha256` in it is not believed but computed.

        Returns:
            The splits. Only :func:`medvision.cohort.check_disjoint` says whether they fit a cohort.

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
        locked = content.get("locked_test", {"cases": []})
        if not isinstance(locked, dict) or _wrong_cases(locked.get("cases")):
            problems.append("locked_test: cases must list cases")
        if problems:
            raise CohortError("splits of another form", problems=problems)
        parts = sorted(map(_part, entries), key=lambda part: (part.repeat, part.fold))
        folds, repeats = len({p.fold for p in parts}), len({p.repeat for p in parts})
        seed, kind = content.get("seed"), content.get("kind")
        return cls(
            tuple(parts),
            folds,
            repeats,
            seed if isinstance(seed, int) else None,
            kind if isinstance(kind, str) else "kfold",
            tuple(sorted(locked["cases"])),
        )


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _part(entry: Entry) -> Part:
    train, test = tuple(sorted(entry["train"])), tuple(sorted(entry["test"]))
    inner = tuple(
        InnerPart(tuple(sorted(each["train"])), tuple(sorted(each["validation"])))
        for each in entry.get("inner", [])
    )
    return Part(entry["repeat"], entry["fold"], train, test, entry.get("name", ""), inner)


def _wrong_part(entry: object) -> str:
    if not isinstance(entry, dict):
        return "expected an object with repeat, fold, train and test"
    for name in ("repeat", "fold"):
        if not isinstance(entry.get(name), int) or isinstance(entry.get(name), bool):
            return f"{name} must be a whole number"
    for name in ("train", "test"):
        if _wrong_cases(entry.get(name)) or not entry[name]:
            return f"{name} must list cases"
    if not isinstance(entry.get("name", ""), str):
        return "name must be text"
    inner = entry.get("inner", [])
    if not isinstance(inner, list) or any(_wrong_inner(each) for each in inner):
        return "inner must list objects with train and validation"
    return ""


def _wrong_inner(entry: object) -> bool:
    return not isinstance(entry, dict) or any(
        _wrong_cases(entry.get(name)) or not entry[name] for name in ("train", "validation")
    )


def _wrong_cases(cases: object) -> bool:
    return not isinstance(cases, list) or not all(isinstance(case, str) for case in cases)
