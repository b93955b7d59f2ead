"""Is acting on the model better than treating all or none? Decision curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.class_inputs import content_order
from medvision.evaluation.estimates import ONE_CLASS
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    checked_prevalence,
    checked_probabilities,
    finite_scores,
    patient_codes,
    same_length,
)
from medvision.evaluation.resampling import label_strata, patient_draws

if TYPE_CHECKING:
    import pandas as pd

WITHOUT_INTERVAL = "no_interval"


def decision_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    *,
    prevalence: float | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Net benefit over threshold probabilities.

    At a threshold t, one treated patient with the condition is worth (1 - t) / t treated without it. A
    patient is treated where the probability is t or more (Vickers and Elkin, Med Decis Making 2006;26:565,
    doi:10.1177/0272989X06295361).

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        probabilities: Shape ``(n,)``.
        thresholds: Between 0 (included) and 1 (excluded), in the range where decisions are taken.
        prevalence: For cases and controls that were sampled apart: the share of the condition where the
            model is to be used.
        patients: The patient of each unit.
        level: Confidence level of the interval, a percentile bootstrap over patients.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap; 0 leaves the interval out.
        seed: Of the bootstrap.

    Returns:
        A row for each threshold: ``threshold``, ``net_benefit``, ``low``, ``high``, ``treat_all``,
        ``treat_none``, ``interventions_avoided`` (per unit, against treating all; NaN at 0).

    Raises:
        EvaluationError: A value is no probability, a threshold lies outside, or only one class is present.

    Example:
        Made-up numbers; ``docs/published_tables.md`` recomputes the example of the R package ``dcurves``.

        >>> table = decision_curve([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], [0.5], resamples=0)
        >>> table[["net_benefit", "treat_all"]].values.tolist()
        [[0.0, 0.0]]
    """
    import pandas as pd

    checked_level(level)
    truth = binary_labels(labels, positive=positive, patients=patients)
    p = checked_probabilities(probabilities)
    same_length(len(truth), probabilities=p)
    t = finite_scores(np.atleast_1d(np.asarray(thresholds)), name="thresholds")
    if np.any((t < 0) | (t >= 1)):
        raise EvaluationError(
            "thresholds lie from 0 to below 1; they are probabilities at which one would act"
        )
    if prevalence is not None:
        checked_prevalence(prevalence)
    if truth.all() or not truth.any():
        raise EvaluationError(f"net benefit needs both classes ({ONE_CLASS.replace('_', ' ')} is present)")
    codes = patient_codes(patients, len(p))
    order = content_order(codes, patients, p, truth)  # the draws do not depend on the rows
    truth, p, codes = truth[order], p[order], codes if patients is None else codes[order]
    odds, treated = t / (1 - t), p[:, None] >= t[None, :]
    ones = np.ones((1, len(p)))
    benefit = _net_benefit(ones, truth, treated, odds, prevalence)[0]
    everyone = _net_benefit(ones, truth, np.ones_like(treated), odds, prevalence)[0]
    low, high = _limits(codes, truth, treated, odds, prevalence, level, resamples, seed)
    avoided = np.divide(benefit - everyone, odds, out=np.full(len(t), np.nan), where=odds > 0)
    return pd.DataFrame(
        {
            "threshold": t,
            "net_benefit": benefit,
            "low": low,
            "high": high,
            "treat_all": everyone,
            "treat_none": 0.0,
            "interventions_avoided": avoided,
        }
    )


def _net_benefit(
    weights: Floats, truth: Booleans, treated: Booleans, odds: Floats, prevalence: float | None
) -> Floats:
    hits = weights @ (treated & truth[:, None])
    alarms = weights @ (treated & ~truth[:, None])
    if prevalence is None:  # defined in a draw without either class, too
        return np.asarray((hits - alarms * odds) / weights.sum(axis=1, keepdims=True), dtype=np.float64)
    gain = prevalence * hits / (weights @ truth)[:, None]
    loss = (1 - prevalence) * alarms / (weights @ ~truth)[:, None]
    return np.asarray(gain - loss * odds, dtype=np.float64)


def _limits(
    codes: Integers,
    truth: Booleans,
    treated: Booleans,
    odds: Floats,
    prevalence: float | None,
    level: float,
    resamples: int,
    seed: int,
) -> tuple[Floats, Floats]:
    if resamples == 0:
        return np.full(len(odds), np.nan), np.full(len(odds), np.nan)
    # Unstratified where the prevalence is that of the sample: it varies from sample to sample, too.
    size = int(codes.max()) + 1
    strata = np.zeros(size, dtype=np.int64) if prevalence is None else label_strata(truth, codes)
    parts = [
        _net_benefit(counts[:, codes], truth, treated, odds, prevalence)
        for counts in patient_draws(strata, resamples, seed)
    ]
    drawn = np.concatenate(parts)
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
