"""Whole files or none, one process a folder."""

import errno
import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from medvision.errors import RunError
from medvision.runs import RunFolder, atomic_json, atomic_path, atomic_write, write_error


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")

    def write_half():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_half()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_missing_folders_are_made(tmp_path):
    atomic_write(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def test_json_has_no_nan_and_always_the_same_bytes(tmp_path):
    atomic_json(tmp_path / "a.json", {"b": float("nan"), "a": [1.0, float("inf")], "c": {"é": None}})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": [1.0, None], "b": None, "c": {"é": None}}
    assert text.index('"a"') < text.index('"b"')


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "--out"),
        (errno.EROFS, "--out"),
        (errno.EIO, "give the same command again"),
    ],
)
def test_write_errors_say_what_to_do(tmp_path, number, words):
    assert words in str(write_error(tmp_path / "x", OSError(number, os.strerror(number))))


def test_a_disk_that_is_full_for_numpy_is_full_and_a_cache_has_a_cure_of_its_own(tmp_path, monkeypatch):
    with pytest.raises(OSError, match="requested and") as caught, Path("/dev/full").open("wb") as stream:
        np.zeros(100_000).tofile(stream)
    assert "the disk is full" in str(write_error(tmp_path / "x", caught.value))
    monkeypatch.setenv("MEDVISION_CACHE", str(tmp_path))
    told = str(write_error(tmp_path / "cases" / "x", OSError(errno.EROFS, "Read-only file system")))
    assert "set $MEDVISION_CACHE to another folder" in told


def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path, monkeypatch):
    target = tmp_path / "results.json"
    atomic_write(target, "old")

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(RunError, match="the disk is full"):
        atomic_write(target, "new")
    monkeypatch.undo()
    assert target.read_text() == "old"


def _hold(path, ready, end):
    with RunFolder(path).hold():
        ready.set()
        end.wait(30)


def test_a_second_process_is_refused_and_a_killed_one_frees_the_folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    context = multiprocessing.get_context("spawn")
    ready, end = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(folder.path, ready, end))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(RunError, match="in use"), folder.hold():
            pass
    finally:
        other.kill()
        other.join()
    with folder.hold() as held:
        assert held is folder


def test_what_a_killed_process_left_half_written_is_swept(tmp_path):
    folder = RunFolder(tmp_path)
    leftover = folder.fold(0, 1) / ".unfinished-1-member-0.pt"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("half")
    with folder.hold():
        assert not leftover.exists()


def test_clear_removes_a_run_and_nothing_else(tmp_path):
    folder = RunFolder(tmp_path)
    atomic_write(folder.results, "{}")
    atomic_write(folder.fold(0, 0) / "fold.json", "{}")
    (tmp_path / "notes.txt").write_text("mine")
    folder.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
