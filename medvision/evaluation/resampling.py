"""The bootstrap over patients: whole patients are drawn, and every metric sees the same draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from medvision.errors import EvaluationError
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, OK, Estimate
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    checked_draws,
    checked_level,
    one_dimensional,
    one_of,
    patient_codes,
)
from medvision.evaluation.weighted_metrics import WEIGHTED_METRICS, WeightedMetric

Table = Mapping[str, NDArray[Any]]
Metric = Callable[[Any], float]

# One random stream for each block of draws: the draws do not depend on how many blocks are worked on at once.
_BLOCK = 50
# Counts that are held as floats at once; more patients are worked on in fewer resamples at a time.
_HELD = 2**20
_REFUSED_SHARE = 0.05
_LABEL = "label"
_FEW = 10

FEW_PATIENTS = "fewer_than_10_patients"


@dataclass(frozen=True)
class BootstrapEstimate(Estimate):
    """An estimate with the replicates that its interval comes from.

    Attributes:
        replicates: The metric on each resample, NaN where undefined, shape ``(resamples,)``. Replicates of
            two metrics from one call belong to the same draws, so their difference is paired.
        undefined_replicates: How many of them are NaN.

    Example:
        >>> table = {"label": [0, 0, 1, 1], "score": [0.1, 0.6, 0.4, 0.9]}
        >>> bootstrap(["auroc"], table, patients=None, resamples=200, seed=1)["auroc"].replicates.shape
        (200,)
    """

    replicates: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    undefined_replicates: int = 0


def bootstrap(
    metrics: Mapping[str, str | Metric] | Sequence[str],
    table: Any,  # noqa: ANN401 -- a DataFrame or a mapping of columns, without importing pandas
    *,
    patients: str | ArrayLike | None,
    resamples: int = 2000,
    seed: int,
    method: Literal["percentile", "bca"] = "percentile",
    level: float = 0.95,
    stratified: bool = True,
    chunk_size: int = 50,
) -> dict[str, BootstrapEstimate]:
    """Intervals by resampling patients, all units of a drawn patient coming along.

    The bootstrap is Efron's (Ann Stat 1979;7:1, doi:10.1214/aos/1176344552), of whole patients as in Rutter
    (Acad Radiol 2000;7:413, doi:10.1016/S1076-6332(00)80381-5) and Field and Welsh (J R Stat Soc B
    2007;69:369, doi:10.1111/j.1467-9868.2007.00593.x).

    Patients are drawn within two strata, with and without a positive unit (where all have one: with and
    without a negative unit), so that both classes stay present. That fixes the prevalence. Of patients who
    came in as a cohort it is a matter of chance, too: a measure that depends on it (PPV, F1, MCC, average
    precision, Brier score) then has too short an interval unless ``stratified`` is False. All metrics see
    the same draws. The interval tells what other test patients would have given the same, already trained
    model; it knows nothing of another training. The result depends neither on the order of the rows nor on
    ``chunk_size``.

    Args:
        metrics: Names of metrics, or a name for each metric. A metric is ``"auroc"``, ``"sensitivity"``,
            ``"specificity"``, ``"ppv"``, ``"npv"``, ``"accuracy"``, ``"balanced_accuracy"``, ``"youden"``,
            ``"f1"``, ``"mcc"`` or ``"average_precision"`` (fast, on the columns ``label`` and ``score`` or
            ``prediction``), one of these with the column that it reads (``"auroc:score_b"``), the mean or
            median of a column (``"mean:dice"``), or a function of the resampled table that returns a number
            (slow).
        table: A DataFrame, or a mapping of column names to arrays of one length.
        patients: The column that names the patient, or one patient a row; None makes each row a patient.
        resamples: How many times patients are drawn.
        seed: Of the draws.
        method: ``percentile``, or ``bca`` (Efron, J Am Stat Assoc 1987;82:171,
            doi:10.1080/01621459.1987.10478410, with a jackknife over patients).
        level: Confidence level.
        stratified: Draw patients with and without a positive unit apart. False lets the prevalence vary.
        chunk_size: How many resamples are worked on at once, at most; fewer where there are many patients.

    Returns:
        An estimate for each metric. A metric that did not vary at all is ``degenerate_variance``, and its
        limits are NaN: the bootstrap has nothing to say about it.

    Raises:
        EvaluationError: A column is missing, a metric is not known, or more than 5% of the replicates of a
            metric are undefined.

    Example:
        The ratings of Hanley and McNeil (1982), with the area 0.893:

        >>> from medvision.evaluation.published import hanley_mcneil
        >>> labels, ratings = hanley_mcneil()
        >>> table = {"label": labels, "score": ratings}
        >>> found = bootstrap(["auroc"], table, patients=None, resamples=500, seed=0)
        >>> print(found["auroc"], found["auroc"].n_patients)
        0.893 (95% CI 0.827–0.943) 109
    """
    checked_level(level)
    one_of(method, ("percentile", "bca"), "method")
    checked_draws(resamples, seed)
    resampled = _Resampled(table, patients, stratified)
    evaluators = resampled.evaluators(metrics)
    values = {name: _value(evaluate, resampled) for name, evaluate in evaluators.items()}
    replicates = _replicates(resampled, evaluators, resamples, seed, chunk_size)
    found = {}
    for name, evaluate in evaluators.items():
        limits = _Limits(values[name], replicates[name], level, method)
        jackknife = _jackknife(evaluate, resampled, chunk_size) if limits.needs_jackknife else np.empty(0)
        found[name] = _estimate(name, limits, jackknife, resampled, seed)
    return found


def bootstrap_weighted(
    metric: WeightedMetric,
    labels: Booleans,
    codes: Integers | None,
    name: str,
    resamples: int,
    seed: int,
    level: float,
    *,
    keys: Sequence[Floats] = (),
    stratified: bool = True,
) -> BootstrapEstimate:
    """The percentile interval of a metric that is written for weights of units.

    Args:
        metric: A function of weights of shape ``(resamples, n)``.
        labels: Shape ``(n,)``, for the strata.
        codes: Patient codes, shape ``(n,)``; None where every unit is its own patient.
        name: What the interval is called.
        resamples: How many.
        seed: Of the draws.
        level: Confidence level.
        keys: What else tells units apart, so that their order does not matter where there are no patients.
        stratified: Draw patients with and without a positive unit apart.

    Example:
        >>> truth, found = np.array([False, True] * 6), np.arange(12.0)
        >>> bootstrap_weighted(lambda w: w @ found / w.sum(axis=1), truth, None, "mean", 50, 0, 0.95).value
        5.5
    """
    table = {_LABEL: labels.astype(np.int64), **{f"key{i}": key for i, key in enumerate(keys)}}
    resampled = _Resampled(table, codes, stratified)
    back = np.argsort(resampled.order, kind="stable")

    def evaluate(counts: Floats) -> Floats:
        return metric(counts[:, resampled.codes][:, back])

    value = _value(evaluate, resampled)
    replicates = _replicates(resampled, {name: evaluate}, resamples, seed, _BLOCK)[name]
    limits = _Limits(value, replicates, level, "percentile")
    return replace(_estimate(name, limits, np.empty(0), resampled, seed), method=name)


def patient_draws(strata: Integers, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each patient is drawn in each resample, in blocks of resamples.

    Args:
        strata: The stratum of each patient, shape ``(patients,)``.
        resamples: How many resamples in all.
        seed: Of the draws.

    Yields:
        Counts of shape ``(block, patients)``; in every row each stratum keeps its size. Where there are many
        patients the blocks are small, so that memory stays bounded; the draws are the same.

    Example:
        >>> next(patient_draws(np.array([0, 0, 1]), 2, seed=0)).sum(axis=1).tolist()
        [3.0, 3.0]
    """
    checked_draws(resamples, seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    streams = np.random.SeedSequence(seed).spawn(-(-resamples // _BLOCK))
    at_once = max(1, min(_BLOCK, _HELD // max(len(strata), 1)))
    for number, stream in enumerate(streams):
        rng = np.random.Generator(np.random.PCG64(stream))
        counts = np.zeros((_BLOCK, len(strata)), dtype=np.uint16 if at_once < _BLOCK else np.float64)
        for own in members:
            for start in range(0, _BLOCK, at_once):
                rows = slice(start, min(start + at_once, _BLOCK))
                counts[rows, own] = _times_drawn(rng, rows.stop - rows.start, len(own))
        for start in range(0, min(_BLOCK, resamples - number * _BLOCK), at_once):
            stop = min(start + at_once, _BLOCK, resamples - number * _BLOCK)
            yield counts[start:stop].astype(np.float64, copy=False)


def _times_drawn(rng: np.random.Generator, rows: int, n: int) -> Integers:
    drawn = rng.integers(0, n, size=(rows, n))
    drawn += np.arange(rows)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)


def label_strata(labels: Booleans, codes: Integers) -> Integers:
    """The stratum of each patient: with and without a positive unit, or, where all have one, a negative unit.

    Args:
        labels: Shape ``(n,)``.
        codes: The patient of each unit, from 0, shape ``(n,)``.

    Example:
        >>> label_strata(np.array([True, False, False]), np.array([0, 0, 1])).tolist()
        [1, 0]
    """
    size = int(codes.max()) + 1 if len(codes) else 0
    some = np.bincount(codes, weights=labels, minlength=size) > 0
    if some.all():
        # All negative units belong to patients who have positive ones, too: these must stay present.
        some = np.bincount(codes, weights=~labels, minlength=size) > 0
    return some.astype(np.int64)


class _Resampled:
    """A table in an order that depends only on its content, and the patients of its rows."""

    def __init__(
        self,
        table: Any,  # noqa: ANN401 -- see bootstrap
        patients: str | ArrayLike | None,
        stratified: bool = True,
    ) -> None:
        self._frame = table if hasattr(table, "iloc") else None
        columns = {str(name): one_dimensional(table[name], str(name)) for name in table}
        if len({len(column) for column in columns.values()}) != 1:
            lengths = {name: len(column) for name, column in columns.items()}
            raise EvaluationError(f"the columns of the table differ in length: {lengths}")
        n_rows = len(next(iter(columns.values())))
        owners = columns[_known_column(patients, columns)] if isinstance(patients, str) else patients
        codes = patient_codes(owners, n_rows)
        keys = [column for column in columns.values() if column.dtype.kind in "biuf"]
        by_content = np.lexsort(keys) if keys else np.arange(n_rows)
        # Without patients each row is one: then only the content can order them.
        order = by_content if patients is None else by_content[np.argsort(codes[by_content], kind="stable")]
        self.order = order
        self.columns = {name: column[order] for name, column in columns.items()}
        self.codes = np.arange(n_rows) if patients is None else codes[order]
        self.n_patients = int(self.codes.max()) + 1 if n_rows else 0
        self.n_units = n_rows
        self.strata = self._strata() if stratified else np.zeros(self.n_patients, dtype=np.int64)
        self._rows = np.split(np.arange(n_rows), np.searchsorted(self.codes, np.arange(1, self.n_patients)))

    def _strata(self) -> Integers:
        if _LABEL not in self.columns:
            return np.zeros(self.n_patients, dtype=np.int64)
        return label_strata(self.columns[_LABEL] == 1, self.codes)

    def evaluators(
        self, metrics: Mapping[str, str | Metric] | Sequence[str]
    ) -> dict[str, Callable[[Floats], Floats]]:
        named = metrics if isinstance(metrics, Mapping) else {name: name for name in metrics}
        return {name: self._evaluator(metric) for name, metric in named.items()}

    def _evaluator(self, metric: str | Metric) -> Callable[[Floats], Floats]:
        if not isinstance(metric, str):
            return lambda counts: np.asarray([metric(self._drawn(row)) for row in counts], dtype=float)
        kind, _, column = metric.partition(":")
        one_of(kind, tuple(WEIGHTED_METRICS), "metric")
        build, default = WEIGHTED_METRICS[kind]
        if not column and default is None:
            raise EvaluationError(f"metric={metric!r} needs a column, such as {kind}:dice")
        label = np.empty(0) if default is None else self.columns[_known_column(_LABEL, self.columns)]
        values = self.columns[_known_column(column or str(default), self.columns)]
        weighted: WeightedMetric = build(label, values)
        if self.n_units == self.n_patients:  # one unit a patient: its weight is the patient's own
            return weighted
        return lambda counts: weighted(counts[:, self.codes])

    def _drawn(self, counts: Floats) -> Any:  # noqa: ANN401 -- the kind of table that came in
        times = np.repeat(np.arange(self.n_patients), counts.astype(np.int64))
        rows = np.concatenate([self._rows[patient] for patient in times])
        if self._frame is not None:
            return self._frame.iloc[self.order[rows]]
        return {name: column[rows] for name, column in self.columns.items()}


def _known_column(name: str, columns: Mapping[str, object]) -> str:
    return one_of(name, tuple(columns), "column")


def _value(evaluate: Callable[[Floats], Floats], resampled: _Resampled) -> float:
    return float(evaluate(np.ones((1, resampled.n_patients)))[0])


def _replicates(
    resampled: _Resampled,
    evaluators: Mapping[str, Callable[[Floats], Floats]],
    resamples: int,
    seed: int,
    chunk_size: int,
) -> dict[str, Floats]:
    parts: dict[str, list[Floats]] = {name: [] for name in evaluators}
    held: list[Floats] = []
    at_once = min(chunk_size, max(1, _HELD // max(resampled.n_units, 1)))
    for block in patient_draws(resampled.strata, resamples, seed):
        held.append(block)
        if sum(len(part) for part in held) >= at_once:
            _evaluate(held, evaluators, parts)
    _evaluate(held, evaluators, parts)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _evaluate(
    held: list[Floats], evaluators: Mapping[str, Callable[[Floats], Floats]], parts: dict[str, list[Floats]]
) -> None:
    if held:
        counts = np.concatenate(held)
        for name, evaluate in evaluators.items():
            parts[name].append(evaluate(counts))
        held.clear()


def _jackknife(evaluate: Callable[[Floats], Floats], resampled: _Resampled, chunk_size: int) -> Floats:
    n, parts = resampled.n_patients, []
    at_once = min(chunk_size, max(1, _HELD // max(resampled.n_units, 1)))
    for start in range(0, n, at_once):
        left_out = np.arange(start, min(start + at_once, n))
        counts = np.ones((len(left_out), n))
        counts[np.arange(len(left_out)), left_out] = 0
        parts.append(evaluate(counts))
    return np.concatenate(parts)


@dataclass(frozen=True)
class _Limits:
    value: float
    replicates: Floats
    level: float
    method: str

    @property
    def defined(self) -> Floats:
        return self.replicates[np.isfinite(self.replicates)]

    @property
    def degenerate(self) -> bool:
        return len(self.defined) == 0 or bool(np.ptp(self.defined) < 1e-12)

    @property
    def needs_jackknife(self) -> bool:
        return self.method == "bca" and not self.degenerate

    def percentile(self) -> tuple[float, float]:
        tail = (1 - self.level) / 2
        return self._quantiles(tail, 1 - tail)

    def bca(self, jackknife: Floats) -> tuple[float, float]:
        below = np.mean(self.defined < self.value) + np.mean(self.defined == self.value) / 2
        centred = np.nanmean(jackknife) - jackknife[np.isfinite(jackknife)]
        spread = (centred**2).sum()
        if not 0 < below < 1 or spread == 0:
            return self.percentile()
        bias, acceleration = ndtri(below), (centred**3).sum() / (6 * spread**1.5)
        z = bias + ndtri([(1 - self.level) / 2, (1 + self.level) / 2])
        low, high = ndtr(bias + z / (1 - acceleration * z))
        return self._quantiles(float(low), float(high))

    def _quantiles(self, low: float, high: float) -> tuple[float, float]:
        limits = np.quantile(self.defined, [low, high])
        return float(limits[0]), float(limits[1])


def _estimate(
    name: str, limits: _Limits, jackknife: Floats, resampled: _Resampled, seed: int
) -> BootstrapEstimate:
    missing = len(limits.replicates) - len(limits.defined)
    method = f"bootstrap over patients, {'BCa' if limits.method == 'bca' else 'percentile'}"
    if missing > _REFUSED_SHARE * len(limits.replicates) and math.isfinite(limits.value):
        raise EvaluationError(
            f"{name} is undefined in {missing} of {len(limits.replicates)} resamples; over 5% would bias "
            "the interval: use more patients, or an exact interval"
        )
    if math.isnan(limits.value):
        low = high = math.nan
        status = _why_undefined(resampled)
    elif limits.degenerate:
        low = high = math.nan
        status = DEGENERATE_VARIANCE
    else:
        low, high = limits.bca(jackknife) if limits.needs_jackknife else limits.percentile()
        status = OK if resampled.n_patients >= _FEW else FEW_PATIENTS
        if missing:
            status = f"{missing}_of_{len(limits.replicates)}_replicates_undefined"
    error = float(np.std(limits.defined, ddof=1)) if len(limits.defined) > 1 else None
    return BootstrapEstimate(
        limits.value, low, high, limits.level, method, resampled.n_units, resampled.n_patients, status, error,
        seed, limits.replicates, missing,
    )  # fmt: skip


def _why_undefined(resampled: _Resampled) -> str:
    label = resampled.columns.get(_LABEL)
    one_class = label is not None and len(np.unique(label)) < 2
    return "one_class" if one_class else "undefined"
