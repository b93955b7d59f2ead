"""Which mark finds which lesion: an explicit hit rule, and one mark for one lesion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from medvision.evaluation.detection_tables import numbers, table_with
from medvision.evaluation.hit_rules import hit_places
from medvision.evaluation.inputs import Floats, Integers, one_of

if TYPE_CHECKING:
    import pandas as pd

Assignment = Literal["greedy", "hungarian"]


def match_marks(
    marks: pd.DataFrame, lesions: pd.DataFrame, *, rule: str, assignment: Assignment = "greedy"
) -> pd.DataFrame:
    """Decide which lesion each mark hits, one mark finding at most one lesion and the reverse.

    Greedy, as in most challenges, the pairs that meet the rule are gone through from the highest score
    down, and each mark takes the closest lesion that is still free. Hungarian (the assignment problem of
    Kuhn, Nav Res Logist Q 1955;2:83, doi:10.1002/nav.3800020109), as many lesions as possible are found, and
    among such matchings the one that is closest in all; the scores play no part in it. Equal scores are
    settled by closeness (the larger overlap, the smaller distance), then by the smaller coordinates of the
    mark, then by the smaller ``lesion_id``: never by the order of the rows. On hit rules and their choice:
    Maier-Hein et al., Nat Methods 2024;21:195, doi:10.1038/s41592-023-02151-z.

    Args:
        marks: A row for each mark: ``case_id``, ``score``, and a point (``x``, ``y``, perhaps ``z``, in mm)
            or a box (``x_min``, ``x_max``, ``y_min``, …, in mm).
        lesions: A row for each lesion: ``case_id``, ``lesion_id``, and a point or a box in the same frame.
        rule: ``iou>=0.3`` (boxes of both), ``centre_in_box`` (the mark's point, or the centre of its box,
            in the lesion's box, edges included), ``distance<=5`` (mm between points or centres), or
            ``distance<=radius`` (the column ``radius_mm`` of ``lesions``).
        assignment: ``greedy`` or ``hungarian``.

    Returns:
        The marks with ``lesion_id``, the lesion hit (None for a false positive), and ``further``, true for
        a mark that only meets the rule with lesions that other marks have found.

    Raises:
        EvaluationError: The rule is not known, a column is missing, or a coordinate is not finite.

    Example:
        >>> import pandas as pd
        >>> marks = pd.DataFrame({"case_id": "A", "score": [0.9, 0.8, 0.7], "x": [1, 2, 40], "y": [0, 0, 0]})
        >>> lesions = pd.DataFrame({"case_id": ["A"], "lesion_id": ["L1"], "x": [2], "y": [0]})
        >>> match_marks(marks, lesions, rule="distance<=5")[["lesion_id", "further"]].values.tolist()
        [['L1', False], ['L1', True], [None, False]]
    """
    import pandas as pd

    one_of(assignment, ("greedy", "hungarian"), "assignment")
    found = table_with(marks, "marks", ["case_id", "score"])
    truth = table_with(lesions, "lesions", ["case_id", "lesion_id"])
    places, closeness_of = hit_places(found, truth, rule)
    # An order of rows that depends on what they say alone.
    scores = numbers(found["score"])
    mark_order = np.lexsort([*places.reshape(len(found), 2 * places.shape[2]).T[::-1], -scores])
    lesion_order = np.argsort(truth["lesion_id"].astype(str).to_numpy(dtype=str), kind="stable")
    hit, further = np.full(len(found), -1), np.zeros(len(found), dtype=bool)
    lesions_of = _rows_by_case(truth, lesion_order)
    for case, rows in _rows_by_case(found, mark_order).items():
        own = lesions_of.get(case)
        if own is None:
            continue
        closeness = closeness_of(rows, own)
        taken = (
            greedy_pairs(closeness, scores[rows]) if assignment == "greedy" else hungarian_pairs(closeness)
        )
        near = np.isfinite(closeness).any(axis=1)
        further[rows] = near & (taken < 0)
        taken = np.where(near & (taken < 0), closeness.argmax(axis=1), taken)
        hit[rows] = np.where(taken >= 0, own[taken], -1)
    names = [*truth["lesion_id"].tolist(), None]
    return found.assign(lesion_id=pd.Series([names[row] for row in hit], dtype=object), further=further)


def _rows_by_case(table: pd.DataFrame, order: Integers) -> dict[object, Integers]:
    groups: dict[object, list[int]] = {}
    cases = table["case_id"].tolist()
    for row in order.tolist():
        groups.setdefault(cases[row], []).append(row)
    return {case: np.asarray(rows) for case, rows in groups.items()}


def greedy_pairs(closeness: Floats, scores: Floats) -> Integers:
    """The lesion that each mark takes, from the highest score down, then from the closest pair; -1 for none.

    Args:
        closeness: Of each mark to each lesion, shape ``(marks, lesions)``; minus infinity where the rule is
            not met.
        scores: Of the marks.

    Example:
        >>> greedy_pairs(np.array([[0.9, 0.8], [0.8, -np.inf]]), np.zeros(2)).tolist()
        [0, -1]
    """
    mark, lesion = np.nonzero(np.isfinite(closeness))
    order = np.lexsort((lesion, mark, -closeness[mark, lesion], -scores[mark]))
    taken, free = np.full(len(scores), -1), np.ones(closeness.shape[1], dtype=bool)
    for pair in order:
        if taken[mark[pair]] < 0 and free[lesion[pair]]:
            taken[mark[pair]] = lesion[pair]
            free[lesion[pair]] = False
    return taken


def hungarian_pairs(closeness: Floats) -> Integers:
    """The lesion that each mark takes so that most are found, and the closest in all; -1 for none.

    Args:
        closeness: As for :func:`greedy_pairs`.

    Example:
        >>> hungarian_pairs(np.array([[0.9, 0.8], [0.8, -np.inf]])).tolist()
        [1, 0]
    """
    met = np.isfinite(closeness)
    taken = np.full(len(closeness), -1)
    if met.any():
        least, most = closeness[met].min(), closeness[met].max()
        relative = np.where(met, closeness - least, 0) / (most - least if most > least else 1)
        # One lesion more outweighs all that closeness could gain.
        mark, lesion = linear_sum_assignment(np.where(met, min(met.shape) + 1 + relative, 0), maximize=True)
        kept = met[mark, lesion]
        taken[mark[kept]] = lesion[kept]
    return taken
