"""How many cases show that two models differ on the same patients, and what clusters and losses add."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import checked_level, is_number
from medvision.evaluation.sample_size import (
    CaseNumbers,
    Scores,
    binormal_variance,
    require_between,
    require_cases,
    whole_cases,
)


def sample_size_paired_auroc(
    expected_a: float,
    expected_b: float,
    *,
    correlation: float = 0.5,
    scores: Scores = "ratings",
    power: float = 0.8,
    ratio: float = 1.0,
    level: float = 0.95,
    sided: int = 2,
) -> CaseNumbers:
    """Cases that show the areas of two models on the same patients to differ.

    The variance of the difference is the sum of those of the areas less twice the covariance, as in
    Obuchowski and McClish (Stat Med 1997;16:1529,
    doi:10.1002/(SICI)1097-0258(19970715)16:13%3C1529::AID-SIM565%3E3.0.CO;2-H):
    n = (z_a √V0 + z_b √V1)² / Δ², where V0 takes both areas to be their mean.

    Args:
        expected_a: The area that is expected of the first model.
        expected_b: That of the second.
        correlation: Of the two estimated areas: 0.3 to 0.6 where models read the same images; 0 is the
            cautious choice.
        scores: ``ratings`` (cautious) or ``continuous``; see
            :func:`medvision.evaluation.sample_size.binormal_variance`.
        power: Chance to find the difference.
        ratio: Cases without the condition for each case with it.
        level: 1 - the type I error of the test.
        sided: 2, or 1 for a one-sided test.

    Returns:
        Cases with and without the condition, each rounded up.

    Raises:
        EvaluationError: A number lies outside its range, or both areas are equal.

    Example:
        >>> sample_size_paired_auroc(0.85, 0.80, correlation=0.6)
        CaseNumbers(positive=275, negative=275)
    """
    alpha = _checked_pair(expected_a, expected_b, correlation, power, level, sided)
    require_between("ratio", ratio, 0, math.inf)
    null, alternative = (
        _pair_variance(expected_a, expected_b, correlation, ratio, equal, scores) for equal in (True, False)
    )
    wanted = float(ndtri(1 - alpha)) * math.sqrt(null) + float(ndtri(power)) * math.sqrt(alternative)
    positive = (wanted / (expected_a - expected_b)) ** 2
    return CaseNumbers(whole_cases(positive), whole_cases(positive * ratio))


def power_paired_auroc(
    n_positive: int,
    n_negative: int,
    expected_a: float,
    expected_b: float,
    *,
    correlation: float = 0.5,
    scores: Scores = "ratings",
    level: float = 0.95,
    sided: int = 2,
) -> float:
    """The chance that so many cases show the areas of two models on the same patients to differ.

    As for :func:`sample_size_paired_auroc`: Obuchowski and McClish, Stat Med 1997;16:1529,
    doi:10.1002/(SICI)1097-0258(19970715)16:13%3C1529::AID-SIM565%3E3.0.CO;2-H.

    Args:
        n_positive: Cases with the condition.
        n_negative: Cases without it.
        expected_a: The area that is expected of the first model.
        expected_b: That of the second.
        correlation: Of the two estimated areas.
        scores: ``ratings`` or ``continuous``.
        level: 1 - the type I error of the test.
        sided: 2, or 1 for a one-sided test.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> round(power_paired_auroc(275, 275, 0.85, 0.80, correlation=0.6), 2)
        0.8
    """
    alpha = _checked_pair(expected_a, expected_b, correlation, 0.5, level, sided)
    require_cases(n_positive, n_negative)
    ratio = n_negative / n_positive
    null = _pair_variance(expected_a, expected_b, correlation, ratio, True, scores)
    reach = abs(expected_a - expected_b) * math.sqrt(n_positive) - float(ndtri(1 - alpha)) * math.sqrt(null)
    spread = _pair_variance(expected_a, expected_b, correlation, ratio, False, scores)
    return float(ndtr(reach / math.sqrt(spread)))


def sample_size_paired_proportions(
    difference: float,
    discordant: float,
    *,
    power: float = 0.8,
    level: float = 0.95,
    sided: int = 2,
) -> int:
    """Units that show two sensitivities (or specificities) on the same units to differ, by McNemar's test.

    The formula is that of Connor (Biometrics 1987;43:207, doi:10.2307/2531961):
    n = (z_a √ψ + z_b √(ψ − δ²))² / δ².

    Args:
        difference: First less second proportion, δ.
        discordant: Share of units on which the two disagree, ψ; at least the difference, and at most what
            independence of the two would give.
        power: Chance to find the difference.
        level: 1 - the type I error of the test.
        sided: 2, or 1 for a one-sided test.

    Returns:
        Units that count (the diseased for a sensitivity), rounded up.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> sample_size_paired_proportions(0.10, 0.20)
        155
    """
    alpha = _checked_error(power, level, sided)
    require_between("discordant", discordant, 0, 1)
    if not is_number(difference) or not 0 < abs(difference) <= discordant:
        raise EvaluationError(
            f"difference={difference} and discordant={discordant}: the share of units on which the two "
            "disagree is at least as large as their difference, which is not 0"
        )
    wanted = float(ndtri(1 - alpha)) * math.sqrt(discordant)
    wanted += float(ndtri(power)) * math.sqrt(discordant - difference**2)
    return whole_cases((wanted / difference) ** 2)


def design_effect(units_per_patient: float, icc: float) -> float:
    """How many times as many units are needed where patients have several.

    1 + (m − 1) ρ, for m units a patient (Kish, Survey Sampling, Wiley 1965). Where their number varies, give
    the mean of squares over the mean, which is larger than the mean (Eldridge, Ashby and Kerry, Int J
    Epidemiol 2006;35:1292, doi:10.1093/ije/dyl129).

    Args:
        units_per_patient: m, 1 or more.
        icc: Correlation of the outcomes of two units of one patient, ρ.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> round(design_effect(3, 0.3), 2)
        1.6
    """
    if not (is_number(units_per_patient) and 1 <= units_per_patient < math.inf):
        raise EvaluationError(f"units_per_patient={units_per_patient!r} must be 1 or more")
    if not (is_number(icc) and 0 <= icc <= 1):
        raise EvaluationError(f"icc={icc!r} must lie between 0 and 1")
    return 1 + (units_per_patient - 1) * icc


def allow_for_losses(n: float, share_lost: float) -> int:
    """How many to recruit so that n are left.

    Args:
        n: Wanted in the end.
        share_lost: Share that is lost: drop-out, unreadable scans, no reference standard.

    Raises:
        EvaluationError: The share is not at least 0 and below 1, or ``n`` is no number of cases.

    Example:
        >>> allow_for_losses(90, 0.1)
        100
    """
    if not (is_number(n) and 0 <= n < math.inf):
        raise EvaluationError(f"n={n!r} must be a number of cases, 0 or more")
    if not (is_number(share_lost) and 0 <= share_lost < 1):
        raise EvaluationError(f"share_lost={share_lost!r} must be 0 or more and below 1; write 0.1 for 10%")
    return whole_cases(n / (1 - share_lost))


def _pair_variance(
    a: float, b: float, correlation: float, ratio: float, equal: bool, scores: Scores
) -> float:
    one, two = ((a + b) / 2,) * 2 if equal else (a, b)
    va, vb = (binormal_variance(area, ratio, scores) for area in (one, two))
    return va + vb - 2 * correlation * math.sqrt(va * vb)


def _checked_pair(a: float, b: float, correlation: float, power: float, level: float, sided: int) -> float:
    require_between("expected_a", a, 0, 1)
    require_between("expected_b", b, 0, 1)
    if not (is_number(correlation) and 0 <= correlation < 1):
        raise EvaluationError(f"correlation={correlation!r} must be 0 or more and below 1")
    if a == b:
        raise EvaluationError(f"expected_a={a} equals expected_b: no number of cases shows a difference")
    return _checked_error(power, level, sided)


def _checked_error(power: float, level: float, sided: int) -> float:
    checked_level(level)
    require_between("power", power, 0, 1)
    if sided not in (1, 2):
        raise EvaluationError(f"sided={sided} must be 1 or 2")
    return (1 - level) / sided
