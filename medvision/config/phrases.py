"""Plain words for each type of pydantic error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, get_args, get_origin

from pydantic_core import ErrorDetails

from medvision.config.fields import default_kind, field_at, sections_at, unknown_key
from medvision.config.problem import KeyPath
from medvision.config.tree import Tree
from medvision.wording import did_you_mean

EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
"""What a value should have been, by the type of error; "found …" is added to each."""

_LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_NUMBER = re.compile(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?")


def found(value: object) -> str:
    """Name a value of a document as its writer would.

    Args:
        value: What stands in the file.

    Returns:
        Words for what is no single value, the value itself else.

    Example:
        >>> found(None), found(True), found("abc"), found([1, 2]), found({})
        ('nothing', 'true', "'abc'", 'a list', 'a mapping')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else repr(value)


def hint(error: ErrorDetails) -> str:
    """Add what to do about a value of the wrong type, where that is plain.

    Args:
        error: One of the types in `EXPECTED`.

    Returns:
        The end of a sentence, often empty.
    """
    value, kind = error["input"], error["type"]
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f"; write it in quotes: '{found(value)}'"
    if kind in {"int_type", "float_type"} and isinstance(value, str) and _NUMBER.fullmatch(value):
        return "; leave out the quotes"
    if kind == "tuple_type" and value is not None and not isinstance(value, Mapping):
        return f"; write [{value}]"
    return ""


def sentence(error: ErrorDetails, path: KeyPath, tree: Tree) -> tuple[KeyPath, str]:
    """Say what is wrong, and at which path exactly.

    Args:
        error: Any type but those in `EXPECTED`.
        path: Where pydantic found it.
        tree: The document.

    Returns:
        The path to name (`model.kind` for a union without a kind, say) and the sentence.
    """
    if error["type"] == "missing" and isinstance(path[-1], int):
        parent = tree
        for step in path[:-1]:
            parent = parent.child(step) or parent
        there = len(parent.value) if isinstance(parent.value, list) else 0
        return path[:-1], f"expected {path[-1] + 1} values, found {there}"
    if error["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return (*path, "kind"), _kind_sentence(error, path)
    speak = _SENTENCES.get(error["type"])
    return path, speak(error, path, tree) if speak else error["msg"]


def _kind_sentence(error: ErrorDetails, path: KeyPath) -> str:
    kinds = [str(get_args(section.model_fields["kind"].annotation)[0]) for section in sections_at(path, None)]
    if error["type"] == "union_tag_not_found":
        default = default_kind(path)
        return f"missing; write one of {', '.join(kinds)}" + (
            f" (the default is {default})" if default else ""
        )
    written = error["input"]["kind"]
    return f"unknown kind {found(written)}{did_you_mean(str(written), kinds)} (kinds: {', '.join(kinds)})"


def _limit(error: ErrorDetails, path: KeyPath, tree: Tree) -> str:
    word, key = _LIMITS[error["type"]]
    bound = error["ctx"][key]
    shown = int(bound) if float(bound).is_integer() else bound
    return f"must be {word} {shown}, found {found(error['input'])}"


def _literal(error: ErrorDetails, path: KeyPath, tree: Tree) -> str:
    field = field_at(path, tree)
    options = [] if field is None else list(_options(field.annotation))
    meant = did_you_mean(str(error["input"]), options)
    return f"expected one of {', '.join(options)}, found {found(error['input'])}{meant}"


def _options(annotation: object) -> Iterator[str]:
    """The words that may stand somewhere, also where a number may stand too."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for inner in get_args(annotation):
            yield from _options(inner)


def _described(error: ErrorDetails, path: KeyPath, tree: Tree) -> str:
    """A field's own description says what it takes."""
    field = field_at(path, tree)
    about = " ".join((field.description or "").split()) if field else ""
    if error["type"] == "missing":
        return f"missing: {about}" if about else "missing"
    return f"{found(error['input'])} is not possible here: {about}"


def _length(error: ErrorDetails, path: KeyPath, tree: Tree) -> str:
    context = error["ctx"]
    if error["type"] == "too_long":
        return f"expected {context['max_length']} values, found {context['actual_length']}"
    return f"needs {context['min_length']} or more values, found {context['actual_length']}"


_SENTENCES: dict[str, Callable[[ErrorDetails, KeyPath, Tree], str]] = {
    **dict.fromkeys(_LIMITS, _limit),
    "extra_forbidden": lambda error, path, tree: unknown_key(path, tree),
    "literal_error": _literal,
    "missing": _described,
    "string_pattern_mismatch": _described,
    "string_too_short": lambda error, path, tree: "must not be empty",
    "too_long": _length,
    "too_short": _length,
    "value_error": lambda error, path, tree: str(error["ctx"]["error"]),
}
