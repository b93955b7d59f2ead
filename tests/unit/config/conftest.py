"""Study files to start from, and the problems of a broken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medvision.config import load_study
from medvision.errors import ConfigError

CLASSIFICATION = """\
name: nodules
cohort:
  kind: manifest
  path: cohort.csv
  mask: mask
  covariates: [diameter_mm, texture]
  forbidden: [malignancy_rating]
task:
  kind: classification
  label: malignant
preprocessing:
  crop:
    kind: center
    size_voxels: [32, 32, 32]
    around: mask
model:
  kind: resnet
training:
  epochs: 3
"""

SEGMENTATION = """\
name: hippocampus
cohort: {kind: msd, path: dataset.json}
task:
  kind: segmentation
  labels: {anterior: 1, posterior: 2}
model:
  kind: unet
  channels: [16, 32, 64, 128]
"""


@pytest.fixture
def classification() -> str:
    """A right study of a classification."""
    return CLASSIFICATION


@pytest.fixture
def segmentation() -> str:
    """A right study of a segmentation."""
    return SEGMENTATION


@pytest.fixture
def study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a file into the current folder; returns its relative path, as a user would type it."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "study.yaml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def problems_of(study_file: Callable[..., Path]) -> Callable[..., list[str]]:
    """The problems that a study file has, or none."""

    def load(text: str, *overrides: str) -> list[str]:
        try:
            load_study(study_file(text), overrides)
        except ConfigError as error:
            return list(error.problems) or [error.message]
        return []

    return load
