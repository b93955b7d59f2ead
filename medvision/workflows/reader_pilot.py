"""Components of variance for the plan of a reader study: given, or from a pilot's readings. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medvision.errors import EvaluationError
from medvision.evaluation.multi_reader import FigureName, reader_study
from medvision.evaluation.obuchowski_rockette import VarianceComponents
from medvision.workflows.reader_options import ReaderVariances, ReadingColumns
from medvision.workflows.readings import read_readings

_WORDS = {
    "auc": "area under the ROC curve",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
}


@dataclass(frozen=True)
class Pilot:
    """Components of variance, and the cases that they rest on.

    Attributes:
        components: Mean squares and covariances.
        cases: On which they rest.
        source: Words for the protocol.
        per_patient: Cases a patient, where the covariances are those of clustered cases.
        figure: Words for what the readers are measured by.

    Example:
        >>> pilot_from(ReaderVariances(0.0008, 0.00035, 0.00034, 0.00024, 0.0002, 114)).cases
        114
    """

    components: VarianceComponents
    cases: int
    source: str
    per_patient: float | None = None
    figure: str = "figure of merit"

    @property
    def interaction(self) -> float:
        """Variance of readers by modality beyond that over cases (Hillis 2011); it may be below 0."""
        parts = self.components
        across = max(parts.cov2 - parts.cov3, 0.0)
        return parts.ms_treatment_reader - (parts.variance - parts.cov1) + across


def pilot_from(variances: ReaderVariances) -> Pilot:
    """Components that were given as numbers.

    Args:
        variances: Variance, three covariances, and the number of cases that they are for.

    Raises:
        EvaluationError: One is missing, or they cannot be covariances.

    Example:
        >>> pilot_from(ReaderVariances(0.0008, 0.00035, 0.00034, 0.00024, 0.0002, 114)).components.cov1
        0.00035
    """
    if lacking := variances.lacking():
        raise EvaluationError(
            "without a pilot table the variances must be given",
            problems=[f"--{name.replace('_', '-')} is missing" for name in lacking],
        )
    one, own, same, none = (float(getattr(variances, n) or 0) for n in ("variance", "cov1", "cov2", "cov3"))
    wrong = [f"{n}={v} must lie within the variance {one}" for n, v in
             (("cov1", own), ("cov2", same), ("cov3", none)) if not abs(v) <= one]  # fmt: skip
    if not one > 0 or not math.isfinite(one):
        wrong.append(f"variance={one} must be above 0")
    if not 0 <= variances.interaction < math.inf:
        wrong.append(f"interaction={variances.interaction} must be 0 or more")
    if int(variances.pilot_cases or 0) < 2:
        wrong.append(f"pilot_cases={variances.pilot_cases} must be 2 or more")
    if wrong:
        raise EvaluationError("these are no variances of a reader study", problems=wrong)
    square = variances.interaction + one - own - max(same - none, 0.0)
    parts = VarianceComponents(math.nan, math.nan, square, one, own, same, none)
    cases = int(variances.pilot_cases or 0)
    return Pilot(parts, cases, f"variances assumed for {cases} cases")


def pilot_of(
    table: pd.DataFrame | str | Path,
    columns: ReadingColumns | None = None,
    *,
    figure: FigureName = "auc",
    threshold: float | None = None,
) -> Pilot:
    """Components of a pilot's readings, with jackknife covariances.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file, one row a reading.
        columns: What it calls its columns.
        figure: ``auc``, ``sensitivity`` or ``specificity``.
        threshold: A rating of at least this is positive; for sensitivity and specificity.

    Raises:
        EvaluationError: The table is not a fully crossed reader study.

    Example:
        >>> rows = [(r, t, c, c % 2, (c * 7 + r * c + t * 3 * c) % 11 + 4 * (c % 2))
        ...         for r in range(3) for t in range(2) for c in range(20)]
        >>> pilot_of(pd.DataFrame(rows, columns=["reader", "modality", "case", "label", "score"])).source
        'a pilot of 3 readers and 20 cases (10 with the condition)'
    """
    found, _ = read_readings(table, columns or ReadingColumns())
    patient = "patient" if "patient" in found else None
    study = reader_study(found, patients=patient, figure=figure, threshold=threshold)
    truth = found.drop_duplicates("case")["label"]
    source = (
        f"a pilot of {found['reader'].nunique()} readers and {len(truth)} cases "
        f"({int(truth.sum())} with the condition)"
    )
    if patient is None:
        return Pilot(study.components, len(truth), source, figure=_WORDS[figure])
    patients = found["patient"].nunique()
    source += f" of {patients} patients"
    return Pilot(study.components, len(truth), source, len(truth) / patients, _WORDS[figure])
