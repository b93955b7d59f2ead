"""Splits as a file, with names, inner divisions and a locked test set."""

from __future__ import annotations

import json

import pytest

from medvision.cohort import InnerPart, Part, Splits, check_disjoint
from medvision.errors import CohortError, LeakageError

INNER = (InnerPart(("a",), ("b",)), InnerPart(("b",), ("a",)))
SPLITS = Splits((Part(0, 0, ("a", "b"), ("c",), "site C", INNER),), 1, 1, None, "site", ("d",))


@pytest.fixture
def table(table_of):
    return table_of(["p", "q", "r", "s"]).assign(case_id=list("abcd"))


def test_a_file_says_the_same():
    text = SPLITS.to_json()
    assert Splits.from_json(text) == SPLITS
    content = json.loads(text)
    assert content["sha256"] == SPLITS.sha256
    assert content["locked_test"] == {"sha256": SPLITS.locked_sha256, "cases": ["d"]}
    assert content["kind"] == "site"


def test_the_hash_is_of_who_is_where_and_who_is_locked_away():
    def changed(**values):
        part = Part(**{"repeat": 0, "fold": 0, "train": ("a", "b"), "test": ("c",), "inner": INNER, **values})
        return Splits((part,), 1, 1, locked=("d",)).sha256

    assert changed(name="anything") == SPLITS.sha256
    assert changed(inner=()) != SPLITS.sha256
    assert changed(test=("d",)) != SPLITS.sha256
    assert Splits(SPLITS.parts, 1, 1).sha256 != SPLITS.sha256


def test_a_k_fold_is_stored_as_it_always_was():
    # The text that version 0.1.0 wrote of this split; its readers and hashes must stay good.
    splits = Splits((Part(0, 0, ("a",), ("b",)), Part(0, 1, ("b",), ("a",))), 2, 1, 7)
    assert splits.to_json() == (
        '{"folds": 2, "repeats": 1, "seed": 7, '
        '"sha256": "fb6b355c3d4013dc4b923d6762d40d30c1085751a85c1fa1f66b132c6404c61b", "parts": [\n'
        '  {"repeat": 0, "fold": 0, "train": ["a"], "test": ["b"]},\n'
        '  {"repeat": 0, "fold": 1, "train": ["b"], "test": ["a"]}\n]}\n'
    )


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"name": 3}, "name must be text"),
        ({"inner": 3}, "inner must list objects with train and validation"),
        ({"inner": [{"train": ["a"]}]}, "inner must list objects with train and validation"),
        ({"inner": [3]}, "inner must list objects with train and validation"),
    ],
)
def test_parts_of_another_form(part, words):
    entry = {"repeat": 0, "fold": 0, "train": ["a"], "test": ["b"], **part}
    with pytest.raises(CohortError, match=words):
        Splits.from_json(json.dumps({"parts": [entry]}))


@pytest.mark.parametrize("locked", [3, {"cases": 3}, {"cases": [3]}, {}])
def test_a_locked_test_set_of_another_form(locked):
    entry = {"repeat": 0, "fold": 0, "train": ["a"], "test": ["b"]}
    with pytest.raises(CohortError, match="locked_test: cases must list cases"):
        Splits.from_json(json.dumps({"parts": [entry], "locked_test": locked}))


def test_splits_that_fit(table):
    check_disjoint(SPLITS, table)


@pytest.mark.parametrize(
    ("patients", "words"),
    [
        (["p", "q", "r", "p"], r"patient p is in training \(case a\) and locked away \(case d\)"),
        (["p", "q", "r", "r"], r"patient r is in test \(case c\) and locked away \(case d\)"),
        (
            ["p", "p", "r", "s"],
            r"fold 0, inner 0: patient p is in training \(case a\) and in validation \(case b\)",
        ),
    ],
)
def test_a_patient_on_two_sides_is_a_leak(table, patients, words):
    with pytest.raises(LeakageError, match=words):
        check_disjoint(SPLITS, table.assign(patient_id=patients))


def test_an_inner_division_of_other_cases_is_a_leak(table):
    part = Part(0, 0, ("a",), ("c",), "", INNER)
    with pytest.raises(LeakageError, match="inner 0: the case 'b' is not in the training part"):
        check_disjoint(Splits((part,), 1, 1, locked=("d",)), table)


def test_a_locked_case_that_the_cohort_has_not_is_named(table):
    with pytest.raises(CohortError, match="the cohort has no case 'd'"):
        check_disjoint(SPLITS, table[table["case_id"] != "d"])
