"""Paired differences by ranks: Wilcoxon's signed-rank test and the estimate of Hodges and Lehmann."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, UNDEFINED_NO_UNITS, Estimate, undefined
from medvision.evaluation.inputs import Floats

Zeros = Literal["drop", "pratt"]

TOO_FEW_FOR_LEVEL = "too_few_differences_for_the_level"

_EXACT = 200
_TIED = 12


class SignedRank(NamedTuple):
    """The sum of the ranks of the positive differences, its two-sided p, how many were 0, and how p was made.

    Example:
        >>> SignedRank(40.0, 0.039, 0, "exact").statistic
        40.0
    """

    statistic: float
    p: float
    zeros: int
    method: str


def signed_rank(differences: Floats, *, zeros: Zeros = "drop") -> SignedRank:
    """Wilcoxon's signed-rank test that differences are symmetric about 0.

    Reference: Wilcoxon, Biometrics Bull 1945;1:80, doi:10.2307/3001968.

    Up to 200 differences p is exact given the ranks, also with ties (every sign is as likely as not, midranks
    stay as they are); above, the normal approximation with the variance of the midranks and a continuity
    correction of 0.5. Two-sided p is twice the smaller tail, at most 1. Differences closer than 1e-12 of
    the largest are ties.

    Args:
        differences: Shape ``(n,)``, finite.
        zeros: ``drop``: differences of 0 are left out before ranking (Wilcoxon; the default of R and SciPy).
            ``pratt``: they are ranked, and then left out (Pratt, J Am Stat Assoc 1959;54:655,
            doi:10.1080/01621459.1959.10501526).

    Returns:
        The test; p is 1 where every difference is 0, NaN without any.

    Example:
        >>> found = signed_rank(np.array([0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01]))
        >>> found.statistic, round(found.p, 5)
        (40.0, 0.03906)
    """
    from scipy.stats import rankdata

    size = np.abs(differences).max(initial=0.0)
    scaled = np.round(differences / size, _TIED) if size > 0 else differences
    present = scaled != 0
    missing = int((~present).sum())
    ranked = scaled if zeros == "pratt" else scaled[present]
    ranks = rankdata(np.abs(ranked))[ranked != 0]
    statistic = float(ranks[ranked[ranked != 0] > 0].sum())
    if not present.any():
        return SignedRank(0.0, 1.0 if len(differences) else math.nan, missing, "exact")
    if len(ranks) <= _EXACT:
        chance = _distribution(ranks)
        place = round(2 * statistic)
        tail = min(chance[: place + 1].sum(), chance[place:].sum())
        return SignedRank(statistic, float(min(1.0, 2 * tail)), missing, "exact")
    spread = math.sqrt(float((ranks**2).sum()) / 4)
    distance = max(0.0, abs(statistic - float(ranks.sum()) / 2) - 0.5)
    return SignedRank(
        statistic, float(min(1.0, 2 * ndtr(-distance / spread))), missing, "normal approximation"
    )


def hodges_lehmann(differences: Floats, *, level: float = 0.95) -> Estimate:
    """The centre of symmetric differences: the median of the means of all pairs of them.

    The pairs (Walsh averages) include each difference with itself, and differences of 0 stay in. The limits
    are the k-th smallest and k-th largest mean, k being the lower quantile of the signed-rank statistic
    without ties: exact up to 200 differences, by the normal approximation above; with ties the interval is
    rather too wide. Reference: Hodges and Lehmann, Ann Math Stat 1963;34:598,
    doi:10.1214/aoms/1177704172.

    Args:
        differences: Shape ``(n,)``, finite.
        level: Confidence level.

    Returns:
        The estimate; without limits where so few differences cannot reach the level (5 or fewer at 95%), and
        where all are the same (``degenerate_variance``).

    Example:
        >>> print(hodges_lehmann(np.array([0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01])))
        0.460 (95% CI 0.010–0.786)
    """
    n = len(differences)
    name = "Hodges–Lehmann, Walsh averages"
    if n == 0:
        return undefined(UNDEFINED_NO_UNITS, level=level, method=name, n_units=0, n_patients=0)
    row, column = np.triu_indices(n)
    means = np.sort((differences[row] + differences[column]) / 2)
    value = float(np.median(means))
    k = _lower_quantile(n, (1 - level) / 2)
    if k < 1:
        return Estimate(value, math.nan, math.nan, level, name, n, n, TOO_FEW_FOR_LEVEL)
    if np.ptp(differences) == 0:
        return Estimate(value, math.nan, math.nan, level, name, n, n, DEGENERATE_VARIANCE)
    return Estimate(value, float(means[k - 1]), float(means[len(means) - k]), level, name, n, n, OK)


def _distribution(ranks: Floats) -> Floats:
    """Chance of each value of twice the sum, every rank being in it or not with the same chance."""
    steps = np.round(2 * ranks).astype(np.int64)
    chance = np.zeros(int(steps.sum()) + 1)
    chance[0] = 1.0
    for step in steps:
        moved = chance[:-step] / 2
        chance /= 2
        chance[step:] += moved
    return chance


def _lower_quantile(n: int, tail: float) -> int:
    """The smallest value of the statistic that is not exceeded with at least this chance."""
    if n <= _EXACT:
        upto = np.cumsum(_distribution(np.arange(1.0, n + 1)))[::2]
        # Sums of powers of one half: what is equal but for rounding is equal.
        return int(np.argmax(upto >= tail * (1 - 1e-12)))
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return math.ceil(n * (n + 1) / 4 + float(ndtri(tail)) * spread - 0.5)
