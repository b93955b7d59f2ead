"""Covariates: numbers where every value is one, text else."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.cohort.cases import Cohort
from medvision.errors import CohortError
from medvision.wording import did_you_mean, first_of, listed

# A code such as 007 is a name; 0, 0.5 and -1e-3 are numbers.
_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*|(?=\.\d))(\.\d*)?([eE][-+]?\d+)?")


def covariate_column(values: Sequence[object]) -> pd.Series:
    """Turn a column as it stands in a file into numbers, where all its values are numbers.

    Args:
        values: Text from CSV or the types of Parquet; None where a value is missing.

    Returns:
        int64 where all are whole, float64 (missing is NaN) where all are numbers, else the values as
        they stand (missing is None). Codes with leading zeros stay text.

    Example:
        >>> covariate_column(["1.5", None]).tolist(), covariate_column(["01", "2"]).tolist()
        ([1.5, nan], ['01', '2'])
    """
    numbers = [_as_number(value) for value in values]
    known = [number for number, value in zip(numbers, values, strict=True) if value is not None]
    if not known or None in known:
        return pd.Series(list(values), dtype=object)
    if all(isinstance(number, int) and abs(number) < 2**53 for number in numbers):
        return pd.Series(numbers, dtype=np.int64)
    return pd.Series([math.nan if number is None else float(number) for number in numbers], dtype=np.float64)


def numeric_covariates(cohort: Cohort | pd.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Return covariates for a regression.

    Args:
        cohort: The cases.
        names: Columns; true counts 1 and false 0.

    Returns:
        Values of shape (cases, names), all finite.

    Raises:
        CohortError: A column is not there, is no number, or is missing for a case; names the rows.

    Example:
        >>> table = pd.DataFrame({"case_id": ["a", "b"], "age": [40, 61], "smoker": [True, False]})
        >>> numeric_covariates(table, ["age", "smoker"]).tolist()
        [[40.0, 1.0], [61.0, 0.0]]
    """
    table = cohort.table if isinstance(cohort, Cohort) else cohort
    rows = _row_names(cohort)
    result = np.full((len(table), len(names)), np.nan)
    problems: list[str] = []
    for place, name in enumerate(names):
        if name not in table.columns:
            problems.append(f"no covariate {name!r}{did_you_mean(name, table.columns)}")
            continue
        result[:, place], wrong = _numbers(table[name].tolist(), name, rows)
        problems += wrong
    if problems:
        raise CohortError("covariates that a regression cannot use", problems=problems)
    return result


def _row_names(cohort: Cohort | pd.DataFrame) -> list[str]:
    if isinstance(cohort, Cohort) and cohort.places:
        patients = cohort.table["patient_id"]
        return [
            f"{place} (patient {patient})" for place, patient in zip(cohort.places, patients, strict=True)
        ]
    table = cohort.table if isinstance(cohort, Cohort) else cohort
    return [f"case {case}" for case in table["case_id"]]


def _numbers(values: list[object], name: str, rows: list[str]) -> tuple[list[float], list[str]]:
    numbers: list[float] = []
    text: dict[object, None] = {}
    missing: list[str] = []
    wrong: list[str] = []
    for value, row in zip(values, rows, strict=True):
        number = _as_number(value)
        numbers.append(math.nan if number is None else float(number))
        if value is None or value != value or value is pd.NA:
            missing.append(f"{row}: {name!r} is missing; fill it in, or leave the case out")
        elif number is None:
            text[value] = None
            wrong.append(f"{row}: {name!r} is {value!r}, no number")
    if len(text) < len(wrong):
        # The same few words again and again: a category, which one sentence describes.
        held = listed(repr(value) for value in text)
        wrong = [f"{name!r} is no number (it holds {held}); encode it as numbers, such as 0 and 1"]
    return numbers, [*first_of(missing), *first_of(wrong)]


def _as_number(value: object) -> int | float | None:
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    text = str(value).strip() if isinstance(value, str) else ""
    if _NUMBER.fullmatch(text):
        return float(text) if set(text) & set(".eE") else int(text)
    return {"true": 1, "false": 0}.get(text.lower())
