"""Every study of the page on splits makes a split, and the page names every kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from ruamel.yaml import YAML

from medvision.cohort import Splits, check_disjoint
from medvision.config import AnySplit, Test
from medvision.workflows.opened import open_study

PAGE = Path(__file__).resolve().parents[2] / "docs" / "splits.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
STUDY = """name: example
cohort: {kind: manifest, path: cohort.csv, covariates: [age]}
task: {kind: classification, label: label}
preprocessing: {crop: {kind: center, size_voxels: [32, 32, 32]}}
model: {kind: resnet}
"""


@pytest.fixture
def cohort(tmp_path):
    rows = []
    for n in range(96):
        (tmp_path / f"{n}.nii").write_bytes(b"")
        rows.append(
            {
                "patient_id": f"P{n:03d}",
                "image": f"{n}.nii",
                "label": n // 2 % 2,
                "age": 40 + n % 37,
                "sex": "fm"[n % 2],
                "hospital": "ABC"[n // 4 % 3],
                "study_date": f"{2017 + n // 16}-{1 + n % 12:02d}-10",
                "part": ["train", "train", "val", "test"][n // 24],
            }
        )
    pd.DataFrame(rows).to_csv(tmp_path / "cohort.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_makes_a_split(block, cohort):
    path = cohort / "study.yaml"
    path.write_text(STUDY + block)
    opened = open_study(path)
    check_disjoint(opened.splits, opened.cohort)
    assert Splits.from_json(opened.splits.to_json()) == opened.splits
    assert bool(opened.splits.locked) == ("test:" in block)


def test_the_page_shows_every_kind():
    written = [YAML(typ="safe", pure=True).load(block)["split"] for block in BLOCKS]

    def kinds(union):
        return {get_args(section.model_fields["kind"].annotation)[0] for section in get_args(union)}

    assert {split.get("kind", "kfold") for split in written} == kinds(AnySplit)
    assert {split["test"]["kind"] for split in written if "test" in split} == kinds(get_args(Test)[0])
    assert any("inner_folds" in split for split in written)


def test_its_links_lead_to_its_headings():
    text = PAGE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^## (.*)", text, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_the_size_of_a_fold_by_hash_is_as_ordinary_as_the_page_says():
    # 100 patients in 5 folds: sizes of 14 to 26 cover nine in ten folds.
    from scipy.stats import binom

    assert binom.cdf(26, 100, 0.2) - binom.cdf(13, 100, 0.2) == pytest.approx(0.9, abs=0.03)
