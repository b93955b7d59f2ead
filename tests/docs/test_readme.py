"""Nothing in the README is unexecuted: its commands and its study run here on synthetic scans."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from medvision.testing import thorax_phantom, write_ct_cohort, write_dicom_series

SHORT = [
    "training.epochs=1",
    "split.folds=2",
    "model.widths=[2, 2, 4, 4]",
    "preprocessing.crop.size_voxels=[16, 16, 16]",
]


def blocks(repository, language):
    text = (repository / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, repository):
    """A folder as the README describes it: a table of scans, a study file, predictions of two models."""
    folder = tmp_path_factory.mktemp("readme")
    table = pd.read_csv(
        write_ct_cohort(folder / "scans", patients=10, seed=1, shape=(80, 80, 24), diameters_mm=(6, 12))
    )
    first = table.drop_duplicates("patient_id").assign(image=lambda rows: "scans/" + rows["image"])
    first["label"] = ["malignant", "benign"] * 5
    first[["patient_id", "image", "label", "age"]].to_csv(folder / "cohort.csv", index=False)
    (folder / "study.yaml").write_text(blocks(repository, "yaml")[0])
    write_dicom_series(thorax_phantom(99, shape=(80, 80, 24), diameters_mm=(6, 12)), folder / "new_scan")
    scores = pd.DataFrame(
        {
            "case_id": range(60),
            "patient_id": [n // 2 for n in range(60)],
            "fold": [n // 2 % 3 for n in range(60)],
        }
    )
    scores["label"] = [n // 6 % 2 for n in range(60)]
    scores["score"] = [n % 7 + 2 * (n // 6 % 2) for n in range(60)]
    scores.to_csv(folder / "predictions.csv", index=False)
    scores.assign(score=scores["score"] % 5).to_csv(folder / "other.csv", index=False)
    return folder


def commands(repository):
    lines = [line for block in blocks(repository, "console") for line in block.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith("make ")]


@pytest.fixture(scope="module")
def executed(workplace, repository):
    """The same folder after every command of the README has run in it, in order."""
    listed = commands(repository)
    assert len(listed) >= 6
    environment = {**os.environ, "MEDVISION_CACHE": str(workplace / "cache")}
    for line in listed:
        program, *words = shlex.split(line)
        assert program == ".venv/bin/medvision"
        words += SHORT if words[0] in {"run", "check"} else []
        command = [sys.executable, "-m", "medvision", *words]
        done = subprocess.run(command, cwd=workplace, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return workplace


@pytest.mark.parametrize(
    "name",
    [
        "runs/my_study/report.html",
        "runs/my_study/results.json",
        "predictions/predictions.csv",
        "new_scan.nii.gz",
    ],
)
def test_the_commands_make_what_the_readme_says(executed, name):
    assert (executed / name).exists()


def test_the_study_of_the_readme_takes_at_most_five_lines(repository):
    assert len(blocks(repository, "yaml")[0].strip().splitlines()) <= 5


def test_the_python_of_the_readme_runs(workplace, repository):
    code = blocks(repository, "python")[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "CT 80×80×24" in done.stdout
    assert "auroc" in done.stdout


def test_the_run_folder_holds_what_the_readme_lists(executed, repository):
    text = (repository / "README.md").read_text(encoding="utf-8")
    table = text.split("## What a run folder holds")[1].split("\n\n")[1]
    for name in re.findall(r"`([a-z_.]+/?)`", table):
        if name != "segmentations/":
            assert (executed / "runs" / "my_study" / name).exists(), name


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_the_make_targets_of_the_readme_are_there(repository):
    targets = re.findall(r"`?make ([a-z]+)`?", (repository / "README.md").read_text(encoding="utf-8"))
    assert {"quickstart", "test", "setup"} <= set(targets)
    for target in sorted(set(targets)):
        done = subprocess.run(["make", "--dry-run", target], cwd=repository, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
