"""What is measured: the `evaluation:` and `comparators:` parts of a study file."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import Field, field_validator

from medvision.config.base import Column, Positive, PositiveInt, Section, Switch

_RULE = re.compile(r"(?P<name>sensitivity>=|specificity>=|fixed:|cost:)(?P<number>[-+.0-9eE]+)")
_KNOWN = "write youden, sensitivity>=0.95, specificity>=0.9, fixed:0.5 or cost:5"


class Evaluation(Section):
    """Thresholds, intervals and tolerances."""

    threshold: str = "youden"
    """Rule for the operating point, applied to the training part of each fold: `youden`,
    `sensitivity>=0.95`, `specificity>=0.9`, `fixed:0.5`, or `cost:5` (a missed case costs 5 false
    alarms)."""
    level: Annotated[float, Field(strict=True, gt=0.5, lt=1)] = 0.95
    """Confidence level of every interval."""
    bootstrap_resamples: Annotated[int, Field(strict=True, ge=100)] = 2000
    """Resamples of patients for each bootstrap interval."""
    nsd_tolerance_mm: Positive = 1.0
    """Tolerance of the normalised surface distance."""
    nested_interval: Switch = False
    """Also give accuracy (or Dice) the interval of nested cross-validation, which knows that another training
    would go otherwise; trains a network more for each pair of folds (10 more for 5 folds)."""
    montage_cases: PositiveInt = 3
    """Cases shown for each of worst, median and best."""

    @field_validator("threshold")
    @classmethod
    def _known_rule(cls, value: str) -> str:
        compact = value.replace(" ", "").replace("≥", ">=")
        problem = _rule_problem(compact)
        if problem is not None:
            raise ValueError(f"{value!r} is no threshold rule{problem}; {_KNOWN}")
        return compact


def _rule_problem(rule: str) -> str | None:
    """Say what is wrong with a threshold rule without spaces; None when nothing is."""
    if rule == "youden":
        return None
    match = _RULE.fullmatch(rule)
    if match is None:
        return ""
    try:
        number = float(match["number"])
    except ValueError:
        return f": {match['number']!r} is no number"
    if match["name"] in {"sensitivity>=", "specificity>="} and not 0 < number <= 1:
        return f": {number:g} is not above 0 and at most 1"
    if match["name"] == "cost:" and not number > 0:
        return f": the cost {number:g} is not above 0"
    return None if math.isfinite(number) else f": {match['number']} is not finite"


class Comparator(Section):
    """A logistic regression beside the image model, fitted on the training part of each fold."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """A small letter, then small letters, digits and underscores."""
    covariates: Annotated[tuple[Column, ...], Field(min_length=1)]
    """Numeric columns that it uses."""
    with_image: Switch = False
    """Also use the image model's score."""
