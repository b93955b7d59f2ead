"""Which keys a study file may have, and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import get_args

from pydantic.fields import FieldInfo

from medvision.config.base import Section
from medvision.config.problem import KeyPath, dotted
from medvision.config.study import Study
from medvision.config.tree import Tree
from medvision.wording import did_you_mean

Sections = tuple[type[Section], ...]
_ROOT: ContextVar[type[Section]] = ContextVar("root", default=Study)


@contextmanager
def document_of(root: type[Section]) -> Iterator[None]:
    """Within the block, documents are not studies but of another kind, such as a rule file."""
    token = _ROOT.set(root)
    try:
        yield
    finally:
        _ROOT.reset(token)


def sections_at(path: KeyPath, tree: Tree | None) -> Sections:
    """Return the kinds of section that may stand at a path, narrowed by the `kind` written there.

    Args:
        path: Keys and places in lists.
        tree: The document whose `kind` entries narrow unions; None narrows nothing.

    Returns:
        Section classes; none where the path holds a value or nothing.

    Example:
        >>> [section.__name__ for section in sections_at(("training", "optimizer"), None)]
        ['AdamW', 'Sgd']
    """
    sections: Sections = (_ROOT.get(),)
    for step in path:
        tree = tree.child(step) if tree else None
        if isinstance(step, str):
            fields = (section.model_fields.get(step) for section in sections)
            inner = (s for found in fields if found for s in _alternatives(found.annotation))
            sections = tuple(dict.fromkeys(inner))
        sections = _of_kind(sections, tree)
    return sections


def field_at(path: KeyPath, tree: Tree) -> FieldInfo | None:
    """Return the field that a path, or the list at its end, belongs to; None where there is none."""
    while len(path) > 1 and isinstance(path[-1], int):
        path = path[:-1]
    *parents, name = path
    fields = (section.model_fields.get(str(name)) for section in sections_at(tuple(parents), tree))
    return next((found for found in fields if found), None)


def known_keys(path: KeyPath, tree: Tree | None) -> list[str]:
    """Return the keys that the mapping at a path may have."""
    return list(dict.fromkeys(key for section in sections_at(path, tree) for key in section.model_fields))


def default_kind(path: KeyPath) -> str | None:
    """Return the kind of section that stands at a path when the file says nothing."""
    *parents, name = path
    for section in sections_at(tuple(parents), None):
        found = section.model_fields.get(str(name))
        if found is not None and isinstance(found.default, Section) and len(sections_at(path, None)) > 1:
            return str(getattr(found.default, "kind", "")) or None
    return None


def unknown_key(path: KeyPath, tree: Tree) -> str:
    """Say that a key is unknown, and what was probably meant.

    Args:
        path: The path of the key.
        tree: The document.

    Returns:
        The sentence: a similar key of the same mapping, the same key of another kind, or the same key
        elsewhere in a study.

    Example:
        >>> from medvision.config.document import parse
        >>> unknown_key(("epochs",), parse("epochs: 5", "study.yaml")[0])
        "unknown key; it belongs at 'training.epochs'"
    """
    *parents, last = path
    key, parent = str(last), tuple(parents)
    hint = did_you_mean(key, known_keys(parent, tree))
    others = [s for s in sections_at(parent, None) if key in s.model_fields]
    if others:
        kinds = [str(get_args(section.model_fields["kind"].annotation)[0]) for section in others]
        return f"unknown key; only kind {' and '.join(kinds)} has it"
    places = dict.fromkeys(dotted(place) for place in _paths(_ROOT.get()) if place[-1] == key != "kind")
    if not hint and places:
        hint = f"; it belongs at {' or '.join(repr(place) for place in places)}"
    return f"unknown key{hint}"


def _alternatives(annotation: object) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    else:
        for inner in get_args(annotation):
            yield from _alternatives(inner)


def _of_kind(sections: Sections, tree: Tree | None) -> Sections:
    kind = tree.child("kind") if tree else None
    if kind is None or len(sections) < 2:
        return sections
    chosen = [s for s in sections if kind.value in get_args(s.model_fields["kind"].annotation)]
    return tuple(chosen) or sections


def _paths(section: type[Section], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, found in section.model_fields.items():
        yield (*above, name)
        for inner in _alternatives(found.annotation):
            yield from _paths(inner, (*above, name))
