"""The cases of a cohort."""

from __future__ import annotations

import pytest

from medvision.cohort import read_manifest
from medvision.errors import CohortError


@pytest.fixture
def cohort(manifest):
    path = manifest("patient_id,name,image,age\n1,x,a.nii,40\n2,y,b.nii,50\n1,z,c.nii,60\n")
    return read_manifest(path, case="name", covariates=["age"])


def test_selected_cases_keep_their_order_places_and_covariates(cohort):
    some = cohort.select(["z", "x"])
    assert [(case.case_id, case.covariates["age"]) for case in some] == [("z", 60), ("x", 40)]
    assert some.places == ("cohort.csv:4", "cohort.csv:2")
    assert some.table.index.tolist() == [0, 1]
    assert len(cohort) == 3


def test_unknown_cases(cohort):
    with pytest.raises(CohortError, match="no case 'xx'; did you mean 'x'"):
        cohort.select(["x", "xx"])


def test_what_a_cohort_says_of_itself(cohort):
    assert repr(cohort) == "Cohort(3 cases of 2 patients from cohort.csv)"
