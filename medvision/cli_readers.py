"""The verb `medvision plan readers`: how many readers and cases a reader study needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from medvision.cli_plan import examples
from medvision.cli_plan import plan as plan
from medvision.errors import EvaluationError
from medvision.workflows.clusters import Clusters
from medvision.workflows.reader_options import ReaderVariances, ReadingColumns

_SINGLE, _COLUMNS, _NO_VARIANCES = Clusters(), ReadingColumns(), ReaderVariances()
_Flat = Parameter(name="*", show_default=False)


@plan.command(
    name="readers",
    help_epilogue=examples(
        "medvision plan readers --difference 0.05 --pilot ratings.csv --label truth --score rating",
        "medvision plan readers --difference 0.05 --readers 8 --variance 0.0008 --cov1 0.00035 "
        "--cov2 0.00034 --cov3 0.00024 --interaction 0.0002 --pilot-cases 114",
    ),
)
def plan_readers(
    *,
    difference: float,
    pilot: Path | None = None,
    columns: Annotated[ReadingColumns, _Flat] = _COLUMNS,
    variances: Annotated[ReaderVariances, _Flat] = _NO_VARIANCES,
    figure: Literal["auc", "sensitivity", "specificity"] = "auc",
    threshold: float | None = None,
    readers: int | None = None,
    cases: str = "100,150,200,300,400",
    power: float = 0.8,
    clusters: Annotated[Clusters, _Flat] = _SINGLE,
    level: float = 0.95,
    json: bool = False,
) -> int:
    """Plan a study in which the same readers read the same cases under two modalities.

    Args:
        difference: Of the mean figures of merit that would matter; not the one that a pilot found.
        pilot: Table of a pilot, one row a reading; or give the variances.
        columns: What the pilot calls its columns.
        variances: Of a pilot or a paper.
        figure: What the readers are measured by.
        threshold: A rating of at least this is positive; for sensitivity and specificity.
        readers: Of the planned study; by default the number with the fewest readings.
        cases: Columns of the table of power.
        power: Chance to find the difference.
        clusters: Several cases a patient, and losses.
        level: 1 - it is the two-sided type I error.
        json: Print JSON.
    """
    from medvision.workflows.plan_readers import plan_readers as planned
    from medvision.workflows.reader_pilot import pilot_from, pilot_of

    if pilot is not None and variances.given():
        raise EvaluationError("give a pilot table or variances, not both")
    known = (
        pilot_from(variances)
        if pilot is None
        else pilot_of(pilot, columns, figure=figure, threshold=threshold)
    )
    found = planned(
        known, difference=difference, readers=readers, cases=_numbers(cases), power=power,
        clusters=clusters, level=level,
    )  # fmt: skip
    print(found.to_json() if json else found)
    return 0


def _numbers(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() for word in words):
        raise EvaluationError(f"--cases {text!r}: numbers with commas between them, such as 100,200,300")
    return [int(word) for word in words]
