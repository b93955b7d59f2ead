"""The JSON Schema says what the models say."""

from __future__ import annotations

import jsonschema
import pytest
from ruamel.yaml import YAML

from medvision.config import json_schema
from medvision.config.schema import schema_text


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def _plain(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


def test_the_file_in_the_repository_is_current(repository):
    path = repository / "experiments" / "schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(), "run: python -m medvision.config.schema"


def test_right_studies_are_right(validator, classification, segmentation):
    validator.validate(_plain(classification))
    validator.validate(_plain(segmentation))
    validator.validate(_plain(segmentation + "training: {precision: 32}\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  channels:", "  chanels:"),
        ("kind: unet", "kind: unett"),
        ("anterior: 1", "anterior: 0"),
        ("name: hippocampus\n", ""),
        ("  kind: unet\n", ""),
        ("posterior: 2", "posterior: two"),
    ],
)
def test_wrong_studies_are_wrong(validator, segmentation, old, new):
    assert old in segmentation
    assert not validator.is_valid(_plain(segmentation.replace(old, new)))


def test_a_file_that_extends_may_leave_out_anything(validator):
    validator.validate(
        _plain("extends: base.yaml\nmodel: {channels: [8, 16]}\ntraining: {optimizer: {momentum: 0.9}}\n")
    )
    assert not validator.is_valid(_plain("extends: base.yaml\nmodel: {chanels: [8, 16]}\n"))


def test_every_field_is_described():
    schema = json_schema()
    definitions = {name: part for name, part in schema["$defs"].items() if not name.startswith("Part")}
    silent = [
        f"{name}.{field}"
        for name, part in {**definitions, "Study": schema}.items()
        for field, said in part["properties"].items()
        if "description" not in said and field != "kind"
    ]
    assert silent == []
