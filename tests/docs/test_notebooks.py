"""Every notebook runs from start to end in a kernel of its own."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def test_there_is_a_first_notebook():
    assert NOTEBOOKS[0].name == "01_first_study.ipynb"


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path / "cache"))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    errors = [
        cell
        for cell in notebook.cells
        if any(out["output_type"] == "error" for out in cell.get("outputs", []))
    ]
    assert errors == []
    assert all(cell.get("outputs") for cell in notebook.cells if cell["cell_type"] == "code")
