"""Columns and numbers of the tables of marks and lesions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation.detection_tables import numbers, table_with


def test_short_names_give_way_to_long_ones() -> None:
    both = pd.DataFrame({"case": ["x"], "case_id": ["A"]}, index=[7])
    found = table_with(both, "marks", ["case_id"])
    assert (found["case_id"].tolist(), found.index.tolist()) == (["A"], [0])
    assert list(both) == ["case", "case_id"]


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(EvaluationError, match="marks lack case_id, score; their columns are series, p"):
        table_with(pd.DataFrame({"series": [1], "p": [0.5]}), "marks", ["case_id", "score"])


def test_numbers_of_any_column() -> None:
    for column in ([1, 2], ["1", "2"], pd.array([1, 2], dtype="Int64")):
        assert numbers(pd.Series(column)).tolist() == [1, 2]
    assert np.isnan(numbers(pd.Series([None, "high", pd.NA], dtype=object))).all()
    assert numbers(pd.Series([], dtype=object)).shape == (0,)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(EvaluationError, match="marks must be a DataFrame"):
        table_with(None, "marks", ["case_id"])
