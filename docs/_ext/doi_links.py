"""``doi:10.1002/sim.3095`` in the text of a page or docstring is a link to the paper.

Old DOIs of Wiley and of the American Meteorological Society hold ``<`` and ``>``. In docstrings they are
written as they stand in a link, with ``%3C`` and ``%3E``; a reader of the site sees them as they are.
"""

from __future__ import annotations

import re
from types import UnionType
from urllib.parse import quote, unquote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

DOI = re.compile(r"\bdoi:(10\.\d{4,9}/[^\s<>\"'`|]+)")


class DoiLinks(SphinxPostTransform):
    """Splits text around each DOI; code, links and titles stay as they are."""

    default_priority = 5

    def run(self, **kwargs: object) -> None:
        """Look at all text of the page."""
        kept = nodes.FixedTextElement | nodes.literal | nodes.reference | nodes.title | nodes.raw
        for text in list(self.document.findall(nodes.Text)):
            if "doi:10." in text and not _within(text, kept):
                text.parent.replace(text, _linked(text.astext()))


def without_punctuation(doi: str) -> str:
    """What of the characters up to the next space is the DOI.

    The sentence's own marks come off its end, and brackets that open before it.
    """
    while doi and (doi[-1] in ".,;:" or (doi[-1] == ")" and doi.count(")") > doi.count("("))):
        doi = doi[:-1]
    return doi


def _within(text: nodes.Text, kinds: UnionType) -> bool:
    node: nodes.Node | None = text.parent
    while node is not None and not isinstance(node, kinds):
        node = node.parent
    return node is not None


def _linked(text: str) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    end = 0
    for match in DOI.finditer(text):
        doi = without_punctuation(match[1])
        found.append(nodes.Text(text[end : match.start()]))
        target = f"https://doi.org/{quote(unquote(doi), safe='/:;()')}"
        shown = f"doi:{unquote(doi)}"
        found.append(nodes.reference("", shown, refuri=target, internal=False, classes=["doi"]))
        end = match.start() + len("doi:") + len(doi)
    return [*found, nodes.Text(text[end:])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(DoiLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
