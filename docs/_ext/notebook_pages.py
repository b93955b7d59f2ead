"""Notebooks as pages, without what their cells print: they are kept without outputs, and a test runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx


class NotebookParser(MystParser):
    """Reads a notebook as the Markdown page of its cells."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Fill the document from the notebook's JSON."""
        super().parse(as_markdown(inputstring, Path(document["source"]).name), document)


def as_markdown(notebook: str, name: str) -> str:
    """The cells of a notebook as Markdown, with a link to the file below its title."""
    cells = [_cell(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(notebook)["cells"]]
    note = f"{{download}}`Download this notebook <{name}>` and run it to see what its cells print."
    title, *rest = cells
    return "\n\n".join([*title.split("\n\n", 1)[:1], note, *title.split("\n\n", 1)[1:], *rest])


def _cell(kind: str, source: str) -> str:
    if kind == "markdown":
        return source
    longest = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{source}\n{fence}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the kind of source."""
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
