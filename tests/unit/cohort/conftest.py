"""Tables of cases with files beside them, and tables that need no files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from medvision.cohort import Cohort


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Path]:
    """Write a CSV and every file that its image and mask columns name; `absent` is left out."""

    def write(text: str, *, absent: tuple[str, ...] = (), name: str = "cohort.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        header, *rows = [line.split(",") for line in text.strip().split("\n")]
        for place, column in enumerate(header):
            if column in {"image", "mask", "scan"}:
                for row in rows:
                    if place < len(row) and row[place] and row[place] not in absent:
                        file = tmp_path / row[place]
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_bytes(row[place].encode())
        return path

    return write


@pytest.fixture
def table_of() -> Callable[..., pd.DataFrame]:
    """A table for splits: patients and labels, cases named after their rows."""

    def make(patients: list[str], labels: list[int] | None = None, **columns: list[object]) -> pd.DataFrame:
        table = pd.DataFrame(
            {"case_id": [f"c{row:04d}" for row in range(len(patients))], "patient_id": patients}
        )
        if labels is not None:
            table["label"] = labels
        return table.assign(**columns)

    return make


@pytest.fixture
def cohort_of(tmp_path: Path) -> Callable[..., Cohort]:
    """A cohort from tuples of patient, image content and mask content; writes the files."""

    def make(*rows: tuple[str, str, str | None]) -> Cohort:
        table = []
        for place, (patient, image, mask) in enumerate(rows):
            paths: list[str | None] = []
            for kind, content in (("image", image), ("mask", mask)):
                file = tmp_path / f"{kind}{place}.nii"
                if content is not None:
                    file.write_text(content)
                paths.append(None if content is None else str(file))
            table.append((f"c{place}", patient, *paths, 0))
        frame = pd.DataFrame(table, columns=["case_id", "patient_id", "image", "mask", "label"], dtype=object)
        return Cohort(frame, tmp_path / "cohort.csv")

    return make
