"""Every study file in the repository is valid, current and finds its cohort."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import medvision as mv
from medvision.testing import write_ct_cohort, write_mr_cohort

STUDIES = sorted(Path(__file__).resolve().parents[2].glob("experiments/*/*.yaml"))


def test_there_are_the_studies():
    assert [path.parent.name for path in STUDIES] == [
        "hippocampus",
        "lung_nodules",
        "quickstart",
        "quickstart",
    ]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_study_follows_the_schema_that_editors_use(path, repository):
    schema = json.loads((repository / "experiments" / "schema.json").read_text())
    jsonschema.validate(YAML(typ="safe", pure=True).load(path), schema)
    assert mv.load_study(path).question


@pytest.mark.data
@pytest.mark.parametrize("name", ["hippocampus", "lung_nodules"])
def test_a_real_study_passes_its_check(name, repository, data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVISION_TEST_DATA", str(data_dir))
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path))
    text = str(mv.check(repository / "experiments" / name / "study.yaml"))
    assert {"hippocampus": "196 crops of 196 patients", "lung_nodules": "725 nodules of 393 patients, 249"}[
        name
    ] in text


@pytest.mark.data
def test_the_rating_that_made_the_label_is_refused_as_an_input(repository, data_dir, monkeypatch):
    monkeypatch.setenv("MEDVISION_TEST_DATA", str(data_dir))
    with pytest.raises(mv.MedvisionError, match="malignancy_rating"):
        mv.check(
            repository / "experiments" / "lung_nodules" / "study.yaml",
            ["cohort.covariates=[diameter_mm, malignancy_rating]"],
        )


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("hippocampus", ["training.epochs=1", "training.steps_per_epoch=2"]),
        ("lung_nodules", ["training.epochs=1", "training.steps_per_epoch=2"]),
    ],
)
def test_a_real_study_runs_one_step_of_training(name, changes, repository, data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDVISION_TEST_DATA", str(data_dir))
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path / "cache"))
    text = str(mv.check(repository / "experiments" / name / "study.yaml", changes, deep=True, device="cpu"))
    assert "one step and one validation" in text


@pytest.mark.parametrize("name", ["nodules", "organ"])
def test_the_quickstart_studies_run(name, repository, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path / "cache"))
    if name == "nodules":
        table = write_ct_cohort(tmp_path / "data", patients=10, shape=(80, 80, 24), diameters_mm=(6, 12))
        shorter = ["preprocessing.crop.size_voxels=[16, 16, 16]"]
    else:
        table, shorter = write_mr_cohort(tmp_path / "data", patients=6, shape=(32, 32, 32)), []
    done = mv.run(
        repository / "experiments" / "quickstart" / f"{name}.yaml",
        [f"cohort.path={table}", "training.epochs=1", *shorter],
        out=tmp_path / "run",
        device="cpu",
        quiet=True,
    )
    assert done.report.exists()
