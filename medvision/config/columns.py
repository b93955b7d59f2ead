"""Checks of the columns that a study names: none may tell the label, none has two roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from medvision.config.cohort import Cohort, ManifestCohort, MsdCohort
from medvision.config.evaluation import Comparator
from medvision.config.pixels import Augmentation
from medvision.config.problem import KeyPath
from medvision.config.split import AnySplit, columns_of
from medvision.config.task import ClassificationTask, Task
from medvision.config.training import Prediction
from medvision.wording import did_you_mean

Findings = Iterator[tuple[KeyPath, str]]
Named = Iterator[tuple[KeyPath, str]]

# The patient names the case where every patient has one; the label among the covariates has a
# sentence of its own.
_MAY_SHARE = {("cohort.patient", "cohort.case"), ("task.label", "cohort.covariates")}


def _listed(path: KeyPath, names: Iterable[str]) -> Named:
    return (((*path, place), name) for place, name in enumerate(names))


def _used(cohort: Cohort, split: AnySplit, comparators: tuple[Comparator, ...]) -> Named:
    """Every column that a model, a comparator or the split sees, and where it is named."""
    yield from _listed(("cohort", "covariates"), cohort.covariates)
    yield from columns_of(split)
    for place, comparator in enumerate(comparators):
        yield from _listed(("comparators", place, "covariates"), comparator.covariates)


def forbidden_is_no_input(cohort: Cohort, split: AnySplit, comparators: tuple[Comparator, ...]) -> Findings:
    """Refuse a forbidden column wherever something would be learned from it."""
    roles: Named = iter(())
    if isinstance(cohort, ManifestCohort):
        roles = (
            (("cohort", role), column)
            for role, column in _roles(cohort)
            if role in {"image", "mask", "region"}
        )
    for path, column in (*_used(cohort, split, comparators), *roles):
        if column in cohort.forbidden:
            yield path, f"{column!r} is listed in cohort.forbidden and must not be used"


def label_is_no_input(
    cohort: Cohort, task: Task, split: AnySplit, comparators: tuple[Comparator, ...]
) -> Findings:
    """Refuse the label as a covariate: it would predict itself."""
    if not isinstance(task, ClassificationTask):
        return
    for path, column in _used(cohort, split, comparators):
        if column == task.label:
            balanced = path[0] == "split" and "stratify_by" in path
            why = "the folds are balanced by it anyway" if balanced else "it would predict itself"
            if path[0] == "split" and not balanced:
                why = "parts of one class each could not be evaluated"
            yield path, f"{column!r} is the label (task.label); {why}"


def columns_exist(cohort: Cohort, split: AnySplit, comparators: tuple[Comparator, ...]) -> Findings:
    """Refuse columns that the table of cases will not have."""
    if isinstance(cohort, MsdCohort):
        for path, column in _used(cohort, split, comparators):
            yield path, f"an msd cohort has no columns, so no {column!r}"
        return
    for place, comparator in enumerate(comparators):
        for path, column in _listed(("comparators", place, "covariates"), comparator.covariates):
            if column not in cohort.covariates:
                hint = did_you_mean(column, cohort.covariates) or "; name it there"
                yield path, f"{column!r} is not in cohort.covariates{hint}"


def columns_have_one_role(cohort: Cohort, task: Task) -> Findings:
    """Refuse one column for two things, such as the image column as the mask."""
    if not isinstance(cohort, ManifestCohort):
        return
    taken: dict[str, str] = {}
    named: list[tuple[KeyPath, str]] = [(("cohort", role), column) for role, column in _roles(cohort)]
    if isinstance(task, ClassificationTask):
        named.append((("task", "label"), task.label))
    named += _listed(("cohort", "covariates"), cohort.covariates)
    for path, column in named:
        role = ".".join(str(step) for step in path[:2])
        first = taken.setdefault(column, role)
        if first != role and (first, role) not in _MAY_SHARE:
            yield path, f"{column!r} is already {first}"


def nothing_twice(
    cohort: Cohort,
    split: AnySplit,
    comparators: tuple[Comparator, ...],
    augmentation: Augmentation,
    prediction: Prediction,
) -> Findings:
    """Refuse lists that name the same thing twice."""
    lists: list[tuple[KeyPath, Iterable[object]]] = [
        (("cohort", "covariates"), cohort.covariates),
        (("cohort", "forbidden"), cohort.forbidden),
        (("split", "stratify_by"), getattr(split, "stratify_by", ())),
        (("split", "test", "stratify_by"), getattr(split.test, "stratify_by", ())),
        (("augmentation", "flip_axes"), augmentation.flip_axes),
        (("prediction", "mirror_axes"), prediction.mirror_axes),
    ]
    for place, comparator in enumerate(comparators):
        lists.append((("comparators", place, "covariates"), comparator.covariates))
    for path, values in lists:
        yield from (((*path, place), f"{value!r} stands there twice") for place, value in _repeated(values))
    for place, name in _repeated(comparator.name for comparator in comparators):
        yield ("comparators", place, "name"), f"another comparator is called {name!r} too"


def _roles(cohort: ManifestCohort) -> Iterator[tuple[str, str]]:
    for role in ("patient", "case", "image", "mask", "region"):
        column = getattr(cohort, role)
        if column is not None:
            yield role, column


def _repeated(values: Iterable[object]) -> Iterator[tuple[int, object]]:
    seen: set[object] = set()
    for place, value in enumerate(values):
        if value in seen:
            yield place, value
        seen.add(value)
