"""From the predictions of all folds to every estimate of the paper: `results.json`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from medvision.cohort import Splits
from medvision.config import ClassificationTask, Study
from medvision.workflows.classification_results import classification_results
from medvision.workflows.segmentation_results import segmentation_results


def results(study: Study, table: pd.DataFrame, splits: Splits) -> dict[str, Any]:
    """Return the content of `results.json` from the predictions of all finished folds.

    Args:
        study: The study.
        table: One row a case and repeat (and structure).
        splits: Who is in which part.
    """
    if isinstance(study.task, ClassificationTask):
        return classification_results(study, table, splits)
    return segmentation_results(study, table, splits)
