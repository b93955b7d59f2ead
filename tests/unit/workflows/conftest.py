"""Small cohorts and studies that run in seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import medvision as mv
from medvision.testing import write_ct_cohort, write_mr_cohort

NODULES = """
name: nodules
cohort:
  kind: manifest
  path: cohort.csv
  case: case_id
  mask: mask
  covariates: [diameter_mm, sex]
  forbidden: [reader_rating]
task: {kind: classification, label: label, positive: malignant, negative: benign, unit: nodule}
preprocessing:
  spacing_mm: [2, 2, 2]
  crop: {kind: center, size_voxels: [12, 12, 12], around: mask}
  intensity: {kind: window, window_hu: [-1000, 400]}
augmentation: {flip_axes: [0, 1, 2], rotate_deg: [0, 0, 90], noise_std: 0.05}
split: {folds: 2}
model: {kind: resnet, depth: 10, widths: [4, 4, 8, 8], stem_kernel: 3, dropout: 0.2}
training:
  epochs: 3
  batch_size: 4
  ema_decay: 0.9
  precision: "32"
  checkpoint_seconds: 0
  inner: {kind: cross_fit, folds: 2}
evaluation: {threshold: youden, bootstrap_resamples: 200}
comparators:
  - {name: diameter, covariates: [diameter_mm]}
  - {name: both, covariates: [diameter_mm], with_image: true}
"""

ORGAN = """
name: organ
cohort: {kind: msd, path: dataset.json}
task: {kind: segmentation, labels: {anterior: 1, posterior: 2}, unit: scan}
preprocessing: {spacing_mm: [2.5, 2.5, 2.5], orientation: LPS, intensity: {kind: zscore}}
augmentation: {flip_axes: [0], brightness: 0.1}
split: {folds: 2}
model: {kind: unet, channels: [4, 8], residual_units: 1}
training:
  epochs: 2
  batch_size: 2
  patch_voxels: [16, 16, 16]
  pad_small: true
  precision: "32"
  checkpoint_seconds: 0
  optimizer: {kind: adamw, learning_rate: 0.01}
prediction: {mirror_axes: [0]}
evaluation: {bootstrap_resamples: 200}
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Keep the tests' preprocessed cases apart from the user's."""
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def nodule_cohort(tmp_path_factory) -> Path:
    """Twelve synthetic chest CTs as DICOM, a row a nodule."""
    folder = tmp_path_factory.mktemp("ct")
    write_ct_cohort(folder, patients=12, seed=7, shape=(80, 80, 24), diameters_mm=(6.0, 12.0))
    return folder


@pytest.fixture(scope="session")
def organ_cohort(tmp_path_factory) -> Path:
    """Eight synthetic MR crops with masks, in the Decathlon's layout."""
    folder = tmp_path_factory.mktemp("mr")
    write_mr_cohort(folder, patients=8, seed=7, shape=(32, 32, 32))
    return folder


@pytest.fixture
def nodules(nodule_cohort, tmp_path) -> Path:
    """A classification study of its own, beside a copy of its cohort."""
    return _study(nodule_cohort, tmp_path / "ct", NODULES)


@pytest.fixture
def organ(organ_cohort, tmp_path) -> Path:
    """A segmentation study of its own, beside a copy of its cohort."""
    return _study(organ_cohort, tmp_path / "mr", ORGAN)


def _study(cohort: Path, folder: Path, text: str) -> Path:
    shutil.copytree(cohort, folder)
    path = folder / "study.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def edited() -> Callable[[Path, str, str], Path]:
    """Replace a part of a study file, which must be there."""

    def edit(path: Path, old: str, new: str) -> Path:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    return edit


@pytest.fixture(scope="session")
def finished_nodules(nodule_cohort, tmp_path_factory):
    """A finished classification run, for tests that only look."""
    return _finished(nodule_cohort, tmp_path_factory, NODULES)


@pytest.fixture(scope="session")
def finished_organ(organ_cohort, tmp_path_factory):
    """A finished segmentation run, for tests that only look."""
    return _finished(organ_cohort, tmp_path_factory, ORGAN)


def _finished(cohort, tmp_path_factory, text):
    study = _study(cohort, tmp_path_factory.mktemp("finished") / "study", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDVISION_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        return mv.run(study, out=study.parent / "run", device="cpu", quiet=True)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Scores of 160 cases, two of each patient, in five folds."""
    rng = np.random.default_rng(0)
    n = 160
    labels = (rng.random(n) < 0.4).astype(int)
    return pd.DataFrame(
        {
            "patient_id": [f"P{i // 2:03d}" for i in range(n)],
            "case_id": range(n),
            "fold": (np.arange(n) // 2) % 5,
            "label": labels,
            "score": rng.normal(size=n) + labels,
        }
    )
