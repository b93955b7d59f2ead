"""What only probabilities can tell: calibration and net benefit, as records of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from medvision.errors import EvaluationError
from medvision.evaluation import Estimate, calibration, calibration_curve, calibration_error, decision_curve
from medvision.evaluation.estimates import OK, p_text
from medvision.evaluation.net_benefit import WITHOUT_INTERVAL
from medvision.evaluation.resampling import FEW_PATIENTS
from medvision.workflows.evaluation_result import record_of
from medvision.workflows.prediction_table import Predictions

NET_BENEFIT = ("net_benefit", "net_benefit_treat_all", "interventions_avoided")
_STEP = 0.01
_MOST = 200
_FEW = 10


@dataclass(frozen=True)
class Measured:
    """A part of an evaluation.

    Attributes:
        records: Estimates.
        notes: Sentences.
        curves: Tables of what can be drawn.

    Example:
        >>> Measured([], []).curves
        {}
    """

    records: list[dict[str, Any]]
    notes: list[str]
    curves: dict[str, pd.DataFrame] = field(default_factory=dict)


def calibration_records(
    found: Predictions, level: float, sampling: Literal["cohort", "enriched"]
) -> Measured:
    """Calibration intercept and slope, Brier score, calibration error and the distances of the smooth curve.

    Args:
        found: The table; its scores are probabilities.
        level: Confidence level.
        sampling: How the rows came in.

    Raises:
        EvaluationError: A score is no probability, or repeats have no patients.
    """
    require_probabilities(found, "calibration")
    y, p, patients = found.labels, found.scores, found.patients
    main = calibration(y, p, patients=patients, sampling=sampling, level=level)
    errors = calibration_error(y, p, patients=patients, level=level)
    curve = calibration_curve(y, p, patients=patients, level=level)
    measures = {
        "calibration_intercept": main.intercept,
        "calibration_slope": main.slope,
        "brier": main.brier,
        "scaled_brier": main.brier_scaled,
        "ece": errors.ece,
        "ece_debiased": errors.ece_debiased,
        "ici": curve.ici,
        "e50": curve.e50,
        "e90": curve.e90,
    }
    records = [record_of(name, _group(found), estimate) for name, estimate in measures.items()]
    low, high = curve.if_calibrated["ici"]
    notes = [
        "calibration: intercept 0 and slope 1 are right probabilities; Spiegelhalter's test that they are: "
        f"{p_text(main.spiegelhalter_p)}",
        f"right probabilities would give an ECE of {errors.ece_if_calibrated[0]:.3f} to "
        f"{errors.ece_if_calibrated[1]:.3f} and an ICI of {low:.3f} to {high:.3f} here, never 0; neither "
        "has an interval",
    ]
    if sampling == "enriched":
        notes.append("ENRICHED sampling: calibration holds only for the mixture of this sample")
    if main.clipped:
        notes.append(f"{main.clipped} probabilities are 0 or 1: moved by 1e-10 to fit intercept and slope")
    smooth = pd.DataFrame(
        {
            "probability": curve.probabilities,
            "observed": curve.observed,
            "low": curve.low,
            "high": curve.high,
        }
    )
    return Measured(records, notes, {"calibration_curve": smooth, "probabilities": _counts(found)})


def decision_records(
    found: Predictions,
    thresholds: Sequence[float],
    level: float,
    sampling: Literal["cohort", "enriched"],
    prevalence: float | None,
) -> Measured:
    """Net benefit at every threshold, that of treating all, and interventions avoided.

    Args:
        found: The table; its scores are probabilities.
        thresholds: Probabilities at which one would act.
        level: Confidence level.
        sampling: How the rows came in.
        prevalence: Where the model shall be used; needed for an enriched sample.

    Raises:
        EvaluationError: A score is no probability, one class is absent, a threshold is impossible, or an
            enriched sample has no stated prevalence.
    """
    require_probabilities(found, "a decision curve")
    if sampling == "enriched" and prevalence is None:
        raise EvaluationError("a decision curve of an enriched sample needs one stated prevalence")
    table = decision_curve(
        found.labels, found.scores, thresholds, prevalence=prevalence, patients=found.patients, level=level
    )
    n = len(found.labels)
    owners = n if found.patients is None else len(np.unique(found.patients.astype(str)))
    records, status = [], OK if owners >= _FEW else FEW_PATIENTS
    for row in table.to_dict("records"):
        group = f"threshold {row['threshold']:.10g}"
        name = "bootstrap over patients, percentile"
        own = Estimate(row["net_benefit"], row["low"], row["high"], level, name, n, owners, status, seed=0)
        records.append(record_of(NET_BENEFIT[0], group, own))
        for metric, value in zip(
            NET_BENEFIT[1:], (row["treat_all"], row["interventions_avoided"]), strict=True
        ):
            plain = Estimate(value, np.nan, np.nan, level, "net benefit", n, owners, WITHOUT_INTERVAL)
            records.append(record_of(metric, group, plain))
    where = "of this sample" if prevalence is None else f"of {prevalence:g}"
    notes = [
        f"net benefit is counted per {'case' if n == owners else 'row'} at the prevalence {where}; treating "
        "none has a net benefit of 0"
    ]
    return Measured(records, notes, {"net_benefit": table})


def decision_thresholds(asked: str | Sequence[float]) -> list[float]:
    """Thresholds of a decision curve.

    Args:
        asked: ``0.01:0.5`` (steps of 0.01), ``0.05:0.5:0.05``, ``0.1,0.2``, or numbers.

    Raises:
        EvaluationError: It is none of these, or more than 200 thresholds.

    Example:
        >>> decision_thresholds("0.1:0.3:0.1"), decision_thresholds("0.05,0.2")
        ([0.1, 0.2, 0.3], [0.05, 0.2])
    """
    if not isinstance(asked, str):
        return list(dict.fromkeys(float(value) for value in asked))
    problem = EvaluationError(
        f"decision_curve={asked!r}: write FROM:TO, FROM:TO:STEP, or thresholds with commas, between 0 and 1"
    )
    try:
        numbers = [float(part) for part in asked.replace(",", ":").split(":")]
    except ValueError:
        raise problem from None
    if "," in asked or len(numbers) == 1:
        return list(dict.fromkeys(numbers))
    start, stop, step = (*numbers, _STEP)[:3]
    if len(numbers) > 3 or not (0 <= start <= stop < 1 and step > 0):
        raise problem
    count = int(np.floor((stop - start) / step + 1e-9)) + 1
    if count > _MOST:
        raise EvaluationError(f"decision_curve={asked!r} has {count} thresholds; take at most {_MOST}")
    return [round(start + step * number, 10) for number in range(count)]


def require_probabilities(found: Predictions, what: str) -> None:
    """Refuse scores that are no probabilities, and repeats whose rows belong to nobody.

    Args:
        found: The table.
        what: What needs them.

    Raises:
        EvaluationError: Says the range of the scores.
    """
    low, high = float(found.scores.min()), float(found.scores.max())
    if low < 0 or high > 1:
        raise EvaluationError(
            f"{what} needs probabilities, and the scores run from {low:g} to {high:g}; turn them into "
            "probabilities first (a sigmoid, or recalibration on other cases)"
        )
    if found.repeats is not None and found.patients is None:
        raise EvaluationError(f"{what} of a repeated cross-validation needs the patient of each row")


def _counts(found: Predictions) -> pd.DataFrame:
    """How many rows of each class have a probability of 0 to 0.05, to 0.1, …."""
    edges = np.linspace(0, 1, 21)
    counts = [np.histogram(found.scores[own], edges)[0] for own in (found.labels, ~found.labels)]
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "positive": counts[0], "negative": counts[1]})


def _group(found: Predictions) -> str:
    return "all" if found.folds is None else "pooled"
