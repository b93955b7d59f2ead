"""ROC curves of folds, their vertical average, and its band by resampling patients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from medvision.evaluation.operating_steps import Steps
from medvision.evaluation.resampling import patient_draws
from medvision.reporting.consistency import column

Floats = NDArray[np.float64]

GRID = np.linspace(0.0, 1.0, 101)
"""False positive rates at which curves are averaged."""


@dataclass(frozen=True)
class RocBand:
    """The vertical average of the curves of all folds, and its pointwise band.

    Args:
        mean: Sensitivity at each false positive rate of `GRID`, shape (101,).
        low: Lower limits, shape (101,).
        high: Upper limits, shape (101,).
        folds: How many folds have both classes, and so a curve.
        skipped: How many folds have one class only.
    """

    mean: Floats
    low: Floats
    high: Floats
    folds: int
    skipped: int


def roc_points(labels: Sequence[int] | Floats, scores: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Return the false and the true positive rate at every threshold, from (0, 0) to (1, 1).

    Args:
        labels: 0 or 1, shape (n,), both present.
        scores: Higher means more likely positive, shape (n,); equal scores make one step.

    Example:
        >>> false_positive, true_positive = roc_points([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> false_positive.tolist(), true_positive.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    steps = Steps.of(np.asarray(labels) == 1, np.asarray(scores, dtype=float))
    counts = steps.counts(np.ones((1, len(steps.order))))
    true, false = counts.true_positive / counts.positives, counts.false_positive / counts.negatives
    return np.concatenate([[0.0], false[0]]), np.concatenate([[0.0], true[0]])


def mean_roc(
    predictions: pd.DataFrame, model: str, *, level: float, resamples: int, seed: int
) -> RocBand | None:
    """Average the folds' curves vertically, with a band from a bootstrap of patients.

    Patients are drawn within two strata, with and without a positive unit, and the same draw serves all
    folds and repeats. In a draw that leaves a fold with one class, the other folds are averaged.

    Args:
        predictions: One row a case and repeat, with repeat, fold, patient_id, label and the scores.
        model: `image` or a comparator.
        level: Of the pointwise band.
        resamples: Number of draws; 0 gives no band.
        seed: Of the draws.

    Returns:
        None where no fold has both classes.

    References:
        Fawcett T. An introduction to ROC analysis. Pattern Recognit Lett 2006;27:861–874 (vertical
        averaging).
    """
    rows = predictions.dropna(subset=["label", column(model, "score")])
    groups = [group for _, group in rows.groupby(["repeat", "fold"], sort=True)]
    usable = [group for group in groups if group["label"].nunique() == 2]
    if not usable:
        return None
    curves = [
        _at_grid(*roc_points(g["label"].to_numpy(), g[column(model, "score")].to_numpy())) for g in usable
    ]
    mean = np.mean(curves, axis=0)
    low = high = np.full_like(GRID, np.nan)
    if resamples:
        replicates = _replicates(rows, usable, column(model, "score"), resamples, seed)
        tail = 100 * (1 - level) / 2
        low, high = np.nanpercentile(replicates, [tail, 100 - tail], axis=0)
    return RocBand(mean, low, high, len(usable), len(groups) - len(usable))


def _replicates(
    rows: pd.DataFrame, folds: list[pd.DataFrame], score: str, resamples: int, seed: int
) -> Floats:
    """Return the mean curve of every draw, shape (resamples, 101)."""
    by_patient = rows.groupby("patient_id", sort=True)["label"].max()
    codes = pd.Series(np.arange(len(by_patient)), index=by_patient.index)
    prepared = [_Ranked.of(group, codes, score) for group in folds]
    blocks = []
    for counts in patient_draws(by_patient.to_numpy().astype(np.int64), resamples, seed):
        curves = np.stack([fold.curves(counts) for fold in prepared])
        with warnings.catch_warnings():
            # A draw in which no fold has both classes stays NaN, and nanpercentile leaves it out.
            warnings.simplefilter("ignore", RuntimeWarning)
            blocks.append(np.nanmean(curves, axis=0))
    return np.concatenate(blocks)


@dataclass(frozen=True)
class _Ranked:
    """The units of one fold from the highest to the lowest score."""

    patients: NDArray[np.int64]
    positive: NDArray[np.bool_]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, group: pd.DataFrame, codes: pd.Series, score: str) -> _Ranked:
        ranked = group.iloc[np.argsort(-group[score].to_numpy(dtype=float), kind="stable")]
        patients = codes.loc[ranked["patient_id"]].to_numpy().astype(np.int64)
        return cls(
            patients, ranked["label"].to_numpy() == 1, _group_ends(ranked[score].to_numpy(dtype=float))
        )

    def curves(self, counts: Floats) -> Floats:
        """Return the curve of each draw at `GRID`; NaN where the draw has one class only."""
        weights = counts[:, self.patients]
        true = np.cumsum(weights * self.positive, axis=1)[:, self.ends]
        false = np.cumsum(weights * ~self.positive, axis=1)[:, self.ends]
        found = np.full((len(counts), len(GRID)), np.nan)
        for row in np.flatnonzero((true[:, -1] > 0) & (false[:, -1] > 0)):
            found[row] = _at_grid(false[row] / false[row, -1], true[row] / true[row, -1])
        return found


def _group_ends(ranked: Floats) -> NDArray[np.int64]:
    # Equal scores are passed by one threshold together.
    return np.flatnonzero(np.append(np.diff(ranked) != 0, True)).astype(np.int64)


def _at_grid(false: Floats, true: Floats) -> Floats:
    # Where the curve rises vertically, np.interp takes the upper end, which is what a reader may choose.
    heights: Floats = np.interp(GRID, np.concatenate([[0.0], false]), np.concatenate([[0.0], true]))
    return heights
