"""Several tests at once: p-values adjusted for a named family of comparisons."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.inputs import Floats, one_dimensional, one_of

AdjustMethod = Literal["holm", "bh", "by", "bonferroni"]


def adjust(p_values: ArrayLike, method: AdjustMethod = "holm") -> Floats:
    """P-values adjusted for how many of them there are.

    Args:
        p_values: Shape ``(k,)``; NaN stays NaN and is not counted.
        method: ``holm`` (Scand J Stat 1979;6:65: no false claim in the family, whatever the dependence; for
            prespecified comparisons), ``bh`` (Benjamini and Hochberg, J R Stat Soc B 1995;57:289,
            doi:10.1111/j.2517-6161.1995.tb02031.x: share of false claims; for exploration), ``by`` (Benjamini
            and Yekutieli, Ann Stat 2001;29:1165, doi:10.1214/aos/1013699998: the same under any dependence)
            or ``bonferroni``.

    Returns:
        Shape ``(k,)``, in the order of the input, none above 1; compare them with the unadjusted alpha.

    Raises:
        EvaluationError: A value lies outside 0 to 1, or the method is not known.

    Example:
        Benjamini and Hochberg (1995), section 3.2: of 15 p-values their procedure rejects 4, Bonferroni's and
        its relatives 3:

        >>> from medvision.evaluation.published import benjamini_hochberg
        >>> p = benjamini_hochberg()
        >>> [int((adjust(p, method=method) <= 0.05).sum()) for method in ("bh", "holm")]
        [4, 3]
        >>> adjust([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    one_of(method, ("holm", "bh", "by", "bonferroni"), "method")
    values = one_dimensional(p_values, "p_values").astype(np.float64)
    if np.any((values < 0) | (values > 1)):
        raise EvaluationError(f"p-values lie between 0 and 1; these do not: {values.tolist()}")
    adjusted = np.full(len(values), np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    ranked, k = values[order], len(order)
    rank = np.arange(1, k + 1)
    if method == "bonferroni":
        stepped = ranked * k
    elif method == "holm":
        stepped = np.maximum.accumulate(ranked * (k + 1 - rank))
    else:
        penalty = float(np.sum(1 / rank)) if method == "by" else 1.0
        stepped = np.minimum.accumulate((ranked * k * penalty / rank)[::-1])[::-1]
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
