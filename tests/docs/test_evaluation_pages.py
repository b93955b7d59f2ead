"""The pages on evaluation: their examples run, every function they name exists, and JSON fits its schema."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import medvision.evaluation
from medvision.workflows.evaluate import evaluate, evaluate_masks

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = json.loads((DOCS / "evaluation.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["evaluating.md", "which_interval.md"])
def test_the_examples_of_a_page_run(page: str) -> None:
    found = doctest.testfile(
        str(DOCS / page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 5
    assert found.failed == 0


def test_every_function_of_the_decision_table_exists() -> None:
    text = (DOCS / "which_interval.md").read_text(encoding="utf-8")
    rows = [line.split("|")[3] for line in text.splitlines() if line.startswith("|")][2:]
    named = {name for cell in rows for name in re.findall(r"`(\w+)", cell) if name != "evaluation"}
    assert len(named) > 25
    assert [name for name in named if not hasattr(medvision.evaluation, name)] == []


def test_every_status_stands_on_the_page_and_no_other() -> None:
    """Statuses are constants in capitals, or given by name where an estimate is made."""
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(Path(medvision.evaluation.__file__).parent.glob("*.py"))
    )
    text = (DOCS / "coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \|", text.split("## What a status means")[1].split("\n## ")[0], re.M)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(told) > 25
    assert [name for name in sorted(told) if f'"{name}"' not in source] == []
    constants = set(re.findall(r'^[A-Z_]+ = "([a-z0-9]+(?:_[a-z0-9]+)+)"$', source, re.M))
    assert sorted(constants - told) == []


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 80)
    return pd.DataFrame(
        {
            "y": label,
            "p": label + rng.normal(size=80),
            "f": np.arange(80) % 4,
            "sex": rng.choice(["f", "m"], 80),
        }
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.5, "fold": "f"},
        {"threshold_rule": "youden", "by": ["sex"]},
        {"threshold": 99.0, "sampling": "enriched"},
    ],
)
def test_json_fits_the_schema(table: pd.DataFrame, options: dict[str, object]) -> None:
    found = json.loads(evaluate(table, label="y", score="p", **options).to_json())
    jsonschema.validate(found, SCHEMA)


def test_json_of_undefined_estimates_fits_the_schema(table: pd.DataFrame) -> None:
    found = json.loads(evaluate(table.assign(y=0), label="y", score="p", threshold=0.5).to_json())
    jsonschema.validate(found, SCHEMA)
    assert found["estimates"][0]["value"] is None


def test_json_of_masks_fits_the_schema(tmp_path: Path) -> None:
    for folder, shift in (("reference", 0), ("prediction", 1)):
        (tmp_path / folder).mkdir()
        for case in range(2):
            mask = np.zeros((8, 8, 8), dtype=np.uint8)
            mask[2 + shift : 5, 2:5, 2:5] = 1
            nib.save(nib.Nifti1Image(mask, np.eye(4)), tmp_path / folder / f"{case}.nii.gz")
    found = evaluate_masks(
        tmp_path / "reference", tmp_path / "prediction", labels={"organ": 1}, nsd_tolerance_mm=1.0
    )
    jsonschema.validate(json.loads(found.to_json()), SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(found.to_json()), "estimate": []}, SCHEMA)
