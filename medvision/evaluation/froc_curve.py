"""The FROC curve: lesions found against false positives per scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.detection_limits import INTERVALS, Interval, paired_difference, share_estimate
from medvision.evaluation.detection_matching import Assignment
from medvision.evaluation.detections import Cases, Detections, Duplicates, detections
from medvision.evaluation.estimates import UNDEFINED_NO_UNITS, Comparison, Estimate
from medvision.evaluation.froc_points import FrocPoints, Interpolation, left_out
from medvision.evaluation.inputs import (
    Floats,
    checked_level,
    is_number,
    one_of,
)
from medvision.evaluation.resampling import patient_draws

if TYPE_CHECKING:
    import pandas as pd

RATES = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Froc:
    """The FROC curve of one detector.

    Attributes:
        score: The mean of ``sensitivity_at``: the FROC score, or competition performance metric (CPM).
        sensitivity_at: The sensitivity at each rate of false positives per scan.
        thresholds: The scores that occur, descending, after a first point at plus infinity.
        false_positives: Per scan, where a mark counts from that threshold up.
        sensitivity: The share of lesions found there.
        interpolation: How the curve was read between its points.
        duplicates: What further marks on a found lesion were taken for.

    Example:
        >>> import pandas as pd
        >>> marks = pd.DataFrame({"case_id": ["A", "B"], "score": [0.9, 0.2], "lesion_id": [1, None]})
        >>> lesions = pd.DataFrame({"case_id": ["A", "A"], "lesion_id": [1, 2]})
        >>> froc(marks, lesions, cases=["A", "B"]).curve.values.tolist()
        [[inf, 0.0, 0.0], [0.9, 0.0, 0.5], [0.2, 0.5, 0.5]]
    """

    score: Estimate
    sensitivity_at: dict[float, Estimate]
    thresholds: Floats = field(repr=False)
    false_positives: Floats = field(repr=False)
    sensitivity: Floats = field(repr=False)
    interpolation: str = "linear"
    duplicates: str = "ignore"

    def __str__(self) -> str:
        return f"FROC score {self.score}"

    @property
    def curve(self) -> pd.DataFrame:
        """A row for each threshold: ``threshold``, ``fp_per_scan``, ``sensitivity``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "threshold": self.thresholds,
                "fp_per_scan": self.false_positives,
                "sensitivity": self.sensitivity,
            }
        )

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold; the curve is left out.

        Example:
            >>> empty = np.empty(0)
            >>> Froc(Estimate(0.5, 0.4, 0.6), {1.0: Estimate(0.5, 0.4, 0.6)}, empty, empty, empty).to_dict()[
            ...     "interpolation"]
            'linear'
        """
        return {
            "score": self.score.to_dict(),
            "sensitivity_at": {f"{rate:g}": found.to_dict() for rate, found in self.sensitivity_at.items()},
            "interpolation": self.interpolation,
            "duplicates": self.duplicates,
        }


def froc(
    marks: pd.DataFrame,
    lesions: pd.DataFrame,
    *,
    cases: Cases,
    patients: ArrayLike | None = None,
    rule: str | None = None,
    assignment: Assignment = "greedy",
    duplicates: Duplicates = "ignore",
    rates: Sequence[float] = RATES,
    interpolation: Interpolation = "linear",
    interval: Interval = "bootstrap",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Froc:
    """The FROC curve, the sensitivity at given rates of false positives per scan, and their mean.

    A lesion counts as found at a threshold where the mark that hits it scores as much or more; a lesion
    without a mark is never found. Scans without lesions count in the false positives per scan. Between the
    points of the curve the sensitivity is read along the straight line (``linear``), or is that of the last
    point within the rate, which a threshold really reaches (``step``). Beyond the last point it stays what
    it is there: the detector has no more marks. With the seven default rates the mean is the FROC score of
    van Ginneken et al. (Med Image Anal 2010;14:707, doi:10.1016/j.media.2010.05.005).

    Whole patients are resampled, or left out, patients with and without lesions apart; every rate sees the
    same draws. The interval is that of a fixed detector on other patients.

    Args:
        marks: A row for each mark: ``case_id``, ``score``, and ``lesion_id``, the lesion that it hits
            (missing where it hits none); or coordinates in mm, with ``rule``.
        lesions: A row for each lesion: ``case_id`` and ``lesion_id``, and coordinates where ``rule`` is.
        cases: All scans that were read: a DataFrame with ``case_id`` and perhaps ``patient_id``, or one
            identifier a scan.
        patients: The patient of each scan, where ``cases`` does not say it; None makes each scan one.
        rule: The hit rule: ``iou>=0.3``, ``centre_in_box``, ``distance<=5``, ``distance<=radius``; see
            :func:`medvision.evaluation.detection_matching.match_marks`.
        assignment: Of marks to lesions: ``greedy`` or ``hungarian``.
        duplicates: Further marks on a found lesion: ``ignore``, or ``false_positive``.
        rates: False positives per scan, above 0.
        interpolation: ``linear`` or ``step``.
        interval: ``bootstrap`` (percentile) or ``jackknife`` (logit-t).
        level: Confidence level.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The curve and the estimates; NaN and ``undefined_no_units`` where there is no lesion.

    Raises:
        EvaluationError: The tables do not fit together; every problem is named with its cases.

    Example:
        The eight cases in Chakraborty's RJafroc FROC Book: three false positives, and five of six lesions
        found, four of them with a higher score than any false positive:

        >>> from medvision.evaluation.published import chakraborty
        >>> marks, lesions, cases = chakraborty()
        >>> found = froc(marks, lesions, cases=cases, interpolation="step", rates=[0.125, 0.25, 0.5])
        >>> [round(estimate.value, 3) for estimate in found.sensitivity_at.values()]
        [0.667, 0.833, 0.833]
    """
    _check(interpolation, interval, level, rates)
    found = detections(
        marks,
        lesions,
        cases=cases,
        patients=patients,
        rule=rule,
        assignment=assignment,
        duplicates=duplicates,
    )
    values, others = _measured(found, rates, interpolation, interval, resamples, seed)
    estimates = _estimates(found, values, others, interval, level, seed)
    curve = FrocPoints(found)
    hits, alarms = curve.points(np.ones((1, found.n_patients)))
    return Froc(
        estimates[-1], dict(zip(map(float, rates), estimates[:-1], strict=True)), curve.thresholds,
        alarms[0], hits[0], interpolation, duplicates,
    )  # fmt: skip


def compare_froc(
    marks_a: pd.DataFrame,
    marks_b: pd.DataFrame,
    lesions: pd.DataFrame,
    *,
    cases: Cases,
    patients: ArrayLike | None = None,
    rule: str | None = None,
    assignment: Assignment = "greedy",
    duplicates: Duplicates = "ignore",
    rates: Sequence[float] = RATES,
    interpolation: Interpolation = "linear",
    interval: Interval = "bootstrap",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """The difference of two detectors' FROC scores on the same scans, first minus second.

    The p of the bootstrap counts the observed difference as one more draw (Davison and Hinkley, Bootstrap
    Methods and their Application, Cambridge 1997, doi:10.1017/CBO9780511802843).

    Args:
        marks_a: The first detector's marks, as for :func:`froc`.
        marks_b: The second's.
        lesions: As for :func:`froc`.
        cases: As for :func:`froc`.
        patients: As for :func:`froc`.
        rule: As for :func:`froc`.
        assignment: As for :func:`froc`.
        duplicates: As for :func:`froc`.
        rates: As for :func:`froc`; a single one compares the sensitivity at that rate.
        interpolation: As for :func:`froc`.
        interval: ``bootstrap`` (the same draws for both) or ``jackknife``.
        level: Confidence level.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The comparison; see :func:`medvision.evaluation.detection_limits.paired_difference` for the test.

    Raises:
        EvaluationError: As for :func:`froc`.

    Example:
        >>> import pandas as pd
        >>> names = [f"case {number:02}" for number in range(20)]
        >>> lesions = pd.DataFrame({"case_id": names, "lesion_id": 1})
        >>> one = pd.DataFrame({"case_id": names[:15], "score": 0.9, "lesion_id": 1})
        >>> two = pd.DataFrame({"case_id": names[:8], "score": 0.9, "lesion_id": 1})
        >>> print(compare_froc(one, two, lesions, cases=names))
        difference 0.350 (95% CI 0.150–0.550), p < 0.001
    """
    _check(interpolation, interval, level, rates)
    measured = []
    for marks in (marks_a, marks_b):
        found = detections(
            marks, lesions, cases=cases, patients=patients, rule=rule, assignment=assignment,
            duplicates=duplicates,
        )  # fmt: skip
        values, others = _measured(found, rates, interpolation, interval, resamples, seed)
        measured.append((_estimates(found, values, others, interval, level, seed)[-1], others[:, -1]))
    (first, others_a), (second, others_b) = measured
    return paired_difference(first, second, others_a - others_b, interval=interval, level=level)


def _measured(
    found: Detections,
    rates: Sequence[float],
    interpolation: Interpolation,
    interval: Interval,
    resamples: int,
    seed: int,
) -> tuple[Floats, Floats]:
    curve = FrocPoints(found)

    def read(counts: Floats) -> Floats:
        return curve.read(counts, np.asarray(rates, dtype=np.float64), interpolation)

    value = read(np.ones((1, found.n_patients)))[0]
    if interval == "jackknife":
        return value, left_out(read, found.n_patients)
    return value, np.concatenate([read(counts) for counts in patient_draws(found.strata, resamples, seed)])


def _estimates(
    found: Detections, values: Floats, others: Floats, interval: Interval, level: float, seed: int
) -> list[Estimate]:
    return [
        share_estimate(
            float(value), column, interval=interval, level=level, n_units=len(found.lesion_cases),
            n_patients=found.n_patients, rarer=len(np.unique(found.patients[found.diseased])),
            seed=seed if interval == "bootstrap" else None, reason=UNDEFINED_NO_UNITS,
        )
        for value, column in zip(values, others.T, strict=True)
    ]  # fmt: skip


def _check(interpolation: str, interval: str, level: float, rates: Sequence[float]) -> None:
    one_of(interpolation, ("linear", "step"), "interpolation")
    one_of(interval, INTERVALS, "interval")
    checked_level(level)
    if len(rates) == 0 or not all(is_number(rate) and 0 < rate < np.inf for rate in rates):
        raise EvaluationError(f"rates={list(rates)} must be false positives per scan above 0, such as 0.5")
