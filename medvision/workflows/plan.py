"""How many patients a study needs, with the sentences for its protocol. No torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from medvision.errors import EvaluationError
from medvision.evaluation.paired_sizes import sample_size_paired_auroc, sample_size_paired_proportions
from medvision.evaluation.sample_size import (
    CaseNumbers,
    Scores,
    sample_size_auroc,
    sample_size_auroc_interval,
    sample_size_proportion,
    whole_cases,
)
from medvision.workflows.clusters import Clusters

_BINORMAL = {
    "ratings": "the binormal variance of Obuchowski and McClish (1997)",
    "continuous": "the variance of DeLong's area for normal scores",
}


@dataclass(frozen=True)
class Plan:
    """Numbers of a study, and the paragraph that explains them.

    Attributes:
        positive: Independent cases with the condition.
        negative: Independent cases without it.
        cases: Independent cases in all, where cases come as they come.
        patients: Patients to recruit: clusters and losses counted.
        design_effect: What clusters multiply the number of cases by.
        text: For a protocol.

    Example:
        >>> plan_proportion("sensitivity", 0.9, 0.05, prevalence=0.25).patients
        564
    """

    positive: int
    negative: int
    cases: int
    patients: int
    design_effect: float
    text: str

    def to_json(self) -> str:
        """The plan as JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def __str__(self) -> str:
        return f"{self.patients} patients\n\n{self.text}"


def plan_proportion(
    measure: str,
    expected: float,
    half_width: float,
    *,
    prevalence: float | None = None,
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Plan:
    """Patients for a sensitivity or specificity with an interval of this half-width (Wilson).

    Args:
        measure: ``sensitivity`` or ``specificity``.
        expected: Its expected value.
        half_width: Of the interval, such as 0.05.
        prevalence: Share of cases with the condition; None recruits only those that count.
        clusters: Several cases a patient, and losses.
        level: Confidence level.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> print(plan_proportion("specificity", 0.9, 0.05).text)  # doctest: +ELLIPSIS
        An expected specificity of 0.90 is estimated with a 95% confidence interval (Wilson) of ±0.05 by ...
    """
    n = sample_size_proportion(expected, half_width, method="wilson", level=level)
    share = _share(measure, prevalence)
    total = whole_cases(n / share)
    which = "with" if measure == "sensitivity" else "without"
    text = (
        f"An expected {measure} of {expected:.2f} is estimated with a {100 * level:g}% confidence interval "
        f"(Wilson) of ±{half_width:g} by {n} cases {which} the condition."
    )
    if prevalence is not None:
        text += f" At a prevalence of {100 * prevalence:g}% these are found among {total} cases."
    positive = n if measure == "sensitivity" else total - n
    return _plan(CaseNumbers(positive, total - positive), total, text, clusters)


def plan_auroc(
    expected: float,
    *,
    half_width: float | None = None,
    null: float | None = None,
    power: float = 0.8,
    prevalence: float | None = None,
    scores: Scores = "ratings",
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Plan:
    """Patients for an area under the ROC curve: with an interval of a half-width, or other than a value.

    Args:
        expected: The expected area.
        half_width: Of the interval; or
        null: The area that it is tested against.
        power: Chance to find a difference from ``null``.
        prevalence: Share of cases with the condition; None recruits as many without it.
        scores: ``ratings`` (cautious) or ``continuous``, for the interval.
        clusters: Several cases a patient, and losses.
        level: Confidence level; 1 - it is the type I error.

    Raises:
        EvaluationError: Both or none of ``half_width`` and ``null`` are given, or a number is out of range.

    Example:
        >>> plan_auroc(0.75, null=0.5).cases
        38
    """
    if (half_width is None) == (null is None):
        raise EvaluationError("give half_width for an interval, or null for a test: one of the two")
    ratio = _ratio(prevalence)
    if half_width is not None:
        numbers = sample_size_auroc_interval(expected, half_width, ratio=ratio, scores=scores, level=level)
        aim = f"is estimated with a {100 * level:g}% confidence interval of ±{half_width:g}"
        by = _BINORMAL[scores]
    else:
        numbers = sample_size_auroc(expected, null=float(null or 0.0), power=power, ratio=ratio, level=level)
        aim = f"is found to differ from {null:g} ({_test(power, level)})"
        by = _BINORMAL["ratings"]
    text = (
        f"An expected area under the ROC curve of {expected:.2f} {aim} by {numbers.positive} cases with and "
        f"{numbers.negative} without the condition, by {by}."
    )
    return _plan(numbers, numbers.total, text + _mixture(prevalence), clusters)


def plan_comparison(
    measure: str,
    first: float,
    second: float,
    *,
    correlation: float = 0.5,
    discordant: float | None = None,
    power: float = 0.8,
    prevalence: float | None = None,
    scores: Scores = "ratings",
    clusters: Clusters | None = None,
    level: float = 0.95,
) -> Plan:
    """Patients that show two models (or readers) on the same cases to differ.

    Args:
        measure: ``auroc``, ``sensitivity`` or ``specificity``.
        first: Expected of the first.
        second: Expected of the second.
        correlation: Of the two estimated areas.
        discordant: For sensitivity and specificity the share of cases on which the two disagree; None takes
            what independence of the two would give, which is cautious.
        power: Chance to find the difference.
        prevalence: Share of cases with the condition.
        scores: ``ratings`` (cautious) or ``continuous``, for areas.
        clusters: Several cases a patient, and losses.
        level: 1 - the type I error.

    Raises:
        EvaluationError: A number lies outside its range.

    Example:
        >>> plan_comparison("sensitivity", 0.9, 0.8, discordant=0.2).positive
        155
    """
    tested = _test(power, level)
    if measure == "auroc":
        numbers = sample_size_paired_auroc(
            first, second, correlation=correlation, scores=scores, power=power, ratio=_ratio(prevalence),
            level=level,
        )  # fmt: skip
        text = (
            f"Areas under the ROC curve of {first:.2f} and {second:.2f} on the same cases, correlated by "
            f"{correlation:g}, are told apart ({tested}) by {numbers.positive} cases with and "
            f"{numbers.negative} without the condition, by {_BINORMAL[scores]}.{_mixture(prevalence)}"
        )
        return _plan(numbers, numbers.total, text, clusters)
    apart = first * (1 - second) + second * (1 - first) if discordant is None else discordant
    n = sample_size_paired_proportions(first - second, apart, power=power, level=level)
    share = _share(measure, prevalence)
    which = "with" if measure == "sensitivity" else "without"
    text = (
        f"A {measure} of {first:.2f} and one of {second:.2f} on the same cases, of which the two disagree on "
        f"{100 * apart:.3g}%, are told apart by McNemar's test ({tested}) by {n} cases {which} the condition "
        "(Connor 1987)."
    )
    total = whole_cases(n / share)
    if prevalence is not None:
        text += f" At a prevalence of {100 * prevalence:g}% these are found among {total} cases."
    positive = n if measure == "sensitivity" else total - n
    return _plan(CaseNumbers(positive, total - positive), total, text, clusters)


def _plan(numbers: CaseNumbers, total: int, text: str, clusters: Clusters | None) -> Plan:
    around = clusters or Clusters()
    patients = around.patients(total)
    if around.per_patient > 1:
        text += (
            f" Patients have {around.per_patient:g} cases on average, correlated by {around.icc or 0:g}: a "
            f"design effect of {around.design_effect:.2f}, so "
            f"{whole_cases(total * around.design_effect)} cases."
        )
    if around.lost > 0:
        text += f" Allowing for {100 * around.lost:g}% of patients who are lost, {patients} are recruited."
    elif around.per_patient > 1:
        text += f" These are {patients} patients."
    return Plan(numbers.positive, numbers.negative, total, patients, around.design_effect, text)


def _share(measure: str, prevalence: float | None) -> float:
    """Of all cases those that a sensitivity, or a specificity, is measured on."""
    share = 1.0 if prevalence is None else prevalence if measure == "sensitivity" else 1 - prevalence
    if not 0 < share <= 1:
        raise EvaluationError(f"prevalence={prevalence} must lie between 0 and 1; write 0.2 for 20%")
    return share


def _ratio(prevalence: float | None) -> float:
    if prevalence is None:
        return 1.0
    if not 0 < prevalence < 1:
        raise EvaluationError(f"prevalence={prevalence} must lie between 0 and 1; write 0.2 for 20%")
    return (1 - prevalence) / prevalence


def _mixture(prevalence: float | None) -> str:
    if prevalence is None:
        return " As many cases are chosen with the condition as without it."
    return f" The prevalence is {100 * prevalence:g}%."


def _test(power: float, level: float) -> str:
    return f"two-sided type I error {1 - level:.3g}, power {100 * power:g}%"
