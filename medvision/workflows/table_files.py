"""A table as people have it: CSV, Excel or Parquet, read as it stands or refused with the cure."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from medvision.errors import EvaluationError

TWICE = "named_twice"
"""In `DataFrame.attrs`: headings that several columns of the file have."""

_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?\r?$', re.IGNORECASE)  # Excel writes it, and leaves it out again
_TEXTS, _BOOKS = (".csv", ".tsv", ".txt"), (".xlsx", ".xls", ".xlsm")


def read_table(
    table: pd.DataFrame | str | Path, *, text_columns: Sequence[str] = ()
) -> tuple[pd.DataFrame, dict[str, object]]:
    """A table and where it came from.

    Args:
        table: A DataFrame, or the path of a ``.csv``, ``.tsv``, ``.txt``, ``.parquet`` or ``.xlsx`` file.
            A CSV separated by semicolons is read with decimal commas; spaces around headings do not count.
            Of several sheets the first is read, and the name of the input says so.
        text_columns: Columns of identifiers, kept as text so that 007 stays 007.

    Raises:
        EvaluationError: The file is absent, of another kind, or broken.

    Example:
        >>> read_table(pd.DataFrame({"score": [0.5]}))[1]["rows"]
        1
    """
    if isinstance(table, pd.DataFrame):
        content = table.to_csv(index=False).encode()
        source: dict[str, object] = {"name": "the table", "sha256": hashlib.sha256(content).hexdigest()}
        return table.reset_index(drop=True), {**source, "rows": len(table)}
    path = Path(table)
    if path.is_dir():
        raise EvaluationError(
            f"{path} is a folder; give the path of a CSV, Parquet or Excel file, or name folders of masks "
            "with --reference and --prediction"
        )
    if not path.is_file():
        raise EvaluationError(
            f"{path} is not there; give the path of a CSV, Parquet or Excel file of predictions"
        )
    try:
        frame, name = _read(path, text_columns)
    except (ValueError, OSError, ImportError, csv.Error) as error:
        raise EvaluationError(f"{path.name} cannot be read: {str(error).strip()}") from error
    return frame, {"name": name, "sha256": _sha256(path), "rows": len(frame)}


def _read(path: Path, text: Sequence[str]) -> tuple[pd.DataFrame, str]:
    kind = path.suffix.lower()
    if kind == ".parquet":
        frame = pd.read_parquet(path)
        return (frame if frame.index.names == [None] else frame.reset_index()), path.name
    if kind in _BOOKS:
        return _first_sheet(path, text)
    if kind not in _TEXTS:
        raise EvaluationError(
            f"{path.name}: .csv, .tsv, .parquet and .xlsx are read, {kind or 'no suffix'} is not"
        )
    return _separated(_decoded(path), path.name, text), path.name


def _first_sheet(path: Path, text: Sequence[str]) -> tuple[pd.DataFrame, str]:
    with pd.ExcelFile(path) as book:
        sheets = book.sheet_names
        head = pd.read_excel(book, header=None, nrows=1)
        raw = [] if head.empty else [str(name) for name in head.iloc[0]]
        frame = pd.read_excel(book, dtype=_kinds(raw, text))
    named = path.name if len(sheets) == 1 else f"{path.name}, sheet {str(sheets[0])!r} of {len(sheets)}"
    return _headed(frame, raw), named


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise EvaluationError(
            f"{path.name}: line {line} is no UTF-8 text; save the file as UTF-8 (in Excel: CSV UTF-8)"
        ) from None
    if not text.strip():
        raise EvaluationError(
            f"{path.name} cannot be read: it is empty; give a table with headings in its first line"
        )
    return text


def _separated(text: str, name: str, ids: Sequence[str]) -> pd.DataFrame:
    first, _, rest = text.lstrip("\r\n").partition("\n")
    stated = _SEPARATOR_LINE.match(first)
    if stated:
        text, first = rest, rest.partition("\n")[0]
    separator = stated[1] if stated else max("\t;,", key=first.count)
    raw = _headings(text, separator, name)
    frame: pd.DataFrame = pd.read_csv(
        io.StringIO(text, newline=""),
        sep=separator,
        decimal="," if separator == ";" else ".",
        dtype=_kinds(raw, ids),
        index_col=False,
        low_memory=False,
    )  # type: ignore[arg-type,call-overload,unused-ignore] # the stubs want Literal names
    return _headed(frame, raw)


def _headings(text: str, separator: str, name: str) -> list[str]:
    """The headings; pandas would take a value too many for the name of its row, and shift every column."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    raw: list[str] = next((row for row in lines if row), [])
    for row in lines:
        if len(row) > len(raw):
            raise EvaluationError(
                f"{name}: line {lines.line_num} has {len(row)} values under {len(raw)} headings; give each "
                "column a heading (in R: write.csv with row.names = FALSE), and put quotes around a value "
                f"with {separator!r} in it"
            )
    return raw


def _kinds(raw: Sequence[str], ids: Sequence[str]) -> Mapping[str, str]:
    return {name: "str" for name in raw if name.strip() in ids}


def _headed(frame: pd.DataFrame, raw: Sequence[str]) -> pd.DataFrame:
    """Headings without the spaces around them; one that stands twice is kept in mind."""
    times = Counter(name.strip() for name in raw)
    stripped = [str(name).strip() for name in frame.columns]
    frame.columns = pd.Index(
        [own if times[own] <= 1 else str(name) for own, name in zip(stripped, frame.columns, strict=True)]
    )
    frame.attrs[TWICE] = [name for name, count in times.items() if count > 1 and name]
    return frame


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
