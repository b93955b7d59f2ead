"""``.. public:: MODULE`` and a list of its names: a table of what each does, then what each docstring says.

A reference to the module that a public name is written in leads to its public name.
"""

from __future__ import annotations

import importlib
from typing import ClassVar

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective


class PublicNames(SphinxDirective):
    """Names of a module, one a line, documented from their docstrings in this order."""

    required_arguments = 1
    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """The table and the descriptions."""
        module = importlib.import_module(self.arguments[0])
        names = [line.strip() for line in self.content if line.strip()]
        lines = [f".. currentmodule:: {module.__name__}", ""]
        if len(names) > 1:
            lines += [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in names)]
        for name in names:
            kind = "autoclass" if isinstance(getattr(module, name), type) else "autofunction"
            lines += ["", f".. {kind}:: {name}"]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=False)


def _public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.reference | None:
    part, _, name = node.get("reftarget", "").rpartition(".")
    if node.get("refdomain") != "py" or part.count(".") != 2:
        return None
    target = f"{part.rpartition('.')[0]}.{name}"
    domain = env.domains.python_domain
    if not node["refexplicit"]:
        contnode = nodes.literal("", target if node["reftype"] != "func" else f"{target}()")
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], target, node, contnode)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive and the references."""
    app.add_directive("public", PublicNames)
    app.connect("missing-reference", _public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
