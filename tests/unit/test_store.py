"""The cache's folder: whole entries, several processes at once, and its limit."""

import multiprocessing
import os
import random
import subprocess
import sys
import time

import pytest

from medvision import store
from medvision.errors import ConfigError, RunError
from medvision.leases import hold

SPAWN = multiprocessing.get_context("spawn")


def make(root, name, size=1000, used=0.0):
    """An entry of `size` bytes that was last used `used` seconds ago."""
    unfinished = root / "cases" / f".unfinished-{name}"
    unfinished.mkdir(parents=True, exist_ok=True)
    (unfinished / "image.npy").write_bytes(random.Random(name).randbytes(size))
    (unfinished / "case.json").write_text("{}")
    store.seal(unfinished)
    folder = store.place(root, name)
    folder.parent.mkdir(exist_ok=True)
    store.publish(unfinished, folder)
    then = time.time() - used
    os.utime(folder / store.CHECKSUMS, (then, then))
    return folder


def names(root):
    return {entry.folder.name for entry in store.entries(root)}


@pytest.mark.parametrize("name", ["image.npy", "case.json", store.CHECKSUMS])
@pytest.mark.parametrize("harm", ["flip", "truncate", "grow", "delete"])
def test_every_damage_is_found(tmp_path, name, harm):
    folder = make(tmp_path, "aa1")
    file = folder / name
    data = bytearray(file.read_bytes())
    match harm:
        case "flip":
            data[len(data) // 2] ^= 1
            file.write_bytes(data)
        case "truncate":
            file.write_bytes(data[:-1])
        case "grow":
            file.write_bytes(data + b"1")
        case "delete":
            file.unlink()
    store._found_whole.clear()
    assert not store.is_whole(folder)


def test_a_whole_entry_is_read_once_a_process_and_again_when_a_file_changes(tmp_path, monkeypatch):
    folder = make(tmp_path, "aa1")
    store._found_whole.clear()
    read = []
    checksum = store.crc32
    monkeypatch.setattr(store, "crc32", lambda file: (read.append(file.name), checksum(file))[1])
    assert store.is_whole(folder)
    assert store.is_whole(folder)
    assert sorted(read) == ["case.json", "image.npy"]
    (folder / "image.npy").write_bytes(b"other")
    assert not store.is_whole(folder)
    assert not store.is_whole(tmp_path / "nowhere")


def test_an_entry_without_files_is_not_whole(tmp_path):
    (tmp_path / store.CHECKSUMS).write_text("{}")
    assert not store.is_whole(tmp_path)


def test_a_damaged_entry_is_replaced_and_a_whole_one_stays(tmp_path):
    folder = make(tmp_path, "aa1")
    (folder / "image.npy").write_bytes(b"damaged")
    make(tmp_path, "aa1")
    assert store.is_whole(folder)
    node = (folder / "image.npy").stat().st_ino
    make(tmp_path, "aa1")
    assert (folder / "image.npy").stat().st_ino == node


def test_the_entries_that_were_not_used_for_longest_go_first(tmp_path):
    for name, used in [("aa1", 300), ("bb2", 100), ("cc3", 200)]:
        make(tmp_path, name, used=used)
    assert [entry.folder.name for entry in store.entries(tmp_path)] == ["bb2", "cc3", "aa1"]
    size = store.entries(tmp_path)[0].size_bytes
    assert store.make_room(tmp_path, limit_bytes=2 * size) == 0
    assert names(tmp_path) == {"bb2", "cc3"}
    assert store.make_room(tmp_path, limit_bytes=2 * size) == 0
    assert names(tmp_path) == {"bb2", "cc3"}
    assert store.make_room(tmp_path) == 0
    assert not list(tmp_path.glob("cases/*/.removed-*"))


def test_what_this_process_uses_stays_and_the_excess_is_said(tmp_path):
    make(tmp_path, "aa1", used=300)
    make(tmp_path, "bb2", used=100)
    hold(tmp_path, "aa1")
    hold(tmp_path, "aa1")
    size = store.entries(tmp_path)[1].size_bytes
    assert store.make_room(tmp_path, limit_bytes=1) == size - 1
    assert names(tmp_path) == {"aa1"}
    assert store.clear(tmp_path) == (0, 0)
    assert store.entries(tmp_path)[0].in_use


HOLDER = """
import sys, time
from pathlib import Path
from medvision.leases import hold
hold(Path(sys.argv[1]), "aa1")
print("held", flush=True)
sys.stdin.read()
"""


def holder(root):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_what_another_process_uses_stays_until_it_is_killed(tmp_path):
    make(tmp_path, "aa1")
    process = holder(tmp_path)
    try:
        assert store.clear(tmp_path) == (0, 0)
        assert store.make_room(tmp_path, limit_bytes=0) > 0
        assert names(tmp_path) == {"aa1"}
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert store.clear(tmp_path)[0] == 1
    assert names(tmp_path) == set()
    assert not list((tmp_path / "in_use").glob("*"))


FORKER = """
import multiprocessing, sys
from pathlib import Path
from medvision import leases, store
root = Path(sys.argv[1])
leases.hold(root, "aa1")
def child():
    leases.hold(root, "bb2")
    leases._OURS.clear()
worker = multiprocessing.get_context("fork").Process(target=child)
worker.start()
worker.join()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_forked_worker_that_ends_takes_nothing_from_its_parent(tmp_path):
    make(tmp_path, "aa1")
    make(tmp_path, "bb2")
    process = subprocess.Popen(
        [sys.executable, "-c", FORKER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "held\n"
        assert store.clear(tmp_path)[0] == 1
        assert names(tmp_path) == {"aa1"}
    finally:
        process.kill()
        process.communicate()


def churn(root, seed, failures):
    """Use, make, damage and remove entries at random; what this process holds must stay whole."""
    draws = random.Random(seed)
    for _ in range(60):
        name = f"{draws.randrange(6):02d}"
        hold(root, name)
        folder = store.place(root, name)
        if not store.is_whole(folder):
            unfinished = folder.with_name(f"{store.UNFINISHED}{seed}-{draws.random()}")
            unfinished.mkdir(parents=True)
            (unfinished / "image.npy").write_bytes(random.Random(name).randbytes(1000))
            store.seal(unfinished)
            store.publish(unfinished, folder)
        store.touch(folder)
        store.make_room(root, limit_bytes=2500)
        if (folder / "image.npy").read_bytes() != random.Random(name).randbytes(1000):
            failures.put(name)


def test_processes_that_make_use_and_remove_the_same_entries_never_lose_one_in_use(tmp_path):
    failures = SPAWN.Queue()
    workers = [SPAWN.Process(target=churn, args=(tmp_path, seed, failures)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert failures.empty()
    store.make_room(tmp_path, limit_bytes=2500)
    assert sum(entry.size_bytes for entry in store.entries(tmp_path)) <= 2500


def test_clearing_keeps_what_was_used_lately_and_sweeps_what_killed_processes_left(tmp_path):
    make(tmp_path, "aa1", used=10 * 86400)
    make(tmp_path, "bb2", used=3600)
    old, new, half = (
        tmp_path / "cases" / "aa" / name for name in (".unfinished-1", ".unfinished-2", ".removed-3")
    )
    for folder in (old, new, half):
        folder.mkdir()
    os.utime(old, (0, 0))
    assert store.clear(tmp_path, older_than_seconds=5 * 86400)[0] == 1
    assert names(tmp_path) == {"bb2"}
    assert not old.exists()
    assert new.exists()
    assert not half.exists()


def test_an_empty_cache(tmp_path):
    assert store.entries(tmp_path) == []
    assert store.clear(tmp_path) == (0, 0)


def test_a_folder_without_checksums_counts_by_its_newest_file(tmp_path):
    folder = make(tmp_path, "aa1", used=9999)
    (folder / store.CHECKSUMS).unlink()
    assert time.time() - store.entries(tmp_path)[0].used < 100


def test_a_cache_that_cannot_be_written_is_an_error_of_one_sentence(tmp_path, monkeypatch):
    make(tmp_path, "aa1")

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(RunError, match="cannot be written"):
        store.clear(tmp_path)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", None),
        ("50 GB", 50 * 10**9),
        ("1.5tb", 15 * 10**11),
        ("2 TiB", 2 * 2**40),
        ("7", 7),
        ("3kB", 3000),
    ],
)
def test_limits(monkeypatch, text, size):
    monkeypatch.setenv(store.LIMIT_VARIABLE, text)
    assert store.cache_limit() == size


@pytest.mark.parametrize("text", ["fifty GB", "50 XB", "-1 GB", "50 GB or so"])
def test_what_is_no_limit(monkeypatch, text):
    monkeypatch.setenv(store.LIMIT_VARIABLE, text)
    with pytest.raises(ConfigError, match="is no size"):
        store.cache_limit()
