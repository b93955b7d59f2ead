"""Which names are scans of one patient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision.cohort.found import patients_of
from medvision.errors import CohortError


@pytest.mark.parametrize(
    ("names", "patients", "said"),
    [
        (["sub-01_T1w", "sub-01_ses-2_T1w", "x/sub-02_T1w"], ["sub-01", "sub-01", "sub-02"], "as in BIDS"),
        (["p001_1", "p001_2", "p002_1"], ["p001", "p001", "p002"], "p001_1, p001_2 → p001"),
        (["p1_pre", "p1_post", "p2_pre"], ["p1", "p1", "p2"], "3 scans of 2 patients"),
        (["p1_v1_left", "p1_v2_right", "p2_v1_left"], ["p1", "p1", "p2"], "--patient file"),
        (["007-20240131", "007-20240201", "008-20240131"], ["007", "007", "008"], "one patient"),
        (["case_1", "case_2"], ["case_1", "case_2"], "EVERY FILE"),  # what they share is a word
        (["BraTS2021_00001", "BraTS2021_00002"], ["BraTS2021_00001", "BraTS2021_00002"], "EVERY FILE"),
        (["Task04_01", "Task04_02"], ["Task04_01", "Task04_02"], "EVERY FILE"),  # all share it
        (["p001_1", "p002_1"], ["p001_1", "p002_1"], "EVERY FILE"),
        ([], [], "EVERY FILE"),
    ],
)
def test_patients_by_name(names, patients, said):
    found, rule = patients_of(names)
    assert found == patients
    assert said in rule


def test_a_rule_of_ones_own():
    assert patients_of(["a1_x", "a1_y"], r"(a\d)")[0] == ["a1", "a1"]
    assert patients_of(["p001_1", "p001_2", "p002_1"], "file")[0] == ["p001_1", "p001_2", "p002_1"]
    with pytest.raises(CohortError, match="no regular expression"):
        patients_of(["a"], "(")
    with pytest.raises(CohortError, match="has no group"):
        patients_of(["a"], "a")
    with pytest.raises(CohortError, match="finds no patient in b"):
        patients_of(["a", "b"], "(a)")


@given(st.lists(st.from_regex(r"[a-z0-9_.-]{1,12}", fullmatch=True), unique=True))
def test_every_name_has_one_patient_and_the_order_does_not_matter(names):
    patients, _ = patients_of(names)
    again, _ = patients_of(names[::-1])
    assert all(patients)
    assert dict(zip(names, patients, strict=True)) == dict(zip(names[::-1], again, strict=True))
