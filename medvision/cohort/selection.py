"""From all series of an export to one for each patient or study, with a count at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

TAKEN = "Series taken"
"""The step in which one series is taken for each study or patient."""
PREFERENCES: dict[str, tuple[str, bool]] = {
    "most_slices": ("slices", False),
    "fewest_slices": ("slices", True),
    "thinnest_slices": ("slice_spacing_mm", True),
    "thickest_slices": ("slice_spacing_mm", False),
    "smallest_pixels": ("pixel_spacing_mm", True),
    "earliest": ("study_date", True),
    "latest": ("study_date", False),
}
"""Column, and whether its smallest value comes first."""


@dataclass(frozen=True, eq=False)
class Step:
    """One condition.

    Attributes:
        name: What remains, such as `Axial`.
        passes: Whether each series of the inventory meets it, by its index.
        reasons: Why each one that does not is left out, by its index; None takes `not` and the name.
    """

    name: str
    passes: pd.Series[bool]
    reasons: pd.Series[str] | None = None


@dataclass(frozen=True)
class Tally:
    """How many are left.

    Attributes:
        series: Series.
        studies: Studies that have one of them.
        patients: Patients who have one of them.
    """

    series: int
    studies: int
    patients: int


@dataclass(frozen=True)
class FlowStep:
    """One box of the flow diagram with what was left out before it.

    Attributes:
        name: What remains.
        left: How many.
        excluded: Series left out, by reason, the most frequent first.
        lost: Studies or patients (see `Selected.unit`) that have no series left because of this step.
    """

    name: str
    left: Tally
    excluded: Mapping[str, int]
    lost: int


@dataclass(frozen=True, eq=False)
class Selected:
    """The outcome of a rule file.

    Attributes:
        unit: `study` or `patient`.
        chosen: The rows of the inventory that were taken.
        flow: The steps, the inventory first, what was taken last.
        ties: Rows between which the preferences do not decide.
        unmatched: One row a unit of which no series fits: its pseudonym, its patient, and the step that it
            ended at.
        left_out: Every other row with the column `reason`.
    """

    unit: str
    chosen: pd.DataFrame
    flow: tuple[FlowStep, ...]
    ties: pd.DataFrame
    unmatched: pd.DataFrame
    left_out: pd.DataFrame


def select_series(
    inventory: pd.DataFrame, steps: Sequence[Step], *, one_per: str, prefer: Sequence[str] = ("most_slices",)
) -> Selected:
    """Apply conditions in turn, then take one series for each study or patient.

    Args:
        inventory: One row a series; `series`, `study` and `patient` name them, the rest is for `prefer`.
        steps: Conditions, in order; a series is counted at the first that it does not meet.
        one_per: `study` or `patient`.
        prefer: Keys of :data:`PREFERENCES`; the next one counts where the ones before are equal. A missing
            value comes last.

    Returns:
        What was taken, and what was not and why. Nothing is taken where the preferences leave a tie.

    Example:
        >>> table = pd.DataFrame({"series": ["a", "b", "c"], "study": ["1", "1", "2"],
        ...     "patient": ["p", "p", "q"], "slices": [20, 300, 100], "modality": ["CT", "CT", "MR"]})
        >>> found = select_series(table, [Step("CT", table["modality"] == "CT")], one_per="patient")
        >>> found.chosen["series"].tolist(), found.unmatched["patient"].tolist()
        (['b'], ['q'])
        >>> [(step.name, step.left.series, dict(step.excluded)) for step in found.flow[1:]]
        [('CT', 2, {'not CT': 1}), ('Series taken', 1, {'another series is preferred': 1})]
    """
    left = inventory
    flow = [FlowStep("Series in the export", _tally(left), {}, 0)]
    reason = pd.Series("", index=inventory.index, dtype=object)
    ended: dict[str, str] = {}
    for step in steps:
        passes = step.passes.reindex(left.index).fillna(value=False).astype(bool)
        out = left.index[~passes]
        reason[out] = f"not {step.name}" if step.reasons is None else step.reasons.reindex(out)
        flow.append(_flow_step(step.name, left, left[passes], reason[out], one_per, ended))
        left = left[passes]
    unmatched = _unmatched(inventory, ended, one_per)
    chosen, ties = _preferred(left, one_per, prefer)
    reason[left.index.difference(chosen.index)] = "another series is preferred"
    reason[ties.index] = "a tie: no preference decides"
    flow.append(_flow_step(TAKEN, left, chosen, reason[left.index.difference(chosen.index)], one_per, ended))
    rest = inventory.drop(chosen.index)
    return Selected(
        one_per,
        chosen,
        tuple(flow),
        ties,
        unmatched,
        rest.assign(reason=reason[rest.index]),
    )


def without(selected: Selected, refused: Mapping[str, str], name: str) -> Selected:
    """Take series out again that were found to be unreadable after all.

    Args:
        selected: The outcome so far.
        refused: Why, by `series`.
        name: Of the step that this adds to the flow.

    Returns:
        The outcome with one more step.
    """
    chosen = selected.chosen
    out = chosen[chosen["series"].isin(list(refused))]
    left = chosen.drop(out.index)
    reasons = out["series"].map(dict(refused)).astype(object)
    ended: dict[str, str] = {}
    step = _flow_step(name, chosen, left, reasons, selected.unit, ended)
    return replace(
        selected,
        chosen=left,
        flow=(*selected.flow, step),
        unmatched=pd.concat([selected.unmatched, _unmatched(out, ended, selected.unit)], ignore_index=True),
        left_out=pd.concat([selected.left_out, out.assign(reason=reasons)]).sort_index(),
    )


def _preferred(left: pd.DataFrame, one_per: str, prefer: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The best row of each unit, and the rows of those units whose best rows are equal."""
    taken: list[object] = []
    ties: list[object] = []
    for _, rows in left.groupby(one_per, sort=True):
        best = rows
        for name in prefer:
            column, smallest = PREFERENCES[name]
            values = best[column].dropna()
            values = values[values != ""]
            if len(values):
                best = best.loc[values.index[values == (values.min() if smallest else values.max())]]
        (taken if len(best) == 1 else ties).extend(best.index)
    return left.loc[taken], left.loc[ties]


def _flow_step(
    name: str,
    before: pd.DataFrame,
    after: pd.DataFrame,
    reasons: pd.Series[str],
    unit: str,
    ended: dict[str, str],
) -> FlowStep:
    gone = sorted(set(before[unit]) - set(after[unit]) - {""})
    ended |= dict.fromkeys(gone, name)
    counts = {str(why): int(n) for why, n in reasons.value_counts(sort=True).items()}
    return FlowStep(
        name, _tally(after), dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))), len(gone)
    )


def _tally(rows: pd.DataFrame) -> Tally:
    patients = rows.loc[rows["patient"] != "", "patient"].nunique()
    return Tally(len(rows), rows.loc[rows["study"] != "", "study"].nunique(), patients)


def _unmatched(inventory: pd.DataFrame, ended: Mapping[str, str], unit: str) -> pd.DataFrame:
    first = inventory.drop_duplicates(unit).set_index(unit)["patient" if unit == "study" else "study"]
    rows = [
        {unit: key, "patient": key if unit == "patient" else first[key], "ended_at": name}
        for key, name in ended.items()
    ]
    return pd.DataFrame(rows, columns=list(dict.fromkeys((unit, "patient", "ended_at"))), dtype="str")
