"""The house rules that no linter checks."""

import ast
import json
import subprocess
import sys
import tomllib
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


WITHOUT_TRAINING = """
import importlib.abc, runpy, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('torch', 'monai', 'lightning'):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Absent())
sys.argv = ['medvision', *sys.argv[1:]]
runpy.run_module('medvision', run_name='__main__')
"""


def run_without_training(*words):
    return subprocess.run([sys.executable, "-c", WITHOUT_TRAINING, *words], capture_output=True, text=True)


def test_the_core_needs_no_deep_learning_library(repository, tmp_path):
    described = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = " ".join(described["dependencies"])
    assert not any(name in named for name in ("torch", "monai", "lightning"))
    assert [name.split(">")[0] for name in described["optional-dependencies"]["train"]] == [
        "torch", "monai", "lightning",
    ]  # fmt: skip
    table = tmp_path / "predictions.csv"
    table.write_text("label,score\n" + "".join(f"{i % 2},{i % 7}\n" for i in range(40)), encoding="utf-8")
    done = run_without_training("evaluate", str(table), "--threshold", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["input"]["rows"] == 40


def test_training_without_its_libraries_says_what_to_install(repository):
    done = run_without_training("run", str(repository / "experiments" / "quickstart" / "organ.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    told = "medvision: run needs torch, which is not installed; pip install 'medvision[train]'\n"
    assert done.stderr == told
