"""Counts at every observed score for many resamples at once, and which score a rule picks in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medvision.evaluation.inputs import Booleans, Floats, Integers


@dataclass(frozen=True)
class Steps:
    """Units from the highest to the lowest score; equal scores make one step.

    Attributes:
        thresholds: The observed scores, descending, shape ``(steps,)``.
        labels: Shape ``(n,)``, in the order of ``order``.
        order: Which unit stands where, shape ``(n,)``.
        ends: The place of the last unit of each step, shape ``(steps,)``.

    Example:
        >>> Steps.of(np.array([False, True, True]), np.array([1.0, 2.0, 2.0])).thresholds.tolist()
        [2.0, 1.0]
    """

    thresholds: Floats
    labels: Booleans
    order: Integers
    ends: Integers

    @classmethod
    def of(cls, labels: Booleans, scores: Floats) -> Steps:
        """The steps of these units.

        Example:
            >>> Steps.of(np.array([], dtype=bool), np.array([])).ends.tolist()
            []
        """
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1] if len(ranked) else np.array([], int)
        return cls(ranked[ends], labels[order], order, ends)

    def counts(self, weights: Floats) -> StepCounts:
        """Called units at every step, for each row of weights.

        Args:
            weights: How often each unit was drawn, shape ``(resamples, n)``.

        Example:
            >>> steps = Steps.of(np.array([False, True]), np.array([1.0, 2.0]))
            >>> steps.counts(np.array([[1.0, 3.0]])).true_positive.tolist()
            [[3.0, 3.0]]
        """
        drawn = weights[:, self.order]
        hits = np.cumsum(drawn * self.labels, axis=1)[:, self.ends]
        called = np.cumsum(drawn, axis=1)[:, self.ends]
        return StepCounts(hits, called - hits)


@dataclass(frozen=True)
class StepCounts:
    """True and false positives at every step of every resample.

    Attributes:
        true_positive: Shape ``(resamples, steps)``.
        false_positive: Shape ``(resamples, steps)``.

    Example:
        >>> StepCounts(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]])).negatives.tolist()
        [[1.0]]
    """

    true_positive: Floats
    false_positive: Floats

    @property
    def positives(self) -> Floats:
        """Positive units of each resample, shape ``(resamples, 1)``."""
        return self.true_positive[:, -1:]

    @property
    def negatives(self) -> Floats:
        """Negative units of each resample, shape ``(resamples, 1)``."""
        return self.false_positive[:, -1:]

    @property
    def true_negative(self) -> Floats:
        """Negative units that are not called."""
        return self.negatives - self.false_positive

    def chosen(self, name: str, number: float) -> Integers:
        """The step that a rule picks in each resample; -1 where none meets it.

        Args:
            name: ``youden``, ``cost``, ``sensitivity`` or ``specificity``.
            number: The rule's number.

        Example:
            >>> counts = StepCounts(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]]))
            >>> counts.chosen("youden", float("nan")).tolist()
            [0]
        """
        # A score that was not drawn is no candidate.
        called = self.true_positive + self.false_positive
        drawn = np.diff(called, axis=1, prepend=0) > 0
        if name in ("youden", "cost"):
            best = np.argmax(np.where(drawn, self._worth(name, number), -np.inf), axis=1)
            return np.asarray(best, dtype=np.int64)
        with np.errstate(invalid="ignore"):  # without the class nothing reaches the rate
            if name == "sensitivity":
                reached = drawn & (self.true_positive / self.positives >= number)
                return np.where(reached.any(axis=1), np.argmax(reached, axis=1), -1)
            reached = drawn & (self.true_negative / self.negatives >= number)
        last = reached.shape[1] - 1 - np.argmax(reached[:, ::-1], axis=1)
        return np.where(reached.any(axis=1), last, -1)

    def at(self, rows: Integers, steps: Integers) -> tuple[Floats, Floats]:
        """True positives and true negatives at one step of each of these resamples.

        Args:
            rows: The resamples, shape ``(k,)``.
            steps: The step of each, shape ``(k,)``.

        Example:
            >>> counts = StepCounts(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]]))
            >>> [found.tolist() for found in counts.at(np.array([0]), np.array([0]))]
            [[1.0], [1.0]]
        """
        return self.true_positive[rows, steps], self.true_negative[rows, steps]

    def _worth(self, name: str, number: float) -> Floats:
        if name == "cost":
            return -(number * (self.positives - self.true_positive) + self.false_positive)
        # In whole numbers, so that equal points compare as equal.
        return self.true_positive * self.negatives + self.true_negative * self.positives
