"""Reading `results.json`: null is undefined, and nothing is made up for what is missing."""

import math

import pytest

from medvision.errors import RunError
from medvision.reporting.estimates import comparison_from, estimate_from


def test_null_is_undefined():
    found = estimate_from({"value": None, "low": None, "high": None, "status": "one_class"})
    assert math.isnan(found.value)
    assert not found.defined
    assert not found.has_interval


def test_counts_that_are_not_there_stay_unknown():
    found = estimate_from({"value": 0.5})
    assert (found.n_units, found.n_patients, found.fold, found.structure) == (None, None, None, None)


def test_counts_may_come_as_floats():
    assert estimate_from({"value": 0.5, "n_units": 12.0, "fold": 3}).n_units == 12


def test_an_entry_without_a_value_is_refused():
    with pytest.raises(RunError, match="no `value`"):
        estimate_from({"metric": "auroc"})


def test_a_comparison_without_a_difference_is_refused():
    with pytest.raises(RunError, match="no `difference`"):
        comparison_from({"a": "image", "b": "diameter"})


def test_a_comparison_keeps_its_order():
    found = comparison_from({"a": "image", "b": "diameter", "difference": {"value": 0.1}, "p": 0.2})
    assert (found.a, found.b, found.p) == ("image", "diameter", 0.2)
    assert math.isnan(found.p_adjusted)
