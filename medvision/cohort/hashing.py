"""Patients placed by a hash of their name: nobody's place depends on who else is there."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def hash_share(patient: str, *, seed: int, purpose: str) -> float:
    """Return a number in [0, 1) that depends on nothing but its arguments.

    It is the first 53 bits of the SHA-256 of `[purpose, seed, patient]` as JSON in ASCII, so that any
    program can compute it again.

    Args:
        patient: The patient.
        seed: The seed of the study.
        purpose: What it is drawn for; other purposes give independent numbers.

    Example:
        >>> round(hash_share("007", seed=1, purpose="fold"), 6)
        0.820614
    """
    text = json.dumps([purpose, seed, patient], ensure_ascii=True)
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def hash_shares(table: pd.DataFrame, *, seed: int, purpose: str) -> NDArray[np.float64]:
    """Return :func:`hash_share` of the patient of each case, shape ``(cases,)``.

    Args:
        table: A table of cases.
        seed: The seed of the study.
        purpose: What it is drawn for.
    """
    return np.array(
        [hash_share(str(who), seed=seed, purpose=purpose) for who in table["patient_id"].tolist()]
    )
