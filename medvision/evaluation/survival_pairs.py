"""Pairs of times that can be compared, and the censoring that hides others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medvision.evaluation.inputs import Booleans, Floats

_CELLS = 2_000_000


@dataclass(frozen=True)
class Pairs:
    """What each unit has of comparable pairs; all of shape ``(n,)``.

    Attributes:
        comparable: How many units have a later time than this event.
        concordant: In how many of these pairs this unit has the higher risk, ties counting half.
        comparable_before: Sum of the weights of the events that came before this unit.
        concordant_before: The same of concordant pairs.

    Example:
        >>> ones = np.ones(2)
        >>> comparable_pairs(np.array([1.0, 2.0]), ones > 0, np.array([0.9, 0.1]), ones).concordant.tolist()
        [1.0, 0.0]
    """

    comparable: Floats
    concordant: Floats
    comparable_before: Floats
    concordant_before: Floats


def comparable_pairs(times: Floats, events: Booleans, risks: Floats, weights: Floats) -> Pairs:
    """Count pairs of an event and a unit that was still without one, a block of events at a time.

    Args:
        times: Shape ``(n,)``.
        events: True where the event was seen.
        risks: Shape ``(n,)``.
        weights: Of each event; 0 leaves it out.

    Example:
        >>> found = comparable_pairs(np.array([1.0, 1.0]), np.array([True, False]), np.zeros(2), np.ones(2))
        >>> found.comparable.tolist(), found.concordant.tolist()
        ([1.0, 0.0], [0.5, 0.0])
    """
    n = len(times)
    comparable, concordant, before, right_before = np.zeros((4, n))
    first = np.flatnonzero(events & (weights > 0))
    step = max(1, _CELLS // max(n, 1))
    for start in range(0, len(first), step):
        rows = first[start : start + step]
        later = times[rows, None] < times[None, :]
        later |= (times[rows, None] == times[None, :]) & ~events[None, :]
        won = later * ((risks[rows, None] > risks) + 0.5 * (risks[rows, None] == risks))
        comparable[rows], concordant[rows] = later.sum(axis=1), won.sum(axis=1)
        before += weights[rows] @ later
        right_before += weights[rows] @ won
    return Pairs(comparable, concordant, before, right_before)


def censoring_share(times: Floats, events: Booleans) -> Floats:
    """The Kaplan-Meier share that is uncensored just before each unit's time, shape ``(n,)``.

    An event comes before a censoring at the same time, so units with an event leave the risk set first.

    Example:
        >>> censoring_share(np.array([1.0, 2.0, 3.0]), np.array([False, True, True])).round(3).tolist()
        [1.0, 0.667, 0.667]
    """
    if not len(times):
        return np.empty(0)
    moments, censored, at_risk = _risk_sets(times, events)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(censored > 0, 1 - censored / at_risk, 1.0)
    after = np.cumprod(kept)
    return np.asarray(np.r_[1.0, after[:-1]][np.searchsorted(moments, times)], dtype=np.float64)


def censoring_term(times: Floats, events: Booleans, excess: Floats) -> Floats:
    """What each unit adds to the sum of ``excess`` through the censoring share, for each power of 1 / share.

    It is the derivative of minus the logarithm of the share at each unit's time, by the weight of every
    unit, summed with ``excess``.

    Args:
        times: Shape ``(n,)``.
        events: True where the event was seen.
        excess: What hangs on the share of each unit, shape ``(n,)``.

    Example:
        >>> times, events = np.array([1.0, 2.0, 3.0]), np.array([False, True, True])
        >>> censoring_term(times, events, np.array([0.0, 1.0, 0.0])).round(3).tolist()
        [0.333, -0.167, -0.167]
    """
    moments, censored, at_risk = _risk_sets(times, events)
    place = np.searchsorted(moments, times)
    total = np.bincount(place, weights=excess, minlength=len(moments))
    later = total[::-1].cumsum()[::-1] - total
    open_after = at_risk - censored
    # Where the last unit is censored nothing later hangs on the share.
    each = np.divide(later, open_after, out=np.zeros_like(later), where=open_after > 0)
    hazard = np.divide(censored, at_risk, out=np.zeros_like(later), where=at_risk > 0)
    passed = np.cumsum(hazard * each)
    # A unit with an event has left the risk set before the censorings of the same time.
    exposed = passed[place] - np.where(events, (hazard * each)[place], 0.0)
    return np.asarray(np.where(events, 0.0, each[place]) - exposed, dtype=np.float64)


def _risk_sets(times: Floats, events: Booleans) -> tuple[Floats, Floats, Floats]:
    """Distinct times, how many are censored at each, and how many could be."""
    moments, place = np.unique(times, return_inverse=True)
    censored = np.bincount(place, weights=~events, minlength=len(moments)).astype(np.float64)
    leaving = np.bincount(place, minlength=len(moments)).astype(np.float64)
    after = leaving[::-1].cumsum()[::-1] - leaving
    return moments, censored, after + censored
