"""One row of `results.json`."""

from __future__ import annotations

from typing import Any

from medvision.evaluation import Estimate


def estimate_row(
    model: str,
    metric: str,
    aggregation: str,
    estimate: Estimate,
    *,
    structure: str | None = None,
    fold: int | None = None,
    unit: str = "",
    part: str | None = None,
) -> dict[str, Any]:
    """Return an estimate as a row of `results.json`.

    Args:
        model: `image`, or the name of a comparator.
        metric: What is estimated.
        aggregation: Over what, such as `fold-averaged`.
        estimate: The number with its interval.
        structure: Of a segmentation.
        fold: Set where the estimate is of one part alone.
        unit: Physical unit.
        part: The name of that part, such as `site A`; chance gives none.
    """
    row = {
        "model": model,
        "metric": metric,
        "aggregation": aggregation,
        "structure": structure,
        "fold": fold,
        "unit": unit,
        **estimate.to_dict(),
    }
    return row if part is None else {**row, "part": part}
