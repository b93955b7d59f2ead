from __future__ import annotations

import json
import subprocess
import sys

import pytest

from medvision.testing.__main__ import main


def test_the_last_line_names_the_table(tmp_path, capsys):
    assert main([str(tmp_path / "mr"), "--kind", "mr", "--patients", "2", "--seed", "5"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mr' / 'dataset.json'}\n"
    found = json.loads((tmp_path / "mr/phantom.json").read_text())
    assert (found["kind"], found["patients"], found["seed"]) == ("mr", 2, 5)


def test_faults_go_to_the_patients_in_turn(tmp_path):
    arguments = [
        str(tmp_path / "mr"),
        "--kind",
        "mr",
        "--patients",
        "3",
        "--fault",
        "nan",
        "--fault",
        "empty_mask",
    ]
    assert main(arguments) == 0
    assert json.loads((tmp_path / "mr/phantom.json").read_text())["faults"] == {"0": "nan", "1": "empty_mask"}


def test_a_mistake_is_a_sentence_and_not_a_traceback(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main([str(tmp_path), "--kind", "mr"]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_an_unknown_fault_is_refused_with_those_there_are(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--fault", "flood"])
    assert "missing_slice" in capsys.readouterr().err


def test_python_dash_m(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "medvision.testing", str(tmp_path / "mr"), "--kind", "mr", "--patients", "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().endswith("dataset.json")
    assert done.stderr == ""
