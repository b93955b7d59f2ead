"""The JSON Schema of a study file, for completion and checks in editors.

`python -m medvision.config.schema [path]` writes it, by default to `experiments/schema.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from medvision.config.study import Study

# The values of a JSON Schema have any JSON type.
Schema = dict[str, Any]


def json_schema() -> Schema:
    """Describe what a study file may say.

    A file that extends another may leave out anything; a file that stands alone must say what has no
    default. Checks across parts, such as a network that does not fit the task, are not in a JSON
    Schema: `medvision check` has them.

    Returns:
        A JSON Schema, draft 2020-12, with the description of every field.

    Example:
        >>> json_schema()["properties"]["seed"]["default"]
        2026
    """
    whole = Study.model_json_schema()
    definitions: Schema = whole.pop("$defs")
    part = _partial(whole)
    extends = {"type": "string", "description": "A study file that this one changes, relative to this file."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **part,
        "title": "medvision study",
        "properties": {"extends": extends, **part["properties"]},
        "if": {"not": {"required": ["extends"]}},
        "then": _whole_file(whole),
        "$defs": {
            **definitions,
            **{f"Part{name}": _partial(definition) for name, definition in definitions.items()},
        },
    }


def schema_text() -> str:
    """Return the schema as the text of its file.

    Returns:
        JSON with one level of indentation a space, ending in a line break.
    """
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


def _whole_file(whole: Schema) -> Schema:
    return {"required": whole["required"], "properties": whole["properties"]}


def _partial(schema: Schema) -> Schema:
    """Let everything be left out, down to the last section."""
    loose = {
        key: _loosened(value) for key, value in schema.items() if key not in {"required", "discriminator"}
    }
    if "oneOf" in loose:
        loose["anyOf"] = loose.pop("oneOf")
    reference = schema.get("$ref")
    if isinstance(reference, str):
        loose["$ref"] = reference.replace("#/$defs/", "#/$defs/Part")
    return loose


def _loosened(value: object) -> object:
    if isinstance(value, list):
        return [_loosened(item) for item in value]
    return _partial(value) if isinstance(value, dict) else value


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "experiments/schema.json")
    target.write_text(schema_text(), encoding="utf-8")
