"""A table of cases as it stands in its file: no number is guessed from an identifier."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medvision.errors import CohortError
from medvision.wording import did_you_mean, first_of, listed

_MISSING = {"", "na", "n/a", "#n/a", "nan", "null"}
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class SourceTable:
    """Values as they stand in a file.

    Attributes:
        path: The file, absolute.
        columns: Values by column: text from CSV (without surrounding spaces), the stored types from
            Parquet and Excel, None where the cell is empty or says NA.
        places: Where each row stands, such as `cohort.csv:17`.
    """

    path: Path
    columns: dict[str, list[object]]
    places: list[str]

    def missing_columns(self, wanted: dict[str, str]) -> list[str]:
        """Say which columns are not there.

        Args:
            wanted: What each column is for, by its name.

        Returns:
            One sentence a column.
        """
        return [
            f"{self.path.name}: no column {name!r} for {use}"
            + f"{did_you_mean(name, self.columns)} (columns: {listed(self.columns, 20)})"
            for name, use in wanted.items()
            if name not in self.columns
        ]

    def file_at(self, value: object) -> str | None:
        """Return a cell that names a file as an absolute path, relative to the table's folder."""
        text = as_text(value)
        return str(self.path.parent / text) if text else None


def read_table(path: str | Path) -> SourceTable:
    r"""Read a table of cases without guessing types.

    Args:
        path: `.csv`, `.tsv` or `.txt` (UTF-8; comma, semicolon or tab), `.parquet`, or `.xlsx`.

    Returns:
        The values of its columns and where each row stands.

    Raises:
        CohortError: The file is missing, empty, or no such table; rows with too many or too few fields.

    Example:
        >>> file = getfixture("tmp_path") / "cohort.csv"
        >>> _ = file.write_text("patient_id,age\n007,NA\n")
        >>> table = read_table(file)
        >>> table.columns, table.places
        ({'patient_id': ['007'], 'age': [None]}, ['cohort.csv:2'])
    """
    # Links above the table are followed, so that `..` in it means what it means to the system.
    file = Path(path)
    file = file.parent.resolve() / file.name
    if not file.is_file():
        raise CohortError(f"there is no table {str(path)!r}")
    suffix = file.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        table = _read_csv(file)
    elif suffix in {".parquet", ".pq", ".xlsx"}:
        table = _read_binary(file)
    else:
        raise CohortError(f"{path}: a table of cases ends in .csv, .tsv, .parquet or .xlsx, not {suffix!r}")
    if not table.places:
        raise CohortError(f"{path}: the table has no rows")
    return table


def as_text(value: object) -> str:
    """Return an identifier as text: 7 and 7.0 are "7", missing is "".

    Example:
        >>> as_text("007"), as_text(7.0), as_text(None)
        ('007', '7', '')
    """
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _read_csv(file: Path) -> SourceTable:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CohortError(f"{file.name}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    try:
        (_, header), *rows = _records(text) or [(0, [])]
    except csv.Error as error:
        raise CohortError(f"{file.name}: is no CSV table: {error}") from None
    names = [name.strip() for name in header]
    problems = [
        f"{file.name}:1: two columns are named {n!r}" for n in dict.fromkeys(names) if names.count(n) > 1
    ]
    problems += first_of(
        [
            f"{file.name}:{line}: {len(row)} fields, but the header names {len(names)} columns"
            for line, row in rows
            if len(row) != len(names)
        ]
    )
    if problems:
        raise CohortError(f"{file.name} is no regular table", problems=problems)
    columns: dict[str, list[object]] = {
        name: [_cell(row[place]) for _, row in rows] for place, name in enumerate(names)
    }
    return SourceTable(file, columns, [f"{file.name}:{line}" for line, _ in rows])


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Rows with the line on which each begins; a quoted field may go over several lines."""
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [(line, row) for line, row in _numbered(reader) if any(field.strip() for field in row)]


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1  # type: ignore[attr-defined]  # csv's reader type is not public


def _cell(text: str) -> str | None:
    stripped = text.strip()
    return None if stripped.lower() in _MISSING else stripped


def _read_binary(file: Path) -> SourceTable:
    is_excel = file.suffix.lower() == ".xlsx"
    try:
        frame = pd.read_excel(file, dtype=object) if is_excel else pd.read_parquet(file)
    except ImportError:
        raise CohortError(
            f"{file.name}: reading Excel needs openpyxl: pip install medvision[excel]"
        ) from None
    except (OSError, ValueError) as error:
        raise CohortError(f"{file.name}: cannot be read: {error}") from None
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    columns = {str(name): [_value(item) for item in frame[name].tolist()] for name in frame.columns}
    # A sheet has a header in its first row; Parquet has none.
    places = [
        f"{file.name}:{row + 2}" if is_excel else f"{file.name}: row {row + 1}" for row in range(len(frame))
    ]
    return SourceTable(file, columns, places)


def _value(item: object) -> object:
    if isinstance(item, str):
        return _cell(item)
    return None if item is None or item is pd.NA or item is pd.NaT or item != item else item
