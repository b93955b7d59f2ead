"""The bootstrap of a measure that depends on the prevalence: drawn as the patients were sampled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from numpy.typing import NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK
from medvision.evaluation.inputs import Integers
from medvision.evaluation.resampling import BootstrapEstimate, bootstrap

Sampling = Literal["cohort", "enriched"]

SAMPLINGS = ("cohort", "enriched")
PREVALENCE_HELD = "too_few_cases_to_let_the_prevalence_vary"


def as_sampled(
    metric: str,
    table: dict[str, NDArray[Any]],
    patients: Integers | None,
    sampling: Sampling,
    *,
    resamples: int,
    seed: int,
    level: float,
) -> dict[str, BootstrapEstimate]:
    """A metric with the percentile interval of draws like those that made the sample.

    Of a cohort the prevalence was a matter of chance, so patients are drawn regardless of their label; of an
    enriched sample it was chosen, so they are drawn within classes. Where a class has so few patients that
    more than 5% of the draws of a cohort miss it, they are drawn within classes, too, and the status says so.

    Args:
        metric: As for :func:`medvision.evaluation.bootstrap`.
        table: Columns ``label`` and what the metric reads.
        patients: The patient of each unit.
        sampling: ``cohort`` or ``enriched``.
        resamples: How many.
        seed: Of the draws.
        level: Confidence level.

    Raises:
        EvaluationError: More than 5% of the replicates are undefined either way.

    Example:
        >>> import numpy as np
        >>> table = {"label": np.tile([0, 0, 1], 20), "prediction": np.tile([0, 1, 1], 20)}
        >>> how = {"resamples": 400, "seed": 0, "level": 0.95}
        >>> free = as_sampled("f1", table, None, "cohort", **how)["f1"]
        >>> fixed = as_sampled("f1", table, None, "enriched", **how)["f1"]
        >>> free.standard_error > fixed.standard_error
        True
    """
    how: dict[str, Any] = {"patients": patients, "resamples": resamples, "seed": seed, "level": level}
    if sampling == "enriched":
        return bootstrap([metric], table, **how)
    try:
        return bootstrap([metric], table, stratified=False, **how)
    except EvaluationError:
        found = bootstrap([metric], table, **how)[metric]
        return {metric: replace(found, status=PREVALENCE_HELD) if found.status == OK else found}
