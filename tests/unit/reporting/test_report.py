"""The whole report: complete, repeatable, safe to stop."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medvision.errors import RunError
from medvision.reporting import write_report
from medvision.reporting.contents import read_run
from medvision.reporting.html import render_report
from medvision.reporting.report import make_figures, make_tables

COMMON = {"cohort", "folds", "split", "balance", "performance", "estimates"}
TABLES = {
    "classification": COMMON | {"fold_results", "comparison", "thresholds"},
    "segmentation": COMMON,
}
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


@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_repeats_are_reported(task, request, tmp_path):
    contents = read_run(request.getfixturevalue(f"make_{task}_run")(tmp_path / "run", patients=9, repeats=2))
    tables = {table.name: table for table in make_tables(contents)}
    figures = [figure.name for figure in make_figures(contents)]
    assert set(tables) >= COMMON
    assert set(figures) == FIGURES[task]
    assert "9 patients · 3-fold cross-validation, 2 repeats" in render_report(contents, tables, [])


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(RunError, match="6 files are missing"):
        write_report(tmp_path)


def test_importing_the_package_loads_no_drawing_library():
    heavy = ("matplotlib", "pandas", "torch")
    code = f"import sys, medvision.reporting; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
