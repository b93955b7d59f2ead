"""Predicted classes against true ones: the confusion matrix with intervals, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.class_inputs import class_places, content_order
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.estimates import OK, Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    checked_level,
    one_dimensional,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.joint_draws import CLASS_WITHOUT_CASES, joint_bootstrap, strata_of
from medvision.evaluation.proportions import proportion
from medvision.evaluation.sampled_draws import SAMPLINGS, Sampling


@dataclass(frozen=True)
class MulticlassAccuracy:
    """Predicted classes against true ones.

    Attributes:
        confusion: Counts, a row for each true class and a column for each predicted one, shape ``(k, k)``.
        shares: The share of each true class that was called each class, with its interval: the diagonal holds
            the sensitivities. By true and predicted class.
        sensitivity: Of each class.
        specificity: Of each class against all others.
        accuracy: Share of right predictions.
        balanced_accuracy: Mean of the sensitivities.
        macro_f1: Mean of the classes' F1.

    Example:
        >>> multiclass_accuracy([0, 1, 2, 2] * 5, [0, 1, 2, 1] * 5).confusion.tolist()
        [[5, 0, 0], [0, 5, 0], [0, 5, 5]]
    """

    confusion: Integers
    shares: dict[tuple[str, str], Estimate]
    sensitivity: dict[str, Estimate]
    specificity: dict[str, Estimate]
    accuracy: Estimate
    balanced_accuracy: Estimate
    macro_f1: Estimate


def multiclass_accuracy(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    classes: Sequence[object] | None = None,
    patients: ArrayLike | None = None,
    sampling: Sampling = "cohort",
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> MulticlassAccuracy:
    """The confusion matrix with intervals, sensitivity and specificity of each class, and their means.

    Proportions have Wilson's interval (J Am Stat Assoc 1927;22:209, doi:10.1080/01621459.1927.10502953), or
    the clustered one where patients have several units (Rao and Scott, Biometrics 1992;48:577,
    doi:10.2307/2532311); means have the percentile bootstrap over patients; for macro F1 the shares of the
    classes vary, as in a cohort.

    Args:
        labels: The class of each unit, shape ``(n,)``.
        predictions: The predicted class of each unit.
        classes: All classes, in the order wanted; by default those of labels and predictions, sorted.
        patients: The patient of each unit.
        sampling: ``cohort`` (consecutive) or ``enriched`` (the shares of the classes were chosen).
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
        level: Confidence level.

    Raises:
        EvaluationError: A label or prediction is missing or no class, or the lengths differ.

    Example:
        >>> found = multiclass_accuracy(["a", "b", "b", "c"] * 6, ["a", "b", "c", "c"] * 6)
        >>> print(found.shares["b", "c"], found.accuracy.value)
        0.500 (95% CI 0.254–0.746) 0.75
    """
    checked_level(level)
    one_of(sampling, SAMPLINGS, "sampling")
    known = classes
    if known is None:
        both = [
            *one_dimensional(labels, "labels").tolist(),
            *one_dimensional(predictions, "predictions").tolist(),
        ]
        known = sorted(set(both), key=lambda value: (str(type(value)), value))
    if not known:
        raise EvaluationError("there are no units and no classes to be seen; name the classes (classes=)")
    names, truth = class_places(labels, known, len(known))
    _, called = class_places(predictions, known, len(known), "predictions")
    same_length(len(truth), predictions=called)
    codes = patient_codes(patients, len(truth))
    order = content_order(codes, patients, called, truth)
    truth, called = truth[order], called[order]
    codes = codes if patients is None else codes[order]
    k = len(names)

    def share(hits: Booleans, among: Booleans) -> Estimate:
        if len(np.unique(codes[among])) < among.sum():
            return clustered_proportion(hits[among], codes[among], level=level)
        return proportion(int(hits[among].sum()), int(among.sum()), level=level)

    confusion = np.bincount(truth * k + called, minlength=k * k).reshape(k, k)
    shares = {
        (one, other): share(called == j, truth == i)
        for i, one in enumerate(names)
        for j, other in enumerate(names)
    }
    everyone = np.ones(len(truth), dtype=bool)
    own = [(truth == i, called == i) for i in range(k)]

    def recalls(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.asarray(
                np.mean([(weights @ (t & c)) / (weights @ t) for t, c in own], axis=0), dtype=np.float64
            )

    def f1(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            each = [2 * (weights @ (t & c)) / (weights @ t + weights @ c) for t, c in own]
        return np.asarray(np.mean(each, axis=0), dtype=np.float64)

    status = OK if all(t.any() for t, _ in own) else CLASS_WITHOUT_CASES
    strata = strata_of(truth, codes)
    # F1 depends on how common the classes are, which is a matter of chance in a cohort.
    as_came = strata if sampling == "enriched" else np.zeros_like(strata)
    means = {
        name: joint_bootstrap(
            {name: metric}, own_strata, codes, resamples=resamples, seed=seed, level=level, status=status
        )[name]
        for name, metric, own_strata in (("balanced", recalls, strata), ("f1", f1, as_came))
    }
    return MulticlassAccuracy(
        confusion,
        shares,
        {name: shares[name, name] for name in names},
        {name: share(called != i, truth != i) for i, name in enumerate(names)},
        share(truth == called, everyone),
        means["balanced"],
        means["f1"],
    )
