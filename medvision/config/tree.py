"""A document in which everything knows where it stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


def without(tree: Tree, paths: Collection[KeyPath]) -> Tree:
    """Leave keys out of a document.

    Args:
        tree: The document.
        paths: The paths of the keys.

    Returns:
        The document without them; places in lists stay as they are.

    Example:
        >>> from medvision.config.document import parse
        >>> tree, _ = parse("{seed: 1, sead: 2}", "study.yaml")
        >>> without(tree, [("sead",)]).plain()
        {'seed': 1}
    """
    if isinstance(tree.value, list):
        items = [without(item, _below(paths, place)) for place, item in enumerate(tree.value)]
        return replace(tree, value=items)
    if not isinstance(tree.value, dict):
        return tree
    kept = {key: without(item, _below(paths, key)) for key, item in tree.value.items() if (key,) not in paths}
    return replace(tree, value=kept)


def _below(paths: Collection[KeyPath], step: str | int) -> list[KeyPath]:
    return [path[1:] for path in paths if path[:1] == (step,)]
