"""The intraclass correlation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import icc


@pytest.mark.parametrize(
    ("ratings", "form"), [([[1, 2], [np.nan, 2]], "2,1"), ([[1], [2]], "2,1"), ([[1, 2], [2, 3]], "4,1")]
)
def test_wrong_input_is_refused(ratings, form) -> None:
    with pytest.raises(EvaluationError):
        icc(ratings, form=form)


def test_the_correlation_of_a_variance_that_is_known() -> None:
    """Units with SD 3 and readers' errors with SD 4: 9 / (9 + 16); the mean of 4 readers: 9 / (9 + 4)."""
    rng = np.random.default_rng(0)
    ratings = rng.normal(0, 3, (4000, 1)) + rng.normal(0, 4, (4000, 4))
    for form in ("1,1", "2,1", "3,1"):
        found = icc(ratings, form=form)
        assert found.value == pytest.approx(9 / 25, abs=0.03)
        assert found.low < 9 / 25 < found.high
        assert icc(ratings, form=f"{form[0]},k").value == pytest.approx(9 / 13, abs=0.03)


def test_icc_of_readers_who_differ_by_a_constant() -> None:
    truth = np.random.default_rng(3).normal(0, 5, 40)
    noise = np.random.default_rng(4).normal(0, 0.5, (40, 2))
    ratings = truth[:, None] + noise + np.array([0.0, 6.0])
    consistent, absolute = icc(ratings, form="3,1"), icc(ratings, form="2,1")
    assert consistent.value > 0.95
    assert absolute.value < 0.8
    assert consistent.method == "ICC(3,1), F"


def test_icc_forms_are_read_as_people_write_them() -> None:
    ratings = np.random.default_rng(5).normal(size=(10, 3)) + np.arange(10)[:, None]
    assert icc(ratings, form="ICC(2,1)") == icc(ratings, form="2,1")


def test_icc_without_any_variance_is_undefined() -> None:
    assert math.isnan(icc([[1, 1], [1, 1]]).value)
    perfect = icc([[1, 1], [2, 2], [3, 3]], form="3,1")
    assert (perfect.value, perfect.status) == (1.0, "degenerate_variance")
    assert math.isnan(perfect.low)


def test_few_readers_for_many_units_say_so() -> None:
    rng = np.random.default_rng(0)

    def ratings(n: int, readers: float) -> np.ndarray:
        return rng.normal(size=(n, 1)) + readers * np.arange(3) + 0.3 * rng.normal(size=(n, 3))

    assert icc(ratings(22, 0.5), form="2,1").status == "few_readers_for_so_many_units"
    assert icc(ratings(22, 0.5), form="2,k").status == "few_readers_for_so_many_units"
    assert icc(ratings(21, 0.5), form="2,1").status == "ok"
    assert icc(ratings(100, 0.5), form="3,1").status == "ok"


@pytest.mark.parametrize("ratings", [[["a", "b"], ["c", "d"]], {"a": 1}, [[1, 2], [3]], None])
def test_ratings_that_are_no_table_of_numbers_are_refused(ratings) -> None:
    with pytest.raises(EvaluationError, match="ratings"):
        icc(ratings)


def test_a_form_that_is_no_text_is_refused() -> None:
    with pytest.raises(EvaluationError, match="form="):
        icc(np.eye(3), form=3)  # type: ignore[arg-type] # the wrong type is what is tested
