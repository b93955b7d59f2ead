"""The page of published tables: its code gives the numbers that it prints."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "published_tables.md").read_text(encoding="utf-8")
DIGITS = 7  # no output on the page has more
DATA = re.compile(r"<!-- data -->.*?<!-- end -->\n", re.S)


def failures(text: str) -> tuple[int, int]:
    parsed = doctest.DocTestParser().get_doctest(text, {}, "published_tables", "published_tables.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    found = runner.run(parsed)
    return found.failed, found.attempted


def test_the_code_gives_the_printed_numbers(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    failed, attempted = failures(DATA.sub("", PAGE))
    assert failed == 0, capsys.readouterr().out
    assert attempted > 50


@pytest.mark.data
def test_the_blocks_that_need_data(
    data_dir: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.setenv("MEDVISION_TEST_DATA", str(data_dir))
    start = PAGE[: PAGE.index("## Areas")] + "```python\n>>> import pandas as pd\n\n```\n"
    failed, attempted = failures(start + "\n".join(DATA.findall(PAGE)))
    assert failed == 0, capsys.readouterr().out
    assert attempted > 12


def test_no_example_names_data_outside_its_marks() -> None:
    assert 'MEDVISION_TEST_DATA"' not in DATA.sub("", PAGE)


def test_every_published_number_stands_in_the_page_twice() -> None:
    """What is printed as published is also printed by the code (signs and trailing zeros apart)."""
    code = "\n".join(re.findall(r"```python\n.*?```", PAGE, re.S))
    said = re.sub(r"```python\n.*?```", "", PAGE, flags=re.S)
    printed = "\n".join(line for line in code.splitlines() if not line.startswith((">>>", "...")))
    outputs = [float(number) for number in re.findall(r"\d+\.\d+|\d+", printed)]
    published = re.findall(r"(?<![\w.])0?\.\d{4,}|(?<![\w.:;])\d+\.\d{4,}", said)
    assert len(published) > 60
    short = [
        number
        for number in published
        if not any(
            abs(float(number) - one) < 1.01 * 10.0 ** -min(len(number.split(".")[1]), DIGITS)
            for one in outputs
        )
    ]
    assert short == []
