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
from medvision.workflows.evaluate_numbers import evaluate_regression, evaluate_survival

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
            "q": rng.random(80),
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
        {"threshold": 0.5, "missing": "bounds", "prevalence": [0.01, 0.1]},
        {"score": "q", "calibration": True, "decision_curve": "0:0.4:0.2"},
    ],
)
def test_json_fits_the_schema(table: pd.DataFrame, options: dict[str, object]) -> None:
    gappy = table.assign(p=table["p"].mask(table.index < 5)) if "missing" in options else table
    found = json.loads(evaluate(gappy, label="y", **{"score": "p", **options}).to_json())
    jsonschema.validate(found, SCHEMA)


def test_json_of_classes_and_labels_fits_the_schema(table: pd.DataFrame) -> None:
    more = table.assign(grade=np.arange(80) % 3, z=table["sex"] == "f", a=0.2, b=table["p"], c=-table["p"])
    for classes in ({"0": "a", "1": "b", "2": "c"}, {"0": "a", "1": "b", "2": "c", "3": "p"}):
        found = json.loads(evaluate(more, label="grade", score=classes, ordinal=True).to_json())
        jsonschema.validate(found, SCHEMA)
        assert len(found["confusion"]["shares"]) == len(classes) ** 2
    labels = evaluate(more, label=["y", "z"], score=["p", "b"], threshold=[0.5, 0.2])
    jsonschema.validate(json.loads(labels.to_json()), SCHEMA)


def test_json_of_numbers_and_times_fits_the_schema(table: pd.DataFrame) -> None:
    followed = table.assign(time=np.arange(80) % 9 + 1.0)
    for found in (
        evaluate_regression(table, label="y", score="p"),
        evaluate_regression(table, label="y", score="p", patient="f"),
        evaluate_survival(followed, time="time", event="y", score="p", tau=5),
        evaluate_survival(followed.assign(y=0), time="time", event="y", score="p"),
    ):
        jsonschema.validate(json.loads(found.to_json()), SCHEMA)


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
    empty = np.zeros((8, 8, 8), dtype=np.uint8)
    nib.save(nib.Nifti1Image(empty, np.eye(4)), tmp_path / "prediction" / "1.nii.gz")
    lesions = evaluate_masks(
        tmp_path / "reference",
        tmp_path / "prediction",
        labels={"organ": 1, "absent": 2},
        nsd_tolerance_mm=1.0,
        lesions={},
    )
    content = json.loads(lesions.to_json())
    jsonschema.validate(content, SCHEMA)
    assert [row["found"] for row in content["lesions"]] == [True, False]
    assert content["lesions"][0]["components"] == [1]
    assert [row["both"] for row in content["structures"]] == [1, 0]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(found.to_json()), "estimate": []}, SCHEMA)
