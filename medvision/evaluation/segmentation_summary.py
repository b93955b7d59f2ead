"""From the scores of each case to those of a study: means and medians with intervals over patients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.resampling import bootstrap

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("dice", "iou", "nsd", "hd95_mm", "assd_mm", "volume_error_ml", "volume_error_percent")

_NAME = "bootstrap over patients, percentile"


class SummaryRow(NamedTuple):
    """One line of a summary.

    Example:
        >>> SummaryRow("liver", "dice", "mean", Estimate(0.9, 0.8, 1.0)).metric
        'dice'
    """

    structure: str
    metric: str
    summary: str
    estimate: Estimate


def summarise_segmentation(
    cases: pd.DataFrame, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> list[SummaryRow]:
    """Mean and median over cases of every measure of every structure.

    Undefined scores (a structure that is in neither mask) are left out, and ``n_units`` counts what is
    left; the column ``status`` of the cases says why. Every measure of a structure sees the same draws
    where the same cases are defined. Whole patients are drawn (Field and Welsh, J R Stat Soc B 2007;69:369,
    doi:10.1111/j.1467-9868.2007.00593.x).

    Args:
        cases: Rows of :func:`medvision.evaluation.segmentation_scores`, one for each case and structure,
            with ``patient_id`` where patients have several cases.
        level: Confidence level.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Returns:
        A row for each structure, measure and summary.

    Raises:
        EvaluationError: There is no column ``structure``, or no measure.

    Example:
        >>> import pandas as pd
        >>> cases = pd.DataFrame({"structure": "liver", "dice": [0.8, 0.9, 0.95, 0.7, 0.85]})
        >>> rows = summarise_segmentation(cases)
        >>> rows[0].summary, round(rows[0].estimate.value, 2), round(rows[1].estimate.value, 2)
        ('mean', 0.84, 0.85)
    """
    measures = [name for name in MEASURES if name in cases]
    if "structure" not in cases or not measures:
        raise EvaluationError("the cases need a column structure and a measure such as dice")
    found = []
    for structure, rows in cases.groupby("structure", sort=False):
        for metric in measures:
            for name, estimate in _summaries(rows, metric, level, resamples, seed).items():
                found.append(SummaryRow(str(structure), metric, name, estimate))
    return found


def _summaries(
    rows: pd.DataFrame, metric: str, level: float, resamples: int, seed: int
) -> dict[str, Estimate]:
    defined = rows.loc[rows[metric].notna()]
    summaries = ("mean", "median")
    if defined.empty:
        nothing = Estimate(math.nan, math.nan, math.nan, level, _NAME, 0, 0, UNDEFINED_NO_UNITS)
        return dict.fromkeys(summaries, nothing)
    table = {metric: defined[metric].to_numpy(dtype=float)}
    patients = defined["patient_id"].to_numpy() if "patient_id" in defined else None
    estimates = bootstrap(
        {name: f"{name}:{metric}" for name in summaries},
        table,
        patients=patients,
        resamples=resamples,
        seed=seed,
        level=level,
    )
    return dict(estimates)
