"""What ``Returns:`` and an attribute's docstring say is text: types stand in the annotations.

Napoleon takes what stands before the first colon for a type, so it is given an empty one. An alias of a type
is written by its name within a union, too, where autodoc would write its own object.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.inspect import TypeAliasForwardRef

BEFORE_NAPOLEON = 400


def _without_types(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if what in {"attribute", "data", "property"} and lines and ":" in lines[0]:
        lines[0] = f": {lines[0]}"
    for number, line in enumerate(lines[:-1], start=1):
        if line in {"Returns:", "Yields:"}:
            text = lines[number].lstrip()
            lines[number] = f"{lines[number][: -len(text)]}: {text}"


def _skip_fields_without_text(
    app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    # What a named tuple says of a field by itself.
    return True if (obj.__doc__ or "").startswith("Alias for field number") else None


def _call_attributes_by_their_name(app: Sphinx, doctree: nodes.document) -> None:
    for heading in doctree.findall(nodes.field_name):
        if heading.astext() == "Variables":
            heading.children = [nodes.Text("Attributes")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Go before napoleon."""
    TypeAliasForwardRef.__repr__ = lambda alias: alias.name
    app.connect("autodoc-process-docstring", _without_types, priority=BEFORE_NAPOLEON)
    app.connect("doctree-read", _call_attributes_by_their_name)
    app.connect("autodoc-skip-member", _skip_fields_without_text)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
