"""One scan used as two."""

from __future__ import annotations

import pytest

from medvision.cohort import file_hashes, same_scan_twice
from medvision.errors import CohortError, LeakageError


def check(cohort):
    same_scan_twice(cohort, file_hashes([p for case in cohort for p in (case.image, case.mask) if p]))


def test_different_scans_pass(cohort_of):
    check(cohort_of(("1", "x", None), ("2", "y", None), ("2", "z", None)))


def test_two_patients_with_one_scan(cohort_of, tmp_path):
    cohort = cohort_of(("1", "x", None), ("2", "y", None), ("3", "x", None))
    with pytest.raises(LeakageError) as caught:
        check(cohort)
    assert list(caught.value.problems) == [
        f"patients 1 and 3 have the same scan: {tmp_path / 'image0.nii'} and {tmp_path / 'image2.nii'}"
    ]


def test_another_mask_does_not_make_it_another_scan(cohort_of):
    with pytest.raises(LeakageError):
        check(cohort_of(("1", "x", "m"), ("2", "x", "n")))


def test_several_nodules_in_one_scan(cohort_of):
    check(cohort_of(("1", "x", "m"), ("1", "x", "n"), ("2", "y", "m")))


@pytest.mark.parametrize("mask", ["m", None])
def test_the_same_case_twice(cohort_of, mask):
    with pytest.raises(CohortError, match=r"cases c0 and c1 of patient 1 have the same scan") as caught:
        check(cohort_of(("1", "x", mask), ("1", "x", mask)))
    assert not isinstance(caught.value, LeakageError)


def test_a_missing_hash(cohort_of):
    with pytest.raises(CohortError, match="there is no hash of"):
        same_scan_twice(cohort_of(("1", "x", None)), {})
