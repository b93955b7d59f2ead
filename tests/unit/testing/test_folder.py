from __future__ import annotations

import json

import pytest

from medvision.errors import CohortError
from medvision.testing.folder import FORMAT, begin, checked_faults, clear, finish


def test_a_cohort_is_unfinished_until_its_table_is_written(tmp_path):
    folder = tmp_path / "new" / "cohort"
    assert begin(folder, {"seed": 1}, overwrite=False)
    assert json.loads((folder / "phantom.json").read_text()) == {
        "format": FORMAT,
        "seed": 1,
        "finished": False,
    }
    assert begin(folder, {"seed": 2}, overwrite=False)
    finish(folder, {"seed": 2}, [{"case_id": "a", "age": 3}], "cohort.csv")
    assert (folder / "cohort.csv").read_text() == "case_id,age\na,3\n"
    assert not begin(folder, {"seed": 2}, overwrite=False)


def test_a_cohort_of_an_older_format_is_not_taken_for_a_new_one(tmp_path):
    begin(tmp_path, {"seed": 1}, overwrite=False)
    finish(tmp_path, {"seed": 1}, [{"a": 1}], "cohort.csv")
    marker = tmp_path / "phantom.json"
    marker.write_text(marker.read_text().replace(f'"format": {FORMAT}', '"format": 0'))
    with pytest.raises(CohortError) as error:
        begin(tmp_path, {"seed": 1}, overwrite=False)
    assert error.value.problems == (f"format: 0 there, {FORMAT} asked for",)


def test_clear_removes_a_cohort_and_nothing_else(tmp_path):
    begin(tmp_path, {}, overwrite=False)
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.dcm").write_text("a")
    (tmp_path / "keep.txt").write_text("k")
    clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]


def test_all_problems_at_once():
    with pytest.raises(CohortError) as error:
        checked_faults(1, {3: "flood"})
    assert len(error.value.problems) == 3
    assert checked_faults(3, {2: "nan", 0: "missing_file"}) == {0: "missing_file", 2: "nan"}
    assert list(checked_faults(3, {2: "nan", 0: "missing_file"})) == [0, 2]
