"""Whether a mark hits a lesion: overlap, centre in the box, or distance, and how close it comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from medvision.errors import EvaluationError
from medvision.evaluation.detection_tables import numbers, refuse_cases, table_with
from medvision.evaluation.inputs import Booleans, Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

_RULE = re.compile(r"^(?P<kind>iou>=|distance<=|cent(re|er)_in_box)(?P<limit>.*)$")
_AXES = ("x", "y", "z")

Closeness = Callable[[Integers, Integers], Floats]


def parse_hit_rule(rule: str) -> tuple[str, float]:
    """The kind of a hit rule and its limit: NaN for ``centre_in_box``, infinity for ``distance<=radius``.

    Raises:
        EvaluationError: The rule is not known or its number is impossible.

    Example:
        >>> parse_hit_rule("distance <= 5 mm")
        ('distance', 5.0)
    """
    match = _RULE.match(str(rule).replace(" ", "").replace("≥", ">=").replace("≤", "<="))
    problem = EvaluationError(
        f"rule={rule!r} is no hit rule; write iou>=0.3, centre_in_box, distance<=5 or distance<=radius"
    )
    if match is None:
        raise problem
    kind, text = match["kind"].rstrip("<>="), match["limit"].removesuffix("mm")
    if kind.endswith("in_box"):
        if text:
            raise problem
        return "centre_in_box", float("nan")
    if (kind, text) == ("distance", "radius"):
        return kind, float("inf")
    try:
        limit = float(text)
    except ValueError:
        raise problem from None
    if not (0 < limit <= 1 if kind == "iou" else 0 <= limit < np.inf):
        raise problem
    return kind, limit


def hit_places(marks: pd.DataFrame, lesions: pd.DataFrame, rule: str) -> tuple[Floats, Closeness]:
    """Where the marks are, and a function that says how close some of them come to some lesions.

    Args:
        marks: With the coordinates that the rule needs.
        lesions: With ``lesion_id`` and coordinates in the same frame.
        rule: A hit rule.

    Returns:
        The corners of the marks, shape ``(marks, 2, axes)``; and a function of rows of marks and rows of
        lesions that returns their overlap or minus their distance, and minus infinity where the rule is
        not met.

    Raises:
        EvaluationError: The rule is not known, a column is missing, or a coordinate is not finite.

    Example:
        >>> import pandas as pd
        >>> marks = pd.DataFrame({"case_id": ["A"], "x": [1.0], "y": [0.0]})
        >>> lesions = marks.assign(lesion_id="L1", x=4.0)
        >>> hit_places(marks, lesions, "distance<=5")[1](np.array([0]), np.array([0])).tolist()
        [[-3.0]]
    """
    kind, limit = parse_hit_rule(rule)
    columns = {*marks.columns, *lesions.columns}
    axes = [axis for axis in _AXES if axis in columns or f"{axis}_min" in columns]
    places = _corners(marks, "marks", axes, box=kind == "iou")
    targets = _corners(lesions, "lesions", axes, box=kind != "distance")
    limits = _limits(lesions, limit)

    def closeness(mark_rows: Integers, lesion_rows: Integers) -> Floats:
        return _closeness(kind, places[mark_rows], targets[lesion_rows], limits[lesion_rows])

    return places, closeness


def _corners(table: pd.DataFrame, name: str, axes: Sequence[str], *, box: bool) -> Floats:
    """Lower and upper corners, shape ``(n, 2, axes)``; those of a point are one."""
    boxed = all(f"{axis}_{end}" in table for axis in axes for end in ("min", "max")) and bool(axes)
    if box or boxed:
        columns = [f"{axis}_{end}" for end in ("min", "max") for axis in axes or _AXES[:2]]
    else:
        columns = [*axes, *axes] or ["x", "y"]
    table = table_with(table, name, columns)
    flat = np.stack([numbers(table[column]) for column in columns], axis=1)
    places = flat.reshape(len(table), 2, len(columns) // 2)
    outside = ~np.isfinite(places).all(axis=(1, 2))
    wrong = np.asarray(outside | (places[:, 0] > places[:, 1]).any(axis=1), dtype=bool)
    refuse_cases(table, wrong, f"{name} have a coordinate that is not finite, or a box turned inside out")
    return places


def _limits(truth: pd.DataFrame, limit: float) -> Floats:
    if not np.isinf(limit):
        return np.full(len(truth), limit)
    radii = numbers(table_with(truth, "lesions", ["radius_mm"])["radius_mm"])
    refuse_cases(truth, ~((radii >= 0) & np.isfinite(radii)), "lesions have no radius_mm of 0 or more")
    return radii


def _closeness(kind: str, marks: Floats, lesions: Floats, limits: Floats) -> Floats:
    """How close each mark is to each lesion, minus infinity where the rule is not met."""
    if kind == "iou":
        close = _overlap(marks, lesions)
        met: Booleans = close >= limits
        return np.where(met, close, -np.inf)
    centres = marks.mean(axis=1)[:, None]
    distance = np.linalg.norm(centres - lesions.mean(axis=1)[None], axis=2)
    if kind == "distance":
        met = distance <= limits * (1 + 1e-9)  # 3 times 0.1 mm are 0.3 mm, whatever rounding makes of it
    else:
        met = ((centres >= lesions[None, :, 0]) & (centres <= lesions[None, :, 1])).all(axis=2)
    return np.where(met, -distance, -np.inf)


def _overlap(marks: Floats, lesions: Floats) -> Floats:
    low = np.maximum(marks[:, None, 0], lesions[None, :, 0])
    high = np.minimum(marks[:, None, 1], lesions[None, :, 1])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    sizes = [(boxes[:, 1] - boxes[:, 0]).prod(axis=1) for boxes in (marks, lesions)]
    union = sizes[0][:, None] + sizes[1][None] - shared
    overlap: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap
