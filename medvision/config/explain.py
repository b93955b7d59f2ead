"""pydantic's errors at their place in the file."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic_core import ErrorDetails

from medvision.config.base import VALUE, WORD
from medvision.config.fields import default_kind
from medvision.config.phrases import EXPECTED, found, hint, sentence
from medvision.config.problem import KeyPath, Problem
from medvision.config.tree import Tree, locate


def explain(errors: Iterable[ErrorDetails], tree: Tree) -> list[Problem]:
    r"""Say in plain words what is wrong with a study, and where.

    Args:
        errors: What pydantic found in `tree.plain()`.
        tree: The study with its places.

    Returns:
        One problem for each place; alternatives of one value are joined by "or".

    Example:
        >>> from pydantic import ValidationError
        >>> from medvision.config.document import parse
        >>> from medvision.config.study import Study
        >>> tree, _ = parse("name: lung\ntraining: {epochs: abc}", "study.yaml")
        >>> try:
        ...     Study.model_validate(tree.plain())
        ... except ValidationError as error:
        ...     print(explain(error.errors(), tree)[-1])
        study.yaml:2:20: training.epochs: expected a whole number, found 'abc'
    """
    problems: dict[KeyPath, Problem] = {}
    expected: dict[KeyPath, list[str]] = {}
    for error in errors:
        path = _path(error, tree)
        if error["type"] in EXPECTED:
            wanted = expected.setdefault(path, [])
            wanted.append(EXPECTED[error["type"]])
            value = error["input"]
            said = f"expected {' or '.join(dict.fromkeys(wanted))}, found {found(value)}{hint(error)}"
        else:
            path, said = sentence(error, path, tree)
        is_key = error["type"] == "extra_forbidden"
        problems[path] = Problem(locate(tree, path, key=is_key), path, said, unknown=is_key)
    return list(problems.values())


def _path(error: ErrorDetails, tree: Tree) -> KeyPath:
    """Drop from pydantic's path what is no key of the file: the kind of a union, the type of a value."""
    path: list[str | int] = []
    here: Tree | None = tree
    in_union = False
    for place, step in enumerate(error["loc"], start=1):
        kind = here.child("kind") if here and isinstance(here.value, dict) else None
        is_key = place == len(error["loc"]) and error["type"] == "extra_forbidden"
        if step in (VALUE, WORD):
            continue
        written = kind.value if kind is not None else default_kind(tuple(path)) if path else None
        if written is not None and step == written and not is_key and not in_union:
            # Once: a section of kind `column` may have a key `column`.
            in_union = True
            continue
        in_union = False
        here = here.child(step) if here else None
        if here is None and error["type"] != "missing":
            break
        path.append(step)
    return tuple(path)
