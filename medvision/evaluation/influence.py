"""What each patient contributes to an estimate: the variances and covariances of several estimates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from medvision.evaluation.inputs import Booleans, Floats, Integers
from medvision.evaluation.roc import placements


def area_influence(truth: Booleans, scores: Floats, codes: Integers, own: Booleans) -> Floats:
    """What each patient adds to the AUC of some of the units, less the AUC; squares add up to its variance.

    With one unit a patient the sum of squares is DeLong's variance (Biometrics 1988;44:837,
    doi:10.2307/2531595); sums of the influences on several areas give their covariances.

    Args:
        truth: True where the condition is present, shape ``(n,)``.
        scores: Shape ``(n,)``.
        codes: Patient codes 0, 1, …, shape ``(n,)``.
        own: The units that count, shape ``(n,)``.

    Returns:
        One number a patient; zeros where a class has fewer than two units.

    Example:
        >>> truth, scores = np.array([False, False, True, True]), np.array([1.0, 3.0, 2.0, 4.0])
        >>> area_influence(truth, scores, np.arange(4), np.ones(4, dtype=bool)).round(3).tolist()
        [0.177, -0.177, -0.177, 0.177]
    """
    total = np.zeros(int(codes.max()) + 1 if len(codes) else 0)
    positive, negative = int((truth & own).sum()), int((~truth & own).sum())
    if min(positive, negative) < 2:
        return total
    place = placements(truth[own], scores[own], codes[own])
    for values, owners, n in (
        (place.positive, place.positive_patients, positive),
        (place.negative, place.negative_patients, negative),
    ):
        # As in DeLong's variance, n (n - 1) divides the squares.
        np.add.at(total, owners, (values - values.mean()) / math.sqrt(n * (n - 1)))
    return total


def share_influence(residuals: ArrayLike, among: Booleans, codes: Integers) -> Floats:
    """What each patient adds to a proportion, less the proportion; squares add up to its variance.

    The variance is that of the ratio estimator over patients (Rao and Scott, Biometrics 1992;48:577,
    doi:10.2307/2532311).

    Args:
        residuals: Success less its expectation of each unit that counts, shape ``(among.sum(),)``.
        among: The units that count, shape ``(n,)``.
        codes: Patient codes 0, 1, …, shape ``(n,)``.

    Returns:
        One number a patient; zeros where fewer than two patients count.

    Example:
        >>> share_influence([0.5, -0.5], np.array([True, True, False]), np.arange(3)).round(3).tolist()
        [0.354, -0.354, 0.0]
    """
    total = np.zeros(int(codes.max()) + 1 if len(codes) else 0)
    m = len(np.unique(codes[among]))
    if m < 2:
        return total
    np.add.at(total, codes[among], np.asarray(residuals, dtype=np.float64))
    return np.asarray(total / among.sum() * math.sqrt(m / (m - 1)), dtype=np.float64)
