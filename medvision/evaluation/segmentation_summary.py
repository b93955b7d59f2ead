"""From the scores of each case to those of a study: means and medians with intervals over patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK, UNDEFINED_NO_UNITS, Estimate
from medvision.evaluation.inputs import patient_codes
from medvision.evaluation.resampling import bootstrap

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("dice", "iou", "nsd", "hd95_mm", "assd_mm", "volume_error_ml", "volume_error_percent")

MEAN_OF_STRUCTURES = "mean of structures"

FEW_PATIENTS = "fewer_than_30_patients"
_FEW = 30
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
        A row for each structure, measure and summary. The percentiles of a mean of few, skewed scores are too
        short (simulated: 89% with 10 patients, 92% with 20); below 30 patients the status says so.

    Raises:
        EvaluationError: There is no column ``structure``, or no measure.

    Example:
        >>> import pandas as pd
        >>> cases = pd.DataFrame({"structure": "liver", "dice": [0.8, 0.9, 0.95, 0.7, 0.85]})
        >>> rows = summarise_segmentation(cases)
        >>> rows[0].summary, round(rows[0].estimate.value, 2), round(rows[1].estimate.value, 2)
        ('mean', 0.84, 0.85)
    """
    measures = _measures(cases)
    found = []
    for structure, rows in cases.groupby("structure", sort=False):
        for metric in measures:
            for name, estimate in mean_and_median(rows, metric, level, resamples, seed).items():
                found.append(SummaryRow(str(structure), metric, name, estimate))
    return found


def mean_over_structures(
    cases: pd.DataFrame, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> list[SummaryRow]:
    """Mean and median over patients of the mean over structures, each patient counting once.

    Within a patient a structure's score is the mean over the cases where it is defined, and the patient's
    is the mean over the structures that have one: a large structure counts as much as a small one, and a
    structure that a patient does not have is not counted as 0. ``n_units`` counts patients.

    Args:
        cases: As for :func:`summarise_segmentation`; without ``patient_id`` every ``case_id`` is a patient.
        level: Confidence level.
        resamples: Of the bootstrap over patients.
        seed: Of the bootstrap.

    Returns:
        A row for each measure and summary, with the structure ``mean of structures``.

    Raises:
        EvaluationError: There is no column ``structure``, no measure, or nothing that names the patient; or
            a row has no patient.

    Example:
        >>> import pandas as pd
        >>> cases = pd.DataFrame({"case_id": list("AABB"), "structure": ["liver", "tumour"] * 2,
        ...                       "dice": [0.9, 0.5, 0.8, float("nan")]})
        >>> print(mean_over_structures(cases, resamples=200)[0].estimate.value)
        0.75
    """
    patients = structure_means(cases)
    return [
        SummaryRow(MEAN_OF_STRUCTURES, metric, name, estimate)
        for metric in _measures(cases)
        for name, estimate in mean_and_median(patients, metric, level, resamples, seed).items()
    ]


def structure_means(cases: pd.DataFrame) -> pd.DataFrame:
    """The mean over structures of every measure, one row a patient; see :func:`mean_over_structures`.

    Args:
        cases: As for :func:`mean_over_structures`.

    Returns:
        ``patient_id``, ``structure`` (``mean of structures``) and the measures.

    Raises:
        EvaluationError: As for :func:`mean_over_structures`.

    Example:
        >>> import pandas as pd
        >>> cases = pd.DataFrame({"case_id": list("AAB"), "structure": list("xyx"), "dice": [0.9, 0.5, 0.8]})
        >>> structure_means(cases)["dice"].tolist()
        [0.7, 0.8]
    """
    measures = _measures(cases)
    owner = next((name for name in ("patient_id", "case_id") if name in cases), None)
    if owner is None:
        raise EvaluationError("the cases need a column patient_id or case_id")
    patient_codes(cases[owner].to_numpy(), len(cases))  # a row without a patient would be lost below
    own = cases.groupby([owner, "structure"], sort=True)[measures].mean()
    means = own.groupby(level=0, sort=True).mean()
    return means.rename_axis("patient_id").reset_index().assign(structure=MEAN_OF_STRUCTURES)


def quartiles(
    cases: pd.DataFrame, measures: Sequence[str] = MEASURES
) -> dict[tuple[str, str], tuple[float, float]]:
    """The first and third quartile over cases of every measure of every structure; NaN without cases.

    Args:
        cases: As for :func:`summarise_segmentation`.
        measures: Columns; those that the cases lack are left out.

    Example:
        >>> import pandas as pd
        >>> quartiles(pd.DataFrame({"structure": "liver", "dice": [0.5, 0.6, 0.7, 0.8, 0.9]}))
        {('liver', 'dice'): (0.6, 0.8)}
    """
    present = [name for name in measures if name in cases]
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for structure, rows in cases.groupby("structure", sort=False):
        low, high = (rows[present].quantile(share) for share in (0.25, 0.75))
        found |= {(str(structure), name): (float(low[name]), float(high[name])) for name in present}
    return found


def mean_and_median(
    rows: pd.DataFrame, metric: str, level: float, resamples: int, seed: int
) -> dict[str, Estimate]:
    """The mean and the median over the rows where a measure is defined, with the bootstrap over patients.

    Args:
        rows: With the column ``metric``, and ``patient_id`` where patients have several rows.
        metric: The column.
        level: Confidence level.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Example:
        >>> import pandas as pd
        >>> mean_and_median(pd.DataFrame({"dice": [0.5, 0.7]}), "dice", 0.95, 100, 0)["mean"].value
        0.6
    """
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
    return {name: _cautioned(estimate) for name, estimate in estimates.items()}


def _measures(cases: pd.DataFrame) -> list[str]:
    measures = [name for name in MEASURES if name in cases]
    if "structure" not in cases or not measures:
        raise EvaluationError("the cases need a column structure and a measure such as dice")
    return measures


def _cautioned(estimate: Estimate) -> Estimate:
    few = estimate.status == OK and estimate.n_patients < _FEW
    return estimate.with_status(FEW_PATIENTS) if few else estimate
