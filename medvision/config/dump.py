"""A study as text: the file that says it in full, and its hash."""

from __future__ import annotations

import hashlib
import io
import json
import re

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from medvision.config.study import Study

# ruamel leaves `: x` without quotes within braces, and loses the line break U+0085: all but plain words
# is quoted here.
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")


def dump_study(study: Study) -> str:
    """Write a study with all its defaults.

    Args:
        study: A checked study.

    Returns:
        YAML that :func:`medvision.config.load_study` reads as an equal study. Paths stay as they were
        written, so they are relative to the folder of the original file.

    Example:
        >>> from medvision.config import MsdCohort, SegmentationTask, Study, UNetModel
        >>> study = Study(
        ...     name="hippocampus",
        ...     cohort=MsdCohort(kind="msd", path="dataset.json"),
        ...     task=SegmentationTask(kind="segmentation", labels={"anterior": 1}),
        ...     model=UNetModel(kind="unet"),
        ... )
        >>> print(dump_study(study)[:104])
        name: hippocampus
        title: ""
        question: ""
        caution: ""
        seed: 2026
        cohort:
          kind: msd
          path: dataset.json
    """
    return yaml_text(_kind_first(study.model_dump(mode="json")))


def study_hash(study: Study) -> str:
    """Return a fingerprint of everything that a study says, defaults included.

    Args:
        study: A checked study.

    Returns:
        The SHA-256 of its canonical JSON (keys sorted, no spaces, UTF-8), 64 hexadecimal digits.
        Equal studies have equal hashes, however their files are written.
    """
    data = _without_negative_zero(study.model_dump(mode="json"))
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def yaml_text(value: object) -> str:
    """Write plain data as YAML 1.2 that is read as the same data.

    Args:
        value: Mappings, lists, text, numbers, true, false and None.

    Returns:
        One document, with mappings and lists of values on one line.

    Example:
        >>> print(yaml_text({"a": [1, 0.0001], "b": "no: yes", "c": None}), end="")
        a: [1, 0.0001]
        b: "no: yes"
        c: null
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.allow_unicode = True
    yaml.default_flow_style = None  # lists of values on one line
    # ruamel sets None at first, which mypy takes for the only value.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed as None by ruamel
    yaml.width = 2**20  # never fold a sentence
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()


class _Representer(SafeRepresenter):
    """Writes text so that it is read as the same text."""

    def represent_str(self, data: str) -> ScalarNode:
        style = None if _PLAIN.fullmatch(data) else '"'
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", data, style=style)
        return node


_Representer.add_representer(str, _Representer.represent_str)


def _kind_first(value: object) -> object:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key != "kind") if isinstance(value.get("kind"), str) else value
        return {key: _kind_first(value[key]) for key in keys}
    return [_kind_first(item) for item in value] if isinstance(value, list) else value


def _without_negative_zero(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_negative_zero(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_negative_zero(item) for item in value]
    return value + 0.0 if isinstance(value, float) else value
