"""The house rules that no linter checks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = ["config", "imaging", "cohort", "evaluation", "reporting", "runs", "store", "workflows.cache", "cli"]


def modules(repository):
    return sorted((repository / "medvision").rglob("*.py"))


@pytest.mark.parametrize("part", LIGHT)
def test_light_parts_load_no_deep_learning_library(part):
    code = (
        f"import sys, importlib; importlib.import_module('medvision.{part}');"
        "print([name for name in ('torch', 'monai', 'lightning', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_package_code_has_no_bare_exception_and_no_assert(repository):
    found = []
    for path in modules(repository):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bare = isinstance(node, ast.ExceptHandler) and (
                node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            )
            if bare or isinstance(node, ast.Assert):
                found.append(f"{path.relative_to(repository)}:{node.lineno}")
    assert found == []


def test_nothing_of_a_machine_stands_in_the_repository(repository):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    home = str(Path.home())
    found = []
    for name in listed.split("\n"):
        path = repository / name
        if name and path.suffix not in {".png", ".svg", ".pdf"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            if f"{repository}/" in text or (len(home) > 5 and f"{home}/" in text):
                found.append(name)
    assert found == []


def test_every_ignore_has_its_reason_beside_it(repository):
    bare = []
    for path in modules(repository):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for mark in ("# type: ignore", "# noqa", "# pragma: no cover"):
                if mark in line and len(line.split(mark, 1)[1].split("]")[-1].split(":")[-1].split()) < 2:
                    bare.append(f"{path.relative_to(repository)}:{number}: {line.strip()}")
    assert bare == []
