"""How many readers and cases a study of two modalities needs, with the text of its protocol. No torch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from medvision.errors import EvaluationError
from medvision.evaluation.obuchowski_rockette import Scope, VarianceComponents
from medvision.evaluation.reader_power import power_reader_study, sample_size_reader_study
from medvision.evaluation.sample_size import require_between, whole_cases
from medvision.workflows.clusters import Clusters
from medvision.workflows.reader_pilot import Pilot

_READERS = (3, 4, 5, 6, 7, 8, 10, 12, 15, 20)
_CASES = (100, 150, 200, 300, 400)
_MOST_CASES = 10_000
_FEW = 30
_RANDOM = {
    "RRRC": "readers and cases random",
    "FRRC": "readers fixed and cases random",
    "RRFC": "readers random and cases fixed",
}


@dataclass(frozen=True)
class ReaderRow:
    """A number of readers, and what it costs.

    Attributes:
        readers: Of the planned study.
        cases: The fewest with the wanted power; None where no number up to 10,000 has it.
        patients: To recruit for them: clusters and losses counted.
        power: By number of independent cases.

    Example:
        >>> ReaderRow(6, 251, 251, {200: 0.74}).cases
        251
    """

    readers: int
    cases: int | None
    patients: int | None
    power: dict[int, float]


@dataclass(frozen=True)
class ReaderPlan:
    """Numbers of a reader study, and the paragraph that explains them.

    Attributes:
        readers: Of the study that the text describes.
        cases: Its independent cases.
        patients: To recruit: clusters and losses counted.
        readings: Readers × cases × two modalities, as recruited cases count.
        design_effect: What clusters multiply the number of cases by.
        rows: One for each number of readers.
        components: That the plan rests on.
        text: For a protocol.

    Example:
        >>> from medvision.workflows.reader_options import ReaderVariances
        >>> from medvision.workflows.reader_pilot import pilot_from
        >>> plan_readers(pilot_from(ReaderVariances(0.0008, 0.00035, 0.00034, 0.00024, 0.0002, 114)),
        ...              difference=0.05, readers=8).readers
        8
    """

    readers: int
    cases: int
    patients: int
    readings: int
    design_effect: float
    rows: tuple[ReaderRow, ...]
    components: VarianceComponents
    text: str

    def to_json(self) -> str:
        """The plan as JSON; mean squares that do not enter are null."""
        content = asdict(self)
        content["components"] = {
            name: value if math.isfinite(value) else None for name, value in self.components.to_dict().items()
        }
        return json.dumps(content, indent=2, ensure_ascii=False)

    def table(self) -> pd.DataFrame:
        """Readers, fewest cases, patients, and the power with given numbers of cases."""
        return pd.DataFrame(
            {
                "readers": row.readers,
                "fewest cases": "—" if row.cases is None else str(row.cases),
                "patients": "—" if row.patients is None else str(row.patients),
                **{f"power, {n} cases": _printed(power) for n, power in row.power.items()},
            }
            for row in self.rows
        )

    def __str__(self) -> str:
        return (
            f"{self.patients} patients, {self.readers} readers\n\n{self.table().to_string(index=False)}"
            f"\n\n{self.text}"
        )


def plan_readers(
    pilot: Pilot,
    *,
    difference: float,
    readers: int | None = None,
    cases: Sequence[int] = _CASES,
    power: float = 0.8,
    clusters: Clusters | None = None,
    scope: Scope = "RRRC",
    level: float = 0.95,
) -> ReaderPlan:
    """Readers and cases that show two modalities to differ.

    Args:
        pilot: Components of variance.
        difference: Of the mean figures of merit that would matter; never the one that the pilot found.
        readers: That the text describes; None takes the number with the fewest readings.
        cases: Columns of the table of power.
        power: Chance to find the difference.
        clusters: Several cases a patient, and losses.
        scope: ``RRRC`` (readers and cases random), ``FRRC`` (readers fixed) or ``RRFC`` (cases fixed).
        level: 1 - it is the two-sided type I error.

    Raises:
        EvaluationError: A number is out of range, or no number of readers reaches the power.

    Example:
        >>> from medvision.workflows.reader_options import ReaderVariances
        >>> from medvision.workflows.reader_pilot import pilot_from
        >>> pilot = pilot_from(ReaderVariances(0.0008, 0.00035, 0.00034, 0.00024, 0.0002, 114))
        >>> plan_readers(pilot, difference=0.05, readers=6).cases
        165
    """
    require_between("power", power, 0, 1)
    require_between("level", level, 0, 1)
    require_between("difference", abs(difference), 0, 1)
    around = _around(pilot, clusters or Clusters())
    counts = sorted({*_READERS, *([] if readers is None else [readers])})
    rows = tuple(_row(pilot, n, cases, difference, power, around, scope, level) for n in counts)
    enough = [row for row in rows if row.cases is not None]
    chosen = [row for row in enough if readers in (None, row.readers)]
    if not chosen:
        raise EvaluationError(
            f"{readers or counts[-1]} readers do not reach a power of {power:g} with {_MOST_CASES:,} cases: "
            + (f"{enough[0].readers} readers do" if enough else "the difference is too small for this pilot")
        )
    row = min(chosen, key=lambda one: one.readers * (one.cases or 0))
    independent, patients = int(row.cases or 0), int(row.patients or 0)
    text = _text(pilot, row, difference, power, scope, level) + _patients_text(row, around)
    readings = 2 * row.readers * whole_cases(independent * around.design_effect)
    return ReaderPlan(
        row.readers, independent, patients, readings, around.design_effect, rows, pilot.components, text
    )


def _printed(power: float) -> str:
    return ">0.99" if power >= 0.995 else f"{power:.2f}"


def _around(pilot: Pilot, clusters: Clusters) -> Clusters:
    if pilot.per_patient is None:
        return clusters
    if clusters.per_patient != 1 or clusters.icc is not None:
        raise EvaluationError(
            "the pilot's patients already say how the cases of a patient hang together; leave out "
            "--per-patient and --icc, or --patient"
        )
    return Clusters(pilot.per_patient, 0.0, clusters.lost)


def _row(
    pilot: Pilot,
    readers: int,
    cases: Sequence[int],
    difference: float,
    power: float,
    around: Clusters,
    scope: Scope,
    level: float,
) -> ReaderRow:
    def reached(n: int) -> float:
        return power_reader_study(
            pilot.components, difference=difference, readers=readers, cases=n, pilot_cases=pilot.cases,
            scope=scope, alpha=1 - level,
        )  # fmt: skip

    table = {n: reached(n) for n in cases}
    if reached(_MOST_CASES) < power:
        return ReaderRow(readers, None, None, table)
    n = sample_size_reader_study(
        pilot.components, difference=difference, readers=readers, pilot_cases=pilot.cases, power=power,
        scope=scope, alpha=1 - level, most_cases=_MOST_CASES,
    )  # fmt: skip
    return ReaderRow(readers, n, around.patients(n), table)


def _text(pilot: Pilot, row: ReaderRow, difference: float, power: float, scope: Scope, level: float) -> str:
    parts = pilot.components
    text = (
        f"{row.readers} readers who each read {row.cases} cases under both modalities find a difference of "
        f"{abs(difference):g} in the mean {pilot.figure} with a power of {100 * power:g}% (two-sided type I "
        f"error {1 - level:.3g}; Obuchowski and Rockette with Hillis' degrees of freedom, "
        f"{_RANDOM[scope]}; Hillis, Obuchowski and Berbaum 2011). Components of variance from "
        f"{pilot.source}: variance {parts.variance:.3g}, Cov1 {parts.cov1:.3g}, Cov2 {parts.cov2:.3g}, "
        f"Cov3 {parts.cov3:.3g}, modality by reader {max(pilot.interaction, 0.0):.3g}; the planned study is "
        "assumed to have the same share of cases with the condition."
    )
    if pilot.interaction < 0:
        text += f" The last was estimated as {pilot.interaction:.3g} and counts as 0."
    if int(row.cases or 0) < _FEW:
        text += f" These variances hold for large samples: fewer than {_FEW} cases are no plan."
    return text


def _patients_text(row: ReaderRow, around: Clusters) -> str:
    text = ""
    if around.per_patient > 1:
        cases = whole_cases(int(row.cases or 0) * around.design_effect)
        text += f" Patients have {around.per_patient:.3g} cases on average"
        effect = f"{around.design_effect:.2f}"
        text += (
            f", correlated by {around.icc:g}: a design effect of {effect}, so {cases} cases."
            if around.icc
            else "; how these hang together is part of the variances."
        )
    if around.lost > 0:
        text += (
            f" Allowing for {100 * around.lost:g}% of patients who are lost, {row.patients} are recruited."
        )
    elif around.per_patient > 1:
        text += f" These are {row.patients} patients."
    return text
