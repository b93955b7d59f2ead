"""Local straight lines through 0 and 1: the lowess smoother, for many weighted samples at once."""

from __future__ import annotations

import numpy as np

from medvision.evaluation.inputs import Floats


def local_linear(x: Floats, y: Floats, at: Floats, weights: Floats, span: float) -> Floats:
    """A weighted straight line around each point, read there.

    Reference: Cleveland, J Am Stat Assoc 1979;74:829, doi:10.1080/01621459.1979.10481038.

    The neighbours of a point are the nearest ``span`` of the drawn units; their weights fall with the cube
    of the cube of the distance. There are no robustness steps: for outcomes of 0 and 1 these are wrong.

    Args:
        x: Shape ``(n,)``.
        y: Outcomes, shape ``(n,)`` or one row for each sample, ``(samples, n)``.
        at: Where to read the curve, shape ``(points,)``.
        weights: How often each unit was drawn, shape ``(samples, n)``.
        span: Share of the units that are neighbours, above 0 to 1.

    Returns:
        The curve of each sample, shape ``(samples, points)``.

    Example:
        >>> x = np.arange(10.0)
        >>> local_linear(x, 2 * x, np.array([4.5]), np.ones((1, 10)), 0.5).round(6).tolist()
        [[9.0]]
    """
    neighbours = np.maximum(np.floor(span * weights.sum(axis=1) + 1e-10), 1)
    found = np.empty((max(len(weights), len(np.atleast_2d(y))), len(at)))
    for column, point in enumerate(at):
        distance = np.abs(x - point)
        near = _radius(distance, weights, neighbours)
        share = distance / np.where(near > 0, near, 1)
        kernel = np.where(share < 1, (1 - np.minimum(share, 1) ** 3) ** 3, 0.0)
        kernel = np.where(near > 0, kernel, distance == 0) * weights
        # All neighbours in one place away from the point: none lies inside the radius.
        kernel = np.where(kernel.any(axis=1, keepdims=True), kernel, (distance == near) * weights)
        found[:, column] = _line_at(x - point, y, kernel)
    return found


def _radius(distance: Floats, weights: Floats, neighbours: Floats) -> Floats:
    """The distance to the last neighbour, shape ``(samples, 1)``."""
    order = np.argsort(distance, kind="stable")
    reached = np.argmax(np.cumsum(weights[:, order], axis=1) >= neighbours[:, None], axis=1)
    return np.asarray(distance[order][reached][:, None], dtype=np.float64)


def _line_at(offset: Floats, y: Floats, kernel: Floats) -> Floats:
    """The weighted least-squares line at offset 0; the weighted mean where all lie in one place."""
    total = kernel.sum(axis=1)
    centre = kernel @ offset / total
    outcome = (kernel * y).sum(axis=1) / total
    spread = kernel @ offset**2 / total - centre**2
    joint = (kernel * y) @ offset / total - centre * outcome
    slope = np.divide(joint, spread, out=np.zeros_like(joint), where=spread > 1e-12)
    return np.asarray(outcome - slope * centre, dtype=np.float64)
