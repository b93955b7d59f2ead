"""Two proportions on the same units; and the way in to those on different ones."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import (
    DEGENERATE_VARIANCE,
    FEW_UNITS,
    OK,
    UNDEFINED_NO_UNITS,
    Comparison,
    Estimate,
    undefined,
)
from medvision.evaluation.independent_proportions import independent_difference
from medvision.evaluation.inputs import (
    Booleans,
    Integers,
    binary_labels,
    checked_level,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.mcnemar_test import mcnemar_p, tango_limits
from medvision.evaluation.proportions import proportion, proportion_limits

FEW_PATIENTS = "fewer_than_40_patients"
_FEW = 40

_PAIRED = ("tango", "newcombe")
_INDEPENDENT = ("newcombe", "miettinen_nurminen")


def compare_proportions(
    a: ArrayLike,
    b: ArrayLike,
    *,
    paired: bool = True,
    method: Literal["tango", "newcombe", "miettinen_nurminen"] | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Comparison:
    """The difference of two proportions, first minus second.

    Paired (the same units, in the same order) the interval is Tango's score interval (Stat Med 1998;17:891,
    doi:10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B) or Newcombe's square-and-add for
    pairs (method 10, Stat Med 1998;17:2635,
    doi:10.1002/(SICI)1097-0258(19981130)17:22%3C2635::AID-SIM954%3E3.0.CO;2-C), and p is McNemar's mid-p
    (Fagerland, Lydersen and Laake, BMC Med Res Methodol 2013;13:91, doi:10.1186/1471-2288-13-91). With
    several units a patient it is Obuchowski's (Stat Med 1998;17:1495,
    doi:10.1002/(SICI)1097-0258(19980715)17:13%3C1495::AID-SIM863%3E3.0.CO;2-I). For sensitivity compare the
    diseased units only, for specificity the others.

    Independent, the interval is Newcombe's hybrid score (method 10, Stat Med 1998;17:873,
    doi:10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I) or the score interval of
    Miettinen and Nurminen (Stat Med 1985;4:213, doi:10.1002/sim.4780040211), and p is the score test of the
    latter.

    Args:
        a: 0 or 1 for each unit: did the first succeed?
        b: 0 or 1 for each unit: did the second?
        paired: Whether both belong to the same units.
        method: ``tango`` (the default where paired), ``newcombe`` (the default where independent), or
            ``miettinen_nurminen`` (independent).
        patients: Paired only: the patient of each unit.
        level: Confidence level.

    Returns:
        The comparison. With fewer than 40 patients of several units Obuchowski's test claims too often
        (simulated, 7% with 20), and the status is ``fewer_than_40_patients``.

    Raises:
        EvaluationError: A value is not 0 or 1, paired lengths differ, or the method does not fit.

    Example:
        The R package ``contingencytables`` prints -0.1240 to -0.0054 for the pairs of Cavo and others, and
        Newcombe (1998), table II, 0.0524 to 0.3339 for 56/70 less 48/80:

        >>> from medvision.evaluation.published import cavo
        >>> before, after = cavo()
        >>> print(compare_proportions(before, after))
        difference -0.062 (95% CI -0.124 to -0.005), p = 0.035
        >>> one, other = np.repeat([1, 0], [56, 14]), np.repeat([1, 0], [48, 32])
        >>> compare_proportions(one, other, paired=False, method="newcombe").difference.text(4)
        '0.2000 (95% CI 0.0524–0.3339)'
    """
    checked_level(level)
    chosen = method or ("tango" if paired else "newcombe")
    one_of(chosen, _PAIRED if paired else _INDEPENDENT, "method")
    first, second = binary_labels(a), binary_labels(b)
    if not paired:
        if patients is not None:
            raise EvaluationError(
                "patients= is for paired proportions; independent groups have one unit a patient"
            )
        return independent_difference(first, second, chosen, level)
    same_length(len(first), b=second)
    codes = patient_codes(patients, len(first))
    if len(np.unique(codes)) < len(codes):
        return _clustered_pairs(first, second, codes, level)
    return _pairs(first, second, chosen, level)


def _pairs(first: Booleans, second: Booleans, method: str, level: float) -> Comparison:
    n11, n12 = int((first & second).sum()), int((first & ~second).sum())
    n21, n22 = int((~first & second).sum()), int((~first & ~second).sum())
    n = len(first)
    name = "Tango" if method == "tango" else "Newcombe, square-and-add"
    one, two = (proportion(int(x.sum()), n, level=level) for x in (first, second))
    if n == 0:
        blank = undefined(UNDEFINED_NO_UNITS, level=level, method=name, n_units=0, n_patients=0)
        return Comparison(blank, math.nan, math.nan, "McNemar, midp", None, one, two)
    limits = (
        tango_limits(n12, n21, n, level) if method == "tango" else _newcombe_paired(n11, n12, n21, n22, level)
    )
    value, status = (n12 - n21) / n, OK if n >= 10 else FEW_UNITS
    difference = Estimate(value, *limits, level, name, n, n, status)
    statistic, p = mcnemar_p(n12, n21, "midp")
    return Comparison(difference, statistic, p, "McNemar, midp", None, one, two)


def _newcombe_paired(n11: int, n12: int, n21: int, n22: int, level: float) -> tuple[float, float]:
    n = n11 + n12 + n21 + n22
    p1, p2 = (n11 + n12) / n, (n11 + n21) / n
    (l1, u1), (l2, u2) = (proportion_limits(p * n, n, level=level) for p in (p1, p2))
    margins = math.sqrt((n11 + n12) * (n21 + n22)) * math.sqrt((n11 + n21) * (n12 + n22))
    product = float(n11 * n22 - n12 * n21)
    # Newcombe's continuity correction of phi; it never turns a positive correlation negative.
    if product > 0:
        product = max(product - n / 2, 0)
    phi = product / margins if margins > 0 else 0.0
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - math.sqrt(max(below, 0)), p1 - p2 + math.sqrt(max(above, 0))


def _clustered_pairs(first: Booleans, second: Booleans, codes: Integers, level: float) -> Comparison:
    gap = first.astype(float) - second.astype(float)
    m, n = int(codes.max()) + 1, len(gap)
    value = float(gap.mean())
    residual = np.bincount(codes, weights=gap - value)
    variance = float(m / (m - 1) * (residual @ residual) / n**2) if m > 1 else math.nan
    name = "Obuchowski, clustered pairs, z"
    if variance > 1e-24:
        error = math.sqrt(variance)
        half, z = float(ndtri((1 + level) / 2)) * error, value / error
        low, high = max(value - half, -1.0), min(value + half, 1.0)
        return Comparison(
            Estimate(value, low, high, level, name, n, m, OK if m >= _FEW else FEW_PATIENTS, error),
            z,
            float(2 * ndtr(-abs(z))),
            name,
        )
    # Every patient differs by the same: the patients are taken as single pairs.
    b, c = (m, 0) if value > 0 else (0, m)
    low, high = tango_limits(0, 0, m, level) if value == 0 else tango_limits(b, c, m, level)
    low, high = min(low, value), max(high, value)
    p = 1.0 if value == 0 else math.nan
    difference = Estimate(value, low, high, level, "Tango over patients", n, m, DEGENERATE_VARIANCE)
    return Comparison(difference, 0.0 if value == 0 else math.nan, p, name)
