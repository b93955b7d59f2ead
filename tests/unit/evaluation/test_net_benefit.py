"""Decision curves."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import decision_curve


@pytest.fixture(scope="module")
def risks() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    p = rng.beta(1, 3, 300)
    return (rng.random(300) < p).astype(int), p


def test_treat_all_and_interventions_avoided_by_hand(risks) -> None:
    labels, p = risks
    row = decision_curve(labels, p, [0.2], resamples=0).iloc[0]
    prevalence = labels.mean()
    assert row["treat_all"] == pytest.approx(prevalence - (1 - prevalence) * 0.25)
    assert row["treat_none"] == 0
    assert row["interventions_avoided"] == pytest.approx((row["net_benefit"] - row["treat_all"]) / 0.25)


def test_the_prevalence_of_the_sample_changes_nothing(risks) -> None:
    labels, p = risks
    plain = decision_curve(labels, p, [0.1, 0.3], resamples=0)
    stated = decision_curve(labels, p, [0.1, 0.3], prevalence=float(labels.mean()), resamples=0)
    np.testing.assert_allclose(plain["net_benefit"], stated["net_benefit"])


def test_cases_and_controls_are_weighted_to_the_stated_prevalence(risks) -> None:
    labels, p = risks
    # Every control three times: with the prevalence of the cohort stated, nothing may change.
    more = np.concatenate([np.flatnonzero(labels), np.repeat(np.flatnonzero(labels == 0), 3)])
    expected = decision_curve(labels, p, [0.2], resamples=0)["net_benefit"]
    found = decision_curve(labels[more], p[more], [0.2], prevalence=float(labels.mean()), resamples=0)
    np.testing.assert_allclose(found["net_benefit"], expected)


def test_the_interval_holds_the_curve_and_depends_on_patients(risks) -> None:
    labels, p = risks
    once = decision_curve(labels, p, [0.1, 0.3], patients=np.arange(300), resamples=400)
    assert (once["low"] < once["net_benefit"]).all()
    assert (once["net_benefit"] < once["high"]).all()
    copies = decision_curve(
        np.repeat(labels, 3),
        np.repeat(p, 3),
        [0.1, 0.3],
        patients=np.repeat(np.arange(300), 3),
        resamples=400,
    )
    np.testing.assert_allclose(copies["high"] - copies["low"], once["high"] - once["low"], rtol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: decision_curve([0, 1], [0.1, 0.9], [1.0]),
        lambda: decision_curve([0, 1], [0.1, 0.9], [-0.1]),
        lambda: decision_curve([1, 1], [0.1, 0.9], [0.5]),
        lambda: decision_curve([0, 1], [0.1, 1.9], [0.5]),
        lambda: decision_curve([0, 1], [0.1, 0.9], [0.5], prevalence=5),
    ],
)
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()


def test_draws_without_a_class_count() -> None:
    """One of four is positive: a third of the draws has none, and net benefit 0 or less."""
    labels, p = np.array([1, 0, 0, 0]), np.array([0.9, 0.1, 0.2, 0.3])
    row = decision_curve(labels, p, [0.5], resamples=400).iloc[0]
    drawn = [
        (labels[rows] & (p[rows] >= 0.5)).mean()
        for rows in np.random.default_rng(0).integers(0, 4, (4000, 4))
    ]
    assert [row["low"], row["high"]] == [0.0, pytest.approx(np.quantile(drawn, 0.975))]


def test_the_interval_does_not_depend_on_the_rows(risks) -> None:
    labels, p = risks
    order = np.random.default_rng(4).permutation(len(labels))
    once = decision_curve(labels, p, [0.1, 0.3], resamples=100)
    assert once.equals(decision_curve(labels[order], p[order], [0.1, 0.3], resamples=100))


@pytest.mark.parametrize("resamples", [-1, 1.5, None])
def test_resamples_that_cannot_be_drawn_are_refused(risks, resamples) -> None:
    with pytest.raises(EvaluationError, match="resamples="):
        decision_curve(*risks, [0.1], resamples=resamples)
