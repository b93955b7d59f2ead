"""A function named in code on a page leads to what its docstring says: ``auroc(labels, scores)`` does."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

import medvision.evaluation
import medvision.imaging

HOMES = {
    name: module.__name__ for module in (medvision.evaluation, medvision.imaging) for name in module.__all__
}


class CodeLinks(SphinxPostTransform):
    """Turns such code into references before references are resolved."""

    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Look at the code in the text of pages that are not made from docstrings."""
        if self.env.docname.startswith("docs/api/"):
            return
        for code in list(self.document.findall(nodes.literal)):
            name = _function(code.astext())
            if name in HOMES and not isinstance(code.parent, nodes.reference | pending_xref | nodes.title):
                code.replace_self(self._reference(code, name))

    def _reference(self, code: nodes.literal, name: str) -> pending_xref:
        return pending_xref(
            "", code.deepcopy(), refdomain="py", reftype="obj", reftarget=f"{HOMES[name]}.{name}",
            refdoc=self.env.docname, refexplicit=True, refwarn=True,
        )  # fmt: skip


def _function(code: str) -> str:
    """The name, where the code is a call or a word that no prose would write."""
    found = re.match(r"(?:\w+\.)*(\w+)(\(.*)?$", code, re.DOTALL)
    return found[1] if found and (found[2] or "_" in found[1] or not found[1].islower()) else ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(CodeLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
