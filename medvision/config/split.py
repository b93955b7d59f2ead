"""Who is tested on: the `split:` part of a study file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from medvision.config.base import Column, PositiveInt, Section
from medvision.config.problem import KeyPath

Folds = Annotated[int, Field(strict=True, ge=2)]
HeldShare = Annotated[float, Field(strict=True, gt=0, lt=1)]
Value = Annotated[str, Field(strict=True)] | Annotated[int, Field(strict=True)]
Values = Annotated[tuple[Value, ...], Field(min_length=1)]
When = Annotated[str, Field(strict=True, min_length=1)] | Annotated[int, Field(strict=True)]
OnCrossing = Literal["refuse", "first_scan"]


class FractionTest(Section):
    """A locked test set drawn by chance: patient-grouped and stratified."""

    kind: Literal["fraction"]
    fraction: HeldShare = 0.2
    """Share of the patients that is locked away."""
    stratify_by: tuple[Column, ...] = ()
    """Columns balanced beside the label; they need few values each."""


class HashTest(Section):
    """A locked test set by a hash of patient and seed: patients who join later move nobody."""

    kind: Literal["hash"]
    fraction: HeldShare = 0.2
    """Share of the patients in expectation; the share of a cohort varies, and nothing is balanced."""


class ColumnTest(Section):
    """A locked test set that a column names: an official test part, or a hospital kept for the end."""

    kind: Literal["column"]
    column: Column
    """Column that says it."""
    values: Values
    """Its values that are locked away."""


class TimeTest(Section):
    """A locked test set of the latest patients."""

    kind: Literal["time"]
    column: Column
    """Column with dates (2021-05-17 or 20210517), years, or numbers that grow with time."""
    test_from: When
    """The first date of the test set."""
    on_crossing: OnCrossing = "refuse"
    """A patient with scans before and after: `refuse`, or `first_scan`, which decides for all of them."""


Test = Annotated[FractionTest | HashTest | ColumnTest | TimeTest, Field(discriminator="kind")]


class OuterSplit(Section):
    """What every kind of split has; `kind` says which."""

    kind: str
    """How the patients are divided."""
    test: Test | None = None
    """A test set that is locked away first and opened by `--unlock-test` only; null locks nothing away."""


class NestedSplit(OuterSplit):
    """A split whose training parts may be divided again."""

    inner_folds: Folds | None = None
    """Divide each training part into so many inner folds, drawn with the split, balanced as it is and
    stored in `splits.json` (nested cross-validation); null leaves it to `training.inner`."""


class KFold(NestedSplit):
    """Cross-validation, patient-grouped and stratified."""

    kind: Literal["kfold"] = "kfold"
    folds: Folds = 5
    """Parts of the patients; each is the test part once."""
    repeats: PositiveInt = 1
    """How often the whole cross-validation is done, each time with another split."""
    stratify_by: tuple[Column, ...] = ()
    """Columns balanced over the folds beside the label; they need few values each."""


class HashFold(NestedSplit):
    """Cross-validation by a hash of patient and seed: patients who join later move nobody."""

    kind: Literal["hash"]
    folds: Folds = 5
    """Parts, of equal size in expectation; nothing is balanced."""


class SiteSplit(NestedSplit):
    """Leave one site out: each value of a column is the test part once."""

    kind: Literal["site"]
    column: Column
    """Column of the site, the scanner, or an official fold."""


class TimeSplit(NestedSplit):
    """Temporal validation: learn from earlier patients, test on later ones."""

    kind: Literal["time"]
    column: Column
    """Column with dates (2021-05-17 or 20210517), years, or numbers that grow with time."""
    test_from: When | None = None
    """The first date of the test part."""
    last_fraction: HeldShare | None = None
    """Or: the latest patients, so large a share of them."""
    windows: Folds | None = None
    """Or: so many test parts one after another, each tested by what was learned from all before it."""
    on_crossing: OnCrossing = "refuse"
    """A patient with scans on both sides: `refuse`, or `first_scan`, which decides for all of them."""

    @model_validator(mode="after")
    def _one_boundary(self) -> TimeSplit:
        given = [
            name for name in ("test_from", "last_fraction", "windows") if getattr(self, name) is not None
        ]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            raise ValueError(f"needs one of test_from, last_fraction and windows; {found}")
        return self


class ColumnSplit(OuterSplit):
    """An official split: a column says who is trained, validated and tested on."""

    kind: Literal["column"]
    column: Column
    """Column that says it."""
    train_values: Values = ("train",)
    """Its values for training."""
    validation_values: tuple[Value, ...] = ()
    """Its values for validation and for the threshold; where none is named, `training.inner` divides the
    training part."""
    test_values: Values = ("test",)
    """Its values for testing."""


def _kind_may_be_left_out(value: object) -> object:
    """A split without a kind is a k-fold: so was every split before there were others."""
    if isinstance(value, dict) and "kind" not in value:
        return {"kind": "kfold", **value}
    return value


AnySplit = KFold | HashFold | SiteSplit | TimeSplit | ColumnSplit
Split = Annotated[AnySplit, Field(discriminator="kind"), BeforeValidator(_kind_may_be_left_out)]


def columns_of(split: AnySplit) -> Iterator[tuple[KeyPath, str]]:
    """Yield every column that a split looks at, and where the study names it.

    Args:
        split: The split of a study.

    Example:
        >>> list(columns_of(SiteSplit(kind="site", column="hospital")))
        [(('split', 'column'), 'hospital')]
    """
    for path, part in ((("split",), split), (("split", "test"), split.test)):
        column = getattr(part, "column", None)
        if column is not None:
            yield (*path, "column"), column
        names = getattr(part, "stratify_by", ())
        yield from (((*path, "stratify_by", place), name) for place, name in enumerate(names))
