"""Splits of a cohort."""

from __future__ import annotations

import json

import pytest

from medvision.cohort import Part, Splits, make_splits
from medvision.errors import CohortError


@pytest.fixture
def table(table_of):
    patients = [f"p{n // 2:02d}" for n in range(40)]
    return table_of(patients, [n % 3 == 0 for n in range(40)], site=["a", "b"] * 20)


def test_parts_are_in_order_and_cover_everyone(table):
    splits = make_splits(table, folds=4, repeats=3, seed=1)
    assert [(part.repeat, part.fold) for part in splits.parts] == [(r, f) for r in range(3) for f in range(4)]
    for repeat in range(3):
        tested = [case for part in splits.parts if part.repeat == repeat for case in part.test]
        assert sorted(tested) == table["case_id"].tolist()
    for part in splits.parts:
        assert sorted((*part.train, *part.test)) == table["case_id"].tolist()


def test_repeats_differ(table):
    parts = make_splits(table, folds=4, repeats=2, seed=1).parts
    assert {part.test for part in parts[:4]} != {part.test for part in parts[4:]}


def test_the_first_repeat_does_not_depend_on_how_many_follow(table):
    assert (
        make_splits(table, folds=4, repeats=2, seed=1).parts[:4] == make_splits(table, folds=4, seed=1).parts
    )


def test_a_cohort_is_as_good_as_its_table(manifest):
    from medvision.cohort import read_manifest

    rows = "".join(f"{n // 2},{n}.nii,{n % 2}\n" for n in range(12))
    cohort = read_manifest(manifest("patient_id,image,y\n" + rows), label="y")
    assert make_splits(cohort, folds=3, seed=1) == make_splits(cohort.table, folds=3, seed=1)


def test_a_segmentation_has_no_labels(table_of):
    table = table_of([f"p{n}" for n in range(10)])
    expected = make_splits(table, folds=5, seed=1)
    assert [len(part.test) for part in expected.parts] == [2] * 5
    assert make_splits(table.assign(label=None), folds=5, seed=1) == expected


def test_the_hash_is_of_who_is_where(table):
    splits = make_splits(table, folds=4, seed=1)
    assert splits.sha256 == make_splits(table, folds=4, seed=1).sha256
    assert splits.sha256 != make_splits(table, folds=4, seed=2).sha256
    assert splits.sha256 == Splits(splits.parts, 4, 1, None).sha256
    assert len(splits.sha256) == 64


def test_a_file_says_the_same(table):
    splits = make_splits(table, folds=4, repeats=2, seed=7)
    assert Splits.from_json(splits.to_json()) == splits
    content = json.loads(splits.to_json())
    assert content["sha256"] == splits.sha256
    assert content["seed"] == 7


def test_a_file_by_hand():
    text = '{"parts": [{"repeat": 0, "fold": 0, "train": ["b", "a"], "test": ["c"]}]}'
    assert Splits.from_json(text) == Splits((Part(0, 0, ("a", "b"), ("c",)),), 1, 1, None)


def test_the_hash_in_an_edited_file_is_not_believed(table):
    splits = make_splits(table, folds=4, seed=7)
    content = json.loads(splits.to_json())
    content["parts"][0]["test"].append(content["parts"][0]["train"].pop())
    assert Splits.from_json(json.dumps(content)).sha256 != content["sha256"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "splits, line 1: no JSON"),
        ("[]", "need a list 'parts'"),
        ('{"parts": []}', "need a list 'parts'"),
        ('{"parts": [3]}', r"parts\[0\]: expected an object"),
        ('{"parts": [{"repeat": "0"}]}', r"parts\[0\]: repeat must be a whole number"),
        ('{"parts": [{"repeat": 0, "fold": 0, "train": ["a"], "test": "b"}]}', "test must list cases"),
        ('{"parts": [{"repeat": 0, "fold": 0, "train": [1], "test": ["b"]}]}', "train must list cases"),
        ('{"parts": [{"repeat": 0, "fold": 0, "train": [], "test": ["b"]}]}', "train must list cases"),
    ],
)
def test_files_of_another_form(text, words):
    with pytest.raises(CohortError, match=words):
        Splits.from_json(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="patient_id"), "no column 'patient_id'"),
        (lambda t: t.assign(case_id="x"), "the case 'x' stands there twice"),
        (lambda t: t.assign(label=[None, *t["label"][1:]]), "a split needs every label"),
    ],
)
def test_tables_that_cannot_be_split(table, change, words):
    with pytest.raises(CohortError, match=words):
        make_splits(change(table), folds=4, seed=1)


def test_requests_that_cannot_be_met(table):
    with pytest.raises(CohortError, match="no column 'sight'; did you mean 'site'"):
        make_splits(table, folds=4, seed=1, stratify_by=["sight"])
    with pytest.raises(CohortError, match="0 repeats; 1 is the least"):
        make_splits(table, folds=4, repeats=0, seed=1)
    with pytest.raises(CohortError, match="20 patients cannot fill 21 folds"):
        make_splits(table, folds=21, seed=1)
    with pytest.raises(CohortError, match="'age' has 40 values in 20 patients; sort it into a few groups"):
        make_splits(table.assign(age=range(40)), folds=4, seed=1, stratify_by=["age"])
