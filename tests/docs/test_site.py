"""The documentation site builds without a warning, opens without the net, and leaves no public name out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

import medvision
import medvision.evaluation
import medvision.imaging
import medvision.testing

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "docs" / "api"
LISTED = re.compile(r"^\.\. public:: (\S+)\n\n((?:   \w+\n?)+)", re.MULTILINE)
LOADING = {"audio", "embed", "iframe", "img", "input", "object", "script", "source", "track", "video"}


def _documented(module: str) -> Counter[str]:
    text = "\n".join(page.read_text(encoding="utf-8") + "\n" for page in sorted(API.glob("*.rst")))
    return Counter(name for home, names in LISTED.findall(text) if home == module for name in names.split())


@pytest.mark.parametrize("module", [medvision.evaluation, medvision.imaging, medvision.testing])
def test_every_public_name_stands_on_one_page(module) -> None:
    """A new public name wants a place: add it to the list of its topic in docs/api."""
    found = _documented(module.__name__)
    missing, strange = set(module.__all__) - set(found), set(found) - set(module.__all__)
    assert not missing, f"in no list of docs/api/*.rst: {sorted(missing)}"
    assert not strange, f"listed in docs/api, but not public: {sorted(strange)}"
    assert [name for name, times in found.items() if times > 1] == []


def test_every_verb_is_described_or_referred_to() -> None:
    text = (API / "medvision.rst").read_text(encoding="utf-8")
    referred = set(re.findall(r":\w+:`~medvision\.\w+\.(\w+)`", text))
    assert set(medvision.__all__) == set(_documented("medvision")) | referred


def test_every_page_is_in_the_contents() -> None:
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = {line.strip("> ").split("<")[-1] for line in text.splitlines()}
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    pages |= {f"/notebooks/{page.stem}" for page in (ROOT / "notebooks").glob("*.ipynb")}
    pages |= {
        f"/{page.parent.relative_to(ROOT).as_posix()}/README"
        for page in (ROOT / "experiments").glob("*/README.md")
    }
    assert sorted(pages - listed) == [], "in no table of contents of docs/index.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, without a warning."""
    out = tmp_path_factory.mktemp("site")
    flags = ["--quiet", "--fail-on-warning", "--keep-going", "--nitpicky", "-c", "docs", "-d"]
    command = [sys.executable, "-m", "sphinx", *flags, str(out / "trees"), ".", str(out / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out / "html"


class _Loads(HTMLParser):
    """What a page loads by itself; a link that a reader may follow is not loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag in LOADING:
            self.found += [said[name] for name in ("src", "srcset", "data", "poster") if name in said]
        elif tag == "link" and not {"next", "prev", "search", "index", "canonical"} & set(
            said.get("rel", "").split()
        ):
            self.found.append(said.get("href", ""))
        elif tag == "a" and "href" in said:
            self.links.append(said["href"])
        self.found += re.findall(r"url\(([^)]*)\)", said.get("style", ""))
        self.anchors |= {said[name] for name in ("id", "name") if name in said}


def _loads(page: Path) -> _Loads:
    parser = _Loads()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


@pytest.mark.slow
def test_the_site_opens_without_the_net(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        for target in _loads(page).found:
            assert not re.match(r"(?:\w+:)?//", target), f"{page.relative_to(site)} loads {target}"
            if target and not target.startswith(("data:", "#")):
                assert (page.parent / target.split("?")[0].split("#")[0]).exists(), f"{page.name}: {target}"
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), style.name


@pytest.mark.slow
def test_links_between_built_pages_lead_to_their_anchors(site: Path) -> None:
    read = {page.resolve(): _loads(page) for page in site.rglob("*.html")}
    broken = []
    for page, found in read.items():
        for link in found.links:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if re.match(r"\w+:", link):
                continue
            if not target.exists() or (anchor and target in read and anchor not in read[target].anchors):
                broken.append(f"{page.name}: {link}")
    assert broken == []


@pytest.mark.slow
def test_docstrings_are_rendered_and_not_shown_as_written(site: Path) -> None:
    for page in sorted((site / "docs" / "api").glob("*.html")):
        text = re.sub(r"<pre>.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        shown = re.sub(r"<[^>]+>", "", text)
        left = re.findall(
            r"``[^`]+|:(?:func|class|meth|attr):|TypeAliasForwardRef|^\s*Args:$",
            shown,
            re.M,
        )
        assert left == [], page.name
    roc = (site / "docs" / "api" / "roc.html").read_text(encoding="utf-8")
    assert 'id="medvision.evaluation.auroc"' in roc


@pytest.mark.slow
def test_what_a_function_returns_is_text_and_not_a_type(site: Path) -> None:
    page = (site / "docs" / "api" / "imaging.html").read_text(encoding="utf-8")
    assert "<p>The volume: whole numbers where slopes are 1" in page
    assert "Alias for field number" not in page


@pytest.mark.slow
def test_notebooks_are_pages_with_their_file_beside_them(site: Path) -> None:
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        code = sum(cell["cell_type"] == "code" for cell in json.loads(notebook.read_text("utf-8"))["cells"])
        assert page.count('<div class="highlight-python') == code
        copies = list((site / "_downloads").rglob(notebook.name))
        assert [copy.read_bytes() for copy in copies] == [notebook.read_bytes()]


@pytest.mark.slow
def test_code_on_a_page_leads_to_its_function(site: Path) -> None:
    page = (site / "docs" / "which_interval.html").read_text(encoding="utf-8")
    assert 'href="api/proportions.html#medvision.evaluation.proportion"' in page
    assert 'href="../docs/api' not in page


@pytest.mark.slow
def test_a_doi_in_a_docstring_is_a_link(site: Path) -> None:
    page = (site / "docs" / "api" / "comparison.html").read_text(encoding="utf-8")
    target = "https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I"
    shown = "doi:10.1002/(SICI)1097-0258(19980430)17:8&lt;873::AID-SIM779&gt;3.0.CO;2-I"
    assert f'href="{target}">{shown}</a>' in page
    assert not re.search(r"doi:10\.[^<]*%3C", page)
