"""Time to an event: how often the one with the higher risk has the event first."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import (
    DEGENERATE_VARIANCE,
    OK,
    UNDEFINED_NO_UNITS,
    Estimate,
    undefined,
)
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    finite_scores,
    patient_codes,
    same_length,
)
from medvision.evaluation.roc import NO_VARIANCE
from medvision.evaluation.survival_pairs import censoring_share, censoring_term, comparable_pairs

NO_PAIRS = "no_comparable_pairs"
FEW_EVENTS = "fewer_than_10_events"


def harrell_c(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Harrell's C: the share of comparable pairs in which the higher risk has the earlier event.

    A pair is comparable where the earlier of both times is an event, or where both times are equal and one
    of them is an event and the other is censored (the event then came first). Two events at one time are not
    comparable. Equal risks count half (Harrell et al., JAMA 1982;247:2543,
    doi:10.1001/jama.1982.03320430047030). The value depends on the censoring: pairs in which the earlier time
    is censored are left out, so studies with another follow-up are not comparable;
    :func:`medvision.evaluation.uno_c` corrects for that.

    The variance sums, over patients, the squares of what each adds to the index (infinitesimal jackknife,
    m / (m - 1)); the interval is made on the logit scale.

    Args:
        time: Until the event or the end of follow-up, shape ``(n,)``, 0 or more.
        event: 1 where the event was seen, 0 where the unit was censored.
        risk: Higher means an earlier event. For predicted times give their negative.
        patients: The patient of each unit.
        level: Confidence level.

    Returns:
        The index; NaN with ``no_comparable_pairs`` where no pair can be compared. Where nothing varies (all
        pairs concordant) it has no interval, and the status is ``degenerate_variance``.

    Raises:
        EvaluationError: A time is missing or below 0, an event is not 0 or 1, or the lengths differ.

    Example:
        Where every event was seen, at one of two times, it is the area under the ROC curve: 0.893 for the
        ratings of Hanley and McNeil (1982), the abnormal scans having the earlier time:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> print(harrell_c(2 - labels, np.ones(109), ratings))
        0.893 (95% CI 0.817–0.940)
        >>> time, event = [2, 3, 4, 5, 6, 7, 8, 9], [1, 0, 1, 1, 0, 1, 1, 0]
        >>> print(harrell_c(time, event, [0.9, 0.4, 0.8, 0.3, 0.5, 0.6, 0.2, 0.1]))
        0.895 (95% CI 0.445–0.989)
    """
    checked_level(level)
    times, events, risks, codes = _units(time, event, risk, patients)
    return _concordance(times, events, risks, codes, events.astype(np.float64), None, "Harrell, logit", level)


def uno_c(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    *,
    tau: float,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Uno's C: concordance up to a time, free of the censoring of this study.

    Each comparable pair counts 1 / G(t-)², G being the Kaplan-Meier estimate of staying uncensored, at its
    earlier time t, which must be an event before ``tau`` (Uno et al., Stat Med 2011;30:1105,
    doi:10.1002/sim.4154). It assumes that censoring does not depend on the risk. G is estimated from these
    same units, an event coming before a censoring at the same time; it is taken just before t, so it is never
    0. Programs that take it at t itself differ where censorings and events share their times. Pairs and ties
    are those of :func:`medvision.evaluation.harrell_c`; the variance contains that of G.

    Args:
        time: Until the event or the end of follow-up, shape ``(n,)``, 0 or more.
        event: 1 where the event was seen, 0 where the unit was censored.
        risk: Higher means an earlier event.
        tau: Events before this time count; it must lie within the follow-up. State it, and choose it before.
        patients: The patient of each unit.
        level: Confidence level.

    Returns:
        The index, as for :func:`medvision.evaluation.harrell_c`.

    Raises:
        EvaluationError: As for :func:`medvision.evaluation.harrell_c`, or nobody was followed to ``tau``.

    Example:
        Where every event was seen, at one of two times, it is the area under the ROC curve: 0.893 for the
        ratings of Hanley and McNeil (1982), the abnormal scans having the earlier time:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> print(uno_c(2 - labels, np.ones(109), ratings, tau=1.5))
        0.893 (95% CI 0.817–0.940)
        >>> time, event = [2, 3, 4, 5, 6, 7, 8, 9], [1, 0, 1, 1, 0, 1, 1, 0]
        >>> print(uno_c(time, event, [0.9, 0.4, 0.8, 0.3, 0.5, 0.6, 0.2, 0.1], tau=8.5))
        0.897 (95% CI 0.487–0.988)
    """
    checked_level(level)
    times, events, risks, codes = _units(time, event, risk, patients)
    if not 0 < tau < math.inf or (len(times) and tau > times.max()):
        raise EvaluationError(
            f"tau={tau} lies outside the follow-up; give a time above 0 up to "
            f"{times.max() if len(times) else 0:g}, the longest"
        )
    share = censoring_share(times, events)
    weights = np.where(events & (times < tau), share**-2.0, 0.0)
    return _concordance(times, events, risks, codes, weights, share, f"Uno to {tau:g}, logit", level)


def _units(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, patients: ArrayLike | None
) -> tuple[Floats, Booleans, Floats, Integers]:
    times = finite_scores(time, name="times", patients=patients)
    try:
        events = binary_labels(event, patients=patients)
    except EvaluationError as error:
        told = "event holds 1 where the event was seen and 0 where the unit was censored"
        raise EvaluationError(told, problems=error.problems) from None
    risks = finite_scores(risk, name="risks", patients=patients)
    same_length(len(times), event=events, risk=risks)
    if (times < 0).any():
        raise EvaluationError(
            f"{(times < 0).sum()} times lie below 0: row {int(np.flatnonzero(times < 0)[0])} is the first"
        )
    return times, events, risks, patient_codes(patients, len(times))


def _concordance(
    times: Floats,
    events: Booleans,
    risks: Floats,
    codes: Integers,
    weights: Floats,
    share: Floats | None,
    method: str,
    level: float,
) -> Estimate:
    n, m = len(times), len(np.unique(codes))
    pairs = comparable_pairs(times, events, risks, weights)
    total = float(weights @ pairs.comparable)
    if total == 0:
        status = NO_PAIRS if n else UNDEFINED_NO_UNITS
        return undefined(status, level=level, method=method, n_units=n, n_patients=m)
    index = float(weights @ pairs.concordant) / total
    excess = weights * (pairs.concordant - index * pairs.comparable)
    added = excess + pairs.concordant_before - index * pairs.comparable_before
    if share is not None:
        added = added + 2 * censoring_term(times, events, excess)
    sums = np.bincount(codes, weights=added) / total
    variance = m / (m - 1) * float(sums @ sums) if m > 1 else math.nan
    if not variance > NO_VARIANCE or not 0 < index < 1:
        return Estimate(index, math.nan, math.nan, level, method, n, m, DEGENERATE_VARIANCE)
    error = math.sqrt(variance)
    centre, half = float(logit(index)), float(ndtri((1 + level) / 2)) * error / (index * (1 - index))
    status = OK if len(np.unique(codes[weights > 0])) >= 10 else FEW_EVENTS
    return Estimate(
        index, float(expit(centre - half)), float(expit(centre + half)), level, method, n, m, status, error
    )
