"""Logistic regressions beside the image model, fitted on the training part of each fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision.cohort import Cohort, group_folds, numeric_covariates
from medvision.config import Comparator

_MOST_FOLDS = 5


@dataclass(frozen=True)
class ComparatorScores:
    """What a comparator says of one fold.

    Args:
        training: Out-of-fold probabilities of the training cases that were used, to choose a threshold.
        positions: Which cases of the training part those are.
        test: Probabilities of the test part.
    """

    training: NDArray[np.float64]
    positions: NDArray[np.int64]
    test: NDArray[np.float64]


def comparator_scores(
    comparator: Comparator,
    train: Cohort,
    test: Cohort,
    *,
    image_train: dict[int, float],
    image_test: NDArray[np.float64],
    seed: int,
) -> ComparatorScores:
    """Fit a comparator on the training part and apply it to the test part.

    The image model enters with the logits of members that did not see the case, so the regression
    learns how far such a score can be trusted.

    Args:
        comparator: Which covariates, and whether with the image model's score.
        train: The training part.
        test: The test part.
        image_train: Logits by position in the training part, from members that did not see the case.
        image_test: Logits of the test part, (cases,).
        seed: Of the inner folds.
    """
    positions = np.array(sorted(image_train)) if comparator.with_image else np.arange(len(train))
    columns = numeric_covariates(train, comparator.covariates)[positions]
    unseen = numeric_covariates(test, comparator.covariates)
    if comparator.with_image:
        columns = np.column_stack([columns, [image_train[i] for i in positions.tolist()]])
        unseen = np.column_stack([unseen, image_test])
    labels = train.table["label"].to_numpy(dtype=np.int64)[positions]
    patients = train.table["patient_id"].to_numpy()[positions].tolist()
    folds = _inner_folds(patients, labels)
    fold = group_folds(patients, labels.tolist(), folds=folds, seed=seed)
    out_of_fold = np.empty(len(labels))
    for k in range(folds):
        inside, outside = fold != k, fold == k
        out_of_fold[outside] = _fit(columns[inside], labels[inside], columns[outside])
    return ComparatorScores(out_of_fold, positions, _fit(columns, labels, unseen))


def _inner_folds(patients: list[str], labels: NDArray[np.int64]) -> int:
    """Five, or as many as the rarer class has patients; below two `group_folds` says why not."""
    owners = np.array(patients)
    rarest = min(len(set(owners[labels == value])) for value in (0, 1))
    return min(_MOST_FOLDS, max(2, rarest))


def _fit(
    columns: NDArray[np.float64], labels: NDArray[np.int64], unseen: NDArray[np.float64]
) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Few columns and many cases: no penalty, so the odds ratios are those of ordinary regression.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=np.inf, max_iter=1000))
    probabilities: NDArray[np.float64] = model.fit(columns, labels).predict_proba(unseen)[:, 1]
    return probabilities
