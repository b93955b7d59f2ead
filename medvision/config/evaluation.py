"""What is measured: the `evaluation:` and `comparators:` parts of a study file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator

from medvision.config.base import Positive, PositiveInt, Section

_RULE = re.compile(r"^(youden|(sensitivity|specificity)>=(0?\.\d+|0|1|1\.0+)|fixed:-?\d*\.?\d+|cost:\d*\.?\d+)$")


class Evaluation(Section):
    """Thresholds, intervals and tolerances."""

    threshold: str = "youden"
    """Rule for the operating point, applied to the training part of each fold: `youden`,
    `sensitivity>=0.95`, `specificity>=0.9`, `fixed:0.5`, or `cost:5` (a missed case costs 5 false alarms)."""
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Confidence level of every interval."""
    bootstrap_resamples: Annotated[int, Field(ge=100)] = 2000
    nsd_tolerance_mm: Positive = 1.0
    """Tolerance of the normalised surface distance."""
    montage_cases: PositiveInt = 3
    """Cases shown for each of worst, median and best."""

    @field_validator("threshold")
    @classmethod
    def _known_rule(cls, value: str) -> str:
        compact = value.replace(" ", "").replace("≥", ">=")
        if not _RULE.match(compact):
            raise ValueError(
                f"{value!r} is no threshold rule; write youden, sensitivity>=0.95, specificity>=0.9, "
                "fixed:0.5 or cost:5"
            )
        return compact


class Comparator(Section):
    """A logistic regression beside the image model, fitted on the training part of each fold."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    covariates: Annotated[tuple[str, ...], Field(min_length=1)]
    """Numeric columns that it uses."""
    with_image: bool = False
    """Also use the image model's score."""
