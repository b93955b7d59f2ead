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


def _ratings(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, 30, 120)
    first = (rng.integers(0, 3, 30)[patients] + rng.integers(0, 2, 120)).clip(0, 2)
    return first, (first + rng.integers(-1, 2, 120)).clip(0, 2), patients


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_clustered_kappa_sums_what_each_patient_adds(weights) -> None:
    """The oracle is the numerical derivative of kappa by the weight of each patient."""
    first, second, patients = _ratings(7)
    found = kappa(first, second, weights=weights, patients=patients)

    def weighted(patient: int, step: float) -> float:
        counts = np.zeros((3, 3))
        np.add.at(counts, (first, second), 1 + step * (patients == patient))
        return kappa(counts, weights=weights).value

    derivative = [(weighted(p, 1e-5) - weighted(p, -1e-5)) / 2e-5 for p in range(30)]
    assert found.value == kappa(first, second, weights=weights).value
    assert found.standard_error == pytest.approx(math.sqrt(30 / 29 * np.square(derivative).sum()), rel=1e-6)
    assert (found.n_units, found.n_patients) == (120, 30)
    assert math.isnan(found.z)


def test_clustered_kappa_of_one_unit_a_patient_is_the_large_sample_one() -> None:
    first, second, _ = _ratings(8)
    alone, plain = kappa(first, second, patients=np.arange(120)), kappa(first, second)
    assert alone.standard_error == pytest.approx(plain.standard_error * math.sqrt(120 / 119))
    copies = kappa(np.tile(first, 2), np.tile(second, 2), patients=np.tile(np.arange(120), 2))
    assert copies.standard_error == pytest.approx(alone.standard_error)


def test_kappa_of_one_patient_has_no_interval_and_counts_have_no_patients() -> None:
    found = kappa([0, 1, 1], [0, 1, 0], patients=["A", "A", "A"])
    assert math.isnan(found.low)
    assert found.status == "degenerate_variance"
    with pytest.raises(EvaluationError, match="whose units"):
        kappa([[1, 2], [2, 1]], patients=["A", "B"])


@pytest.mark.parametrize("weights", [None, "quadratic"])
def test_fisher_limits_by_hand(weights) -> None:
    table = [[30, 6, 1], [5, 25, 4], [1, 4, 24]]
    wald, fisher = (kappa(table, weights=weights, interval=name) for name in ("wald", "fisher"))
    half = 1.9599640 * wald.standard_error / (1 - wald.value**2)
    assert fisher.low == pytest.approx(np.tanh(np.arctanh(wald.value) - half))
    assert fisher.high == pytest.approx(np.tanh(np.arctanh(wald.value) + half))
    assert (fisher.value, fisher.standard_error) == (wald.value, wald.standard_error)


def test_few_disagreements_say_so() -> None:
    assert kappa([[20, 2], [2, 20]]).status == "fewer_than_5_disagreements"
    assert kappa([[20, 3], [2, 20]]).status == "ok"
    assert kappa([[0, 4, 1], [0, 8, 0], [0, 1, 5]]).status == "ok"  # the published table


def test_fisher_limits_of_perfect_agreement_are_exact() -> None:
    wald, fisher = (kappa([[10, 0], [0, 10]], interval=name) for name in ("wald", "fisher"))
    assert (fisher.low, fisher.high, fisher.status) == (wald.low, wald.high, "degenerate_variance")


def test_an_unknown_interval_of_kappa_is_refused() -> None:
    with pytest.raises(EvaluationError, match="interval"):
        kappa([[10, 0], [0, 10]], interval="z")


def test_missing_categories_are_refused_by_row() -> None:
    for missing in (None, np.nan):
        with pytest.raises(EvaluationError, match=r"second has 1 missing categories, in rows such as \[2\]"):
            kappa([0, 1, 1], [0, 1, missing])


@pytest.mark.parametrize("counts", [[["a", "b"], ["c", "d"]], {"a": 1}, [[1, np.nan], [2, 3]], [[1, 2], [3]]])
def test_counts_that_are_none_are_refused(counts) -> None:
    for call in (kappa, fleiss_kappa):
        with pytest.raises(EvaluationError):
            call(counts)
