"""Classes that have an order, such as grades: how often the higher one gets the higher score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medvision.errors import EvaluationError
from medvision.evaluation.class_inputs import class_places
from medvision.evaluation.estimates import Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    checked_level,
    finite_scores,
    is_number,
    one_dimensional,
    patient_codes,
    same_length,
)
from medvision.evaluation.roc import area_estimate, share_below, undefined_area


def ordinal_c_index(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    classes: Sequence[object] | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """The chance that of two units of different classes the one of the higher class scores higher.

    The share of concordant pairs among all pairs of units whose classes differ, ties of the score counting
    half: the area under the ROC curve for two classes, and (1 + D) / 2 with Somers' D of the score given the
    class (Somers, Am Sociol Rev 1962;27:799, doi:10.2307/2090408) for any number. Common classes make up more
    of the pairs, so the index holds for the mixture of classes of this sample. Its variance comes from what
    each patient adds to the concordant pairs beyond its expected part; with two classes it is that of
    :func:`medvision.evaluation.auroc`, DeLong's or Obuchowski's. The interval is made on the logit scale.

    Args:
        labels: The class of each unit, shape ``(n,)``: numbers in their order, or any values with
            ``classes``.
        scores: Shape ``(n,)``; higher means a higher class.
        classes: All classes from the lowest to the highest; needed where labels are text.
        patients: The patient of each unit.
        level: Confidence level.

    Returns:
        The index; NaN and ``one_class`` where only one class is present. Where no pair is discordant, or
        all are, the interval is the exact limit of the most even cut through the classes, and the status is
        ``degenerate_variance``.

    Raises:
        EvaluationError: Text without its order, a label that is no class, a score that is not finite, or
            lengths that differ.

    Example:
        Of two classes it is the area under the ROC curve, 0.893 for the ratings of Hanley and McNeil (1982):

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> print(ordinal_c_index(labels, ratings))
        0.893 (95% CI 0.816–0.940)
        >>> print(ordinal_c_index([0, 0, 1, 1, 2, 2], [0.1, 0.3, 0.2, 0.6, 0.5, 0.9]))
        0.833 (95% CI 0.423–0.972)
    """
    checked_level(level)
    places, values = _places(labels, classes), finite_scores(scores, patients=patients)
    same_length(len(places), scores=values)
    codes = patient_codes(patients, len(places))
    name = "placements, logit" if patients is None else "placements, clustered, logit"
    cut = _even_cut(places)
    blank = undefined_area(cut, codes, level, name)
    if blank is not None:
        return blank
    concordant, pairs = _pairs(places, values)
    total = pairs.sum()
    index = float(concordant.sum() / total)
    # Every pair belongs to both of its units, so the sums hold each pair twice, and so does the derivative.
    added = 2 * (concordant - index * pairs) / total
    variance = _variance(added, places, codes)
    return area_estimate(index, variance, cut, codes, "logit", level, name)


def _places(labels: ArrayLike, classes: Sequence[object] | None) -> Integers:
    values = one_dimensional(labels, "labels")
    if classes is not None:
        return class_places(values, classes, len(classes))[1]
    if not all(is_number(value) or value is None for value in values.tolist()):
        raise EvaluationError(
            "labels are no numbers, and text does not sort by itself; "
            "name the classes from the lowest to the highest (classes=)"
        )
    numbers = finite_scores(values, name="labels")
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _even_cut(places: Integers) -> Booleans:
    """Above or below the cut between two classes that divides the units most evenly."""
    present = np.unique(places)
    cuts = [places >= high for _, high in pairwise(present)] or [np.zeros(len(places), dtype=bool)]
    return max(cuts, key=lambda cut: min(int(cut.sum()), int((~cut).sum())))


def _pairs(places: Integers, scores: Floats) -> tuple[Floats, Floats]:
    """Concordant pairs of each unit, ties as half, and all its pairs with units of another class."""
    ordered = {k: np.sort(scores[places == k]) for k in np.unique(places).tolist()}
    concordant = np.zeros(len(places))
    for k, others in ordered.items():
        below = share_below(scores, others) * len(others)
        concordant += np.where(places > k, below, np.where(places < k, len(others) - below, 0.0))
    sizes = np.bincount(places)
    return concordant, (len(places) - sizes[places]).astype(np.float64)


def _variance(added: Floats, places: Integers, codes: Integers) -> float:
    """Sum over patients of the squares of what they add, each pair of classes with its own m / (m - 1)."""
    columns = np.unique(places, return_inverse=True)[1]
    shape = (int(codes.max()) + 1, int(columns.max()) + 1)
    sums, held = np.zeros(shape), np.zeros(shape, dtype=bool)
    np.add.at(sums, (codes, columns), added)
    held[codes, columns] = True
    if (held.sum(axis=0) > 1).sum() < 2:
        return math.nan
    either = _patients_with_either(held)
    # A class of one patient has no correction of its own; it gets that of all patients.
    size = np.where(either > 1, either, held.any(axis=1).sum())
    return float(max((size / (size - 1) * (sums.T @ sums)).sum(), 0.0))


def _patients_with_either(held: Booleans) -> NDArray[np.float64]:
    one = held.astype(np.float64)
    alone = one.sum(axis=0)
    return np.asarray(alone[:, None] + alone[None, :] - one.T @ one, dtype=np.float64)
