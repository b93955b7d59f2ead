"""Binary labels from a column with two values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from medvision.wording import first_of, listed

Value = str | int | bool


def binary_labels(
    values: Sequence[object],
    *,
    column: str,
    positive: Value,
    negative: Value | None,
    names: Sequence[str],
) -> tuple[list[int], list[str]]:
    """Read a column as diseased (1) or not (0).

    Numbers are compared as numbers (`1`, `1.0`, `"1"` and `true` are one value), text as it stands.

    Args:
        values: The column; None where it is empty.
        column: Its name, for messages.
        positive: The value that means diseased.
        negative: The value that means not diseased; by default the column's only other value.
        names: Row and patient of each value, for messages.

    Returns:
        The labels (−1 where a value cannot be read) and everything that is wrong.

    Example:
        >>> binary_labels(["1", "0"], column="malignant", positive=1, negative=None, names=["a", "b"])
        ([1, 0], [])
    """
    keys = [None if value is None else same_value(value) for value in values]
    shown = {key: value for key, value in zip(keys, values, strict=True) if key is not None}
    yes = same_value(positive)
    others = [key for key in shown if key != yes]
    problems = first_of(
        [
            f"{name}: the label {column!r} is empty"
            for name, key in zip(names, keys, strict=True)
            if key is None
        ]
    )
    held = listed(repr(value) for value in shown.values())
    if shown and yes not in shown:
        return [], [
            *problems,
            f"the label {column!r} never is {positive!r}, the positive value; it holds {held}",
        ]
    if negative is None and len(others) > 1:
        problems.append(
            f"the label {column!r} has {len(shown)} values ({held}); "
            "name the negative one too, and leave cases with other values out of the table"
        )
        return [], problems
    no = same_value(negative) if negative is not None else next(iter(others), None)
    wrong = [
        f"{name}: the label {column!r} is {value!r}, neither {positive!r} nor {negative!r}"
        for name, value, key in zip(names, values, keys, strict=True)
        if key is not None and key not in (yes, no)
    ]
    problems += first_of(wrong)
    labels = [1 if key == yes else 0 if key is not None and key == no else -1 for key in keys]
    if shown and 0 not in labels:
        missing = "has one value only" if negative is None else f"never is {negative!r}, the negative value"
        problems.append(f"the label {column!r} {missing}; it holds {held}")
    return labels, problems


def same_value(value: object) -> float | str:
    """Return what two equal values have in common, however they are written.

    Args:
        value: A value of a column or of a study file.

    Example:
        >>> same_value("1") == same_value(1.0) == same_value(True), same_value(" train ")
        (True, 'train')
    """
    if isinstance(value, bool | int | float):
        return float(value)
    text = str(value).strip()
    if text.lower() in {"true", "false"}:
        return float(text.lower() == "true")
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def too_few_patients(patients: Sequence[str], labels: Sequence[int], folds: int) -> list[str]:
    """Say which classes so many folds cannot all have.

    Args:
        patients: The patient of each case.
        labels: The class of each case; negative numbers are no class.
        folds: Parts that patients are divided into.

    Returns:
        One sentence for each class with fewer patients than folds.

    Example:
        >>> too_few_patients(["a", "b", "c"], [1, 0, 0], 2)
        ['class 1 has 1 patient, and 2 folds need at least 2']
    """
    having: dict[int, set[str]] = {}
    for patient, label in zip(patients, labels, strict=False):
        if label >= 0:
            having.setdefault(int(label), set()).add(patient)
    return [
        f"class {label} has {len(who)} patient{'s' * (len(who) > 1)}, and {folds} folds need at least {folds}"
        for label, who in sorted(having.items())
        if len(who) < folds
    ]
