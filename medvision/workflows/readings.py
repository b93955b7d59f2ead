"""A table of readings of any software, as the reader study wants it. No torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
        score, and patient where there is one, with what is missing still missing; and name, SHA-256 and rows
        of the input.

    Raises:
        EvaluationError: The file cannot be read, a column is missing, or no label is the positive one.

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
    # Missing labels and scores stay missing: the study names them together with what else is wrong.
    score = pd.to_numeric(frame[columns.score], errors="coerce").astype("float64")
    known = frame[columns.label].notna()
    stand_in = frame[known].assign(**{columns.score: 0.0})
    found = read_predictions(stand_in, label=columns.label, score=columns.score, positive=columns.positive)
    label = pd.Series(np.nan, index=frame.index, dtype=object)
    label[known] = found.labels.tolist()
    kept = {role: frame[roles[role]] for role in STANDARD if role in roles}
    table = pd.DataFrame({**kept, "label": label, "score": score})
    return table.rename(columns={"modality": "treatment"}), source
