"""Multi-reader multi-case studies: treatments compared over readers and cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import Comparison, Estimate, p_text
from medvision.evaluation.inputs import (
    Floats,
    Integers,
    checked_level,
    is_number,
    one_of,
)
from medvision.evaluation.margins import MarginTest, non_inferiority
from medvision.evaluation.obuchowski_rockette import (
    Scope,
    VarianceComponents,
    mean_spread,
    t_comparison,
    t_interval,
    treatment_test,
    variance_components,
)
from medvision.evaluation.reader_covariances import delong_covariance, jackknife, jackknife_covariance
from medvision.evaluation.reader_table import Readings, crossed_readings
from medvision.evaluation.roc import placements

if TYPE_CHECKING:
    import pandas as pd

FigureName = Literal["auc", "sensitivity", "specificity"]
Figure = FigureName | Callable[[Floats, Floats], float]
SCOPES: tuple[Scope, ...] = ("RRRC", "FRRC", "RRFC")


@dataclass(frozen=True)
class ReaderStudy:
    """What a reader study found.

    Attributes:
        figure: Name of the figure of merit.
        scope: ``RRRC``, ``FRRC`` or ``RRFC``.
        components: Mean squares and covariances.
        statistic: F that all treatments are equal (chi-square over its degrees of freedom for ``FRRC``).
        df: Its numerator and denominator degrees of freedom; the latter is infinite for ``FRRC``.
        p: Its p-value.
        means: The mean figure of the readers, by treatment.
        differences: Every pair of treatments, first minus second.
        readers: The figure of each reader, by treatment and reader, over cases alone.

    Example:
        >>> values = np.array([[0.8, 0.85], [0.9, 0.88]])
        >>> left_out = values + np.array([-0.01, 0.0, 0.01])[:, None, None]
        >>> study = reader_study_from_jackknife(
        ...     values, left_out, treatments=("CT", "MRI"), readers=("A", "B")
        ... )
        >>> study.scope, list(study.differences)
        ('RRRC', [('CT', 'MRI')])
    """

    figure: str
    scope: Scope
    components: VarianceComponents
    statistic: float
    df: tuple[float, float]
    p: float
    means: dict[str, Estimate]
    differences: dict[tuple[str, str], Comparison]
    readers: dict[tuple[str, str], Estimate]

    def __str__(self) -> str:
        lines = [f"{self.figure}, {self.scope}: F = {self.statistic:.3f}, {p_text(self.p)}"]
        lines += [f"{name}: {value}" for name, value in self.means.items()]
        lines += [f"{a} − {b}: {value}" for (a, b), value in self.differences.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold."""
        test = Comparison(next(iter(self.differences.values())).difference, self.statistic, self.p, "F",
                          self.df[1]).to_dict()  # fmt: skip
        return {
            "figure": self.figure,
            "scope": self.scope,
            "components": self.components.to_dict(),
            "statistic": test["statistic"],
            "df": [self.df[0], test["df"]],
            "p": test["p"],
            "means": {name: value.to_dict() for name, value in self.means.items()},
            "differences": [
                {"first_treatment": a, "second_treatment": b, **value.to_dict()}
                for (a, b), value in self.differences.items()
            ],
            "readers": [
                {"treatment": t, "reader": r, **value.to_dict()} for (t, r), value in self.readers.items()
            ],
        }

    def table(self) -> pd.DataFrame:
        """One row a reader and treatment, then the means: the table of a paper."""
        import pandas as pd

        rows = [(t, r, e.value, e.low, e.high) for (t, r), e in self.readers.items()]
        rows += [(t, "mean", e.value, e.low, e.high) for t, e in self.means.items()]
        return pd.DataFrame(rows, columns=["treatment", "reader", self.figure, "low", "high"])

    def non_inferiority(self, new: str, old: str, margin: float, *, alpha: float = 0.025) -> MarginTest:
        """Whether a treatment is worse than another by less than a margin that was stated before.

        Args:
            new: The treatment that may not be much worse.
            old: The one that it is compared with.
            margin: The largest tolerable loss, above 0.
            alpha: One-sided type I error.

        Raises:
            EvaluationError: The margin is not above 0, or a treatment is unknown.
        """
        if (new, old) in self.differences:
            return non_inferiority(self.differences[new, old], margin, alpha=alpha)
        if (old, new) in self.differences:
            return non_inferiority(turned(self.differences[old, new]), margin, alpha=alpha)
        raise EvaluationError(f"no treatments {new!r} and {old!r}; known: {', '.join(self.means)}")


def turned(comparison: Comparison) -> Comparison:
    """The same comparison, second minus first.

    Example:
        >>> turned(Comparison(Estimate(0.1, 0.05, 0.2), 2.0, 0.04, "t")).difference.low
        -0.2
    """
    one = comparison.difference
    return replace(
        comparison, difference=replace(one, value=-one.value, low=-one.high, high=-one.low),
        statistic=-comparison.statistic, first=comparison.second, second=comparison.first,
    )  # fmt: skip


def reader_study(
    table: pd.DataFrame,
    *,
    reader: str = "reader",
    treatment: str = "treatment",
    case: str = "case",
    label: str = "label",
    score: str = "score",
    patients: str | None = None,
    figure: Figure = "auc",
    threshold: float | None = None,
    covariance: Literal["jackknife", "delong"] = "jackknife",
    scope: Scope = "RRRC",
    level: float = 0.95,
    positive: object = None,
) -> ReaderStudy:
    """Compare treatments read by the same readers on the same cases.

    Obuchowski and Rockette (Commun Stat Simul Comput 1995;24:285, doi:10.1080/03610919508813243) with the
    degrees of freedom of Hillis (Stat Med 2007;26:596, doi:10.1002/sim.2532). ``RRRC`` speaks of other
    readers and other cases, ``FRRC`` of these readers, ``RRFC`` of these cases.

    Args:
        table: One row a reading, fully crossed.
        reader: Column of the readers.
        treatment: Column of the treatments.
        case: Column of the cases.
        label: Column of the truth.
        score: Column of the ratings; a higher one means more disease.
        patients: Column of the patients, where a patient has several cases.
        figure: ``auc``, ``sensitivity``, ``specificity``, or a function of labels and scores (jackknife).
        threshold: A rating of at least this is positive; needed for sensitivity and specificity.
        covariance: ``jackknife``, or ``delong`` (AUC only).
        scope: What is random.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Raises:
        EvaluationError: The study is not fully crossed, or an argument is wrong.

    Example:
        Made-up ratings; ``docs/published_tables.md`` recomputes what was published for those of Van Dyke.

        >>> import pandas as pd
        >>> rows = [(r, t, c, c % 2, (c * 7 + r * c + t * 3 * c) % 11 + 4 * (c % 2))
        ...         for r in range(3) for t in range(2) for c in range(20)]
        >>> table = pd.DataFrame(rows, columns=["reader", "treatment", "case", "label", "score"])
        >>> list(reader_study(table).means)
        ['0', '1']
    """
    one_of(covariance, ("jackknife", "delong"), "covariance")
    found = crossed_readings(
        table, reader=reader, treatment=treatment, case=case, label=label, score=score,
        patients=patients, positive=positive,
    )  # fmt: skip
    figures, spread = figures_of(found, figure, threshold, covariance)
    name = figure if isinstance(figure, str) else getattr(figure, "__name__", "figure")
    study = analysed(
        figures, spread, treatments=found.treatments, readers=found.readers, figure=name, scope=scope,
        level=level, n=(len(found.truth), len(np.unique(found.patients))),
    )  # fmt: skip
    return study if callable(figure) else _within_one(study)


def within_one(one: Estimate) -> Estimate:
    """Areas and proportions lie between 0 and 1, and so do their limits.

    Example:
        >>> within_one(Estimate(0.95, 0.88, 1.02)).high
        1.0
    """
    return replace(one, low=max(one.low, 0.0), high=min(one.high, 1.0))


def _within_one(study: ReaderStudy) -> ReaderStudy:
    means = {name: within_one(one) for name, one in study.means.items()}
    readers = {name: within_one(one) for name, one in study.readers.items()}
    differences = {
        (a, b): replace(one, first=means[a], second=means[b]) for (a, b), one in study.differences.items()
    }
    return replace(study, means=means, readers=readers, differences=differences)


def figures_of(
    found: Readings, figure: Figure, threshold: float | None, covariance: str
) -> tuple[Floats, Floats]:
    """Figures of merit, shape ``(treatments, readers)``, and their covariance.

    Raises:
        EvaluationError: The figure is unknown, or has no threshold, or DeLong's covariance is not for it.
    """
    shape, flat = found.scores.shape[:2], found.scores.reshape(-1, len(found.truth))
    if isinstance(figure, str):
        one_of(figure, ("auc", "sensitivity", "specificity"), "figure")
    if covariance == "delong":
        if figure != "auc":
            raise EvaluationError("DeLong's covariance is for the AUC; use covariance='jackknife'")
        areas, spread = delong_covariance(found.truth, flat, found.patients)
        return areas.reshape(shape), spread
    cases = np.arange(len(found.truth))
    if figure in ("sensitivity", "specificity"):
        if not is_number(threshold):
            raise EvaluationError(f"{figure} needs threshold=; 1 for calls of 0 and 1")
        cases = cases[found.truth == (figure == "sensitivity")]
        right = (flat >= threshold) == found.truth

    def merit(kept: Integers) -> Floats:
        truth = found.truth[kept]
        if callable(figure):
            return np.array([figure(truth.astype(float), row[kept]) for row in flat])
        if figure == "auc":
            if truth.all() or not truth.any():
                return np.full(len(flat), np.nan)
            return np.array([placements(truth, row[kept], kept).auc for row in flat])
        return np.asarray(right[:, kept].mean(axis=1))

    values, left_out = jackknife(merit, cases, found.patients[cases])
    return values.reshape(shape), jackknife_covariance(left_out)


def reader_study_from_jackknife(
    figures: Floats,
    left_out: Floats,
    *,
    treatments: tuple[str, ...],
    readers: tuple[str, ...],
    figure: str = "figure",
    scope: Scope = "RRRC",
    level: float = 0.95,
) -> ReaderStudy:
    """Compare treatments by any figure of merit (of FROC, say), given its leave-one-patient-out values.

    The analysis is that of :func:`reader_study`: Obuchowski and Rockette (Commun Stat Simul Comput
    1995;24:285, doi:10.1080/03610919508813243), Hillis (Stat Med 2007;26:596, doi:10.1002/sim.2532). The
    covariances are the jackknife's (Efron and Stein, Ann Stat 1981;9:586, doi:10.1214/aos/1176345462).

    Args:
        figures: On all patients, shape ``(treatments, readers)``.
        left_out: Without each patient in turn, shape ``(patients, treatments, readers)``.
        treatments: Names.
        readers: Names.
        figure: What the figure is called.
        scope: What is random.
        level: Confidence level.

    Raises:
        EvaluationError: The shapes do not fit, or there are fewer than 2 treatments, readers or patients.

    Example:
        >>> values = np.array([[0.8, 0.85], [0.9, 0.88]])
        >>> left_out = values + np.array([-0.01, 0.0, 0.01])[:, None, None]
        >>> study = reader_study_from_jackknife(
        ...     values, left_out, treatments=("CT", "MRI"), readers=("A", "B"))
        >>> round(study.means["CT"].value, 3)
        0.825
    """
    shape = (len(treatments), len(readers))
    if figures.shape != shape or left_out.shape[1:] != shape or min(shape) < 2:
        raise EvaluationError(
            f"figures {figures.shape} and left_out {left_out.shape} must be (treatments, readers) and "
            f"(patients, treatments, readers) with at least 2 of each; the names make it {shape}"
        )
    if not np.isfinite(figures).all():
        raise EvaluationError("figures hold a value that is not finite; give a figure for every reader")
    n = len(left_out)
    return analysed(
        figures, jackknife_covariance(left_out.reshape(n, -1)), treatments=treatments, readers=readers,
        figure=figure, scope=scope, level=level, n=(n, n),
    )  # fmt: skip


def analysed(
    figures: Floats,
    covariance: Floats,
    *,
    treatments: tuple[str, ...],
    readers: tuple[str, ...],
    figure: str,
    scope: Scope,
    level: float,
    n: tuple[int, int],
) -> ReaderStudy:
    """The analysis of figures, shape ``(treatments, readers)``, and their covariance in row order."""
    checked_level(level)
    one_of(scope, SCOPES, "scope")
    parts, j = variance_components(figures, covariance), len(readers)
    statistic, df, p = treatment_test(parts, len(treatments), j, scope)
    method = f"Obuchowski-Rockette, {scope}"
    four = covariance.reshape(len(treatments), j, len(treatments), j)
    means = {}
    for i, name in enumerate(treatments):
        error, own_df = mean_spread(figures[i], four[i, :, i, :], scope)
        means[name] = t_interval(float(figures[i].mean()), error, own_df, level=level, method=method, n=n)
    error = float(np.sqrt(max(2 / j * parts.spread(j, scope)[0], 0.0)))
    differences = {
        (a, b): t_comparison(
            means[a].value - means[b].value, error, df, level=level, method=method, n=n,
            first=means[a], second=means[b],
        )
        for a, b in combinations(treatments, 2)
    }  # fmt: skip
    each = {
        (t, r): t_interval(
            float(figures[i, k]), float(np.sqrt(max(four[i, k, i, k], 0.0))), np.inf, level=level,
            method="normal, over cases", n=n,
        )
        for i, t in enumerate(treatments)
        for k, r in enumerate(readers)
    }  # fmt: skip
    return ReaderStudy(
        figure, scope, parts, statistic, (len(treatments) - 1.0, df), p, means, differences, each
    )
