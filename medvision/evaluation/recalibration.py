"""Make scores mean what they say: recalibration that is fitted on some cases and applied to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from medvision.errors import EvaluationError
from medvision.evaluation.cross_validation import disjoint_folds
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    binary_labels,
    checked_probabilities,
    finite_scores,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.reliability import fit_logistic

RecalibrationMethod = Literal["platt", "isotonic", "beta", "temperature"]
_METHODS = ("platt", "isotonic", "beta", "temperature")
_CLIP = 1e-10


@dataclass(frozen=True)
class Recalibration:
    """A fitted recalibration.

    Attributes:
        method: ``platt``, ``isotonic``, ``beta`` or ``temperature``.
        parameters: Slope and intercept (``platt``), a, b and c (``beta``), or the temperature.
        knots: Scores at which an isotonic curve bends; empty for the others.
        values: Its probabilities there.
        n_units: Cases that it was fitted on.

    Example:
        >>> found = recalibrate([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.8, 0.9], method="isotonic")
        >>> found.apply([0.35, 0.95]).tolist()
        [0.5, 1.0]
    """

    method: str
    parameters: tuple[float, ...]
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    n_units: int = 0

    def apply(self, scores: ArrayLike) -> Floats:
        """Probabilities for the scores of other cases.

        Args:
            scores: Shape ``(n,)``; probabilities for ``beta`` and ``temperature``.

        Raises:
            EvaluationError: A score is not finite, or no probability where it must be one.

        Example:
            >>> Recalibration("temperature", (2.0,)).apply([0.5, 0.9]).round(3).tolist()
            [0.5, 0.75]
        """
        if self.method == "isotonic":
            return np.interp(finite_scores(scores), self.knots, self.values)
        if self.method == "platt":
            slope, intercept = self.parameters
            return np.asarray(expit(slope * finite_scores(scores) + intercept), dtype=np.float64)
        p = _inside(scores)
        if self.method == "temperature":
            return np.asarray(expit(logit(p) / self.parameters[0]), dtype=np.float64)
        a, b, c = self.parameters
        return np.asarray(expit(a * np.log(p) - b * np.log1p(-p) + c), dtype=np.float64)

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold.

        Example:
            >>> Recalibration("temperature", (2.0,), n_units=9).to_dict()["parameters"]
            [2.0]
        """
        return {
            "method": self.method,
            "parameters": list(self.parameters),
            "knots": list(self.knots),
            "values": list(self.values),
            "n_units": self.n_units,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Recalibration:
        """A recalibration from :meth:`to_dict`.

        Example:
            >>> one = Recalibration("temperature", (2.0,))
            >>> Recalibration.from_dict(one.to_dict()) == one
            True
        """
        lists = {name: tuple(stored[name]) for name in ("parameters", "knots", "values")}
        return cls(stored["method"], n_units=stored["n_units"], **lists)


def recalibrate(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    method: RecalibrationMethod = "platt",
    positive: object = None,
) -> Recalibration:
    """Fit a recalibration on cases that neither trained the model nor will be evaluated.

    ``platt``: a logistic curve of the score, fitted to Platt's smoothed targets (in Advances in Large Margin
    Classifiers, MIT Press 1999, page 61), which keep it finite where the scores separate the classes.
    ``temperature``: logits divided by one number (Guo et al., ICML 2017, doi:10.48550/arXiv.1706.04599).
    ``beta``: a logistic curve of log p and log (1 - p) with a, b ≥ 0 (Kull, Silva Filho and Flach, Electron J
    Stat 2017;11:5052, doi:10.1214/17-EJS1338SI). ``isotonic``: the best monotone steps (Zadrozny and Elkan,
    KDD 2002, doi:10.1145/775047.775151); it needs some hundred cases.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``; probabilities for ``beta`` and ``temperature``.
        method: How.
        positive: The label that means that the condition is present.

    Raises:
        EvaluationError: Only one class; scores that are no probabilities where they must be; scores that
            separate the classes (or run against them), where ``beta`` and ``temperature`` have no answer.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> p = rng.random(2000)
        >>> labels = rng.random(2000) < expit(logit(p) / 2)
        >>> round(recalibrate(labels, p, method="temperature").parameters[0], 1)
        2.1
    """
    one_of(method, _METHODS, "method")
    truth = binary_labels(labels, positive=positive)
    values = finite_scores(scores)
    same_length(len(truth), scores=values)
    if truth.all() or not truth.any():
        raise EvaluationError("a recalibration needs cases of both classes; fit it on more cases")
    if method == "isotonic":
        return _isotonic(truth, values)
    if method == "platt":
        return Recalibration("platt", _platt(truth, values), n_units=len(truth))
    p = _inside(values)
    if p[truth].min() >= p[~truth].max() or p[truth].max() <= p[~truth].min():
        raise EvaluationError(
            f"the probabilities separate the classes, so {method} has no finite answer; use method='platt'"
        )
    parameters = _temperature(truth, p) if method == "temperature" else _beta(truth, p)
    return Recalibration(method, parameters, n_units=len(truth))


def recalibrate_out_of_fold(
    labels: ArrayLike,
    scores: ArrayLike,
    folds: ArrayLike,
    *,
    method: RecalibrationMethod = "platt",
    patients: ArrayLike | None = None,
    positive: object = None,
) -> Floats:
    """Recalibrated scores, those of each fold by a curve that was fitted on the other folds.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        folds: The fold of each unit.
        method: As for :func:`recalibrate`.
        patients: The patient of each unit, who stands in one fold.
        positive: The label that means that the condition is present.

    Returns:
        Probabilities, shape ``(n,)``: they may be evaluated on the same cases.

    Raises:
        EvaluationError: Fewer than two folds, a patient in several, or as for :func:`recalibrate`.

    Example:
        >>> labels, scores = np.tile([0, 1, 0, 1], 10), np.tile([0.1, 0.6, 0.7, 0.9], 10)
        >>> recalibrate_out_of_fold(labels, scores, np.repeat([0, 1], 20)).round(2)[:4].tolist()
        [0.11, 0.5, 0.61, 0.78]
    """
    truth = binary_labels(labels, positive=positive, patients=patients)
    values = finite_scores(scores, patients=patients)
    same_length(len(truth), scores=values)
    names = disjoint_folds(folds, patient_codes(patients, len(truth)), patients)
    if len(np.unique(names)) < 2:
        raise EvaluationError("one fold cannot be recalibrated by others; give the fold of each unit")
    found = np.empty(len(truth))
    for name in np.unique(names):
        own = names == name
        found[own] = recalibrate(truth[~own], values[~own], method=method).apply(values[own])
    return found


def _inside(scores: ArrayLike) -> Floats:
    return np.clip(checked_probabilities(scores), _CLIP, 1 - _CLIP)


def _platt(truth: Booleans, scores: Floats) -> tuple[float, ...]:
    positive, negative = int(truth.sum()), int((~truth).sum())
    targets = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0  # Newton's method wants one scale
    design = np.column_stack([(scores - centre) / spread, np.ones(len(scores))])
    slope, intercept = fit_logistic(design, targets).tolist()
    return slope / spread, intercept - slope * centre / spread


def _temperature(truth: Booleans, p: Floats) -> tuple[float, ...]:
    slope = float(fit_logistic(logit(p)[:, None], truth.astype(float))[0])
    if slope <= 0:
        raise EvaluationError("higher probabilities go with fewer positive cases: no temperature mends that")
    return (1 / slope,)


def _beta(truth: Booleans, p: Floats) -> tuple[float, ...]:
    """a, b and c; one of a and b that would be negative is 0, and the other is fitted alone."""
    features = np.column_stack([np.log(p), -np.log1p(-p), np.ones(len(p))])
    targets = truth.astype(float)
    a, b, c = fit_logistic(features, targets).tolist()
    if a < 0:
        b, c = fit_logistic(features[:, 1:], targets).tolist()
        a = 0.0
    elif b < 0:
        a, c = fit_logistic(features[:, [0, 2]], targets).tolist()
        b = 0.0
    if min(a, b) < 0:
        raise EvaluationError("higher probabilities go with fewer positive cases: no beta curve mends that")
    return a, b, c


def _isotonic(truth: Booleans, scores: Floats) -> Recalibration:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, truth.astype(float))
    knots, values = (tuple(map(float, column)) for column in (fitted.X_thresholds_, fitted.y_thresholds_))
    return Recalibration("isotonic", (), knots, values, len(truth))
