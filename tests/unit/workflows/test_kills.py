"""A run that is killed, interrupted or out of disk goes on with the same command to the same results."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MEDVISION = [sys.executable, "-m", "medvision"]


def outcome(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("predictions.parquet", "results.json")}


def start(study, out, *overrides, **options):
    command = [*MEDVISION, "run", str(study), *overrides, "--out", str(out), "--device", "cpu"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def wait_for(path, process, seconds=120):
    """Wait until a file is there; fail if the process ends before."""
    end = time.monotonic() + seconds
    while not list(path.parent.glob(path.name)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(nodules, finished_nodules, tmp_path):
    # Moments are drawn after the program has loaded its libraries, when there is something to destroy.
    draws = random.Random(2026)
    out = tmp_path / "run"
    for _ in range(10):
        process = start(nodules, out)
        wait_for(out / "record.json", process)
        time.sleep(draws.uniform(0, 3.0))
        process.kill()
        process.communicate()
    done = start(nodules, out)
    text, _ = done.communicate(timeout=180)
    assert done.returncode == 0, text
    assert outcome(out) == outcome(finished_nodules.path)
    assert not list(out.rglob(".unfinished-*"))
    assert not list(out.rglob("*.ckpt"))


def test_ctrl_c_stops_within_two_seconds_and_says_how_to_go_on(nodules, tmp_path):
    out = tmp_path / "run"
    process = start(nodules, out, "training.epochs=500", start_new_session=True)
    wait_for(out / "folds" / "0-0" / "*", process)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=30)
    assert time.monotonic() - begun < 2
    assert process.returncode == 130
    assert "the same command" in text
    assert "Traceback" not in text


def test_a_second_process_on_the_same_folder_is_refused(nodules, tmp_path):
    out = tmp_path / "run"
    process = start(nodules, out, "training.epochs=500")
    try:
        wait_for(out / "record.json", process)
        second = start(nodules, out, "training.epochs=500")
        text, _ = second.communicate(timeout=120)
        assert second.returncode == 2
        assert "in use by another medvision process" in text
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_one_sentence_and_with_space_the_run_goes_on(organ, finished_organ, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], check=True)
    try:
        process = start(organ, disk / "run")
        text, _ = process.communicate(timeout=180)
        assert process.returncode == 2, text
        assert "the disk is full" in text
        assert "Traceback" not in text
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        process = start(organ, disk / "run")
        text, _ = process.communicate(timeout=180)
        assert process.returncode == 0, text
        assert outcome(disk / "run") == outcome(finished_organ.path)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a read-only disk")
def test_a_read_only_folder_is_one_sentence(organ, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", disk], check=True)
    try:
        process = start(organ, disk / "run")
        text, _ = process.communicate(timeout=120)
        assert process.returncode == 2, text
        assert "cannot be written" in text
        assert "--out" in text
        assert "Traceback" not in text
    finally:
        subprocess.run(["umount", disk], check=True)
