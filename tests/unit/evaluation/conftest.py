"""What the tests of detection share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def study():
    """A function of a seed: a small random detection study with ties, unmarked lesions and unmarked cases."""
    return _study


def _study(seed: int, *, cases: int = 12, levels: int = 4) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Marks, lesions with weights, and cases: the scores are few whole numbers, so that many tie."""
    rng = np.random.default_rng(seed)
    names = [f"C{number:02}" for number in rng.permutation(cases)]
    marks, lesions = [], []
    for name in names[: cases // 2]:
        weights = rng.dirichlet(np.ones(rng.integers(1, 4)))
        for number, weight in enumerate(weights):
            lesions.append((name, number, weight))
            for _ in range(rng.integers(0, 3)):
                marks.append((name, float(rng.integers(0, levels)), number))
    for name in names:
        marks += [(name, float(rng.integers(0, levels)), None) for _ in range(rng.integers(0, 3))]
    rng.shuffle(marks)
    table = pd.DataFrame(marks, columns=["case_id", "score", "lesion_id"]).astype({"lesion_id": object})
    return table, pd.DataFrame(lesions, columns=["case_id", "lesion_id", "weight"]), names
