"""An algorithm against the average reader, on the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import Comparison
from medvision.evaluation.inputs import checked_level, one_of
from medvision.evaluation.multi_reader import SCOPES, Figure, figures_of, within_one
from medvision.evaluation.obuchowski_rockette import Scope, mean_spread, t_comparison, t_interval
from medvision.evaluation.reader_table import crossed_readings

if TYPE_CHECKING:
    import pandas as pd


def compare_ai_with_readers(
    table: pd.DataFrame,
    ai: str,
    *,
    reader: str = "reader",
    case: str = "case",
    label: str = "label",
    score: str = "score",
    patients: str | None = None,
    figure: Figure = "auc",
    threshold: float | None = None,
    scope: Scope = "RRRC",
    level: float = 0.95,
    positive: object = None,
) -> Comparison:
    """The figure of merit of an algorithm minus the mean of the readers.

    The algorithm is fixed and reads each case once; the readers are a random sample. The differences of
    the algorithm and each reader are taken as one treatment of the model of Obuchowski and Rockette: their
    mean has the variance (MS(R) + J max(Cov2, 0)) / J, and Hillis' degrees of freedom
    (Stat Med 2007;26:596, doi:10.1002/sim.2532). Cov2 is that of two differences, and so holds the variance
    of the algorithm. Assumed: equal variances and covariances over readers, and jackknife covariances.

    This is the analysis of one treatment with random readers and random cases of Chakraborty (Observer
    Performance Methods for Diagnostic Imaging, CRC Press 2017, chapter 22, doi:10.1201/9781351228190-22;
    "1T-RRRC" of the R package RJafroc), which rests on that of one treatment in Hillis, Obuchowski, Schartz
    and Berbaum (Stat Med 2005;24:1579, doi:10.1002/sim.2024). Difference, degrees of freedom and p equal
    those of a study in which every reader has a copy of the algorithm as the second treatment. In 2000
    simulated studies each of 4 to 10 readers and 100 to 300 cases without a difference, p was below 0.05 in
    4.1 to 5.2% (``benchmarks/reader_studies.py``).

    Args:
        table: One row a reading; the algorithm has its rows as one more reader.
        ai: The name of the algorithm in the column of readers.
        reader: Column of the readers.
        case: Column of the cases.
        label: Column of the truth.
        score: Column of the ratings; each reader may have a scale of their own for the AUC.
        patients: Column of the patients, where a patient has several cases.
        figure: As in :func:`medvision.evaluation.multi_reader.reader_study`.
        threshold: Likewise.
        scope: Likewise.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        The comparison; ``first`` is the algorithm alone, over cases, ``second`` the mean of the readers.

    Raises:
        EvaluationError: The table is not fully crossed, or the algorithm or 2 readers are not in it.

    Example:
        >>> import pandas as pd
        >>> rows = [(r, c, c % 2, (c * (7 + i)) % 11 + 4 * (c % 2))
        ...         for i, r in enumerate(["AI", "A", "B", "C"]) for c in range(20)]
        >>> table = pd.DataFrame(rows, columns=["reader", "case", "label", "score"])
        >>> compare_ai_with_readers(table, "AI").difference.n_units
        20
    """
    checked_level(level)
    one_of(scope, SCOPES, "scope")
    found = crossed_readings(
        table.assign(**{"one treatment": "all"}), reader=reader, treatment="one treatment", case=case,
        label=label, score=score, patients=patients, positive=positive, least_treatments=1,
    )  # fmt: skip
    if ai not in found.readers or len(found.readers) < 3:
        raise EvaluationError(f"{ai!r} and at least 2 readers are needed; found: {', '.join(found.readers)}")
    figures, covariance = figures_of(found, figure, threshold, "jackknife")
    contrast = -np.delete(np.eye(len(found.readers)), found.readers.index(ai), axis=0)
    contrast[:, found.readers.index(ai)] = 1
    differences = contrast @ figures[0]
    error, df = mean_spread(differences, contrast @ covariance @ contrast.T, scope)
    n = (len(found.truth), len(np.unique(found.patients)))
    place = found.readers.index(ai)
    own = float(np.sqrt(max(covariance[place, place], 0.0)))
    first = t_interval(float(figures[0, place]), own, np.inf, level=level, method="normal, over cases", n=n)
    rest = np.arange(len(found.readers)) != place
    readers_error, readers_df = mean_spread(figures[0, rest], covariance[np.ix_(rest, rest)], scope)
    second = t_interval(
        float(figures[0, rest].mean()), readers_error, readers_df, level=level,
        method=f"Obuchowski-Rockette, {scope}", n=n,
    )  # fmt: skip
    if isinstance(figure, str):
        first, second = within_one(first), within_one(second)
    method = f"Obuchowski-Rockette, algorithm fixed, {scope}"
    return t_comparison(
        float(differences.mean()), error, df, level=level, method=method, n=n, first=first, second=second
    )


def compare_readers_with_constant(
    figures: ArrayLike, covariance: ArrayLike, constant: float, *, n_cases: int, level: float = 0.95
) -> Comparison:
    """The mean figure of random readers of random cases minus a constant.

    The analysis of one treatment of Hillis, Obuchowski, Schartz and Berbaum (Stat Med 2005;24:1579,
    doi:10.1002/sim.2024), with the degrees of freedom of Hillis (Stat Med 2007;26:596, doi:10.1002/sim.2532).

    Args:
        figures: One a reader, shape ``(readers,)``.
        covariance: Over the cases, shape ``(readers, readers)``.
        constant: A value without error of its own, from a protocol.
        n_cases: That the covariance rests on.
        level: Confidence level.

    Raises:
        EvaluationError: The shapes do not fit, or there are fewer than 2 readers.

    Example:
        Nine radiologists less an algorithm, from the chapter on standalone CAD of Chakraborty's RJafroc FROC
        Book, which prints 0.11850612 (0.004448434 to 0.232563801), p 0.041726262:

        >>> readers = [0.69453125, 0.65, 0.80625, 0.725, 0.65982143, 0.76845238, 0.7375, 0.675, 0.675]
        >>> covariance = np.full((9, 9), 0.0030657054)
        >>> np.fill_diagonal(covariance, 0.0053445377)
        >>> ahead = np.array(readers) - 0.59166667
        >>> found = compare_readers_with_constant(ahead, covariance, 0.0, n_cases=200)
        >>> found.difference.text(6), round(found.p, 6)
        ('0.118506 (95% CI 0.004448–0.232564)', 0.041726)
    """
    checked_level(level)
    values, spread = np.asarray(figures, dtype=float), np.asarray(covariance, dtype=float)
    if values.ndim != 1 or len(values) < 2 or spread.shape != (len(values), len(values)):
        raise EvaluationError(
            f"figures {values.shape} and covariance {spread.shape} must be of the same 2 readers or more"
        )
    error, df = mean_spread(values, spread, "RRRC")
    return t_comparison(
        float(values.mean()) - constant, error, df, level=level,
        method="Obuchowski-Rockette, one treatment", n=(n_cases, n_cases),
    )  # fmt: skip
