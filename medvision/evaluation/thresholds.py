"""The operating point: which score, and above, counts as a positive prediction."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.operating_steps import StepCounts, Steps
from medvision.evaluation.roc import ranked_units

_RULE = re.compile(r"^(?P<name>youden|sensitivity>=|specificity>=|fixed:|cost:)(?P<number>.*)$")


def choose_threshold(
    labels: ArrayLike, scores: ArrayLike, *, rule: str = "youden", positive: object = None
) -> float:
    """The threshold that a rule picks on these cases; a prediction is ``score >= threshold``.

    Choose it on the training part of a fold. Accuracy measured on the cases that chose the threshold is
    optimistic (Leeflang et al., Clin Chem 2008;54:729, doi:10.1373/clinchem.2007.096032). Every candidate is
    an observed score. Among equally good ones it is the highest for ``youden``, ``cost`` and
    ``sensitivity>=x``, and the lowest for ``specificity>=x``: the rule is met with the most of the other
    measure.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        rule: ``youden`` (largest sensitivity + specificity; Youden, Cancer 1950;3:32,
            doi:10.1002/1097-0142(1950)3:1%3C32::AID-CNCR2820030106%3E3.0.CO;2-3), ``sensitivity>=0.95`` (the
            highest threshold that reaches it), ``specificity>=0.9`` (the lowest that reaches it),
            ``fixed:0.5``, or ``cost:5`` (a missed case costs as much as 5 false alarms; Metz, Semin Nucl Med
            1978;8:283, doi:10.1016/S0001-2998(78)80014-2).
        positive: The label that means that the condition is present.

    Returns:
        The threshold.

    Raises:
        EvaluationError: The rule is not known, needs a class that is absent, or no observed score meets it;
            then the best that can be had is named.

    Example:
        In the table of Hanley and McNeil (1982), 44 of 51 abnormal and 13 of 58 normal scans are rated 4 or
        more, 46 and 19 are rated 3 or more:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> choose_threshold(labels, ratings, rule="youden")
        4.0
        >>> choose_threshold(labels, ratings, rule="sensitivity>=0.9")
        3.0
    """
    name, number = parse_rule(rule)
    if name == "fixed":
        return number
    truth, values, _ = ranked_units(labels, scores, None, positive)
    steps = Steps.of(truth, values)
    needs_classes(name, int(truth.sum()), int((~truth).sum()))
    counts = steps.counts(np.ones((1, len(truth))))
    place = int(counts.chosen(name, number)[0])
    if place < 0:
        raise _unreachable(number, counts, float(steps.thresholds[0]))
    return float(steps.thresholds[place])


def parse_rule(rule: str) -> tuple[str, float]:
    """The name of a threshold rule and its number (NaN where it has none).

    Raises:
        EvaluationError: The rule is not known or its number is impossible.

    Example:
        >>> parse_rule("sensitivity >= 0.95")
        ('sensitivity', 0.95)
    """
    match = _RULE.match(str(rule).replace(" ", "").replace("≥", ">="))
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


def needs_classes(name: str, positives: int, negatives: int) -> None:
    """Refuse to choose where a class is absent that the rule looks at.

    Args:
        name: Of the rule.
        positives: Positive units.
        negatives: Negative units.

    Raises:
        EvaluationError: The class is named.

    Example:
        >>> needs_classes("specificity", 0, 5)
    """
    missing = [
        kind
        for kind, count, rules in (
            ("positive", positives, ("sensitivity", "youden", "cost")),
            ("negative", negatives, ("specificity", "youden", "cost")),
        )
        if count == 0 and name in rules
    ]
    if missing:
        raise EvaluationError(
            f"no {' and no '.join(missing)} case: the rule {name} cannot choose a threshold here"
        )


def _unreachable(wanted: float, counts: StepCounts, highest: float) -> EvaluationError:
    best = float((counts.true_negative[:, 0] / counts.negatives[:, 0])[0])
    return EvaluationError(
        f"no observed score reaches specificity>={wanted:g}: the best is {best:.3f} "
        f"at a threshold of {highest:g}; ask for less, or use another rule"
    )
