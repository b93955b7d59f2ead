from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from medvision.config.selection import Conditions, Selection, load_selection
from medvision.imaging.kinds import KINDS
from medvision.workflows.inventory import COLUMNS


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "inventory.md").read_text(encoding="utf-8")


def test_the_example_runs(page: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    example = doctest.DocTestParser().get_doctest(code, {"folder": tmp_path}, "inventory.md", None, 0)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert tried > 5
    assert failed == 0


def test_the_rule_file_is_one(page: str, tmp_path: Path) -> None:
    rules = next(text for text in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL) if "where:" in text)
    (tmp_path / "rules.yaml").write_text(rules)
    found = load_selection(tmp_path / "rules.yaml")
    assert found.where.kernel == "soft"
    assert found.one_per == "study"


def test_every_column_kind_condition_and_preference_is_there(page: str) -> None:
    words = set(re.findall(r"`([a-z_ ]+)`", page))
    preferences = Selection.model_json_schema()["properties"]["prefer"]["items"]["enum"]
    assert set(COLUMNS) | set(KINDS) | set(Conditions.model_fields) | set(preferences) <= words
