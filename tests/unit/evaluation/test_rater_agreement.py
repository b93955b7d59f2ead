"""Kappa, Fleiss' kappa, intraclass correlation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from medvision.errors import EvaluationError
from medvision.evaluation import fleiss_kappa, icc, kappa


@pytest.fixture(scope="module")
def readers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    first = rng.integers(1, 6, 120)
    return first, np.clip(first + rng.integers(-1, 2, 120), 1, 5)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_as_scikit_learn_and_statsmodels(readers, weights) -> None:
    found = kappa(*readers, weights=weights)
    assert found.value == pytest.approx(cohen_kappa_score(*readers, weights=weights))
    counts = np.zeros((5, 5))
    np.add.at(counts, (readers[0] - 1, readers[1] - 1), 1)
    theirs = cohens_kappa(counts, wt=weights and {"linear": "linear", "quadratic": "quadratic"}[weights])
    assert found.standard_error == pytest.approx(theirs.std_kappa)
    assert found.standard_error_null == pytest.approx(theirs.std_kappa0)
    assert kappa(counts, weights=weights).value == pytest.approx(found.value)


def test_readers_who_used_one_category_have_no_kappa() -> None:
    found = kappa([1, 1, 1], [1, 1, 1])
    assert math.isnan(found.value)
    assert (found.status, found.agreement) == ("one_category", 1.0)


def test_perfect_agreement_is_not_certain() -> None:
    found = kappa([0, 1] * 10, [0, 1] * 10)
    assert (found.value, found.high, found.status) == (1.0, 1.0, "degenerate_variance")
    assert found.low == pytest.approx(2 * 0.025 ** (1 / 20) - 1)


def test_agreement_and_pabak_by_hand() -> None:
    found = kappa([[45, 5], [5, 45]])
    assert (found.agreement, found.pabak) == pytest.approx((0.9, 0.8))


def test_categories_give_text_its_order() -> None:
    first, second = ["low", "mid", "high", "mid"], ["mid", "mid", "high", "low"]
    ordered = kappa(first, second, weights="linear", categories=["low", "mid", "high"])
    assert ordered.value == pytest.approx(kappa([0, 1, 2, 1], [1, 1, 2, 0], weights="linear").value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kappa([[1, 2, 3], [1, 2, 3]]),
        lambda: kappa([1, 2], [1]),
        lambda: kappa([1, 2], [1, 3], categories=[1, 2]),
        lambda: kappa([1, 2], [1, 2], weights="cubic"),
        lambda: fleiss_kappa([[2, 1], [1, 1]]),
        lambda: fleiss_kappa([[1, 0], [0, 1]]),
        lambda: fleiss_kappa([1, 2]),
        lambda: icc([[1, 2], [np.nan, 2]]),
        lambda: icc([[1], [2]]),
        lambda: icc([[1, 2], [2, 3]], form="4,1"),
    ],
)
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()


def test_no_units() -> None:
    assert kappa([], []).status == "undefined_no_units"
    assert fleiss_kappa(np.zeros((0, 2))).status == "undefined_no_units"


def test_fleiss_as_statsmodels() -> None:
    counts = np.random.default_rng(2).multinomial(6, [0.5, 0.3, 0.2], size=40)
    found = fleiss_kappa(counts)
    assert found.value == pytest.approx(statsmodels_fleiss(counts))
    assert found.low < found.value < found.high


def test_fleiss_of_one_category_and_of_perfect_agreement() -> None:
    assert fleiss_kappa([[3, 0], [3, 0], [3, 0]]).status == "one_category"
    perfect = fleiss_kappa([[3, 0], [0, 3]] * 6)
    assert (perfect.value, perfect.status) == (1.0, "degenerate_variance")
    assert math.isnan(perfect.low)


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
