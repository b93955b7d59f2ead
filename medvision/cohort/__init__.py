"""Who is in the study: cases from a table, proof of what they are, and splits that keep patients whole.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.cohort.cases import Case, Cohort
    from medvision.cohort.covariates import numeric_covariates
    from medvision.cohort.fingerprint import file_hashes
    from medvision.cohort.grouping import group_folds, holdout
    from medvision.cohort.images import read_images
    from medvision.cohort.leakage import check_disjoint
    from medvision.cohort.manifest import read_manifest
    from medvision.cohort.msd import read_msd
    from medvision.cohort.same_scan import same_scan_twice
    from medvision.cohort.splits import Part, Splits, make_splits

_HOME = {
    "Case": "cases",
    "Cohort": "cases",
    "Part": "splits",
    "Splits": "splits",
    "check_disjoint": "leakage",
    "file_hashes": "fingerprint",
    "group_folds": "grouping",
    "holdout": "grouping",
    "make_splits": "splits",
    "numeric_covariates": "covariates",
    "read_images": "images",
    "read_manifest": "manifest",
    "read_msd": "msd",
    "same_scan_twice": "same_scan",
}

__all__ = [
    "Case",
    "Cohort",
    "Part",
    "Splits",
    "check_disjoint",
    "file_hashes",
    "group_folds",
    "holdout",
    "make_splits",
    "numeric_covariates",
    "read_images",
    "read_manifest",
    "read_msd",
    "same_scan_twice",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
