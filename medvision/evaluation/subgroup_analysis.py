"""Does the model work as well in every group? Estimates by subgroup, and the test for a difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, logit

from medvision.errors import EvaluationError
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.estimates import DEGENERATE_VARIANCE, FEW_UNITS, OK, Comparison, Estimate
from medvision.evaluation.influence import area_influence, share_influence
from medvision.evaluation.inputs import (
    Booleans,
    Floats,
    Integers,
    binary_labels,
    checked_level,
    finite_scores,
    one_dimensional,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.multiplicity import adjust
from medvision.evaluation.proportions import proportion
from medvision.evaluation.roc import auroc

Metric = Literal["auroc", "sensitivity", "specificity"]
_FEW = 10
_TESTS = {
    "auroc": "Wald test of equal areas on the logit scale, patients as clusters",
    "sensitivity": "score test of equal proportions, patients as clusters",
    "specificity": "score test of equal proportions, patients as clusters",
}


@dataclass(frozen=True)
class Subgroups:
    """A measure in each group of one covariate, and whether the groups differ.

    Attributes:
        metric: ``auroc``, ``sensitivity`` or ``specificity``.
        groups: The estimate of each group, by its name. Below 10 units (for an area, 10 of either class) it
            has no interval: so few cases support no claim.
        reference: The group with most units, to which the others are compared.
        differences: Each other group minus the reference.
        statistic: Of the test that all groups with an interval have one value; chi-squared.
        df: Its degrees of freedom: the groups that were tested, less one.
        p: Its p-value, the interaction of model and covariate; NaN where fewer than two groups can be tested.
        method: The test.

    Example:
        >>> found = subgroups([0, 1] * 40, np.arange(80) % 7, ["a", "b"] * 20 + ["b", "a"] * 20)
        >>> found.reference, found.df
        ('b', 1)
    """

    metric: str
    groups: dict[str, Estimate]
    reference: str
    differences: dict[str, Estimate]
    statistic: float
    df: int
    p: float
    method: str

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold.

        Example:
            >>> found = subgroups([0, 1] * 40, np.arange(80) % 7, ["a", "b"] * 20 + ["b", "a"] * 20)
            >>> sorted(found.to_dict())[:3]
            ['df', 'differences', 'groups']
        """
        tested = Comparison(Estimate(math.nan, math.nan, math.nan), self.statistic, self.p, self.method)
        plain = tested.to_dict()
        return {
            "metric": self.metric,
            "groups": {name: found.to_dict() for name, found in self.groups.items()},
            "reference": self.reference,
            "differences": {name: found.to_dict() for name, found in self.differences.items()},
            "statistic": plain["statistic"],
            "df": self.df,
            "p": plain["p"],
            "method": self.method,
        }


def subgroups(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike,
    *,
    metric: Metric = "auroc",
    threshold: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
    positive: object = None,
) -> Subgroups:
    """A measure by subgroup, and the test for interaction: has every group the same value?

    The estimates are those of :func:`medvision.evaluation.auroc`, :func:`medvision.evaluation.proportion` and
    :func:`medvision.evaluation.clustered_proportion`. Groups are compared by their differences, not by a
    p-value of each (Altman and Bland, BMJ 2003;326:219, doi:10.1136/bmj.326.7382.219), with the limits of Zou
    and Donner (Stat Med 2008;27:1693, doi:10.1002/sim.3095). Differences and test rest on what each patient
    contributes to each group (the influence of DeLong's, Biometrics 1988;44:837, doi:10.2307/2531595, and of
    the ratio estimator, Rao and Scott, Biometrics 1992;48:577, doi:10.2307/2532311), so a patient may have
    units in several groups, such as two scanners. The test is chi-squared on groups - 1 degrees of freedom:
    for areas Wald's on the logit scale, for proportions a score test, whose variance is that around the
    proportion of all groups together, so that a group in which everything succeeded is tested too (Pearson's
    chi-squared test, where every patient has one unit). Few cases
    find large differences only: a large p does not show that groups are equal; read the intervals.

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        scores: Shape ``(n,)``.
        groups: The group of each unit, shape ``(n,)``; missing values form the group ``missing``.
        metric: ``auroc``, or ``sensitivity`` or ``specificity`` at ``threshold``.
        threshold: A prediction is positive at this score and above; one number, or one for each unit.
        patients: The patient of each unit.
        level: Confidence level.
        positive: The label that means that the condition is present.

    Returns:
        Every group, the differences from the largest one, and the test.

    Raises:
        EvaluationError: An input is not usable, or sensitivity is asked for without a threshold.

    Example:
        >>> labels, scores = [0, 1] * 60, np.arange(120) % 11 + np.tile([0, 3], 60)
        >>> found = subgroups(labels, scores, ["women", "men", "men"] * 40)
        >>> print(found.groups["men"])
        0.737 (95% CI 0.618–0.829)
        >>> print(found.differences["women"], round(found.p, 2))
        0.017 (95% CI -0.180 to 0.184) 0.86
    """
    checked_level(level)
    one_of(metric, ("auroc", "sensitivity", "specificity"), "metric")
    truth = binary_labels(labels, positive=positive, patients=patients)
    values = finite_scores(scores, patients=patients)
    names = group_names(groups)
    same_length(len(truth), scores=values, groups=names)
    codes = patient_codes(patients, len(truth))
    calls = None if metric == "auroc" else _calls(values, threshold, metric)
    found: dict[str, Estimate] = {}
    influence: dict[str, Floats] = {}
    under_null: dict[str, Floats] = {}
    pooled = 0.0 if calls is None else _pooled(calls == truth, truth if metric == "sensitivity" else ~truth)
    for name in np.unique(names).tolist():
        own = names == name
        clustered = codes[own] if patients is not None else None
        if calls is None:
            found[name] = auroc(truth[own], values[own], patients=clustered, level=level)
            influence[name] = area_influence(truth, values, codes, own)
            area = found[name].value
            under_null[name] = influence[name] / (area * (1 - area)) if 0 < area < 1 else influence[name]
        else:
            among = own & (truth if metric == "sensitivity" else ~truth)
            found[name] = _proportion(calls == truth, among, codes, patients is not None, level)
            right = (calls == truth)[among]
            influence[name] = share_influence(right - right.mean() if len(right) else right, among, codes)
            under_null[name] = share_influence(_around(pooled, right, among, codes), among, codes)
        if _too_few(truth, own, metric):
            found[name] = replace(found[name], low=math.nan, high=math.nan, status=FEW_UNITS)
    statistic, df, p = _equality(metric, found, under_null)
    reference = max(found, key=lambda name: (found[name].n_units, name)) if found else ""
    differences = {
        name: _difference(found[name], found[reference], influence[name], influence[reference], level)
        for name in found
        if name != reference
    }
    return Subgroups(metric, found, reference, differences, statistic, df, p, _TESTS[metric])


def adjusted_interactions(found: Mapping[str, Subgroups]) -> dict[str, float]:
    """The p-values of several covariates' interactions, adjusted by Holm's method as one family.

    Args:
        found: The subgroups of each covariate.

    Example:
        >>> one = subgroups([0, 1] * 40, np.arange(80) % 7, ["a", "b"] * 20 + ["b", "a"] * 20)
        >>> adjusted_interactions({"sex": one})["sex"] == one.p
        True
    """
    adjusted = adjust([one.p for one in found.values()])
    return {name: float(p) for name, p in zip(found, adjusted, strict=True)}


def group_names(groups: ArrayLike) -> NDArray[np.str_]:
    """Group names as text; what is missing is the group ``missing``.

    Example:
        >>> group_names(["a", None, "b"]).tolist()
        ['a', 'missing', 'b']
    """
    values = one_dimensional(groups, "groups")
    missing = [value is None or value != value for value in values.tolist()]
    return np.where(missing, "missing", values.astype(str))


def _calls(scores: Floats, threshold: ArrayLike | None, metric: str) -> Booleans:
    if threshold is None:
        raise EvaluationError(f"{metric} needs a threshold: a prediction is positive at it and above")
    limits = finite_scores(
        np.broadcast_to(np.asarray(threshold, dtype=float), scores.shape), name="thresholds"
    )
    return np.asarray(scores >= limits, dtype=bool)


def _too_few(truth: Booleans, own: Booleans, metric: str) -> bool:
    counts = {"sensitivity": int((truth & own).sum()), "specificity": int((~truth & own).sum())}
    return min(counts.values()) < _FEW if metric == "auroc" else counts[metric] < _FEW


def _proportion(right: Booleans, among: Booleans, codes: Integers, clustered: bool, level: float) -> Estimate:
    if clustered and len(np.unique(codes[among])) < among.sum():
        return clustered_proportion(right[among], codes[among], level=level)
    return proportion(int(right[among].sum()), int(among.sum()), level=level)


def _pooled(right: Booleans, among: Booleans) -> float:
    return float(right[among].mean()) if among.any() else math.nan


def _around(pooled: float, right: Booleans, among: Booleans, codes: Integers) -> Floats:
    """Residuals around the proportion of all groups; for independent units those of Pearson's chi-squared.

    The squares of the residuals themselves are too small in a group whose own proportion lies nearer to 1.
    """
    m = len(right)
    if m < 2 or len(np.unique(codes)) < len(codes):
        return np.asarray(right - pooled, dtype=np.float64)
    return np.full(m, math.sqrt(pooled * (1 - pooled) * (m - 1) / m))


def _equality(
    metric: str, found: Mapping[str, Estimate], influence: Mapping[str, Floats]
) -> tuple[float, int, float]:
    """Chi-squared, degrees of freedom and p of the test that all groups with an interval have one value."""
    tested = [name for name, estimate in found.items() if not math.isnan(estimate.low)]
    values = np.array([found[name].value for name in tested])
    if metric == "auroc":
        inside = (values > 0) & (values < 1)
        tested = [name for name, fits in zip(tested, inside.tolist(), strict=True) if fits]
        values = logit(values[inside])
    k = len(tested)
    if k < 2:
        return math.nan, 0, math.nan
    contrast = np.hstack([np.ones((k - 1, 1)), -np.eye(k - 1)])
    effects = np.array([influence[name] for name in tested])
    spread = contrast @ effects @ effects.T @ contrast.T
    gaps = contrast @ values
    if np.linalg.matrix_rank(spread) < k - 1:
        # Where every unit of every group succeeded (or failed), nothing differs.
        return (0.0, k - 1, 1.0) if not np.abs(gaps).max() > 0 else (math.nan, k - 1, math.nan)
    statistic = float(gaps @ np.linalg.solve(spread, gaps))
    return statistic, k - 1, float(chdtrc(k - 1, statistic))


def _difference(one: Estimate, other: Estimate, added: Floats, other_added: Floats, level: float) -> Estimate:
    """The limits of both estimates, squared and added with the covariance of the two.

    Reference: Zou and Donner, Stat Med 2008;27:1693, doi:10.1002/sim.3095.
    """
    value = one.value - other.value
    n, m = one.n_units + other.n_units, one.n_patients + other.n_patients
    name = "square-and-add of both intervals with their correlation"
    if math.isnan(one.low) or math.isnan(other.low):
        status = FEW_UNITS if not math.isnan(value) else one.status if math.isnan(one.value) else other.status
        return Estimate(value, math.nan, math.nan, level, name, n, m, status)
    # What each patient adds to either estimate; it is 0 where a patient is in one of the groups only.
    both = float(np.linalg.norm(added) * np.linalg.norm(other_added))
    rho = min(max(float(added @ other_added) / both, -1.0), 1.0) if both > 0 else 0.0
    below, above = one.value - one.low, other.high - other.value
    low = value - math.sqrt(max(below**2 + above**2 - 2 * rho * below * above, 0.0))
    below, above = one.high - one.value, other.value - other.low
    high = value + math.sqrt(max(below**2 + above**2 - 2 * rho * below * above, 0.0))
    status = OK if both > 0 else DEGENERATE_VARIANCE
    error = float(np.linalg.norm(added - other_added))
    return Estimate(value, max(low, -1.0), min(high, 1.0), level, name, n, m, status, error)
