"""Every link in every page and notebook leads somewhere; every name that a docstring refers to exists."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOI = re.compile(r"10\.\d{4,9}/[^\s<>\"]*[^\s<>\".,;:)\]]")
REFERENCE = re.compile(r":(?:func|class|meth|attr|mod|exc|data|obj):`~?\.?([\w.]+)`")
FILE = re.compile(r"`((?:benchmarks|docs|experiments|notebooks|tests)/[\w./-]+\.\w+)`")


def _listed(*suffixes: str) -> list[Path]:
    # What git would keep: an environment or a run folder in the checkout is nobody's page.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted({ROOT / name for name in names if name.endswith(suffixes) and (ROOT / name).is_file()})


PAGES = _listed(".md", ".ipynb")
SOURCES = [path for path in _listed(".py") if path.is_relative_to(ROOT / "medvision")]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _markdown(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def _tokens(path: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(_markdown(path))


def _targets(path: Path) -> list[str]:
    inline = [child for token in _tokens(path) for child in token.children or []]
    found = [token.attrGet("href") or token.attrGet("src") for token in inline]
    return [str(target) for target in found if target]


def _anchors(path: Path) -> set[str]:
    """The anchors that GitHub and the site give to a page's headings."""
    tokens = _tokens(path)
    titles = [
        "".join(child.content for child in after.children or [])
        for token, after in pairwise(tokens)
        if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def _broken(path: Path) -> list[str]:
    broken = []
    for target in _targets(path):
        parts = urlsplit(target)
        if parts.scheme or target.startswith("//"):
            continue
        found = (path.parent / parts.path).resolve() if parts.path else path
        if not found.exists() or not found.is_relative_to(ROOT):
            broken.append(f"{target}: no such file")
        elif parts.fragment and parts.fragment not in _anchors(found):
            broken.append(f"{target}: no such heading")
    return broken


def test_there_are_pages_to_look_at() -> None:
    names = {_name(path) for path in PAGES}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/index.md", "docs/reading.md"} <= names
    assert sum(name.endswith(".ipynb") for name in names) >= 2
    assert sum(len(_targets(path)) for path in PAGES) > 30


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    assert _broken(path) == []


def test_a_broken_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "page.md"
    links = "[a](#of-ab-a-test) [b](#none) [c](none.md) `[d](code)` ![e](none.png) [f](../out.md)"
    page.write_text(f"# Of `A–B`, a test\n{links}\n", encoding="utf-8")
    assert [line.split(":")[0] for line in _broken(page)] == ["#none", "none.md", "none.png", "../out.md"]


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_to_the_net_are_well_formed(path: Path) -> None:
    outside = [urlsplit(target) for target in _targets(path) if "//" in target or ":" in target]
    bad = [parts.geturl() for parts in outside if parts.scheme != "https" or "." not in parts.netloc]
    assert bad == []


def test_dois_are_well_formed() -> None:
    bad = []
    for path in [*PAGES, *SOURCES, ROOT / "CITATION.cff"]:
        said = re.findall(r"(?:\bdoi:\s*|doi\.org/)(\S+)", path.read_text(encoding="utf-8"), re.IGNORECASE)
        bad += [f"{_name(path)}: {doi}" for doi in said if not DOI.match(doi.lstrip("`[\"'"))]
    assert bad == []


def test_files_that_are_named_are_there() -> None:
    named = {
        (_name(path), name) for path in [*PAGES, *SOURCES] for name in FILE.findall(path.read_text("utf-8"))
    }
    assert len(named) > 5
    assert sorted(f"{page}: {name}" for page, name in named if not (ROOT / name).exists()) == []


def _resolves(name: str, module: str, owners: list[str]) -> bool:
    # A name alone is one of the module, of its class, or of the package through which the module is public.
    home, package = (importlib.import_module(name) for name in (module, module.rpartition(".")[0] or module))
    for start in [home, package, *(getattr(home, owner, None) for owner in owners)]:
        value: object = start
        for part in name.split("."):
            value = getattr(value, part, None)
        if value is not None:
            return True
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        return all((value := getattr(value, part, None)) is not None for part in parts[cut:])
    return False


def _unresolved(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)]
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    names = {name for text in texts for name in REFERENCE.findall(text)}
    return sorted(f"{_name(path)}: {name}" for name in names if not _resolves(name, module, classes))


def test_names_that_docstrings_refer_to_exist() -> None:
    assert [found for path in SOURCES for found in _unresolved(path)] == []
