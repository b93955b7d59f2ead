"""Who is in the study: cases from a table, proof of what they are, and splits that keep patients whole.

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medvision.cohort.balance import standardised_difference
    from medvision.cohort.cases import Case, Cohort
    from medvision.cohort.covariates import numeric_covariates
    from medvision.cohort.divide import (
        column_is,
        column_splits,
        hash_splits,
        site_splits,
        time_is_from,
        time_splits,
    )
    from medvision.cohort.feasible import check_inner
    from medvision.cohort.fingerprint import file_hashes
    from medvision.cohort.grouping import group_folds, holdout
    from medvision.cohort.hashing import hash_share
    from medvision.cohort.images import read_images
    from medvision.cohort.leakage import check_disjoint
    from medvision.cohort.locked import check_locked, locked_by_chance, locked_by_hash, with_inner_folds
    from medvision.cohort.manifest import read_manifest
    from medvision.cohort.msd import read_msd
    from medvision.cohort.parts import InnerPart, Part, Splits
    from medvision.cohort.same_scan import same_scan_twice
    from medvision.cohort.splits import make_splits

_HOME = {
    "Case": "cases",
    "Cohort": "cases",
    "InnerPart": "parts",
    "Part": "parts",
    "Splits": "parts",
    "check_disjoint": "leakage",
    "check_inner": "feasible",
    "check_locked": "locked",
    "column_is": "divide",
    "column_splits": "divide",
    "file_hashes": "fingerprint",
    "group_folds": "grouping",
    "hash_share": "hashing",
    "hash_splits": "divide",
    "holdout": "grouping",
    "locked_by_chance": "locked",
    "locked_by_hash": "locked",
    "make_splits": "splits",
    "numeric_covariates": "covariates",
    "read_images": "images",
    "read_manifest": "manifest",
    "read_msd": "msd",
    "same_scan_twice": "same_scan",
    "site_splits": "divide",
    "standardised_difference": "balance",
    "time_is_from": "divide",
    "time_splits": "divide",
    "with_inner_folds": "locked",
}

__all__ = [
    "Case",
    "Cohort",
    "InnerPart",
    "Part",
    "Splits",
    "check_disjoint",
    "check_inner",
    "check_locked",
    "column_is",
    "column_splits",
    "file_hashes",
    "group_folds",
    "hash_share",
    "hash_splits",
    "holdout",
    "locked_by_chance",
    "locked_by_hash",
    "make_splits",
    "numeric_covariates",
    "read_images",
    "read_manifest",
    "read_msd",
    "same_scan_twice",
    "site_splits",
    "standardised_difference",
    "time_is_from",
    "time_splits",
    "with_inner_folds",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
