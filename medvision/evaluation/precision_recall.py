"""The area under the precision-recall curve, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, Estimate
from medvision.evaluation.inputs import Integers, checked_level, one_of
from medvision.evaluation.resampling import BootstrapEstimate, bootstrap, logit_limits
from medvision.evaluation.roc import ranked_units, undefined_area

_NAME = "bootstrap over patients, logit"


def average_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    sampling: Literal["cohort", "enriched"] = "cohort",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Average precision: precision at each new recall, weighted by the gain in recall.

    It is the step-wise area under the precision-recall curve; straight lines between its points would be
    too optimistic (Davis and Goadrich, ICML 2006). It depends on the share of positive units, which is its
    value for a score that knows nothing: report that share beside it. The interval has the standard error of
    a bootstrap over patients and lies on the logit scale (Boyd, Eng and Page, ECML PKDD 2013); in a cohort
    the number of positive patients varies from resample to resample.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        patients: The patient of each unit.
        sampling: How the units came in: ``cohort`` (consecutive), or ``enriched`` where the numbers of
            positive and of negative patients were chosen.
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Returns:
        The average precision; NaN and ``one_class`` where only one class is present.

    Raises:
        EvaluationError: As for :func:`medvision.evaluation.auroc`.

    Example:
        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
        0.8333
    """
    checked_level(level)
    one_of(sampling, ("cohort", "enriched"), "sampling")
    truth, values, codes = ranked_units(labels, scores, patients, positive)
    blank = undefined_area(truth, codes, level, _NAME)
    if blank is not None:
        return blank
    table = {"label": truth.astype(np.int64), "score": values}
    owners = None if patients is None else codes
    found = _drawn(table, owners, sampling, resamples, seed, level)
    if found.status == DEGENERATE_VARIANCE:
        # Every resample ranked perfectly: like the AUC, this says nothing below the exact limit.
        from medvision.evaluation.proportions import proportion_limits

        n_positive = len(np.unique(codes[truth]))
        low = proportion_limits(n_positive, n_positive, method="exact", level=level)[0]
        return replace(found, low=min(low, found.value), high=found.value, method="exact limit")
    return logit_limits(found)


def _drawn(
    table: dict[str, NDArray[Any]],
    owners: Integers | None,
    sampling: str,
    resamples: int,
    seed: int,
    level: float,
) -> BootstrapEstimate:
    def draws(stratified: bool) -> BootstrapEstimate:
        return bootstrap(
            ["average_precision"], table, patients=owners, resamples=resamples, seed=seed, level=level,
            stratified=stratified,
        )["average_precision"]  # fmt: skip

    try:
        return draws(sampling == "enriched")
    except EvaluationError:  # too few positive patients: many resamples would have none
        return draws(True)
