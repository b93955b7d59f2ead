from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from medvision.workflows.export_copies import copies_of

Places = list[tuple[int, Path, str]]


def places(folders: list[list[str]]) -> Places:
    return [(n, Path(f"f{n:02d}"), uid) for n, uids in enumerate(folders) for uid in sorted(uids)]


def test_a_part_of_a_second_export_completes_the_first() -> None:
    files = places([["a", "b"], ["b", "c"]])
    (whole,) = copies_of(files, files)
    assert whole.folders == [0, 1]
    assert whole.images == {"a", "b", "c"}
    assert whole.doubles == 1


def test_the_larger_export_is_the_series() -> None:
    files = places([["a"], ["a", "b"], ["a", "b"]])
    whole, *copies = copies_of(files, files)
    assert whole.folders == [1]
    assert [copy.folders for copy in copies] == [[2], [0]]


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=6), min_size=1, max_size=6))
def test_every_image_is_in_the_series_and_every_folder_somewhere(folders: list[list[str]]) -> None:
    files = places(folders)
    whole, *copies = copies_of(files, files)
    assert whole.images == {uid for uids in folders for uid in uids}
    listed = [*whole.folders, *(number for copy in copies for number in copy.folders)]
    assert sorted(listed) == list(range(len(folders)))
    inside = [uid for number in whole.folders for uid in folders[number]]
    assert whole.doubles == len(inside) - len(set(inside))
    for copy in copies:
        assert set(folders[copy.folders[0]]) <= whole.images
