"""Limits of a resampled measure on the logit scale, where its percentiles do not hold what they say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import expit, logit, stdtrit

from medvision.evaluation.estimates import DEGENERATE_VARIANCE, Estimate
from medvision.evaluation.inputs import Booleans, Integers
from medvision.evaluation.proportions import proportion_limits
from medvision.evaluation.resampling import BootstrapEstimate


def on_logit_scale(
    found: BootstrapEstimate, name: str, truth: Booleans, codes: Integers, *, most: float = 1.0
) -> Estimate:
    """The estimate with logit limits from the spread of its replicates.

    The logit of the value ± t · sqrt(m / (m - 1)) · SE / (value (1 - value)), SE the standard deviation of
    the replicates and t the quantile on m - 1 degrees of freedom, m the patients of the rarer class: a
    bootstrap divides by m where a variance divides by m - 1. Where replicates do not vary, or the value is 0
    or the most that it can be, the limits are the exact ones for m patients, none or all a success, and the
    status is ``degenerate_variance``.

    Args:
        found: A resampled measure between 0 and ``most``.
        name: What the interval is called.
        truth: True where the condition is present, shape ``(n,)``.
        codes: Patient codes, shape ``(n,)``.
        most: The largest value that the measure can have.

    Example:
        >>> replicates = np.linspace(0.7, 0.9, 101)
        >>> plain = BootstrapEstimate(0.8, 0.7, 0.9, standard_error=0.05, replicates=replicates)
        >>> print(on_logit_scale(plain, "logit-t", np.tile([True, False], 20), np.arange(40)))
        0.800 (95% CI 0.672–0.887)
    """
    if math.isnan(found.value):
        return replace(found, method=name)
    rarer = min(len(np.unique(codes[truth])), len(np.unique(codes[~truth])))
    share, error = found.value / most, (found.standard_error or 0.0) / most
    if not 1e-12 < share < 1 - 1e-12 or not error > 1e-12:
        low, high = _exact(share, rarer, found.level)
        method, status = "exact limit", DEGENERATE_VARIANCE
    else:
        df = max(rarer - 1, 1)
        error *= float(stdtrit(df, (1 + found.level) / 2)) * math.sqrt(rarer / df)
        half = error / (share * (1 - share))
        low, high = float(expit(logit(share) - half)), float(expit(logit(share) + half))
        method, status = name, found.status
    return replace(found, low=most * low, high=most * high, method=method, status=status)


def _exact(share: float, rarer: int, level: float) -> tuple[float, float]:
    limit = proportion_limits(rarer, rarer, method="exact", level=level)[0]
    if share > 1 - 1e-12:
        return limit, 1.0
    return (0.0, 1 - limit) if share < 1e-12 else (0.0, 1.0)
