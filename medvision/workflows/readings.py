"""A table of readings of any software, as the reader study wants it. No torch."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from medvision.workflows.prediction_table import read_predictions, read_table, require_columns
from medvision.workflows.reader_options import ReadingColumns

STANDARD = ("reader", "modality", "case", "patient")


def read_readings(
    table: pd.DataFrame | str | Path, columns: ReadingColumns
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Readings under the names of :func:`medvision.evaluation.reader_study`, and where they come from.

    Args:
        table: A DataFrame, or the path of a CSV, TSV, Parquet or Excel file, one row a reading.
        columns: What it calls its columns.

    Returns:
        The columns reader, treatment (the modality), case, label (true where the condition is present),
        score, and patient where there is one; and name, SHA-256 and rows of the input.

    Raises:
        EvaluationError: The file cannot be read, a column is missing, or rows are wrong; all at once.

    Example:
        >>> rows = [("A", "CT", 1, "benign", 2), ("A", "CT", 2, "malignant", 5)]
        >>> table = pd.DataFrame(rows, columns=["reader", "modality", "case", "truth", "rating"])
        >>> named = ReadingColumns(label="truth", score="rating", positive="malignant")
        >>> read_readings(table, named)[0]["label"].tolist()
        [False, True]
    """
    roles = columns.named()
    frame, source = read_table(table, text_columns=[roles[r] for r in STANDARD if r in roles])
    require_columns(frame, roles, str(source["name"]))
    found = read_predictions(
        frame, label=columns.label, score=columns.score, patient=columns.patient, positive=columns.positive
    )
    kept = {role: frame[roles[role]] for role in STANDARD if role in roles}
    table = pd.DataFrame({**kept, "label": found.labels, "score": found.scores})
    return table.rename(columns={"modality": "treatment"}), source
