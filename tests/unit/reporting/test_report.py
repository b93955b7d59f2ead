"""The whole report: complete, repeatable, safe to stop."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medvision.errors import RunError
from medvision.reporting import write_report

TABLES = {
    "classification": {"cohort", "folds", "split", "performance", "fold_results", "comparison", "thresholds", "estimates"},
    "segmentation": {"cohort", "folds", "split", "performance", "estimates"},
}  # fmt: skip
FIGURES = {
    "classification": {"roc", "confusion", "montage", "learning"},
    "segmentation": {"dice", "agreement", "montage", "learning"},
}


def hashes(folder: Path) -> dict[str, str]:
    paths = [folder / "report.html", *(folder / "tables").iterdir(), *(folder / "figures").iterdir()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_every_file_is_there(task, request):
    folder = request.getfixturevalue(f"{task}_run")
    tables = {path.name for path in (folder / "tables").iterdir()}
    assert tables == {f"{name}.{kind}" for name in TABLES[task] for kind in ("csv", "md", "tex", "html")}
    figures = {path.name for path in (folder / "figures").iterdir()}
    assert figures == {f"{name}.{kind}" for name in FIGURES[task] for kind in ("svg", "pdf", "png")}
    assert all(path.stat().st_size > 0 for path in (folder / "figures").iterdir())


@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_the_same_run_gives_the_same_bytes(task, request, changed):
    folder = request.getfixturevalue(f"{task}_run")
    copy = changed(folder)
    path = write_report(copy)
    assert path == copy / "report.html"
    assert hashes(copy) == hashes(folder)


def test_another_process_with_another_hash_seed_gives_the_same_bytes(segmentation_run, changed):
    copy = changed(segmentation_run)
    code = "import sys; from medvision.reporting import write_report; write_report(sys.argv[1])"
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code, str(copy)], check=True, env=environment)
    assert hashes(copy) == hashes(segmentation_run)


def test_repeats_are_reported(make_classification_run, make_segmentation_run, tmp_path):
    for name, make in (("c", make_classification_run), ("s", make_segmentation_run)):
        text = write_report(make(tmp_path / name, patients=9, repeats=2)).read_text()
        assert "2 repeats" in text


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(RunError, match="6 files are missing"):
        write_report(tmp_path)


def test_importing_the_package_loads_no_drawing_library():
    code = "import sys, medvision.reporting; print([m for m in ('matplotlib', 'pandas', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
