from __future__ import annotations

from medvision.testing.removal import delete, truncate


def test_delete_takes_a_file_or_a_whole_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("b")
    (tmp_path / "c").write_text("c")
    assert delete(tmp_path / "a") == (tmp_path / "a",)
    assert delete(tmp_path / "c") == (tmp_path / "c",)
    assert list(tmp_path.iterdir()) == []


def test_truncate_keeps_the_beginning(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes(range(10)))
    assert truncate(path) == (path,)
    assert path.read_bytes() == bytes(range(6))
