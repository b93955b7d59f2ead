"""Nested cross-validation of a run: a network more for each pair of folds, and the interval from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from medvision.cohort import Splits
from medvision.config import ClassificationTask
from medvision.evaluation.nested_validation import NestedCrossValidation, nested_cross_validation
from medvision.runs import RunFolder
from medvision.workflows.estimate_rows import estimate_row
from medvision.workflows.fitted import prepare_folds
from medvision.workflows.fold import FoldWork, fit_fold, is_finished
from medvision.workflows.opened import OpenedStudy
from medvision.workflows.pair_splits import pair_splits

AGGREGATION = "nested cross-validation"


def fit_pairs(work: FoldWork, opened: OpenedStudy, hashes: Mapping[str, str]) -> None:
    """Train and predict every pair of folds, going on where an earlier start was stopped.

    Only the image model: what is compared with it has no part in its interval.

    Args:
        work: What the folds of the run share.
        opened: The study.
        hashes: SHA-256 of every image and mask that is not locked away.
    """
    splits = pair_splits(opened.study, opened.splits, opened.cohort.table)
    folder = nested_folder(work.folder)
    open_parts = [part for part in splits.parts if not is_finished(folder, part)]
    if not open_parts:
        return
    prepared = prepare_folds(replace(opened, splits=splits), hashes, work.shown, open_parts)
    alone = opened.study.model_copy(update={"comparators": ()})
    network = replace(work.network, study=alone)
    pairs = replace(
        work, network=network, prepared=prepared, folder=folder, parts=splits.parts, called="pair of folds"
    )
    for part in open_parts:
        fit_fold(pairs, part)


def nested_folder(folder: RunFolder) -> RunFolder:
    """Where the networks of the pairs lie: a run folder within the run folder."""
    return RunFolder(folder.path / "nested")


def nested_results(opened: OpenedStudy, folder: RunFolder, outer: pd.DataFrame) -> dict[str, Any] | None:
    """Return the section `nested` of `results.json`; None until every pair is finished.

    Args:
        opened: The study.
        folder: The run folder.
        outer: The predictions of all folds (of a segmentation one row a structure).
    """
    splits, nested = pair_splits(opened.study, opened.splits, opened.cohort.table), nested_folder(folder)
    if not all(is_finished(nested, part) for part in splits.parts):
        return None
    classification = isinstance(opened.study.task, ClassificationTask)
    name = (nested.predictions if classification else nested.segmentation).name
    inner = [pd.read_parquet(nested.fold(part.repeat, part.fold) / name) for part in splits.parts]
    table = _every_error(opened.splits, splits, outer, pd.concat(inner, ignore_index=True))
    rows, left_out = [], []
    for metric, structure, own in _measures(table):
        if own["error"].isna().any():
            left_out.append(f"{metric} of {structure}")
            continue
        found = _turned(_interval(own, opened.study.evaluation.level), metric)
        rows.append(estimate_row("image", metric, AGGREGATION, found, structure=structure))
    notes = [
        f"Bates, Hastie and Tibshirani (2024), {splits.folds} pairs of folds in each of {splits.repeats} "
        "repeats: the interval includes how much another training would change the result"
    ]
    if splits.repeats < 10:
        notes.append("with so few repeats the width is itself uncertain; the paper takes 200")
    notes += [f"{label} is undefined for some cases (in neither mask) and left out" for label in left_out]
    return {"estimates": rows, "notes": notes}


def _every_error(splits: Splits, pairs: Splits, outer: pd.DataFrame, inner: pd.DataFrame) -> pd.DataFrame:
    """Both tables in one: the fold of each case, and the outer fold that was left out."""
    fold_of = {(part.repeat, case): part.fold for part in splits.parts for case in part.test}
    both = {
        (pair.repeat, pair.fold): {fold_of[pair.repeat, case] for case in pair.test} for pair in pairs.parts
    }
    outer = outer.assign(left_out=outer["fold"])
    own = [fold_of[repeat, case] for repeat, case in zip(inner["repeat"], inner["case_id"], strict=True)]
    others = [
        sum(both[key]) - fold
        for key, fold in zip(zip(inner["repeat"], inner["fold"], strict=True), own, strict=True)
    ]
    return pd.concat([outer, inner.assign(fold=own, left_out=others)], ignore_index=True)


def _measures(table: pd.DataFrame) -> Iterator[tuple[str, str | None, pd.DataFrame]]:
    """Each measure with one error a row: what is not right, and what Dice falls short of 1."""
    if "structure" in table:
        for structure, own in table.groupby("structure", sort=False):
            yield "dice", str(structure), own.assign(error=1 - own["dice"])
        return
    yield "accuracy", None, table.assign(error=(table["prediction"] != table["label"]).astype(float))
    yield "brier", None, table.assign(error=(table["score"] - table["label"]) ** 2)


def _interval(table: pd.DataFrame, level: float) -> NestedCrossValidation:
    return nested_cross_validation(
        table["error"], table["case_id"], table["fold"], table["left_out"], repeats=table["repeat"],
        patients=table["patient_id"], level=level,
    )  # fmt: skip


def _turned(found: NestedCrossValidation, metric: str) -> NestedCrossValidation:
    """The measure instead of its error, within 0 and 1."""
    limits = np.clip([found.low, found.high], 0, 1).tolist()
    if metric == "brier":
        return replace(found, low=limits[0], high=limits[1])
    return replace(found, value=1 - found.value, low=1 - limits[1], high=1 - limits[0])
