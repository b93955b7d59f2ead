"""Two models' scores of the same cases, such as Dice: mean difference, signed-rank test, centre."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import OK, UNDEFINED_NO_UNITS, Comparison, Estimate, undefined
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
from medvision.evaluation.resampling import bootstrap
from medvision.evaluation.signed_rank import Zeros, hodges_lehmann, signed_rank
from medvision.wording import several

_NOTHING = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class SegmentationComparison(Comparison):
    """Scores of two models on the same cases, first minus second.

    Attributes:
        hodges_lehmann: The centre of the differences, with its interval.
        undefined: The cases without a difference, because a score of theirs is NaN.
        undefined_in_one: Those of them that only one of the two models leaves undefined.

    Example:
        >>> found = compare_segmentation([0.9, 0.8, float("nan")], [0.7, 0.7, 0.0], cases=["A", "B", "C"])
        >>> found.undefined, found.undefined_in_one, found.status
        (('C',), ('C',), 'fewer_than_10_patients; 1_of_3_cases_undefined')
    """

    hodges_lehmann: Estimate = field(default=_NOTHING)
    undefined: tuple[str, ...] = ()
    undefined_in_one: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold.

        Example:
            >>> compare_segmentation([0.9, 0.8], [0.7, 0.7]).to_dict()["undefined"]
            []
        """
        return {
            **super().to_dict(),
            "hodges_lehmann": self.hodges_lehmann.to_dict(),
            "undefined": list(self.undefined),
            "undefined_in_one": list(self.undefined_in_one),
        }


def compare_segmentation(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    *,
    cases: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    zeros: Zeros = "drop",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> SegmentationComparison:
    """Compare a score of two models on the same cases, case by case.

    Where patients have several cases, the mean over a patient's cases comes first, and every patient counts
    once. The mean difference has the percentile bootstrap over patients; ``p`` is that of Wilcoxon's
    signed-rank test (Biometrics Bull 1945;1:80, doi:10.2307/3001968; see
    ``medvision.evaluation.signed_rank``), which with ``hodges_lehmann`` (Hodges and Lehmann, Ann Math Stat
    1963;34:598, doi:10.1214/aoms/1177704172) takes the differences for symmetric about their centre.

    A case with a NaN (a structure in neither mask) has no difference. It is left out, named in ``undefined``
    and counted in the status. Look at ``undefined_in_one``: there one model rightly left a structure out and
    the other did not, and neither the mean nor p knows of it.

    Args:
        scores_a: A score of the first model, such as Dice, one a case, shape ``(n,)``.
        scores_b: That of the second, in the same order.
        cases: The name of each case; by default its row.
        patients: The patient of each case.
        zeros: What differences of 0 are to the test: ``drop`` or ``pratt``.
        level: Confidence level.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The comparison; ``statistic`` is the sum of the ranks of positive differences.

    Raises:
        EvaluationError: Lengths differ, a score is infinite or no number, or a patient is missing.

    Example:
        R prints the statistic 40, p 0.03906 and 0.46 (0.010 to 0.786) for the depression scores of Hollander
        and Wolfe; scores of masks are compared in the same way:

        >>> from medvision.evaluation.published import depression
        >>> found = compare_segmentation(*depression())
        >>> print(found.hodges_lehmann, "p", round(found.p, 5))
        0.460 (95% CI 0.010–0.786) p 0.03906
    """
    checked_level(level)
    one_of(zeros, ("drop", "pratt"), "zeros")
    first, second = _scores(scores_a, "scores_a"), _scores(scores_b, "scores_b")
    same_length(len(first), scores_b=second)
    names = one_dimensional(np.arange(len(first)) if cases is None else cases, "cases")
    same_length(len(first), cases=names)
    codes = patient_codes(patients, len(first))
    missing = np.isnan(first), np.isnan(second)
    kept = ~(missing[0] | missing[1])
    told = tuple(tuple(str(name) for name in names[which]) for which in (~kept, missing[0] ^ missing[1]))
    mean_a, mean_b = (_patient_means(scores[kept], codes[kept]) for scores in (first, second))
    differences = mean_a - mean_b
    test = signed_rank(differences, zeros=zeros)
    clustered = len(np.unique(codes)) < len(codes)
    parts = [
        f"Wilcoxon signed-rank, {test.method}",
        f"{several(test.zeros, 'zero')} {_ZEROS[zeros]}" * (test.zeros > 0),
    ]
    parts += ["patients' means first"] * clustered
    means = _means(mean_a, mean_b, kept, level, resamples, seed)
    centre = replace(hodges_lehmann(differences, level=level), n_units=int(kept.sum()))
    return SegmentationComparison(
        means[0], test.statistic, test.p, ", ".join(part for part in parts if part), None, means[1], means[2],
        centre, *told,
    )  # fmt: skip


_ZEROS = {"drop": "dropped", "pratt": "ranked and then dropped (Pratt)"}


def _scores(values: ArrayLike, name: str) -> Floats:
    given = one_dimensional(values, name)
    try:
        scores = given.astype(np.float64)
    except (TypeError, ValueError):
        raise EvaluationError(f"{name} are not numbers: {given[:3].tolist()} …") from None
    if np.isinf(scores).any():
        rows = np.flatnonzero(np.isinf(scores))[:10].tolist()
        raise EvaluationError(f"{name} are infinite in {np.isinf(scores).sum()} rows, such as {rows}")
    return scores


def _patient_means(scores: Floats, codes: Integers) -> Floats:
    own = np.unique(codes, return_inverse=True)[1]
    return np.bincount(own, weights=scores) / np.bincount(own)


def _means(
    first: Floats, second: Floats, kept: Booleans, level: float, resamples: int, seed: int
) -> Sequence[Estimate]:
    """The mean difference and the two means, all on the same draws of patients."""
    name = "mean over patients, bootstrap over patients, percentile"
    if len(first) == 0:
        blank = undefined(UNDEFINED_NO_UNITS, level=level, method=name, n_units=0, n_patients=0)
        return [blank] * 3
    table = {"difference": first - second, "first": first, "second": second}
    found = bootstrap(
        {column: f"mean:{column}" for column in table}, table, patients=None, resamples=resamples, seed=seed,
        level=level,
    )  # fmt: skip
    lost = f"{(~kept).sum()}_of_{len(kept)}_cases_undefined" if not kept.all() else OK
    return [
        replace(estimate, method=name, n_units=int(kept.sum()), status=_joined(estimate.status, lost))
        for estimate in found.values()
    ]


def _joined(*statuses: str) -> str:
    return "; ".join(status for status in statuses if status != OK) or OK
