"""The tables of marks, lesions and cases: their columns, their numbers, and the sentence for wrong rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Booleans, Floats

if TYPE_CHECKING:
    import pandas as pd

_SHORT = {"case": "case_id", "lesion": "lesion_id", "patient": "patient_id"}
_SHOWN = 10


def table_with(table: pd.DataFrame, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """A table that has these columns, with rows numbered from 0; ``case``, ``lesion``, ``patient`` will do.

    Raises:
        EvaluationError: It is no table, or a column is missing.

    Example:
        >>> import pandas as pd
        >>> list(table_with(pd.DataFrame({"case": ["A"]}), "cases", ["case_id"]))
        ['case_id']
    """
    if not hasattr(table, "columns"):
        raise EvaluationError(f"{name} must be a DataFrame, and not {type(table).__name__}")
    short = {old: new for old, new in _SHORT.items() if old in table and new not in table}
    renamed = table.rename(columns=short).reset_index(drop=True)
    missing = [column for column in columns if column not in renamed]
    if missing:
        hint = "; or name a hit rule (rule=) to match marks by place" if "lesion_id" in missing else ""
        present = ", ".join(map(str, table.columns))
        raise EvaluationError(f"{name} lack {', '.join(missing)}; their columns are {present}{hint}")
    return renamed


def numbers(column: pd.Series) -> Floats:
    """A column as float64, NaN where it holds no number.

    Example:
        >>> import pandas as pd
        >>> numbers(pd.Series([1, "two"], dtype=object)).tolist()
        [1.0, nan]
    """
    import pandas as pd

    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def refuse_cases(table: pd.DataFrame, wrong: Booleans, what: str) -> None:
    """Refuse the rows that are wrong, naming their cases.

    Raises:
        EvaluationError: There is such a row.

    Example:
        >>> import pandas as pd
        >>> refuse_cases(pd.DataFrame({"case_id": ["A"]}), np.array([False]), "marks are wrong")
    """
    if wrong.any():
        cases = list(dict.fromkeys(table["case_id"][wrong].astype(str)))
        more = [f"and {len(cases) - _SHOWN} more cases"] if len(cases) > _SHOWN else []
        raise EvaluationError(
            f"{wrong.sum()} {what}", problems=[*(f"case {case}" for case in cases[:_SHOWN]), *more]
        )
