"""Several metrics from the same draws of patients, stratified by the rarest class of each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from medvision.evaluation.estimates import DEGENERATE_VARIANCE, FEW_UNITS, OK, Estimate
from medvision.evaluation.inputs import Floats, Integers
from medvision.evaluation.resampling import patient_draws

CLASS_WITHOUT_CASES = "class_without_cases"
BOOTSTRAP = "bootstrap over patients, percentile"


def joint_bootstrap(
    metrics: dict[str, Callable[[Floats], Floats]],
    strata: Integers,
    codes: Integers,
    *,
    resamples: int,
    seed: int,
    level: float,
    status: str = OK,
) -> dict[str, Estimate]:
    """Percentile intervals of several metrics of weights, from the same draws of patients.

    Args:
        metrics: Functions of weights of units, shape ``(resamples, n)``.
        strata: The stratum of each patient.
        codes: The patient of each unit.
        resamples: How many.
        seed: Of the draws.
        level: Confidence level.
        status: Where it is not ``ok`` the estimates keep it.

    Example:
        >>> codes = np.arange(20)
        >>> mean = {"mean": lambda weights: weights @ codes / weights.sum(axis=1)}
        >>> found = joint_bootstrap(mean, codes * 0, codes, resamples=200, seed=0, level=0.95)
        >>> found["mean"].value
        9.5
    """
    ones = np.ones((1, len(codes)))
    replicates: dict[str, list[Floats]] = {name: [] for name in metrics}
    undefined = status == CLASS_WITHOUT_CASES
    for counts in () if undefined else patient_draws(strata, resamples, seed):
        for name, metric in metrics.items():
            replicates[name].append(metric(counts[:, codes]))
    found = {}
    n_patients = len(np.unique(codes))
    for name, metric in metrics.items():
        value = math.nan if undefined else float(metric(ones)[0])
        drawn = np.concatenate(replicates[name]) if replicates[name] else np.empty(0)
        missing = int(np.isnan(drawn).sum())
        drawn = drawn[np.isfinite(drawn)]
        own, low, high = status, math.nan, math.nan
        if len(drawn) and np.ptp(drawn) > 1e-12:
            low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]).tolist()
            own = FEW_UNITS if status == OK and n_patients < 10 else status
            if own == OK and missing:
                own = f"{missing}_of_{resamples}_replicates_undefined"
        elif not undefined:
            own = DEGENERATE_VARIANCE
        error = float(drawn.std(ddof=1)) if len(drawn) > 1 else None
        found[name] = Estimate(value, low, high, level, BOOTSTRAP, len(codes), n_patients, own, error, seed)
    return found


def strata_of(places: Integers, codes: Integers) -> Integers:
    """A stratum for each patient: the rarest class among its units, so that no class dies out.

    Example:
        >>> strata_of(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])).tolist()
        [0, 1]
    """
    sizes = np.bincount(places)
    order = np.argsort(-sizes[places], kind="stable")  # the rarest class is written last
    strata = np.zeros(int(codes.max()) + 1 if len(codes) else 0, dtype=np.int64)
    strata[codes[order]] = places[order]
    return strata
