"""The operating point: which score, and above, counts as a positive prediction."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Booleans, Floats, Integers
from medvision.evaluation.roc import ranked_units

_RULE = re.compile(r"^(?P<name>youden|sensitivity>=|specificity>=|fixed:|cost:)(?P<number>.*)$")


@dataclass(frozen=True)
class _Operating:
    """Counts at every observed score, the scores descending."""

    thresholds: Floats
    true_positive: Integers
    false_positive: Integers
    positives: int
    negatives: int

    @property
    def true_negative(self) -> Integers:
        return self.negatives - self.false_positive


def choose_threshold(
    labels: ArrayLike, scores: ArrayLike, *, rule: str = "youden", positive: object = None
) -> float:
    """The threshold that a rule picks on these cases; a prediction is ``score >= threshold``.

    Choose it on the training part of a fold. Accuracy measured on the cases that chose the threshold is
    optimistic. Every candidate is an observed score. Among equally good ones it is the highest for
    ``youden``, ``cost`` and ``sensitivity>=x``, and the lowest for ``specificity>=x``: the rule is met with
    the most of the other measure.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        rule: ``youden`` (largest sensitivity + specificity), ``sensitivity>=0.95`` (the highest threshold
            that reaches it), ``specificity>=0.9`` (the lowest that reaches it), ``fixed:0.5``, or
            ``cost:5`` (a missed case costs as much as 5 false alarms).
        positive: The label that means that the condition is present.

    Returns:
        The threshold.

    Raises:
        EvaluationError: The rule is not known, needs a class that is absent, or no observed score meets it;
            then the best that can be had is named.

    Example:
        >>> choose_threshold([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.8, 0.9], rule="sensitivity>=0.95")
        0.3
    """
    name, number = parse_rule(rule)
    if name == "fixed":
        return number
    truth, values, _ = ranked_units(labels, scores, None, positive)
    points = _operating_points(truth, values)
    _needs_classes(name, points)
    if name == "sensitivity":
        return _first_reaching(points, number)
    if name == "specificity":
        return _last_reaching(points, number)
    if name == "youden":
        # In whole numbers, so that equal points compare as equal.
        gain = points.true_positive * points.negatives + points.true_negative * points.positives
        return float(points.thresholds[np.argmax(gain)])
    cost = number * (points.positives - points.true_positive) + points.false_positive
    return float(points.thresholds[np.argmin(cost)])


def parse_rule(rule: str) -> tuple[str, float]:
    """The name of a threshold rule and its number (NaN where it has none).

    Raises:
        EvaluationError: The rule is not known or its number is impossible.

    Example:
        >>> parse_rule("sensitivity >= 0.95")
        ('sensitivity', 0.95)
    """
    match = _RULE.match(rule.replace(" ", "").replace("≥", ">="))
    problem = EvaluationError(
        f"rule={rule!r} is no threshold rule; write youden, sensitivity>=0.95, specificity>=0.9, "
        "fixed:0.5 or cost:5"
    )
    if match is None:
        raise problem
    name, text = match["name"].rstrip(">=:"), match["number"]
    if name == "youden":
        if text:
            raise problem
        return name, float("nan")
    try:
        number = float(text)
    except ValueError:
        raise problem from None
    possible = {"fixed": np.isfinite(number), "cost": 0 < number < np.inf}.get(name, 0 <= number <= 1)
    if not possible:
        raise problem
    return name, number


def _operating_points(labels: Booleans, scores: Floats) -> _Operating:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_tie = (
        np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1] if len(ranked) else np.array([], int)
    )
    hits = np.cumsum(labels[order].astype(np.int64))[last_of_tie]
    return _Operating(
        ranked[last_of_tie], hits, last_of_tie + 1 - hits, int(labels.sum()), int((~labels).sum())
    )


def _needs_classes(name: str, points: _Operating) -> None:
    missing = [
        kind
        for kind, count, rules in (
            ("positive", points.positives, ("sensitivity", "youden", "cost")),
            ("negative", points.negatives, ("specificity", "youden", "cost")),
        )
        if count == 0 and name in rules
    ]
    if missing:
        raise EvaluationError(
            f"no {' and no '.join(missing)} case: the rule {name} cannot choose a threshold here"
        )


def _first_reaching(points: _Operating, wanted: float) -> float:
    # The lowest score reaches a sensitivity of 1, so there always is one.
    return float(points.thresholds[np.argmax(points.true_positive / points.positives >= wanted)])


def _last_reaching(points: _Operating, wanted: float) -> float:
    reached = np.flatnonzero(points.true_negative / points.negatives >= wanted)
    if len(reached) == 0:
        best = points.true_negative[0] / points.negatives
        raise EvaluationError(
            f"no observed score reaches specificity>={wanted:g}: the best is {best:.3f} "
            f"at a threshold of {points.thresholds[0]:g}; ask for less, or use another rule"
        )
    return float(points.thresholds[reached[-1]])
