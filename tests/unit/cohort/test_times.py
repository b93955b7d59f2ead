"""When a case was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest

from medvision.cohort.times import read_times
from medvision.errors import CohortError


def times(*values):
    return read_times(values, "when", [f"row {n}" for n in range(len(values))])


@pytest.mark.parametrize(
    "values",
    [
        ("2020-12-31", "2021-01-01"),
        ("20201231", "20210101"),
        (20201231, 20210101),
        (20201231.0, 20210101.0),
        ("2020-12-31T23:59:59", "2021-01-01 00:00:01"),
        (date(2020, 12, 31), date(2021, 1, 1)),
        (datetime(2020, 12, 31, 8), datetime(2021, 1, 1)),
        (pd.Timestamp("2020-12-31"), pd.Timestamp("2021-01-01")),
        ("2020-12-31", date(2021, 1, 1)),
        ("2020-12", "2021-01"),
        ("2020-12-31T23:30:00+00:00", "2021-01-01T00:30:00+00:00"),
    ],
)
@pytest.mark.parametrize("boundary", ["2021-01-01", "2021-01", "2021", 2021, 20210101, "20210101"])
def test_every_way_to_write_a_date_finds_the_same_boundary(values, boundary):
    found = times(*values)
    assert (found.keys >= found.boundary(boundary)).tolist() == [False, True]


def test_a_time_zone_counts():
    east = timezone(timedelta(hours=3))
    found = times(datetime(2021, 1, 1, 2, tzinfo=east), datetime(2021, 1, 1, 2, tzinfo=UTC))
    assert (found.keys >= found.boundary("2021")).tolist() == [False, True]


def test_years_and_days_since_something_are_numbers():
    assert times(2019, 2021).boundary(2020) == 2020
    assert times(0.5, 900).boundary("300") == 300
    assert times(99999999, 19990000).form == "number"
    assert times(20210230, 20210101).form == "number"
    assert times(5, 2021, 20210101).form == "number"
    assert times(202012, 202101).boundary(202101) == 202101


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2021-05-17", "2021-05-17"),
        ("2021-05", "2021-05"),
        ("2021-05-17 08:30", "2021-05-17 08:30"),
        (7, "7"),
    ],
)
def test_a_time_is_shown_as_it_is_read(value, shown):
    found = times(value)
    assert found.show(found.keys[0]) == shown


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("2021-01-01", None), "row 1: 'when' is empty"),
        (("2021-01-01", float("nan")), "row 1: 'when' is empty"),
        (("03/04/2021", "2021-01-01"), "row 0: 'when' is '03/04/2021', no date"),
        (("2021-13-01", "2021-01-01"), "row 0: 'when' is '2021-13-01', no date"),
        (("2021-13", "2021-01"), "row 0: 'when' is '2021-13', no date"),
        ((True, False), "row 0: 'when' is True, no date"),
        ((2021, "2021-01-01"), "row 0: 'when' is 2021, no date"),
        (("2021-01", "2021-01-01"), "'when' is written in different ways: 2021-01, 2021-01-01"),
        (("2021-01-01T00:00:00Z", "2021-01-01"), "written in different ways"),
        ((float("inf"), 1.0), "needs finite numbers"),
        ((2021, 20200517), "'when' mixes days, months or years: 2021, 20200517"),
        ((202105, 20200517.0, 202106), "'when' mixes days, months or years"),
    ],
)
def test_what_is_no_time_is_named(values, words):
    with pytest.raises(CohortError) as caught:
        times(*values)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("values", "boundary", "words"),
    [
        ((2019, 2020), "2020-01-01", "holds numbers such as 2019; write one"),
        (("2019-01-01",), "soon", "test_from is soon, no date"),
        (("2019-01",), "2019-01-15", "the column holds months"),
    ],
)
def test_a_boundary_of_another_kind_is_refused(values, boundary, words):
    with pytest.raises(CohortError, match=words):
        times(*values).boundary(boundary)
