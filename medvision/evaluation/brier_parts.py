"""The parts of the Brier score: reliability, resolution, uncertainty, and what bins hide."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medvision.evaluation.inputs import Floats, Integers
from medvision.evaluation.probability_bins import Binning, binned_units, share_variances


@dataclass(frozen=True)
class BrierDecomposition:
    """The parts of the Brier score.

    ``brier = reliability - resolution + uncertainty + within_variance - within_covariance`` holds exactly.

    Attributes:
        brier: Mean squared difference between probability and outcome.
        reliability: Mean squared difference of promised and observed share of the bins: 0 is best.
        resolution: How much the observed share differs between bins: the more, the better.
        uncertainty: Variance of the outcome: what knowing the prevalence alone would score.
        within_variance: Variance of the probabilities inside bins.
        within_covariance: Twice the covariance of probability and outcome inside bins.
        reliability_corrected: Without the bias of few units a bin; below 0 where chance alone is more.
        resolution_corrected: The same for the resolution.
        uncertainty_corrected: The same for the uncertainty.
        binning: How the bins were made.

    Example:
        >>> found = brier_decomposition([0, 0, 1, 1], [0.2, 0.2, 0.7, 0.7], bins=2)
        >>> round(found.reliability, 3), found.resolution, found.uncertainty
        (0.065, 0.25, 0.25)
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float
    reliability_corrected: float
    resolution_corrected: float
    uncertainty_corrected: float
    binning: str


def brier_decomposition(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "mass",
    positive: object = None,
) -> BrierDecomposition:
    """Reliability, resolution and uncertainty, and what bins hide, so that the sum is exact.

    Murphy (J Appl Meteorol 1973;12:595, doi:10.1175/1520-0450(1973)012%3C0595:ANVPOT%3E2.0.CO;2), the two
    within-bin parts of Stephenson, Coelho and Jolliffe (Weather Forecast 2008;23:752,
    doi:10.1175/2007WAF2006116.1), and the bias-corrected parts of Ferro and Fricker (Q J R Meteorol Soc
    2012;138:1954, doi:10.1002/qj.1924), which take units for independent.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        probabilities: Shape ``(n,)``, between 0 and 1, both included.
        bins: How many.
        binning: ``mass`` or ``width``, as for :func:`medvision.evaluation.calibration_error`.
        positive: The label that means that the condition is present.

    Returns:
        The parts; NaN without units. The corrected ones are NaN where a bin has one unit.

    Raises:
        EvaluationError: As for :func:`medvision.evaluation.calibration_error`.

    Example:
        >>> found = brier_decomposition([0, 0, 1, 0, 1, 1], [0.1, 0.3, 0.4, 0.6, 0.7, 0.9], bins=2)
        >>> total = found.reliability - found.resolution + found.uncertainty
        >>> round(total + found.within_variance - found.within_covariance - found.brier, 12)
        0.0
    """
    truth, p, _, places = binned_units(labels, probabilities, bins, binning, None, positive)
    made = f"{bins} bins of equal {binning}"
    if len(p) == 0:
        nan = math.nan
        return BrierDecomposition(nan, nan, nan, nan, nan, nan, nan, nan, nan, made)
    y, n = truth.astype(float), len(p)
    share, promised = _bin_means(y, places), _bin_means(p, places)
    noise = float(np.mean(share_variances(y, np.arange(n), places)[places]))
    parts = (float(np.mean((promised - share) ** 2)), float(np.mean((share - y.mean()) ** 2)), float(y.var()))
    whole = parts[2] / (n - 1) if n > 1 else math.nan
    return BrierDecomposition(
        float(np.mean((p - y) ** 2)),
        *parts,
        float(np.mean((p - promised) ** 2)),
        float(2 * np.mean((p - promised) * (y - share))),
        parts[0] - noise,
        parts[1] - noise + whole,
        parts[2] + whole,
        made,
    )


def _bin_means(values: Floats, places: Integers) -> Floats:
    """The mean of its bin for each unit."""
    return np.asarray((np.bincount(places, values) / np.bincount(places))[places], dtype=np.float64)
