"""Figures of merit of readers and their covariances over the cases: DeLong's, or the jackknife's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Booleans, Floats, Integers
from medvision.evaluation.roc import placements

Merit = Callable[[Integers], Floats]


def delong_covariance(truth: Booleans, scores: Floats, patients: Integers) -> tuple[Floats, Floats]:
    """Areas under several ROC curves of the same cases, and their covariance.

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, doi:10.2307/2531595; Obuchowski, Biometrics
    1997;53:567, doi:10.2307/2533958, where patients have several cases.

    Args:
        truth: Shape ``(cases,)``.
        scores: Shape ``(curves, cases)``.
        patients: Patient codes, shape ``(cases,)``.

    Returns:
        The areas, shape ``(curves,)``, and their covariance, shape ``(curves, curves)``.

    Example:
        >>> truth = np.array([False, False, True, True])
        >>> delong_covariance(truth, np.array([[1.0, 3.0, 2.0, 4.0]]), np.arange(4))[1].tolist()
        [[0.125]]
    """
    found = [placements(truth, row, patients) for row in scores]
    areas = np.array([one.auc for one in found])
    codes = np.unique(patients, return_inverse=True)[1]
    diseased = _patient_sums(np.array([one.positive for one in found]), codes[truth], codes.max() + 1)
    healthy = _patient_sums(np.array([one.negative for one in found]), codes[~truth], codes.max() + 1)
    m, n = int(truth.sum()), int((~truth).sum())
    cross = diseased @ healthy.T / (m * n)
    covariance = _spread(len(np.unique(codes[truth]))) * (diseased @ diseased.T) / m**2
    covariance += _spread(len(np.unique(codes[~truth]))) * (healthy @ healthy.T) / n**2
    covariance += _spread(int(codes.max()) + 1) * (cross + cross.T)
    return areas, covariance


def _patient_sums(values: Floats, patients: Integers, n_patients: int) -> Floats:
    sums = np.zeros((n_patients, len(values)))
    np.add.at(sums, patients, (values - values.mean(axis=1, keepdims=True)).T)
    return sums.T


def _spread(patients: int) -> float:
    if patients < 2:
        raise EvaluationError("a class comes from a single patient; at least 2 patients a class are needed")
    return patients / (patients - 1)


def jackknife(merit: Merit, cases: Integers, patients: Integers) -> tuple[Floats, Floats]:
    """Figures of merit on all cases, and each patient left out in turn.

    Args:
        merit: From the numbers of the kept cases to the figures of merit, any shape.
        cases: Numbers of the cases that the figure rests on: the diseased alone for a sensitivity.
        patients: Patient codes of these cases, of the same shape.

    Returns:
        The figures on all cases, and with each patient left out (along the first axis).

    Example:
        >>> jackknife(lambda kept: np.array([kept.mean()]), np.arange(3), np.arange(3))[1].ravel().tolist()
        [1.5, 1.0, 0.5]
    """
    left_out = [merit(cases[patients != patient]) for patient in np.unique(patients)]
    return merit(cases), np.array(left_out)


def jackknife_covariance(left_out: Floats) -> Floats:
    """Covariance of figures of merit from their leave-one-out values.

    Reference: Efron and Stein, Ann Stat 1981;9:586, doi:10.1214/aos/1176345462.

    Args:
        left_out: Shape ``(patients, figures)``.

    Raises:
        EvaluationError: There are fewer than 2 patients, or a value is undefined.

    Example:
        >>> jackknife_covariance(np.array([[1.5], [1.0], [0.5]])).round(6).tolist()
        [[0.333333]]
    """
    if len(left_out) < 2 or not np.isfinite(left_out).all():
        raise EvaluationError(
            "the jackknife needs 2 patients or more and a figure that is defined without each of them"
        )
    centred = left_out - left_out.mean(axis=0)
    return np.asarray((len(left_out) - 1) / len(left_out) * centred.T @ centred)
