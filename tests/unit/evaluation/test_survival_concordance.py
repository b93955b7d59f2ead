"""Harrell's and Uno's C against scikit-survival and against their definitions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from medvision.errors import EvaluationError
from medvision.evaluation import auroc, harrell_c, uno_c

SAMPLES = Path(__file__).resolve().parents[2] / "golden" / "survival_times.csv"

# scikit-survival 0.28.0: concordance_index_censored(event, time, risk, tied_tol=0)[0], and
# concordance_index_ipcw(s, s, risk, tau, tied_tol=0)[0] for tau 0.5 and 1, s holding the same units.
HARRELL = [0.6834782608695652, 0.6859441790294192, 0.5919642857142857]
UNO = {
    (0, 0.5): 0.6737289613946092,
    (0, 1.0): 0.7089553024799863,
    (1, 0.5): 0.6955357016416464,
    (1, 1.0): 0.6904324049781045,
}


def _sample(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = np.loadtxt(SAMPLES, delimiter=",", skiprows=1)
    own = rows[rows[:, 0] == number]
    return own[:, 1], own[:, 2].astype(int), own[:, 3]


def _by_pairs(time, event, risk, weights, tau: float | None = None) -> float:
    """The definition with weighted units; the censoring share is estimated from the weighted units, too."""
    won = total = 0.0
    for i in range(len(time)):
        if not event[i] or (tau is not None and time[i] >= tau):
            continue
        share = 1.0
        for s in np.unique(time[(event == 0) & (time < time[i])]) if tau is not None else ():
            lost = weights[(time == s) & (event == 0)].sum()
            share *= 1 - lost / (lost + weights[time > s].sum())
        for j in range(len(time)):
            if time[i] < time[j] or (time[i] == time[j] and not event[j]):
                pair = weights[i] * weights[j] / share**2
                total += pair
                won += pair * (1.0 if risk[i] > risk[j] else 0.5 * (risk[i] == risk[j]))
    return won / total


@pytest.mark.parametrize("number", range(3))
def test_harrell_as_scikit_survival(number: int) -> None:
    assert harrell_c(*_sample(number)).value == pytest.approx(HARRELL[number], abs=1e-12)


@pytest.mark.parametrize(("number", "tau"), UNO)
def test_uno_as_scikit_survival(number: int, tau: float) -> None:
    assert uno_c(*_sample(number), tau=tau).value == pytest.approx(UNO[number, tau], abs=1e-12)


@pytest.mark.parametrize("tau", [None, 3.5])
@pytest.mark.parametrize("clustered", [False, True])
def test_value_and_standard_error_as_the_definition_and_its_derivative(tau, clustered: bool) -> None:
    """With ties of every kind: the derivative is numerical, by the weight of each patient, with that of G."""
    time, event, risk = (column[:36] for column in _sample(2))
    patients = np.arange(36) // (3 if clustered else 1)
    found = (
        harrell_c(time, event, risk, patients=patients)
        if tau is None
        else uno_c(time, event, risk, tau=tau, patients=patients)
    )
    m = len(np.unique(patients))
    assert found.value == pytest.approx(_by_pairs(time, event, risk, np.ones(36), tau))
    steps = [1e-5 * (patients == p) for p in range(m)]
    derivative = [
        (_by_pairs(time, event, risk, 1 + s, tau) - _by_pairs(time, event, risk, 1 - s, tau)) / 2e-5
        for s in steps
    ]
    expected = math.sqrt(m / (m - 1) * np.square(derivative).sum())
    assert found.standard_error == pytest.approx(expected, rel=1e-6)
    assert found.low < found.value < found.high


def test_without_censoring_both_are_the_same() -> None:
    time, _, risk = _sample(1)
    everyone = np.ones(len(time), dtype=int)
    plain, weighted = harrell_c(time, everyone, risk), uno_c(time, everyone, risk, tau=float(time.max()))
    assert weighted.value == pytest.approx(plain.value)
    assert weighted.standard_error == pytest.approx(plain.standard_error)


def test_one_time_of_events_and_one_of_follow_up_give_the_area() -> None:
    """Every event at time 1 and everybody else censored at 2: pairs are those of the ROC curve."""
    rng = np.random.default_rng(0)
    event = rng.integers(0, 2, 80)
    risk = (event + rng.normal(0, 1.5, 80)).round(1)
    assert harrell_c(2 - event, event, risk).value == pytest.approx(auroc(event, risk).value)


def test_copies_inside_patients_keep_the_standard_error_near() -> None:
    time, event, risk = _sample(1)
    once = harrell_c(time, event, risk)
    copies = harrell_c(*(np.tile(c, 2) for c in (time, event, risk)), patients=np.tile(np.arange(120), 2))
    assert copies.value == pytest.approx(once.value, abs=0.01)
    assert copies.standard_error == pytest.approx(once.standard_error, rel=0.05)
    assert (copies.n_units, copies.n_patients) == (240, 120)


def test_a_risk_that_runs_the_other_way_is_not_turned_round() -> None:
    time, event, risk = _sample(0)
    assert harrell_c(time, event, -risk).value == pytest.approx(1 - HARRELL[0])


def test_undefined_and_degenerate() -> None:
    assert harrell_c([], [], []).status == "undefined_no_units"
    assert harrell_c([1, 2, 3], [0, 0, 0], [1, 2, 3]).status == "no_comparable_pairs"
    assert harrell_c([1, 1], [1, 1], [1, 2]).status == "no_comparable_pairs"
    perfect = harrell_c([1, 2, 3], [1, 1, 1], [3, 2, 1])
    assert (perfect.value, perfect.status) == (1.0, "degenerate_variance")
    assert math.isnan(perfect.low)
    assert harrell_c([1, 2, 3], [1, 1, 1], [0, 0, 0]).value == 0.5
    one = harrell_c([1, 2, 3], [1, 1, 1], [3, 1, 2], patients=["A", "A", "A"])
    assert math.isnan(one.high)
    assert harrell_c([1, 2, 3, 4], [1, 1, 1, 0], [3, 1, 2, 0]).status == "fewer_than_10_events"
    assert uno_c([1, 2, 3], [0, 1, 1], [1, 2, 3], tau=2).status == "no_comparable_pairs"


@pytest.mark.parametrize("call", [
    lambda: harrell_c([1, np.nan], [1, 0], [1, 2]),
    lambda: harrell_c([1, -2], [1, 0], [1, 2]),
    lambda: harrell_c([1, 2], [1, 2], [1, 2]),
    lambda: harrell_c([1, 2], [1, 0], [1, np.inf]),
    lambda: harrell_c([1, 2], [1, 0], [1]),
    lambda: harrell_c([1, 2], [1, 0], [1, 2], level=95),
    lambda: uno_c([1, 2], [1, 0], [1, 2], tau=2.5),
    lambda: uno_c([1, 2], [1, 0], [1, 2], tau=0),
])  # fmt: skip
def test_wrong_input_is_refused(call) -> None:
    with pytest.raises(EvaluationError):
        call()
