"""Comparable pairs and the censoring share against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from medvision.evaluation import survival_pairs
from medvision.evaluation.survival_pairs import censoring_share, censoring_term, comparable_pairs


def _followed(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 12, n).astype(float), rng.random(n) < 0.6, rng.integers(0, 6, n).astype(float)


def _share_by_hand(times: np.ndarray, events: np.ndarray, weights: np.ndarray) -> list[float]:
    """Kaplan-Meier of the censoring just before each time, events leaving first at a tie."""
    share = []
    for at in times:
        value = 1.0
        for s in sorted({t for t, e in zip(times, events, strict=True) if not e and t < at}):
            lost = weights[(times == s) & ~events].sum()
            value *= 1 - lost / (lost + weights[times > s].sum())
        share.append(value)
    return share


@pytest.mark.parametrize("cells", [30, 2_000_000])
def test_pairs_are_those_of_a_double_loop(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(survival_pairs, "_CELLS", cells)
    times, events, risks = _followed(0)
    weights = np.random.default_rng(1).random(40)
    weights[3] = 0
    found = comparable_pairs(times, events, risks, weights)
    expected = np.zeros((4, 40))
    for i in range(40):
        for j in range(40):
            first = times[i] < times[j] or (times[i] == times[j] and not events[j])
            if events[i] and first and weights[i] > 0:
                won = 1.0 if risks[i] > risks[j] else 0.5 * (risks[i] == risks[j])
                expected[:, i] += [1, won, 0, 0]
                expected[:, j] += [0, 0, weights[i], weights[i] * won]
    names = ("comparable", "concordant", "comparable_before", "concordant_before")
    assert np.stack([getattr(found, name) for name in names]) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_the_share_is_kaplan_meier_just_before(seed: int) -> None:
    times, events, _ = _followed(seed)
    assert censoring_share(times, events) == pytest.approx(_share_by_hand(times, events, np.ones(40)))
    assert censoring_share(times, events).min() > 0


def test_without_censoring_the_share_is_one() -> None:
    times, _, _ = _followed(2)
    everyone = np.ones(40, dtype=bool)
    assert censoring_share(times, everyone).tolist() == [1.0] * 40
    assert censoring_term(times, everyone, np.ones(40)).tolist() == [0.0] * 40
    assert censoring_share(np.empty(0), np.empty(0, dtype=bool)).size == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_term_is_the_derivative_by_each_weight(seed: int) -> None:
    times, events, _ = _followed(seed)
    excess = np.random.default_rng(seed).normal(size=40) * events
    found = censoring_term(times, events, excess)
    for unit in range(40):
        step = 1e-6 * (np.arange(40) == unit)
        up, down = (np.log(_share_by_hand(times, events, 1 + sign * step)) for sign in (1, -1))
        assert found[unit] == pytest.approx(-(excess @ (up - down)) / 2e-6, abs=1e-7)
