"""Splits that the cohort itself dictates."""

from __future__ import annotations

import pytest
from sklearn.model_selection import LeaveOneGroupOut

from medvision.cohort import (
    check_disjoint,
    column_is,
    column_splits,
    hash_share,
    hash_splits,
    site_splits,
    time_is_from,
    time_splits,
)
from medvision.errors import CohortError


@pytest.fixture
def table(table_of):
    """Forty patients with two cases each, in three hospitals, from 2010 on."""
    patients = [f"p{n // 2:02d}" for n in range(80)]
    number = [n // 2 for n in range(80)]
    return table_of(
        patients,
        [int(n % 3 == 0) for n in number],
        site=[["North", "South", "East"][n % 7 % 3] for n in number],
        date=[f"{2010 + n // 4}-0{1 + n % 4}-15" for n in number],
        part=[["train", "val", "test"][min(n // 15, 2)] for n in number],
    )


def test_leaving_one_site_out_is_what_scikit_learn_leaves_out(table):
    splits = site_splits(table, column="site")
    check_disjoint(splits, table)
    expected = {
        frozenset(table["case_id"].iloc[test])
        for _, test in LeaveOneGroupOut().split(table, groups=table["site"])
    }
    assert {frozenset(part.test) for part in splits.parts} == expected
    for part in splits.parts:
        assert {*part.train, *part.test} == set(table["case_id"])
    assert [part.name for part in splits.parts] == ["site East", "site North", "site South"]


def test_a_site_is_the_same_however_its_number_is_written(table):
    numbers = table.assign(site=[1, 1.0, "1", "1"] * 10 + [2] * 40)
    assert [part.name for part in site_splits(numbers, column="site").parts] == ["site 1", "site 2"]


def test_the_past_teaches_and_the_future_tests(table):
    (part,) = time_splits(table, column="date", test_from="2018").parts
    rows = table.set_index("case_id")
    assert rows.loc[list(part.train), "date"].max() < "2018" <= rows.loc[list(part.test), "date"].min()
    assert part.name == "date from 2018-01-01"
    same = time_splits(table, column="date", test_from="2018-01-01")
    assert same.parts == (part,)


def test_a_share_of_the_latest_patients_is_as_near_as_dates_allow(table):
    (part,) = time_splits(table, column="date", last_fraction=0.2).parts
    rows = table.set_index("case_id")
    assert rows.loc[list(part.test), "patient_id"].nunique() == 8
    one_day = table.assign(date=["2020-01-01"] * 60 + ["2021-01-01"] * 20)
    (part,) = time_splits(one_day, column="date", last_fraction=0.05).parts
    assert len(part.test) == 20


def test_windows_cover_everything_but_the_first_block(table):
    splits = time_splits(table, column="date", windows=3)
    check_disjoint(splits, table)
    assert [len(part.test) for part in splits.parts] == [20, 20, 20]
    for before, after in zip(splits.parts, splits.parts[1:], strict=False):
        assert set(after.train) == {*before.train, *before.test}
    assert splits.parts[0].name.endswith("to before 2015-01-15")


def test_a_patient_on_both_sides_is_refused_or_placed_by_the_first_scan(table):
    table.loc[0, "date"] = "2030-01-01"
    with pytest.raises(CohortError) as caught:
        time_splits(table, column="date", test_from="2018")
    assert "1 of 40 patients have scans on both sides of a boundary of 'date'" in str(caught.value)
    assert "patient p00 has scans of 2010-01-15, 2030-01-01" in caught.value.problems
    (part,) = time_splits(table, column="date", test_from="2018", by_first_scan=True).parts
    assert {"c0000", "c0001"} <= set(part.train)
    late = time_is_from(table, "date", "2018", by_first_scan=True)
    assert set(table["case_id"][late]) == set(part.test)
    with pytest.raises(CohortError, match="both sides"):
        time_is_from(table, "date", "2018", by_first_scan=False)


def test_an_official_split_is_followed(table):
    splits = column_splits(table, column="part", train=["train"], test=["test"], validation=["val"])
    check_disjoint(splits, table)
    (part,) = splits.parts
    by_part = {name: sorted(rows["case_id"]) for name, rows in table.groupby("part")}
    assert list(part.test) == by_part["test"]
    assert list(part.inner[0].train) == by_part["train"]
    assert list(part.inner[0].validation) == by_part["val"]
    assert list(part.train) == sorted(by_part["train"] + by_part["val"])


@pytest.mark.parametrize(
    "split",
    [site_splits, lambda t, column: column_splits(t, column=column, train=["North", "South"], test=["East"])],
)
def test_a_patient_in_several_parts_is_named_with_the_cases(table, split):
    table.loc[:1, "site"] = ["East", "North"]
    with pytest.raises(CohortError) as caught:
        split(table, column="site")
    assert "1 of 40 patients stand in several parts by 'site'" in str(caught.value)
    assert any(
        problem.startswith("patient p00: ") and "(1 case)" in problem for problem in caught.value.problems
    )


@pytest.mark.parametrize(
    ("change", "call", "words"),
    [
        ({"site": "A"}, lambda t: site_splits(t, column="site"), "every case has the site A"),
        (
            {"site": None},
            lambda t: site_splits(t, column="site"),
            "case c0000 of patient p00: 'site' is empty",
        ),
        ({}, lambda t: site_splits(t, column="sight"), "no column 'sight'; did you mean 'site'"),
        ({}, lambda t: time_splits(t, column="dat", windows=2), "no column 'dat'"),
        ({"date": None}, lambda t: time_splits(t, column="date", windows=2), "'date' is empty"),
        (
            {"date": "2020-01-01"},
            lambda t: time_splits(t, column="date", windows=2),
            "2 test parts and the patients before them need 3 different times of first scans; there are 1",
        ),
        (
            {},
            lambda t: time_splits(t, column="date", test_from="2040"),
            "date from 2040-01-01: the test part has no patient",
        ),
        (
            {},
            lambda t: column_splits(t, column="part", train=["train"], test=["test"]),
            r"'part' holds values that are no part of the split: 'val' \(30 cases\)",
        ),
        ({}, lambda t: column_is(t, "part", ["tset"]), "no case has 'part' 'tset'; it holds 'train', 'val'"),
    ],
)
def test_what_cannot_be_done_is_said(table, change, call, words):
    with pytest.raises(CohortError, match=words):
        call(table.assign(**change))


def test_a_site_of_one_class_is_refused_with_its_patients(table):
    table.loc[table["site"] == "East", "label"] = 0
    with pytest.raises(CohortError) as caught:
        site_splits(table, column="site")
    east = table[table["site"] == "East"]["patient_id"].nunique()
    assert (
        f"site East: the test part has {east} patients of class 0 and none of class 1"
        in caught.value.problems
    )
    assert len(site_splits(table.assign(label=None), column="site").parts) == 3


def test_a_fold_by_hash_that_nobody_falls_into_is_refused(table_of):
    with pytest.raises(CohortError, match="the test part has no patient"):
        hash_splits(table_of(["a", "b"]), folds=5, seed=1)


def test_the_hash_is_the_documented_one():
    import hashlib

    digest = hashlib.sha256(b'["fold", 7, "M\\u00fcller"]').hexdigest()
    assert hash_share("Müller", seed=7, purpose="fold") == pytest.approx(
        int(digest[:13], 16) / 16**13, abs=1e-15
    )
