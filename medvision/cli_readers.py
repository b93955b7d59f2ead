"""Reader studies on the command line: `medvision plan readers`, and `medvision evaluate --reader`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from medvision.cli_options import examples, refuse_given
from medvision.cli_plan import plan as plan
from medvision.errors import EvaluationError
from medvision.workflows.clusters import Clusters
from medvision.workflows.reader_options import ReaderVariances, ReadingColumns

_SINGLE, _COLUMNS, _NO_VARIANCES = Clusters(), ReadingColumns(), ReaderVariances()
_NO_AREA = "is said of --figure sensitivity or specificity, not of an area"
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
    scope: Literal["RRRC", "FRRC", "RRFC"] = "RRRC",
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
        scope: Whether readers (R first) and cases are random or fixed.
        clusters: Several cases a patient, and losses.
        level: 1 - it is the two-sided type I error.
        json: Print JSON.
    """
    from medvision.workflows.plan_readers import plan_readers as planned
    from medvision.workflows.reader_pilot import pilot_from, pilot_of

    if pilot is not None and variances.given():
        raise EvaluationError("give a pilot table or variances, not both")
    if pilot is None:
        given = {name: getattr(columns, name) != own for name, own in asdict(_COLUMNS).items()}
        refuse_given(
            "is said of a table of a pilot; name it with --pilot", **given, figure=figure != "auc",
            threshold=threshold,
        )  # fmt: skip
    elif figure == "auc":
        refuse_given(_NO_AREA, threshold=threshold)
    known = (
        pilot_from(variances)
        if pilot is None
        else pilot_of(pilot, columns, figure=figure, threshold=threshold)
    )
    found = planned(
        known, difference=difference, readers=readers, cases=_numbers(cases), power=power,
        scope=scope, clusters=clusters, level=level,
    )  # fmt: skip
    print(found.to_json() if json else found)
    return 0


def _numbers(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() for word in words):
        raise EvaluationError(f"--cases {text!r}: numbers with commas between them, such as 100,200,300")
    return [int(word) for word in words]


def evaluate_readings(
    table: Path,
    columns: ReadingColumns,
    *,
    ai: str | None,
    figure: Literal["auc", "sensitivity", "specificity"],
    threshold: str | None,
    scope: Literal["RRRC", "FRRC", "RRFC"],
    level: float,
    json: bool,
    out: Path | None,
) -> int:
    """Evaluate a table of readings: modalities against each other, or an algorithm against the readers.

    Args:
        table: One row a reading.
        columns: What it calls its columns.
        ai: The algorithm's name among the readers.
        figure: What the readers are measured by.
        threshold: A rating of at least this is positive.
        scope: What is random.
        level: Confidence level.
        json: Print JSON.
        out: Folder for the tables.
    """
    from medvision.workflows.evaluate_readers import evaluate_ai_against_readers, evaluate_readers
    from medvision.workflows.evaluation_tables import show_tables
    from medvision.workflows.reader_tables import reader_tables

    if (columns.modality is None) == (ai is None):
        raise EvaluationError(
            "a table of readings needs --modality COLUMN to compare modalities, or --ai NAME to compare the "
            "algorithm of that name with the other readers: one of the two"
        )
    if figure == "auc":
        refuse_given(_NO_AREA, threshold=threshold)
    limit = _number(threshold)
    found = (
        evaluate_readers(table, columns, figure=figure, threshold=limit, scope=scope, level=level)
        if ai is None
        else evaluate_ai_against_readers(
            table, ai, columns, figure=figure, threshold=limit, scope=scope, level=level
        )
    )
    text = show_tables(reader_tables(found), out, found.to_json(), "evaluation", found.estimates)
    print(found.to_json() if json else text)
    return 0


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise EvaluationError(f"--threshold {text!r}: readings need a number") from None
