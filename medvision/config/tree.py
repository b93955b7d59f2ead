"""A document in which everything knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from medvision.config.problem import KeyPath, Where

Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True)
class Tree:
    """A value of a document, where it stands, and where the keys of a mapping stand."""

    value: Scalar | list[Tree] | dict[str, Tree]
    where: Where
    keys: Mapping[str, Where] = field(default_factory=dict)

    def plain(self) -> Plain:
        """Return the value as plain Python data."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, step: str | int) -> Tree | None:
        """Return what stands at a key or a place of a list; None where nothing does."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None


def locate(tree: Tree, path: KeyPath, *, key: bool = False) -> Where:
    r"""Find the place of a path, or of the nearest thing above it that the document has.

    Args:
        tree: The document.
        path: Keys and places in lists.
        key: The place of the key rather than of its value.

    Returns:
        The place of the value or key; of the parent's key where the path is not in the document.

    Example:
        >>> from medvision.config.document import parse
        >>> tree, _ = parse("model:\n  kind: unet\n", "study.yaml")
        >>> str(locate(tree, ("model", "kind"))), str(locate(tree, ("model", "channels")))
        ('study.yaml:2:9', 'study.yaml:1:1')
    """
    here, name = tree, tree.where
    for step in path:
        below = here.child(step)
        if below is None:
            return name
        name = here.keys.get(str(step), below.where)
        here = below
    return name if key else here.where


def has(tree: Tree, path: KeyPath) -> bool:
    """Whether a document says anything at a path."""
    here: Tree | None = tree
    for step in path:
        here = here.child(step) if here else None
    return here is not None


def renamed(tree: Tree, names: Mapping[KeyPath, str | None]) -> Tree:
    """Give keys of a document other names.

    Args:
        tree: The document.
        names: The new name by the path of the key; None, or a name that is taken, leaves the key out.

    Returns:
        The document with its new keys; places in lists stay as they are.

    Example:
        >>> from medvision.config.document import parse
        >>> tree, _ = parse("{sead: 2, colour: red}", "study.yaml")
        >>> renamed(tree, {("sead",): "seed", ("colour",): None}).plain()
        {'seed': 2}
    """
    if isinstance(tree.value, list):
        return replace(tree, value=[renamed(item, _below(names, i)) for i, item in enumerate(tree.value)])
    if not isinstance(tree.value, dict):
        return tree
    values: dict[str, Tree] = {}
    for key, item in tree.value.items():
        name = names.get((key,), key)
        if name is not None and (name == key or name not in tree.value):
            values[name] = renamed(item, _below(names, key))
    return replace(tree, value=values)


def _below(names: Mapping[KeyPath, str | None], step: str | int) -> dict[KeyPath, str | None]:
    return {path[1:]: name for path, name in names.items() if len(path) > 1 and path[0] == step}
