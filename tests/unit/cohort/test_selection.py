from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.cohort.selection import PREFERENCES, TAKEN, Step, select_series, without


def inventory(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


TABLE = inventory(
    series=["a", "b", "c", "d", "e", "f"],
    study=["1", "1", "2", "3", "3", "4"],
    patient=["p", "p", "p", "q", "q", "r"],
    modality=["CT", "CT", "CT", "CT", "CT", "MR"],
    slices=[100, 300, 200, 150, 150, 20],
    slice_spacing_mm=[2.0, 1.0, 1.5, 1.0, 1.0, 5.0],
    pixel_spacing_mm=[0.7, 0.7, 0.7, 0.8, 0.6, 1.0],
    study_date=["20200101", "20200101", "20210101", "20200101", "20200101", ""],
)
IS_CT = Step("CT", TABLE["modality"] == "CT")


def test_one_for_each_study_and_its_counts() -> None:
    found = select_series(TABLE, [IS_CT], one_per="study")
    assert found.chosen["series"].tolist() == ["b", "c"]
    assert found.ties["series"].tolist() == ["d", "e"]
    assert found.unmatched.to_numpy().tolist() == [["4", "r", "CT"]]
    counts = [
        (s.name, s.left.series, s.left.studies, s.left.patients, dict(s.excluded), s.lost) for s in found.flow
    ]
    assert counts == [
        ("Series in the export", 6, 4, 3, {}, 0),
        ("CT", 5, 3, 2, {"not CT": 1}, 1),
        (TAKEN, 2, 2, 1, {"a tie: no preference decides": 2, "another series is preferred": 1}, 1),
    ]
    assert found.left_out.set_index("series")["reason"].to_dict() == {
        "a": "another series is preferred",
        "d": "a tie: no preference decides",
        "e": "a tie: no preference decides",
        "f": "not CT",
    }


def test_the_next_preference_decides_a_tie() -> None:
    found = select_series(TABLE, [IS_CT], one_per="patient", prefer=["most_slices", "smallest_pixels"])
    assert found.chosen["series"].tolist() == ["b", "e"]
    assert found.ties.empty


@pytest.mark.parametrize(
    ("prefer", "chosen"),
    [("fewest_slices", "a"), ("thinnest_slices", "b"), ("thickest_slices", "a"), ("latest", "c")],
)
def test_every_preference(prefer: str, chosen: str) -> None:
    found = select_series(TABLE[TABLE["patient"] == "p"], [], one_per="patient", prefer=[prefer])
    assert found.chosen["series"].tolist() == [chosen]


def test_a_missing_value_comes_last_and_no_value_at_all_decides_nothing() -> None:
    table = inventory(
        series=["a", "b"],
        study=["1", "1"],
        patient=["p", "p"],
        study_date=["", "20200101"],
        slices=[None, None],
    )
    found = select_series(table, [], one_per="patient", prefer=["most_slices", "earliest"])
    assert found.chosen["series"].tolist() == ["b"]


def test_reasons_of_each_series_are_counted() -> None:
    step = Step("thin", TABLE["slice_spacing_mm"] < 1.2, "spacing " + TABLE["slice_spacing_mm"].astype(str))
    found = select_series(TABLE, [step], one_per="patient")
    assert dict(found.flow[1].excluded) == {"spacing 1.5": 1, "spacing 2.0": 1, "spacing 5.0": 1}


def test_a_series_that_proves_unreadable_is_taken_out_again() -> None:
    found = without(select_series(TABLE, [IS_CT], one_per="study"), {"c": "reading it is refused"}, "read")
    assert found.chosen["series"].tolist() == ["b"]
    assert dict(found.flow[-1].excluded) == {"reading it is refused": 1}
    assert found.unmatched["study"].tolist() == ["4", "2"]
    assert found.left_out.set_index("series").loc["c", "reason"] == "reading it is refused"


def test_an_empty_inventory() -> None:
    found = select_series(TABLE.iloc[:0], [Step("CT", IS_CT.passes.iloc[:0])], one_per="patient")
    assert found.chosen.empty
    assert [step.left.series for step in found.flow] == [0, 0, 0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("pqr"), st.sampled_from("12"), st.integers(1, 3), st.booleans(), st.booleans()
        ),
        max_size=12,
    ),
    st.sampled_from(["study", "patient"]),
    st.sampled_from(sorted(PREFERENCES)),
)
def test_everyone_is_accounted_for(
    rows: list[tuple[str, str, int, bool, bool]], unit: str, prefer: str
) -> None:
    table = pd.DataFrame(rows, columns=["patient", "study", "slices", "one", "two"])
    table = table.assign(
        study=table["patient"] + table["study"], series=[f"s{n}" for n in range(len(table))],
        slice_spacing_mm=1.0, pixel_spacing_mm=1.0, study_date="20200101",
    )  # fmt: skip
    steps = [Step("one", table["one"]), Step("two", table["two"])]
    found = select_series(table, steps, one_per=unit, prefer=[prefer])
    left = [step.left.series for step in found.flow]
    lost = [sum(step.excluded.values()) for step in found.flow]
    # Each box is the one above it less what was left out between them, as a reader will check.
    assert all(
        after == before - out for before, after, out in zip(left[:-1], left[1:], lost[1:], strict=True)
    )
    assert found.chosen[unit].is_unique
    units = set(found.chosen[unit]) | set(found.ties[unit]) | set(found.unmatched[unit])
    assert units == set(table[unit])
    assert (
        len(set(found.chosen[unit])) + found.ties[unit].nunique() + len(found.unmatched)
        == table[unit].nunique()
    )
    assert sorted([*found.chosen["series"], *found.left_out["series"]]) == sorted(table["series"])
    again = select_series(table.sample(frac=1, random_state=1), steps, one_per=unit, prefer=[prefer])
    assert sorted(again.chosen["series"]) == sorted(found.chosen["series"])
