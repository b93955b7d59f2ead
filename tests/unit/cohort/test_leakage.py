"""Splits that anyone may have edited."""

from __future__ import annotations

import json

import pytest

from medvision.cohort import Part, Splits, check_disjoint, make_splits
from medvision.errors import CohortError, LeakageError


@pytest.fixture
def table(table_of):
    return table_of([f"p{n // 2:02d}" for n in range(24)], [n % 2 for n in range(24)])


@pytest.fixture
def edited(table):
    """Change the file of splits as a text editor would."""

    def edit(change) -> Splits:
        content = json.loads(make_splits(table, folds=3, repeats=2, seed=1).to_json())
        change(content["parts"])
        return Splits.from_json(json.dumps(content))

    return edit


def test_drawn_splits_pass(table):
    check_disjoint(make_splits(table, folds=3, repeats=2, seed=1), table)


def test_a_case_moved_from_training_to_test(table, edited):
    moved = []

    def move(parts):
        moved.append(parts[1]["train"].pop(0))
        parts[1]["test"].append(moved[0])

    splits = edited(move)
    patient = dict(zip(table["case_id"], table["patient_id"], strict=True))[moved[0]]
    with pytest.raises(LeakageError) as caught:
        check_disjoint(splits, table)
    assert caught.value.problems[0].startswith(f"repeat 0, fold 1: patient {patient} is in training (case ")
    assert f"and in test (case {moved[0]})" in caught.value.problems[0]


def test_a_case_in_both_parts(table, edited):
    splits = edited(lambda parts: parts[5]["train"].append(parts[5]["test"][0]))
    with pytest.raises(LeakageError, match="repeat 1, fold 2: patient"):
        check_disjoint(splits, table)


def test_all_patients_are_named(table):
    both = Splits((Part(0, 0, tuple(table["case_id"][::2]), tuple(table["case_id"][1::2])),), 1, 1)
    with pytest.raises(LeakageError) as caught:
        check_disjoint(both, table)
    assert len(caught.value.problems) == 12


def test_an_unknown_case(table, edited):
    with pytest.raises(CohortError, match="the cohort has no case 'c9999'") as caught:
        check_disjoint(edited(lambda parts: parts[0]["train"].append("c9999")), table)
    assert not isinstance(caught.value, LeakageError)


def test_an_unknown_case_in_both_parts_is_a_leak(table, edited):
    def add(parts):
        parts[0]["train"].append("c9999")
        parts[0]["test"].append("c9999")

    with pytest.raises(LeakageError, match="of case c9999"):
        check_disjoint(edited(add), table)


def test_a_case_that_is_never_tested(table, edited):
    dropped = []
    with pytest.raises(CohortError) as caught:
        check_disjoint(edited(lambda parts: dropped.append(parts[0]["test"].pop())), table)
    assert list(caught.value.problems) == [f"repeat 0: the case {dropped[0]!r} is never tested"]


def test_a_patient_that_is_tested_twice(table, edited):
    def test_twice(parts):
        patient = parts[0]["test"][:2]
        parts[1]["test"] += patient
        parts[1]["train"] = [case for case in parts[1]["train"] if case not in patient]

    splits = edited(test_twice)
    with pytest.raises(CohortError, match=r"repeat 0: the case .* is tested 2 times"):
        check_disjoint(splits, table)


def test_one_fixed_division_may_leave_cases_out(table):
    cases = table["case_id"].tolist()
    check_disjoint(Splits((Part(0, 0, tuple(cases[:8]), tuple(cases[8:12])),), 1, 1), table)
