"""Figures of merit of free-response studies: AFROC and its relatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.evaluation.detection_limits import INTERVALS, Interval, paired_difference, share_estimate
from medvision.evaluation.detection_matching import Assignment
from medvision.evaluation.detections import Cases, Detections, Duplicates, detections
from medvision.evaluation.estimates import OK, ONE_CLASS, Comparison, Estimate
from medvision.evaluation.froc_points import left_out
from medvision.evaluation.inputs import Floats, checked_level, one_of
from medvision.evaluation.resampling import patient_draws
from medvision.evaluation.roc import FEW_OUT_OF_ORDER
from medvision.evaluation.weighted_metrics import weighted_auroc

if TYPE_CHECKING:
    import pandas as pd

Merit = Literal["HrAuc", "AFROC", "AFROC1", "wAFROC", "wAFROC1"]

_FEW = 5

MERITS = ("HrAuc", "AFROC", "AFROC1", "wAFROC", "wAFROC1")


@dataclass(frozen=True)
class MeritEstimate(Estimate):
    """A figure of merit, with what a reader study needs of it.

    Attributes:
        fom: Which figure of merit.
        cases: The case identifiers in the order in which they were given, shape ``(cases,)``.
        jackknife: The figure of merit without each case, in that order; NaN where it is undefined.
    """

    fom: str = ""
    cases: NDArray[Any] = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    jackknife: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)


def froc_fom(
    marks: pd.DataFrame,
    lesions: pd.DataFrame,
    *,
    cases: Cases,
    fom: Merit = "wAFROC",
    patients: ArrayLike | None = None,
    rule: str | None = None,
    assignment: Assignment = "greedy",
    duplicates: Duplicates = "ignore",
    interval: Interval = "jackknife",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> MeritEstimate:
    """A figure of merit of a free-response study, as defined by Chakraborty.

    Each is the chance that what should score higher does, ties counting half. What was not marked scores
    lower than any mark, and as high as anything else that was not marked.

    - ``AFROC``: a lesion against the highest false positive of a case without lesions.
    - ``AFROC1``: a lesion against the highest false positive of any case, its own included.
    - ``wAFROC``, ``wAFROC1``: the same, each lesion counting by its weight, so that every case with lesions
      counts the same, however many it has.
    - ``HrAuc``: the highest mark of a case with lesions against that of a case without: the area under the
      ROC curve that the marks imply.

    With 100 patients the jackknife covers 93% to 96% in simulation, up to a figure of merit of 0.92; the
    bootstrap falls to 91% there. Where ``HrAuc`` nears 1 (0.98) both are too narrow, 89% and 80%
    (``benchmarks/detection.py``): where it amounts to fewer than 5 patients out of order, the status says so.

    References: Chakraborty and Berbaum, Med Phys 2004;31:2313, doi:10.1118/1.1769352; Chakraborty, Observer
    Performance Methods for Diagnostic Imaging, CRC Press 2017.

    Args:
        marks: As for :func:`medvision.evaluation.froc_curve.froc`.
        lesions: A row for each lesion: ``case_id``, ``lesion_id``, and ``weight`` where the lesions of a
            case do not weigh the same; the weights of a case sum to 1.
        cases: All cases that were read, those without marks or lesions, too.
        fom: The figure of merit.
        patients: The patient of each case, where ``cases`` does not say it.
        rule: The hit rule, where ``marks`` have coordinates.
        assignment: Of marks to lesions: ``greedy`` or ``hungarian``.
        duplicates: Further marks on a found lesion: ``ignore`` (here and in ``HrAuc``), or
            ``false_positive``.
        interval: ``jackknife`` over patients (logit-t), or ``bootstrap`` (percentile, patients with and
            without lesions drawn apart).
        level: Confidence level.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The estimate, with ``jackknife``; NaN and ``one_class`` where there are no lesions, or no case to set
        them against.

    Raises:
        EvaluationError: The tables do not fit together, or the weights of a case do not sum to 1.

    Example:
        Chakraborty's RJafroc FROC Book prints 0.7708333 (AFROC) and 0.678125 (wAFROC) for these eight cases:

        >>> from medvision.evaluation.published import chakraborty
        >>> marks, lesions, cases = chakraborty()
        >>> [round(froc_fom(marks, lesions, cases=cases, fom=fom).value, 7) for fom in ("AFROC", "wAFROC")]
        [0.7708333, 0.678125]
        >>> froc_fom(marks, lesions, cases=cases).jackknife.round(3).tolist()
        [0.608, 0.646, 0.729, 0.729, 0.571, 0.738, 0.833, 0.571]
    """
    found = _checked(
        marks, lesions, cases=cases, fom=fom, patients=patients, rule=rule, assignment=assignment,
        duplicates=duplicates, interval=interval, level=level,
    )  # fmt: skip
    return _estimated(found, fom, interval, level, resamples, seed)[0]


def compare_froc_fom(
    marks_a: pd.DataFrame,
    marks_b: pd.DataFrame,
    lesions: pd.DataFrame,
    *,
    cases: Cases,
    fom: Merit = "wAFROC",
    patients: ArrayLike | None = None,
    rule: str | None = None,
    assignment: Assignment = "greedy",
    duplicates: Duplicates = "ignore",
    interval: Interval = "jackknife",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """The difference of two detectors' figures of merit on the same cases, first minus second.

    The figures are those of Chakraborty and Berbaum (Med Phys 2004;31:2313, doi:10.1118/1.1769352).

    Args:
        marks_a: The first detector's marks, as for :func:`froc_fom`.
        marks_b: The second's.
        lesions: As for :func:`froc_fom`.
        cases: As for :func:`froc_fom`.
        fom: The figure of merit.
        patients: As for :func:`froc_fom`.
        rule: As for :func:`froc_fom`.
        assignment: As for :func:`froc_fom`.
        duplicates: As for :func:`froc_fom`.
        interval: ``jackknife`` (a paired t over patients left out) or ``bootstrap`` (the same draws).
        level: Confidence level.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The comparison; see :func:`medvision.evaluation.detection_limits.paired_difference` for the test.

    Raises:
        EvaluationError: As for :func:`froc_fom`.

    Example:
        >>> import pandas as pd
        >>> names = [f"case {number:02}" for number in range(40)]
        >>> lesions = pd.DataFrame({"case_id": names[:20], "lesion_id": 1})
        >>> one = pd.DataFrame({"case_id": names[:15], "score": 0.9, "lesion_id": 1})
        >>> two = pd.DataFrame({"case_id": names[:8], "score": 0.9, "lesion_id": 1})
        >>> print(compare_froc_fom(one, two, lesions, cases=names))
        difference 0.175 (95% CI 0.063–0.287), p = 0.003
    """
    measured = []
    for marks in (marks_a, marks_b):
        found = _checked(
            marks, lesions, cases=cases, fom=fom, patients=patients, rule=rule, assignment=assignment,
            duplicates=duplicates, interval=interval, level=level,
        )  # fmt: skip
        measured.append(_estimated(found, fom, interval, level, resamples, seed))
    (first, others_a), (second, others_b) = measured
    return paired_difference(first, second, others_a - others_b, interval=interval, level=level)


def _checked(
    marks: pd.DataFrame, lesions: pd.DataFrame, *, fom: str, interval: str, level: float, **how: Any  # noqa: ANN401 -- passed on
) -> Detections:  # fmt: skip
    one_of(fom, MERITS, "fom")
    one_of(interval, INTERVALS, "interval")
    checked_level(level)
    return detections(marks, lesions, weighted=fom.startswith("w"), **how)


def _estimated(
    found: Detections, fom: str, interval: Interval, level: float, resamples: int, seed: int
) -> tuple[MeritEstimate, Floats]:
    evaluate = _merit(found, fom)
    value = float(evaluate(np.ones((1, len(found.cases))))[0])
    without_case = left_out(evaluate, len(found.cases))

    def by_patient(counts: Floats) -> Floats:
        return evaluate(counts[:, found.patients])

    if math.isnan(value):
        others = np.empty(0)
    elif interval == "jackknife":
        others = left_out(by_patient, found.n_patients)
    else:
        others = np.concatenate([by_patient(c) for c in patient_draws(found.strata, resamples, seed)])
    diseased = len(np.unique(found.patients[found.diseased]))
    against = found.n_patients if fom.endswith("1") else len(np.unique(found.patients[~found.diseased]))
    plain = share_estimate(
        value, others, interval=interval, level=level, n_units=len(found.cases), n_patients=found.n_patients,
        rarer=min(diseased, against), seed=seed if interval == "bootstrap" else None, reason=ONE_CLASS,
    )  # fmt: skip
    if fom == "HrAuc" and plain.status == OK and min(diseased, against) * (1 - value) < _FEW:
        plain = plain.with_status(FEW_OUT_OF_ORDER)
    shared = {item.name: getattr(plain, item.name) for item in fields(Estimate)}
    return MeritEstimate(**shared, fom=fom, cases=found.cases, jackknife=without_case), others


def _merit(found: Detections, fom: str) -> Callable[[Floats], Floats]:
    """The figure of merit for each row of weights of cases, shape ``(rows, cases)``."""
    if fom == "HrAuc":
        return weighted_auroc(found.diseased, _ranks(found.highest_mark))
    against = np.arange(len(found.cases)) if fom.endswith("1") else np.flatnonzero(~found.diseased)
    weights = found.lesion_weights if fom.startswith("w") else np.ones(len(found.lesion_cases))
    labels = np.repeat([False, True], [len(against), len(weights)])
    area = weighted_auroc(labels, _ranks(np.r_[found.highest_alarm[against], found.lesion_scores]))
    return lambda counts: area(np.hstack([counts[:, against], counts[:, found.lesion_cases] * weights]))


def _ranks(scores: Floats) -> Floats:
    # What was not marked scores minus infinity: a rank like any other, equal to itself.
    return np.unique(scores, return_inverse=True)[1].astype(np.float64)
