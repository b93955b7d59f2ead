"""Units gathered into their patients, the groups that are never divided."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import CohortError
from medvision.wording import first_of

Class = int | float | str | bool


@dataclass(frozen=True)
class PatientGroup:
    """A patient with everything that must stay together.

    Attributes:
        patient: The patient.
        rows: Positions of the patient's units.
        units: Number of units by class.
        stratum: What else is balanced.
    """

    patient: str
    rows: tuple[int, ...]
    units: dict[Class, int]
    stratum: tuple[str, ...]

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes that the patient has, in order."""
        return tuple(sorted(self.units))


def patient_groups(
    patients: ArrayLike, labels: ArrayLike | None, strata: Sequence[Hashable] | None
) -> list[PatientGroup]:
    """Gather units into patients.

    Args:
        patients: The patient of each unit.
        labels: The class of each unit; None puts all into one class.
        strata: A further value of each unit, which may be a tuple.

    Returns:
        The patients in the order of their names, whatever the order of the units.

    Raises:
        CohortError: Lists of different lengths, no units, or a label or patient that is missing.
    """
    names = [str(patient) for patient in np.asarray(patients, dtype=object).tolist()]
    classes: list[Class] = [0] * len(names) if labels is None else np.asarray(labels).tolist()
    others = [()] * len(names) if strata is None else [_stratum(value) for value in strata]
    if not len(names) == len(classes) == len(others):
        lengths = f"{len(names)} patients, {len(classes)} labels, {len(others)} strata"
        raise CohortError(f"one patient, label and stratum is needed for each unit, not {lengths}")
    if not names:
        raise CohortError("there are no cases to divide")
    problems = [
        f"unit {row} (patient {name}) has the label {label!r}"
        for row, (name, label) in enumerate(zip(names, classes, strict=True))
        if label is None or (isinstance(label, float) and math.isnan(label))
    ]
    if problems:
        raise CohortError("a split needs every label", problems=first_of(problems))
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return [
        PatientGroup(
            patient=name,
            rows=tuple(rows[name]),
            units=dict(Counter(classes[row] for row in rows[name])),
            stratum=tuple(sorted({text for row in rows[name] for text in [repr(others[row])]})),
        )
        for name in sorted(rows)
    ]


def patients_by_class(groups: Sequence[PatientGroup]) -> dict[Class, int]:
    """Count the patients that have each class.

    Args:
        groups: The patients.

    Returns:
        Patients by class, in the order of the classes.
    """
    count = Counter(label for group in groups for label in group.classes)
    return {label: count[label] for label in sorted(count)}


def units_by_class(groups: Sequence[PatientGroup]) -> dict[Class, int]:
    """Count the units of each class.

    Args:
        groups: The patients.

    Returns:
        Units by class, in the order of the classes.
    """
    count: Counter[Class] = Counter()
    for group in groups:
        count.update(group.units)
    return {label: count[label] for label in sorted(count)}


def _stratum(value: Hashable) -> tuple[str, ...]:
    values = value if isinstance(value, tuple | list) else (value,)
    return tuple("missing" if item is None or item != item else str(item) for item in values)
