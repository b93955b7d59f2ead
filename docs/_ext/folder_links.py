"""A link to a folder shows its README in the repository; in the site it leads to that README's page."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx


def _to_readmes(app: Sphinx, docname: str, source: list[str]) -> None:
    folder = Path(app.env.doc2path(docname)).parent

    def mended(link: re.Match[str]) -> str:
        readme = folder / link[1] / "README.md"
        return f"]({link[1].rstrip('/')}/README.md)" if readme.is_file() else link[0]

    source[0] = re.sub(r"\]\(([^):#]+)\)", mended, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite such links as pages are read."""
    app.connect("source-read", _to_readmes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
