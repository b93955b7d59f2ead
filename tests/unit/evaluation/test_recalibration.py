"""Recalibration against scikit-learn and plain optimisation, and never on its own cases."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from medvision.errors import EvaluationError
from medvision.evaluation.recalibration import Recalibration, recalibrate, recalibrate_out_of_fold
from medvision.evaluation.reliability import calibration


def _cases(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(0.8, 1.2, n)
    return (rng.random(n) < expit(0.6 * logit(p) - 0.5)).astype(int), p


def _loss(labels: np.ndarray, p: np.ndarray) -> float:
    return -float(np.mean(labels * np.log(p) + (1 - labels) * np.log1p(-p)))


def test_platt_on_smoothed_targets_against_weighted_logistic_regression() -> None:
    """A target of t is a positive case of weight t and a negative one of weight 1 - t."""
    labels, scores = _cases()
    n1, n0 = labels.sum(), (1 - labels).sum()
    t = np.where(labels == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    model = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000)
    both = np.concatenate([scores, scores])[:, None]
    model.fit(both, np.repeat([1, 0], len(scores)), sample_weight=np.concatenate([t, 1 - t]))
    found = recalibrate(labels, scores)
    assert found.parameters == pytest.approx((model.coef_[0, 0], model.intercept_[0]), rel=1e-4)
    separated = recalibrate([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6]).apply([1, 6])
    assert 0 < separated[0] < 0.5 < separated[1] < 1


def test_temperature_and_beta_have_the_smallest_loss() -> None:
    labels, p = _cases()
    found = recalibrate(labels, p, method="temperature")
    best = minimize(lambda x: _loss(labels, expit(logit(p) / np.exp(x[0]))), [0.0], method="Nelder-Mead")
    assert found.parameters[0] == pytest.approx(np.exp(best.x[0]), rel=1e-3)
    beta = recalibrate(labels, p, method="beta")

    def of_beta(x: np.ndarray) -> float:
        return _loss(labels, expit(x[0] * np.log(p) - x[1] * np.log1p(-p) + x[2]))

    best = minimize(of_beta, [1.0, 1.0, 0.0], method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)])
    assert _loss(labels, beta.apply(p)) == pytest.approx(best.fun, abs=1e-7)


def test_a_coefficient_of_beta_is_never_negative() -> None:
    rng = np.random.default_rng(4)
    p = rng.random(3000)
    # Nothing happens but near one end, so that the other end's logarithm alone would run backwards.
    low = recalibrate(rng.random(3000) < 0.02 + 0.9 * (p > 0.97), p, method="beta").parameters
    high = recalibrate(rng.random(3000) < 0.98 - 0.9 * (p < 0.03), p, method="beta").parameters
    assert (low[0], high[1]) == (0.0, 0.0)


def test_isotonic_is_scikit_learns() -> None:
    labels, p = _cases()
    expected = IsotonicRegression(out_of_bounds="clip").fit(p, labels)
    new = np.linspace(-0.1, 1.1, 50)
    assert recalibrate(labels, p, method="isotonic").apply(new) == pytest.approx(expected.predict(new))


@pytest.mark.parametrize("method", ["platt", "isotonic", "beta", "temperature"])
def test_new_cases_are_better_calibrated_and_keep_their_order(method: str) -> None:
    labels, p = _cases(3000)
    found = recalibrate(labels, p, method=method)
    new_labels, new = _cases(3000, seed=1)
    before, after = (calibration(new_labels, q, resamples=20) for q in (new, found.apply(new)))
    assert after.brier.value < before.brier.value
    assert np.all(np.diff(found.apply(np.sort(new))) >= 0)
    assert Recalibration.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_no_fold_sees_itself() -> None:
    labels, p = _cases(90)
    folds = np.arange(90) % 3
    found = recalibrate_out_of_fold(labels, p, folds)
    own = folds == 1
    changed = labels.copy()
    changed[own] = 1 - changed[own]
    again = recalibrate_out_of_fold(changed, p, folds)
    assert np.array_equal(again[own], found[own])
    assert not np.array_equal(again[~own], found[~own])
    assert found[own] == pytest.approx(recalibrate(labels[~own], p[~own]).apply(p[own]))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(EvaluationError, match="both classes"):
        recalibrate([1, 1], [0.1, 0.2])
    with pytest.raises(EvaluationError, match="lie outside 0 to 1"):
        recalibrate([0, 1, 0, 1], [-2, 3, 4, 1], method="beta")
    with pytest.raises(EvaluationError, match="use method='platt'"):
        recalibrate([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], method="temperature")
    labels, p = _cases()
    with pytest.raises(EvaluationError, match="no temperature mends"):
        recalibrate(1 - labels, p, method="temperature")
    with pytest.raises(EvaluationError, match="no beta curve mends"):
        recalibrate(1 - labels, p, method="beta")
    with pytest.raises(EvaluationError, match="one fold"):
        recalibrate_out_of_fold(labels, p, np.zeros(600))
    with pytest.raises(EvaluationError, match="several folds"):
        recalibrate_out_of_fold(labels, p, np.arange(600) % 2, patients=np.arange(600) // 2)
