"""The page on reader studies: its examples run, and its commands are those of the command line."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from medvision.cli import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reader_studies.md"


def test_the_examples_run(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 30
    assert found.failed == 0


def test_the_commands_are_understood() -> None:
    """Every command of the page parses: no option is misspelt."""
    commands = re.findall(r"^medvision (.+)$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(commands) == 3
    for command in commands:
        app.parse_args(command.replace('"our model"', "model"), exit_on_error=False, print_error=False)
