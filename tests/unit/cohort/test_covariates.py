"""Covariates as numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from medvision.cohort import numeric_covariates, read_manifest
from medvision.cohort.covariates import covariate_column
from medvision.errors import CohortError


@pytest.mark.parametrize(
    ("values", "dtype", "result"),
    [
        (["1", "2"], "int64", [1, 2]),
        (["1", "2.5"], "float64", [1.0, 2.5]),
        (["-0.5", "1e-3", ".5", "2."], "float64", [-0.5, 0.001, 0.5, 2.0]),
        (["01", "02"], "object", ["01", "02"]),
        (["1", "x"], "object", ["1", "x"]),
        (["1,5", "2"], "object", ["1,5", "2"]),
        (["1_000", "2"], "object", ["1_000", "2"]),
        (["inf", "1"], "object", ["inf", "1"]),
        ([None, None], "object", [None, None]),
        (["M", None], "object", ["M", None]),
        ([3, 4], "int64", [3, 4]),
    ],
)
def test_types(values, dtype, result):
    column = covariate_column(values)
    assert column.dtype == dtype
    assert column.tolist() == result


def test_a_missing_number_is_nan():
    column = covariate_column(["1", None])
    assert column.dtype == "float64"
    assert column[0] == 1
    assert math.isnan(column[1])


def test_the_values_of_a_regression():
    table = pd.DataFrame(
        {"case_id": ["a", "b"], "age": [40, 61], "smoker": ["True", "false"], "size": [1.5, 2.5]}
    )
    values = numeric_covariates(table, ["size", "smoker"])
    assert values.dtype == np.float64
    assert values.tolist() == [[1.5, 1.0], [2.5, 0.0]]
    assert numeric_covariates(table, []).shape == (2, 0)


def test_what_a_regression_cannot_use(manifest):
    path = manifest(
        "patient_id,image,age,sex,grade\n1,a.nii,40,M,1\n2,b.nii,,F,2\n3,c.nii,50,M,II\n4,d.nii,60,F,3\n"
    )
    cohort = read_manifest(path, covariates=["age", "sex", "grade"])
    with pytest.raises(CohortError) as caught:
        numeric_covariates(cohort, ["age", "sex", "grade", "agee"])
    assert list(caught.value.problems) == [
        "cohort.csv:3 (patient 2): 'age' is missing; fill it in, or leave the case out",
        "'sex' is no number (it holds 'M', 'F'); encode it as numbers, such as 0 and 1",
        "cohort.csv:4 (patient 3): 'grade' is 'II', no number",
        "no covariate 'agee'; did you mean 'age'?",
    ]


def test_infinity_is_no_covariate():
    table = pd.DataFrame({"case_id": ["a", "b"], "size": [1.0, math.inf]})
    with pytest.raises(CohortError, match="case b: 'size' is inf, no number"):
        numeric_covariates(table, ["size"])
