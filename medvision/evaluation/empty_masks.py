"""Whether a structure is there at all: the 2×2 table of empty masks, and detection by case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medvision.errors import EvaluationError
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.estimates import OK, Estimate
from medvision.evaluation.inputs import Booleans, Integers, patient_codes
from medvision.evaluation.mask_inputs import BOTH_EMPTY, PREDICTION_EMPTY, REFERENCE_EMPTY
from medvision.evaluation.proportions import proportion

if TYPE_CHECKING:
    import pandas as pd

_STATUSES = (OK, PREDICTION_EMPTY, REFERENCE_EMPTY, BOTH_EMPTY)


@dataclass(frozen=True)
class Presence:
    """In how many cases a structure is there, and whether the prediction says so.

    Attributes:
        structure: Its name.
        both: Cases with the structure in both masks.
        reference_only: In the reference only: missed.
        prediction_only: In the prediction only: outlined though it is not there.
        neither: In neither mask: rightly left out.
        sensitivity: Cases predicted present among those where it is.
        specificity: Cases predicted absent among those where it is not.
    """

    structure: str
    both: int
    reference_only: int
    prediction_only: int
    neither: int
    sensitivity: Estimate
    specificity: Estimate


def structure_presence(cases: pd.DataFrame, *, level: float = 0.95) -> list[Presence]:
    """How often each structure is rightly there, and rightly not there, case by case.

    A structure is there where the mask has a voxel of it (for lesions: one that counts). Proportions have the
    Wilson interval (J Am Stat Assoc 1927;22:209, doi:10.1080/01621459.1927.10502953), the exact one below 10
    cases, and where a patient has several cases that of :func:`medvision.evaluation.clustered_proportion`.

    Args:
        cases: Rows of :func:`medvision.evaluation.segmentation_scores`, or ``cases`` of
            :func:`medvision.evaluation.lesionwise_scores`, with ``structure`` and ``status``; and
            ``patient_id`` where patients have several cases.
        level: Confidence level.

    Returns:
        One entry a structure.

    Raises:
        EvaluationError: There is no column ``structure`` or ``status``, or a status is not known.

    Example:
        >>> import pandas as pd
        >>> cases = pd.DataFrame({"structure": "tumour", "status": ["ok"] * 9 + ["prediction_empty"] * 3})
        >>> found = structure_presence(cases)[0]
        >>> found.both, found.reference_only, print(found.sensitivity), print(found.specificity)
        0.750 (95% CI 0.468–0.911)
        undefined (no units)
        (9, 3, None, None)
    """
    if "structure" not in cases or "status" not in cases:
        raise EvaluationError("the cases need the columns structure and status")
    unknown = sorted(set(cases["status"]) - set(_STATUSES))
    if unknown:
        raise EvaluationError(f"status {', '.join(map(str, unknown))} is not known: {', '.join(_STATUSES)}")
    return [_presence(str(name), rows, level) for name, rows in cases.groupby("structure", sort=False)]


def _presence(structure: str, rows: pd.DataFrame, level: float) -> Presence:
    status = rows["status"].to_numpy(dtype=str)
    both, missed, added, neither = (int((status == name).sum()) for name in _STATUSES)
    there = np.isin(status, [OK, PREDICTION_EMPTY])
    called = np.isin(status, [OK, REFERENCE_EMPTY])
    patients = rows["patient_id"].to_numpy() if "patient_id" in rows else None
    codes = patient_codes(patients, len(rows))
    found = _share(called[there], codes[there], level)
    spared = _share(~called[~there], codes[~there], level)
    return Presence(structure, both, missed, added, neither, found, spared)


def _share(right: Booleans, codes: Integers, level: float) -> Estimate:
    if len(np.unique(codes)) < len(codes):
        return clustered_proportion(right, codes, level=level)
    return proportion(int(right.sum()), len(right), level=level)
