"""A study file and the files that it extends, as one tree."""

from __future__ import annotations

import os
from pathlib import Path

from medvision.config.document import parse
from medvision.config.problem import Problem, Where
from medvision.config.tree import Tree
from medvision.errors import ConfigError

_EXTENDS = "extends"


def read_chain(path: Path, seen: tuple[Path, ...] = ()) -> tuple[Tree, list[Problem]]:
    """Read a file and, before it, the file that its `extends:` names, and so on.

    Mappings are merged key by key, the extending file last; lists are replaced, and so is a mapping
    whose `kind` changes.

    Args:
        path: The file.
        seen: The files that led to this one, resolved.

    Returns:
        The tree without `extends`, and problems that do not keep it from being checked further.

    Raises:
        ConfigError: A file is missing, empty, no YAML or no mapping, or extends itself.
    """
    tree, problems = _read(path)
    base = tree.child(_EXTENDS)
    if base is None:
        return _without_extends(tree), problems
    base_path = _base_path(path, base, (*seen, path.resolve()), problems)
    base_tree, base_problems = read_chain(base_path, (*seen, path.resolve()))
    return merge(base_tree, _without_extends(tree)), [*problems, *base_problems]


def merge(base: Tree, change: Tree) -> Tree:
    """Lay one tree over another.

    Args:
        base: What is extended.
        change: What comes last.

    Returns:
        The mappings of both, key by key; where `kind` changes, or one is no mapping, the change alone.

    Example:
        >>> base, _ = parse("{kind: adamw, weight_decay: 0.1, learning_rate: 0.2}", "base.yaml")
        >>> merge(base, parse("learning_rate: 0.5", "study.yaml")[0]).plain()
        {'kind': 'adamw', 'weight_decay': 0.1, 'learning_rate': 0.5}
        >>> merge(base, parse("kind: sgd", "study.yaml")[0]).plain()
        {'kind': 'sgd'}
    """
    if not isinstance(base.value, dict) or not isinstance(change.value, dict):
        return change
    old, new = base.child("kind"), change.child("kind")
    if new is not None and (old is None or old.value != new.value):
        return change
    values, keys = dict(base.value), dict(base.keys)
    for key, value in change.value.items():
        values[key] = merge(values[key], value) if key in values else value
        # A mapping that the command line only changes in part still stands in its file.
        if values[key].where == value.where or key not in keys:
            keys[key] = change.keys[key]
    return Tree(values, change.where if change.where.line else base.where, keys)


def _read(path: Path) -> tuple[Tree, list[Problem]]:
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{source}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror}") from None
    tree, problems = parse(text, source)
    if tree is None and not problems:
        problems = [
            Problem(Where(source, 1, 1), (), "the file is empty; a study needs name, cohort, task and model")
        ]
    elif tree is not None and not isinstance(tree.value, dict):
        kind = "a list" if isinstance(tree.value, list) else "a single value"
        problems.append(Problem(tree.where, (), f"expected a mapping such as 'name: lung', found {kind}"))
        tree = None
    if tree is None:
        raise stop(problems, source)
    return tree, problems


def stop(problems: list[Problem], source: str) -> ConfigError:
    """Put problems into one error, in the order in which they stand in the files.

    Args:
        problems: All of them; the same problem twice counts once.
        source: The file that was to be read.

    Returns:
        The error to raise.

    Example:
        >>> print(stop([Problem(Where("a.yaml", 2, 3), ("seed",), "expected a whole number")], "a.yaml"))
        1 problem in a.yaml
          - a.yaml:2:3: seed: expected a whole number
    """
    # The study file first, then the files that it extends, then the command line.
    ordered = sorted(problems, key=lambda p: (p.where.line == 0, p.where.source != source, p.where))
    texts = list(dict.fromkeys(str(problem) for problem in ordered))
    return ConfigError(f"{len(texts)} problem{'s' * (len(texts) != 1)} in {source}", problems=texts)


def _base_path(path: Path, base: Tree, chain: tuple[Path, ...], problems: list[Problem]) -> Path:
    """Return the file that `extends:` names, relative to the file that says so."""
    message = ""
    if not isinstance(base.value, str) or not base.value:
        message = "expected the name of one file, such as base.yaml"
    else:
        named = Path(os.path.normpath(path.parent / base.value))
        if named.resolve() in chain:
            circle = [*chain[chain.index(named.resolve()) :], named.resolve()]
            message = f"goes round in a circle: {' → '.join(file.name for file in circle)}"
        elif not named.is_file():
            message = f"there is no file {str(named)!r}"
        else:
            return named
    raise stop([*problems, Problem(base.where, (_EXTENDS,), message)], str(path))


def _without_extends(tree: Tree) -> Tree:
    if not isinstance(tree.value, dict):
        return tree
    rest = {key: value for key, value in tree.value.items() if key != _EXTENDS}
    return Tree(rest, tree.where, tree.keys)
