"""Lay one picture on another: shift and scale along each axis, then compare the fine detail.

Correlation is maximised by damped Gauss-Newton steps (Evangelidis and Psarakis, IEEE TPAMI 2008;30:1858, for
shift and scale). Fine detail is a difference of Gaussians: two patients share the large forms of an
organ, only copies share the small ones.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from medvision.imaging.candidates import LARGEST_CROP, Candidate
from medvision.imaging.perceptual import Floats, Picture, apply_axes, linear

_POINTS = 24
# The part of the first picture that lies inside every allowed crop.
_FROM, _TO = LARGEST_CROP + 0.01, 1 - LARGEST_CROP - 0.01
_STEPS = 12
_HOPELESS = 0.6
_FINE, _COARSE = 0.7, 2.0  # Gaussians of the detail, in points
_DAMPING, _STUCK = 1e-3, 5.0
_SCALES = (0.6, 1.7)


def similarity(first: Picture, second: Picture, candidate: Candidate) -> float:
    """How alike two pictures are in their fine detail after alignment, −1 to 1.

    Args:
        first: The picture that may be the original.
        second: The picture that may be its copy.
        candidate: Where the alignment starts.

    Returns:
        Correlation of the detail in the middle of the first; 0 where one of them shows nothing.
    """
    mirrored = np.flip(first, tuple(axis for axis, flip in enumerate(candidate.flip) if flip))
    fixed = apply_axes(mirrored.astype(np.float32), [linear(_points(n), n) for n in first.shape])
    moved = _aligned(fixed, second.astype(np.float32), candidate)
    return float((_normalised(_detail(fixed)) * _normalised(_detail(moved))).sum())


def _aligned(fixed: Floats, second: Floats, candidate: Candidate) -> Floats:
    """The second picture where it correlates best with the fixed points of the first."""
    spans = [1 - lower - upper for lower, upper in candidate.crops]
    # Along each axis a point x of the first lies at shift + scale · x of the second.
    shifts = [-lower / span for (lower, _), span in zip(candidate.crops, spans, strict=True)]
    parameters = np.array([shifts, [1 / span for span in spans]])
    target = _normalised(fixed)
    best, kept, result, damping = -2.0, parameters, fixed, _DAMPING
    gram, slope = np.eye(6), np.zeros(6)
    for step in range(_STEPS):
        points = [s + m * _points(n) for s, m, n in zip(*parameters, second.shape, strict=True)]
        values, gradients = _sampled(second, points)
        found = _normalised(values)
        score = float((target * found).sum())
        if score > best:
            gain, best, kept, result = score - best, score, parameters, values
            if gain < 1e-4 or (step >= 4 and best < _HOPELESS):
                break
            damping = max(damping / 4, 1e-4)
            gram, slope = _normal_equations(gradients, values, target - found)
        else:
            damping *= 8
            if damping > _STUCK:
                break
        change = np.linalg.solve(gram + damping * np.diag(np.diag(gram)), slope)
        parameters = _stepped(kept, np.asarray(change, dtype=np.float64))
    return result


def _sampled(array: Floats, points: list[npt.NDArray[np.float64]]) -> tuple[Floats, list[Floats]]:
    """Values at a grid of points and their derivatives along the three axes."""
    read = [linear(p, n) for p, n in zip(points, array.shape, strict=True)]
    slope = [_derivative(p, n) for p, n in zip(points, array.shape, strict=True)]
    flat = array.reshape(len(array), -1)
    across = (read[0] @ flat).reshape(-1, *array.shape[1:])
    turned = (slope[0] @ flat).reshape(-1, *array.shape[1:])
    plane = read[1] @ across
    gradients = [(read[1] @ turned) @ read[2].T, (slope[1] @ across) @ read[2].T, plane @ slope[2].T]
    return plane @ read[2].T, gradients


def _derivative(points: npt.NDArray[np.float64], n: int) -> Floats:
    """The matrix of the derivative of :func:`~medvision.imaging.perceptual.linear`."""
    matrix = np.zeros((len(points), n), dtype=np.float32)
    place = points * n - 0.5
    rows = np.flatnonzero((place > 0) & (place < n - 1))
    lower = np.floor(place[rows]).astype(np.intp)
    matrix[rows, lower], matrix[rows, lower + 1] = -n, n
    return matrix


def _normal_equations(
    gradients: list[Floats], values: Floats, error: Floats
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of the least squares step in three shifts and three scales (about the middle of each axis)."""
    columns = []
    for axis, gradient in enumerate(gradients):
        offsets = _points(2 if gradient.shape[axis] > 1 else 1) - 0.5
        shape = [-1 if other == axis else 1 for other in range(3)]
        columns += [gradient, gradient * offsets.astype(np.float32).reshape(shape)]
    jacobian = np.stack([column.ravel() for column in columns])
    jacobian -= jacobian.mean(axis=1, keepdims=True)
    jacobian /= max(float(np.linalg.norm(values - values.mean())), 1e-6)
    gram = (jacobian @ jacobian.T).astype(np.float64)
    # An axis of one voxel has no derivative: the small ridge keeps its step at 0.
    return gram + 1e-9 * np.eye(6), (jacobian @ error.ravel()).astype(np.float64)


def _stepped(parameters: npt.NDArray[np.float64], step: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shift, scale = step[0::2], step[1::2]
    return np.array([parameters[0] + shift - 0.5 * scale, np.clip(parameters[1] + scale, *_SCALES)])


@cache
def _points(n: int) -> npt.NDArray[np.float64]:
    if n == 1:
        return np.array([0.5])
    return _FROM + (_TO - _FROM) * (np.arange(_POINTS) + 0.5) / _POINTS


def _detail(array: Floats) -> Floats:
    fine = apply_axes(array, [_gaussian(n, _FINE) for n in array.shape])
    return fine - apply_axes(array, [_gaussian(n, _COARSE) for n in array.shape])


@cache
def _gaussian(n: int, sigma: float) -> Floats:
    """The matrix of a Gaussian filter along an axis; at the ends its weights are scaled to sum to 1."""
    places = np.arange(n)
    weights = np.exp(-0.5 * ((places[:, None] - places) / sigma) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _normalised(array: Floats) -> Floats:
    centred = array - array.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length if length > 1e-2 else np.zeros_like(centred), dtype=np.float32)
