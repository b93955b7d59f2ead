"""Hashes of files, and what is remembered of them."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from medvision.cohort import file_hashes
from medvision.errors import CohortError

# FIPS 180-2, appendix B.1: SHA-256 of "abc".
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_has_the_hash_that_sha256sum_prints(tmp_path):
    file = tmp_path / "a.nii"
    file.write_bytes(b"abc")
    assert file_hashes([file, str(file)]) == {str(file): ABC}


def test_large_files_are_read_in_pieces(tmp_path):
    content = os.urandom(3_000_001)
    (tmp_path / "a.nii").write_bytes(content)
    assert file_hashes([tmp_path / "a.nii"])[str(tmp_path / "a.nii")] == hashlib.sha256(content).hexdigest()


def test_relative_paths_become_absolute(tmp_path, monkeypatch):
    (tmp_path / "a.nii").write_bytes(b"abc")
    monkeypatch.chdir(tmp_path)
    assert file_hashes(["a.nii"]) == {str(tmp_path / "a.nii"): ABC}


def _series(folder, contents):
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_text(content)
    return folder


def test_a_folder_is_what_its_files_hold(tmp_path):
    one = _series(tmp_path / "one", {"1.dcm": "x", "2.dcm": "y"})
    renamed = _series(tmp_path / "two", {"b.dcm": "x", "a.dcm": "y", ".DS_Store": "z"})
    other = _series(tmp_path / "three", {"1.dcm": "x", "2.dcm": "z"})
    twice = _series(tmp_path / "four", {"1.dcm": "x", "2.dcm": "y", "3.dcm": "y"})
    hashes = file_hashes([one, renamed, other, twice])
    assert hashes[str(one)] == hashes[str(renamed)]
    assert len(set(hashes.values())) == 3
    lines = sorted(hashlib.sha256(text).hexdigest() for text in (b"x", b"y"))
    assert hashes[str(one)] == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_folders_in_a_folder_count(tmp_path):
    flat = _series(tmp_path / "flat", {"1.dcm": "x"})
    (tmp_path / "deep").mkdir()
    _series(tmp_path / "deep" / "inner", {"1.dcm": "x"})
    hashes = file_hashes([flat, tmp_path / "deep"])
    assert hashes[str(flat)] == hashes[str(tmp_path / "deep")]


def test_what_is_known_is_not_read_again(tmp_path):
    file, index = tmp_path / "a.nii", tmp_path / "cache" / "index.json"
    file.write_bytes(b"abc")
    before = file.stat()
    assert file_hashes([file], index=index) == {str(file): ABC}
    file.write_bytes(b"xyz")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    # Same path, size and time: the index answers, which shows that the file was not read.
    assert file_hashes([file], index=index) == {str(file): ABC}
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert file_hashes([file], index=index) != {str(file): ABC}


def test_another_size_is_another_file(tmp_path):
    file, index = tmp_path / "a.nii", tmp_path / "index.json"
    file.write_bytes(b"abc")
    before = file.stat()
    first = file_hashes([file], index=index)
    file.write_bytes(b"abcd")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file_hashes([file], index=index) != first


def test_the_index_keeps_files_that_are_not_asked_for(tmp_path):
    index = tmp_path / "index.json"
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        file_hashes([tmp_path / name], index=index)
    assert set(json.loads(index.read_text())) == {str(tmp_path / "a"), str(tmp_path / "b")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "index.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 3}', '{"a": ["x", "y", "z"]}', "\x00"])
def test_a_damaged_index_is_replaced(tmp_path, text):
    file, index = tmp_path / "a.nii", tmp_path / "index.json"
    file.write_bytes(b"abc")
    index.write_text(text)
    assert file_hashes([file], index=index) == {str(file): ABC}
    assert str(file) in json.loads(index.read_text())


def test_all_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CohortError) as caught:
        file_hashes([tmp_path / "a", tmp_path / "b", tmp_path / "empty"])
    assert list(caught.value.problems) == [
        f"{tmp_path / 'a'} cannot be read: No such file or directory",
        f"{tmp_path / 'b'} cannot be read: No such file or directory",
        f"the folder {tmp_path / 'empty'} has no files",
    ]


def test_pipes_and_devices_are_not_read(tmp_path):
    series = tmp_path / "series"
    series.mkdir()
    (series / "1.dcm").write_bytes(b"abc")
    expected = file_hashes([series])
    os.mkfifo(series / "2.dcm")
    (series / "3.dcm").symlink_to("/dev/zero")
    assert file_hashes([series]) == expected
    with pytest.raises(CohortError, match=r"2\.dcm is no regular file"):
        file_hashes([series / "2.dcm", series / "3.dcm"])


def test_an_index_that_cannot_be_written(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"abc")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CohortError, match="cannot be written"):
        file_hashes([tmp_path / "a.nii"], index=tmp_path / "file" / "index.json")


def test_the_number_of_threads_does_not_matter(tmp_path):
    files = []
    for number in range(20):
        files.append(tmp_path / f"{number}.nii")
        files[-1].write_text(str(number))
    assert file_hashes(files, threads=1) == file_hashes(files, threads=7)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.mhd", "NDims = 3\nElementDataFile = a.raw\n"), ("a.nhdr", "NRRD0004\ndata file: a.raw\n")],
)
def test_a_detached_header_is_hashed_with_its_voxels(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    alone = file_hashes([tmp_path / name])
    (tmp_path / "a.raw").write_bytes(b"voxels")
    first = file_hashes([tmp_path / name])
    (tmp_path / "a.raw").write_bytes(b"others")
    assert len({*alone.values(), *first.values(), *file_hashes([tmp_path / name]).values()}) == 3
    (tmp_path / name).write_text("no voxels named\n")
    assert len(file_hashes([tmp_path / name])) == 1
