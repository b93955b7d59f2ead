"""The verb `medvision plan`: how many patients a study needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from medvision.cli_options import examples, refuse_given
from medvision.workflows.clusters import Clusters

if TYPE_CHECKING:
    from medvision.workflows.plan import Plan

_SINGLE = Clusters()
_Clusters = Annotated[Clusters, Parameter(name="*", show_default=False)]


plan = App(
    name="plan",
    help="How many patients a study needs, with sentences for its protocol.",
    help_epilogue=examples(
        "medvision plan auroc --expected 0.85 --half-width 0.05 --prevalence 0.3",
        "medvision plan sensitivity --expected 0.9 --half-width 0.05 --prevalence 0.2 --lost 0.1",
        "medvision plan compare --measure auroc --first 0.85 --second 0.80 --correlation 0.6",
        "medvision plan readers --difference 0.05 --pilot ratings.csv --label truth --score rating",
    ),
    version_flags=[],
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    sort_key=5,
)


@plan.command(
    name="auroc",
    help_epilogue=examples(
        "medvision plan auroc --expected 0.85 --half-width 0.05 --prevalence 0.3",
        "medvision plan auroc --expected 0.85 --null 0.75 --power 0.9",
        "medvision plan auroc --expected 0.85 --half-width 0.05 --per-patient 1.8 --icc 0.3",
    ),
)
def plan_auroc(
    *,
    expected: float,
    half_width: float | None = None,
    null: float | None = None,
    power: float | None = None,
    prevalence: float | None = None,
    scores: Literal["ratings", "continuous"] | None = None,
    clusters: _Clusters = _SINGLE,
    level: float = 0.95,
    json: bool = False,
) -> int:
    """Plan an area under the ROC curve: an interval of a half-width, or a test against a value.

    Args:
        expected: The expected area.
        half_width: Of its interval, such as 0.05; or
        null: The area that it is tested against.
        power: Chance to find a difference from it; 0.8 by default.
        prevalence: Share of cases with the condition; without it as many are chosen with it as without.
        scores: ratings on few levels (cautious, the default), or continuous scores; for an interval.
        clusters: Several cases a patient, and losses.
        level: Confidence level; 1 - it is the type I error.
        json: Print JSON.
    """
    from medvision.workflows.plan import plan_auroc as planned

    if null is None:
        refuse_given("is said of a test; name what it is against with --null", power=power)
    if half_width is None:
        refuse_given("is said of an interval; name its --half-width", scores=scores)
    return _show_plan(
        planned(
            expected, half_width=half_width, null=null, power=0.8 if power is None else power,
            prevalence=prevalence, scores=scores or "ratings", clusters=clusters, level=level,
        ),
        json,
    )  # fmt: skip


def _plan_proportion(
    measure: Literal["sensitivity", "specificity"],
    expected: float,
    half_width: float,
    prevalence: float | None,
    clusters: Clusters,
    level: float,
    json: bool,
) -> int:
    from medvision.workflows.plan import plan_proportion

    return _show_plan(
        plan_proportion(measure, expected, half_width, prevalence=prevalence, clusters=clusters, level=level),
        json,
    )


@plan.command(
    name="sensitivity",
    help_epilogue=examples("medvision plan sensitivity --expected 0.9 --half-width 0.05 --prevalence 0.2"),
)
def plan_sensitivity(
    *,
    expected: float,
    half_width: float,
    prevalence: float | None = None,
    clusters: _Clusters = _SINGLE,
    level: float = 0.95,
    json: bool = False,
) -> int:
    """Plan a sensitivity with an interval of a half-width.

    Args:
        expected: Its expected value.
        half_width: Of its interval, such as 0.05.
        prevalence: Share of cases with the condition; without it only those are counted.
        clusters: Several cases a patient, and losses.
        level: Confidence level.
        json: Print JSON.
    """
    return _plan_proportion("sensitivity", expected, half_width, prevalence, clusters, level, json)


@plan.command(
    name="specificity",
    help_epilogue=examples("medvision plan specificity --expected 0.9 --half-width 0.03 --prevalence 0.2"),
)
def plan_specificity(
    *,
    expected: float,
    half_width: float,
    prevalence: float | None = None,
    clusters: _Clusters = _SINGLE,
    level: float = 0.95,
    json: bool = False,
) -> int:
    """Plan a specificity with an interval of a half-width.

    Args:
        expected: Its expected value.
        half_width: Of its interval, such as 0.05.
        prevalence: Share of cases with the condition; without it only the others are counted.
        clusters: Several cases a patient, and losses.
        level: Confidence level.
        json: Print JSON.
    """
    return _plan_proportion("specificity", expected, half_width, prevalence, clusters, level, json)


@plan.command(
    name="compare",
    help_epilogue=examples(
        "medvision plan compare --measure auroc --first 0.85 --second 0.80 --correlation 0.6",
        "medvision plan compare --measure sensitivity --first 0.9 --second 0.8 --discordant 0.2",
    ),
)
def plan_compare(
    *,
    measure: Literal["auroc", "sensitivity", "specificity"],
    first: float,
    second: float,
    correlation: float | None = None,
    discordant: float | None = None,
    power: float | None = None,
    prevalence: float | None = None,
    scores: Literal["ratings", "continuous"] | None = None,
    clusters: _Clusters = _SINGLE,
    level: float = 0.95,
    json: bool = False,
) -> int:
    """Plan a comparison of two models on the same cases.

    Args:
        measure: What is compared.
        first: Expected of the first model.
        second: Expected of the second.
        correlation: Of two areas on the same cases; 0.3 to 0.6 is usual, 0 is cautious, 0.5 the default.
        discordant: Share of cases on which two sensitivities disagree; by default what independence gives.
        power: Chance to find the difference; 0.8 by default.
        prevalence: Share of cases with the condition.
        scores: ratings on few levels (cautious, the default), or continuous scores; for areas.
        clusters: Several cases a patient, and losses.
        level: 1 - it is the type I error.
        json: Print JSON.
    """
    from medvision.workflows.plan import plan_comparison

    if measure == "auroc":
        refuse_given("is said of a sensitivity or specificity, not of areas", discordant=discordant)
    else:
        refuse_given("is said of areas (--measure auroc)", correlation=correlation, scores=scores)
    return _show_plan(
        plan_comparison(
            measure, first, second, correlation=0.5 if correlation is None else correlation,
            discordant=discordant, power=0.8 if power is None else power, prevalence=prevalence,
            scores=scores or "ratings", clusters=clusters, level=level,
        ),
        json,
    )  # fmt: skip


def _show_plan(found: Plan, as_json: bool) -> int:
    print(found.to_json() if as_json else found)
    return 0
