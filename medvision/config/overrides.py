"""Changes from the command line, such as `training.epochs=5`."""

from __future__ import annotations

from collections.abc import Iterable

from medvision.config.document import parse
from medvision.config.fields import default_kind
from medvision.config.inherit import merge
from medvision.config.problem import COMMAND_LINE, KeyPath, Problem, Where
from medvision.config.tree import Tree


def apply_overrides(tree: Tree, overrides: Iterable[str]) -> tuple[Tree, list[Problem]]:
    """Lay overrides over a study, the last one last.

    Each is `path=value` with a YAML 1.2 value; a mapping is merged as one of an extending file is.
    A section that the file leaves out starts from its default kind, so that
    `training.optimizer.learning_rate=1e-4` needs no `kind`.

    Args:
        tree: The study as its files say it.
        overrides: The overrides as they were typed.

    Returns:
        The changed tree, and what is wrong with overrides that could not be read.

    Example:
        >>> from medvision.config.document import parse
        >>> tree, problems = apply_overrides(parse("seed: 1", "a.yaml")[0], ["training.epochs=5"])
        >>> tree.plain()
        {'seed': 1, 'training': {'epochs': 5}}
    """
    problems: list[Problem] = []
    for override in overrides:
        where = Where(f"{COMMAND_LINE}{override}")
        path, equals, text = override.partition("=")
        steps = tuple(step.strip() for step in path.split("."))
        if not equals or not all(steps):
            problems.append(Problem(where, (), "write an override as path=value, such as training.epochs=5"))
            continue
        value, wrong = parse(text, where.source)
        problems += [Problem(where, steps, problem.message) for problem in wrong]
        if not wrong:
            tree = merge(tree, _nested(tree, steps, _moved(value or Tree(None, where), where)))
    return tree, problems


def _nested(tree: Tree, steps: tuple[str, ...], value: Tree) -> Tree:
    """Wrap a value in the mappings that lead to it, with the default kinds of those that are new."""
    for depth in range(len(steps) - 1, -1, -1):
        inside: dict[str, Tree] = {steps[depth]: value}
        kind = default_kind(steps[:depth]) if depth and not _is_mapping(tree, steps[:depth]) else None
        if kind is not None and "kind" not in inside:
            inside["kind"] = Tree(kind, value.where)
        value = Tree(inside, value.where, dict.fromkeys(inside, value.where))
    return value


def _is_mapping(tree: Tree, path: KeyPath) -> bool:
    here: Tree | None = tree
    for step in path:
        here = here.child(step) if here else None
    return here is not None and isinstance(here.value, dict)


def _moved(tree: Tree, where: Where) -> Tree:
    """Put everything in a tree at one place: the override itself."""
    if isinstance(tree.value, dict):
        values = {key: _moved(child, where) for key, child in tree.value.items()}
        return Tree(values, where, dict.fromkeys(values, where))
    if isinstance(tree.value, list):
        return Tree([_moved(child, where) for child in tree.value], where)
    return Tree(tree.value, where)
