"""The papers behind the numbers: each estimate names its own, and one paper has one DOI everywhere."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

import medvision.evaluation

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "which_interval.md").read_text(encoding="utf-8")

NEEDS_NONE = {
    "adjusted_interactions": "Holm's method of `adjust`, applied to the tests of `subgroups`",
    "allow_for_losses": "a division",
    "drop_missing": "counts",
    "mean_over_structures": "means, with the bootstrap of `summarise_segmentation`",
    "missing_data_bounds": "`auroc` and `proportion`, with the missing scores filled in",
    "multilabel_auroc": "`auroc` of each label",
    "recalibrate_out_of_fold": "`recalibrate`, fold by fold",
    "roc_coordinates": "counts",
    "specificity_at": "`sensitivity_at` with the classes exchanged",
    "threshold_interval": "percentiles of `bootstrap`, and no interval of a parameter",
    "top_k_accuracy": "a proportion with the interval of `proportion`",
}
WITHOUT_DOI = {
    ("1979", "6", "65"): "Holm, Scand J Stat: the journal registered none for this volume",
}

CITATION = re.compile(r"\b((?:18|19|20)\d\d);(\w+):(\w+)\b(?:, doi:(10\.\S+))?")
SICI = re.compile(r"\((\d{4})\d{0,4}\)(\d+)(?::\d+)?%3C0*(\d+):[:\w-]+%3E\d\.0\.CO;2(?:-\w)?$")


def _doi_links() -> ModuleType:
    spec = importlib.util.spec_from_file_location("doi_links", ROOT / "docs" / "_ext" / "doi_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DOI_LINKS = _doi_links()


def _docstrings() -> Iterator[tuple[str, str]]:
    """Where each docstring of the package stands, and its words."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    for path in sorted((ROOT / "medvision" / "evaluation").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                yield f"{path.stem}.{getattr(node, 'name', '')}", " ".join(text.split())


DOCSTRINGS = list(_docstrings())
PUBLIC = {
    name: " ".join((value.__doc__ or "").split())
    for name in medvision.evaluation.__all__
    if not isinstance(value := getattr(medvision.evaluation, name), type)
}


def _dois(text: str) -> list[str]:
    return [DOI_LINKS.without_punctuation(found) for found in DOI_LINKS.DOI.findall(text)]


def _malformed(doi: str) -> bool:
    if "(SICI)" in doi or "%" in doi:
        return SICI.search(doi) is None or re.search(r"%(?!3C|3E)", doi) is not None
    return doi.count("(") != doi.count(")") or re.fullmatch(r"10\.\d{4,9}/[\w.;()/:-]*[\w)]", doi) is None


def _cited(text: str) -> Iterator[tuple[tuple[str, str, str], str | None]]:
    for year, volume, page, doi in CITATION.findall(text):
        yield (year, volume, page), DOI_LINKS.without_punctuation(doi) or None


def test_every_function_that_estimates_names_its_paper() -> None:
    """A new function cites its paper with the DOI, or says above why it needs none."""
    assert len(PUBLIC) > 60
    without = {name for name, text in PUBLIC.items() if not _dois(text)}
    assert without - set(NEEDS_NONE) == set()


def test_no_function_is_excused_that_needs_no_excuse() -> None:
    assert set(NEEDS_NONE) <= set(PUBLIC)
    assert [name for name in NEEDS_NONE if _dois(PUBLIC[name])] == []


def test_every_doi_is_well_formed() -> None:
    found = [(where, doi) for where, text in DOCSTRINGS for doi in _dois(text)]
    assert len(found) > 100
    assert [place for place in found if _malformed(place[1])] == []


def test_no_doi_has_another_form() -> None:
    other = re.compile(r"doi\.org|\bDOI\b|\bdoi(?!:10\.\d{4,9}/)")
    assert [where for where, text in DOCSTRINGS if other.search(text)] == []


def test_every_citation_has_its_doi() -> None:
    missing = [
        f"{where}: {year};{volume}:{page}"
        for where, text in DOCSTRINGS
        for (year, volume, page), doi in _cited(text)
        if doi is None and (year, volume, page) not in WITHOUT_DOI
    ]
    assert missing == []


def test_one_paper_has_one_doi() -> None:
    dois, papers = defaultdict(set), defaultdict(set)
    for text in [text for _, text in DOCSTRINGS]:
        for paper, doi in _cited(text):
            if doi:
                dois[paper].add(doi)
                papers[doi].add(paper)
    assert len(dois) > 70
    assert {paper: found for paper, found in dois.items() if len(found) > 1} == {}
    assert {doi: found for doi, found in papers.items() if len(found) > 1} == {}


def test_a_doi_that_holds_year_volume_and_page_agrees_with_its_citation() -> None:
    held = [
        (paper, match.groups())
        for _, text in DOCSTRINGS
        for paper, doi in _cited(text)
        if doi and (match := SICI.search(doi))
    ]
    assert len(held) > 12
    # The American Meteorological Society pads the volume, too.
    assert [pair for pair in held if pair[0] != (pair[1][0], pair[1][1].lstrip("0"), pair[1][2])] == []


def _references() -> list[str]:
    return PAGE.split("\n## References\n")[1].strip().splitlines()


def test_every_paper_of_the_decision_table_is_in_its_list_and_no_other() -> None:
    table = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
    author = r"((?:van )?[A-Z][\w’'-]+)(?: and [A-Z][\w’'-]+| et al\.)?"
    cited = set(re.findall(author + r" ((?:18|19|20)\d\d[a-c]?)\b", table))
    listed = set()
    for line in _references():
        name = re.match(r"- ((?:van )?[\w’'-]+)( \d{4}[a-c])?", line)
        year = re.search(r"\b(?:18|19|20)\d\d(?=[;:,])", line)
        assert name is not None, line
        assert year is not None, line
        listed.add((name[1], (name[2] or year[0]).strip()))
    assert len(re.findall(r"\b(?:18|19|20)\d\d[a-c]?\b", table)) >= len(cited) > 45
    assert cited - listed == set()
    assert listed - cited == set()


def test_the_list_of_references_says_what_docstrings_say() -> None:
    known = {paper: doi for _, text in DOCSTRINGS for paper, doi in _cited(text)}
    dois = {doi for _, text in DOCSTRINGS for doi in _dois(text)}
    for line in _references():
        linked = re.search(r"\[doi:(.+?)\]\(https://doi\.org/([^()]+)\)(?: \(preprint\))?$", line)
        if linked is None:
            assert "doi" not in line
            assert "Holm" in line or "Platt" in line, line
            continue
        shown, target = linked[1].replace("&lt;", "<").replace("&gt;", ">"), unquote(linked[2])
        assert shown == target
        assert shown in {unquote(doi) for doi in dois}, line
        for paper, _ in _cited(line):
            assert unquote(known[paper] or "") == shown, line


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("(Stat Med 2008;27:1693, doi:10.1002/sim.3095).", "10.1002/sim.3095"),
        ("doi:10.1016/S0895-4356(03)00177-X). Then", "10.1016/S0895-4356(03)00177-X"),
        ("doi:10.1016/0005-2795(75)90109-9) have", "10.1016/0005-2795(75)90109-9"),
        ("doi:10.1111/j.2517-6161.1995.tb02031.x: share", "10.1111/j.2517-6161.1995.tb02031.x"),
        ("doi:10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2; scaled",
         "10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2"),
    ],
)  # fmt: skip
def test_the_marks_of_the_sentence_are_no_part_of_a_doi(text: str, doi: str) -> None:
    assert _dois(text) == [doi]
    assert not _malformed(doi)


@pytest.mark.parametrize(
    "doi",
    [
        "10.1016/S0895-4356(03",
        "10.1002/",
        "10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO",
        "10.1002/(SICI)1097-0258(19980430)17:8%3D873::AID-SIM779%3E3.0.CO;2-I",
    ],
)
def test_a_malformed_doi_is_found(doi: str) -> None:
    assert _malformed(doi)
