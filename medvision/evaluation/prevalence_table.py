"""Predictive values where the model is to be used: at prevalences other than that of the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import (
    binary_labels,
    binary_predictions,
    checked_level,
    checked_prevalence,
    finite_scores,
    patient_codes,
    same_length,
)
from medvision.evaluation.likelihood_ratios import Rates, predictive_value, ratio_estimate

if TYPE_CHECKING:
    import pandas as pd


def predictive_values(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    prevalences: ArrayLike,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> pd.DataFrame:
    """Positive and negative predictive value over a range of prevalences.

    Sensitivity and specificity are taken to be the same at every prevalence, which a change of the spectrum
    of disease breaks. The limits are those of Mercaldo, Lau and Zhou (Stat Med 2007;26:2170,
    doi:10.1002/sim.2677) on the logit scale, with the covariance over patients where they have several units.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        predictions: 0 or 1 for each unit, shape ``(n,)``.
        prevalences: Between 0 and 1, shape ``(k,)``.
        patients: The patient of each unit.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        A row for each prevalence: ``prevalence``, ``ppv``, ``ppv_low``, ``ppv_high``, ``npv``, ``npv_low``,
        ``npv_high``, ``status`` (``zero_cell`` where a limit needed 0.5 added to the counts).

    Raises:
        EvaluationError: Labels or predictions are not 0 or 1, lengths differ, or a prevalence is impossible;
            each is named.

    Example:
        The manual of the R package ``epiR`` prints predictive values of 0.768349 and 0.896359 for 744 ill
        patients of 1586; at a prevalence of 1% the same test has others:

        >>> from medvision.evaluation.published import scott
        >>> labels, results = scott()
        >>> found = predictive_values(labels, results, prevalences=[744 / 1586, 0.01])
        >>> found[["prevalence", "ppv", "npv"]].round(6).values.tolist()
        [[0.469105, 0.768349, 0.896359], [0.01, 0.036531, 0.99868]]
    """
    import pandas as pd

    checked_level(level)
    truth = binary_labels(labels, positive=positive, patients=patients)
    called = binary_predictions(predictions, positive=positive, patients=patients)
    same_length(len(truth), predictions=called)
    rates = Rates.of(truth, called, patient_codes(patients, len(truth)))
    ratios = [ratio_estimate(rates, name, level) for name in ("lr_positive", "lr_negative")]
    rows = []
    for prevalence in _checked(prevalences):
        ppv = predictive_value(ratios[0], prevalence)
        npv = predictive_value(ratios[1], prevalence, negative=True)
        status = ppv.status if ppv.status != "ok" else npv.status
        rows.append((prevalence, ppv.value, ppv.low, ppv.high, npv.value, npv.low, npv.high, status))
    names = ["prevalence", "ppv", "ppv_low", "ppv_high", "npv", "npv_low", "npv_high", "status"]
    return pd.DataFrame(rows, columns=names)


def _checked(prevalences: ArrayLike) -> list[float]:
    values: list[float] = finite_scores(np.atleast_1d(np.asarray(prevalences)), name="prevalences").tolist()
    problems = []
    for value in values:
        try:
            checked_prevalence(value)
        except EvaluationError as error:
            problems.append(str(error))
    if problems:
        raise EvaluationError("predictive values hold at a prevalence between 0 and 1", problems=problems)
    return values
