"""The area under the precision-recall curve, step by step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from medvision.evaluation.estimates import Estimate
from medvision.evaluation.inputs import checked_level, one_of
from medvision.evaluation.resampled_logits import on_logit_scale
from medvision.evaluation.roc import ranked_units, undefined_area
from medvision.evaluation.sampled_draws import SAMPLINGS, Sampling, as_sampled

_NAME = "bootstrap over patients, logit-t"


def average_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    sampling: Sampling = "cohort",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Average precision: precision at each new recall, weighted by the gain in recall.

    It is the step-wise area under the precision-recall curve; straight lines between its points would be
    too optimistic (Davis and Goadrich, ICML 2006, doi:10.1145/1143844.1143874). It depends on the share of
    positive units, which is its value for a score that knows nothing: report that share beside it. The
    interval has the standard error of a bootstrap over patients and lies on the logit scale (Boyd, Eng and
    Page, ECML PKDD 2013, doi:10.1007/978-3-642-40994-3_29); in a cohort the number of positive patients
    varies from resample to resample. Percentiles would lie too high, because a case that is drawn twice ties
    with itself.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        patients: The patient of each unit.
        sampling: ``cohort`` (the share of positive units is a matter of chance, and drawn as such) or
            ``enriched`` (it was chosen, and the result holds only for it).
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Returns:
        The average precision; NaN and ``one_class`` where only one class is present.

    Raises:
        EvaluationError: As for :func:`medvision.evaluation.auroc`.

    Example:
        The example of scikit-learn's manual, which gives 0.83; and the ratings of Hanley and McNeil (1982):

        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
        0.8333
        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> round(average_precision(labels, ratings).value, 4)
        0.8576
    """
    checked_level(level)
    one_of(sampling, SAMPLINGS, "sampling")
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    blank = undefined_area(truth, codes, level, _NAME)
    if blank is not None:
        return blank
    table = {"label": truth.astype(np.int64), "score": values}
    found = as_sampled(
        "average_precision", table, None if patients is None else codes, sampling,
        resamples=resamples, seed=seed, level=level,
    )["average_precision"]  # fmt: skip
    return on_logit_scale(found, _NAME, truth, codes)
