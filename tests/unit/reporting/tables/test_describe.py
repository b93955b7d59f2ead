"""Variables in words, against sums done by hand."""

import numpy as np
import pandas as pd
import pytest

from medvision.reporting.tables.describe import describe, median_quartiles, share, variable_label


def test_numbers_get_median_and_quartiles():
    rows = describe({"All": pd.Series([1.0, 2.0, 3.0, 4.0, 10.5])}, "size_mm")
    assert rows == [("Size, mm, median [IQR]", "3.0 [2.0–4.0]")]


def test_decimals_follow_the_data_not_a_habit():
    # The median 0.26 of S100B became 0.1 [0.1, 0.3] in other software, with one decimal for everything.
    rows = describe({"All": pd.Series([0.10, 0.12, 0.26, 0.31, 0.55])}, "s100b")
    assert rows[0][1] == "0.26 [0.12–0.31]"
    assert describe({"All": pd.Series([50, 60, 70, 80, 90])}, "age_years")[0][1] == "70 [60–80]"
    assert describe({"All": pd.Series([50, 61, 70, 80])}, "age_years")[0][1] == "65.5 [58.2–72.5]"


def test_missing_values_are_counted_by_group():
    groups = {
        "All": pd.Series([1.5, None, 2.5, 9.0]),
        "ill": pd.Series([None]),
        "well": pd.Series([1.5, 2.5]),
    }
    rows = describe(groups, "x")
    assert rows[0][1:] == ("2.5 [2.0–5.8]", "undefined (no values)", "2.0 [1.8–2.2]")
    assert rows[1] == ("  missing, n", "1", "1", "0")


def test_categories_are_counted_of_what_is_known():
    sex = pd.Series(["f", "m", "m", None])
    rows = describe({"All": sex}, "sex")
    assert rows == [
        ("Sex, n (%)", ""), ("  f", "1 (33.3%)"), ("  m", "2 (66.7%)"), ("  missing, n", "1"),
    ]  # fmt: skip


def test_a_level_that_a_group_lacks_is_zero():
    rows = describe({"All": pd.Series(["a", "b"]), "ill": pd.Series(["a"])}, "site")
    assert rows[2] == ("  b", "1 (50.0%)", "0 (0.0%)")


@pytest.mark.parametrize("values", [[True, False, True, True], [1, 0, 1, 1], [1.0, 0.0, 1.0, 1.0]])
def test_yes_and_no_take_one_row(values):
    assert describe({"All": pd.Series(values)}, "smoker") == [("Smoker, n (%)", "3 (75.0%)")]


def test_nothing_but_missing_values():
    rows = describe({"All": pd.Series([None, None], dtype=object)}, "x")
    assert rows == [("X", "undefined (no values)"), ("  missing, n", "2")]


def test_categoricals_of_pandas():
    grades = pd.Series(pd.Categorical(["low", "high", "low"], categories=["low", "high", "never"]))
    assert describe({"All": grades}, "grade")[1:] == [("  high", "1 (33.3%)"), ("  low", "2 (66.7%)")]


def test_negative_quartiles_are_not_misread():
    assert median_quartiles(np.array([-3.0, -2.0, 1.0]), 1) == "−2.0 [−2.5 to −0.5]"


def test_share_of_nothing():
    assert share(0, 0) == "0 (no values)"


def test_labels():
    assert variable_label("mean_density_HU") == "Mean density, HU"
    assert variable_label("mm") == "Mm"
