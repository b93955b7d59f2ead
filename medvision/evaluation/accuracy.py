"""Diagnostic accuracy at a threshold: the 2×2 table and everything that is read from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from medvision.errors import EvaluationError
from medvision.evaluation.clustered import clustered_proportion
from medvision.evaluation.estimates import (
    DEGENERATE_VARIANCE,
    OK,
    ONE_CLASS,
    UNDEFINED_NO_UNITS,
    Estimate,
    undefined,
)
from medvision.evaluation.inputs import (
    Booleans,
    Integers,
    binary_labels,
    binary_predictions,
    checked_draws,
    checked_level,
    checked_prevalence,
    one_of,
    patient_codes,
    same_length,
)
from medvision.evaluation.likelihood_ratios import Rates, predictive_value, ratio_estimate
from medvision.evaluation.proportions import ProportionMethod, proportion
from medvision.evaluation.sampled_draws import SAMPLINGS, Sampling, as_sampled

NEEDS_PREVALENCE = "enriched_sampling_needs_prevalence"
SAMPLE_PREVALENCE = "holds_only_for_the_prevalence_of_this_sample"

_RESAMPLED = ("f1", "mcc")


@dataclass(frozen=True)
class TwoByTwo:
    """Counts of units: predictions against the reference standard.

    Attributes:
        tp: Condition present, predicted present.
        fp: Condition absent, predicted present.
        fn: Condition present, predicted absent.
        tn: Condition absent, predicted absent.

    Example:
        >>> TwoByTwo(9, 2, 1, 8)["tp"]
        9
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __getitem__(self, cell: str) -> int:
        return self.to_dict()[cell]

    def to_dict(self) -> dict[str, int]:
        """The four counts by name.

        Example:
            >>> TwoByTwo(9, 2, 1, 8).to_dict()
            {'tp': 9, 'fp': 2, 'fn': 1, 'tn': 8}
        """
        return {"tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn}


@dataclass(frozen=True)
class DiagnosticAccuracy:
    """Every measure of a 2×2 table, each with its interval.

    Attributes:
        sensitivity: Predicted present among those with the condition.
        specificity: Predicted absent among those without.
        ppv: Positive predictive value.
        npv: Negative predictive value.
        accuracy: Right predictions among all.
        balanced_accuracy: Mean of sensitivity and specificity.
        f1: Harmonic mean of sensitivity and positive predictive value.
        mcc: Matthews correlation coefficient.
        youden: Sensitivity + specificity - 1.
        lr_positive: Likelihood ratio of a positive prediction.
        lr_negative: Likelihood ratio of a negative prediction.
        diagnostic_odds_ratio: The first divided by the second.
        table: The counts.
        sampling: ``cohort`` or ``enriched``.
        prevalence: Of the condition, as the predictive values assume it.

    Example:
        >>> found = diagnostic_accuracy([1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 1])
        >>> found.table.to_dict()
        {'tp': 2, 'fp': 1, 'fn': 1, 'tn': 3}
    """

    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    accuracy: Estimate
    balanced_accuracy: Estimate
    f1: Estimate
    mcc: Estimate
    youden: Estimate
    lr_positive: Estimate
    lr_negative: Estimate
    diagnostic_odds_ratio: Estimate
    table: TwoByTwo
    sampling: Sampling
    prevalence: float

    def estimates(self) -> dict[str, Estimate]:
        """The measures by name.

        Example:
            >>> list(diagnostic_accuracy([1, 0], [1, 0]).estimates())[:2]
            ['sensitivity', 'specificity']
        """
        return {name: value for name, value in vars(self).items() if isinstance(value, Estimate)}


def diagnostic_accuracy(
    labels: ArrayLike,
    predictions: ArrayLike,
    *,
    patients: ArrayLike | None = None,
    sampling: Sampling = "cohort",
    prevalence: float | None = None,
    method: ProportionMethod = "wilson",
    level: float = 0.95,
    positive: object = None,
    resamples: int = 2000,
    seed: int = 0,
) -> DiagnosticAccuracy:
    """Sensitivity, specificity, predictive values and the rest, at the threshold that made the predictions.

    Proportions have the interval of :func:`medvision.evaluation.proportion`, or of
    :func:`medvision.evaluation.clustered_proportion` where a patient has several of the units concerned.
    Likelihood ratios have the log interval (Simel, Samsa and Matchar, J Clin Epidemiol 1991;44:763,
    doi:10.1016/0895-4356(91)90128-V), and so has the diagnostic odds ratio (Glas et al., J Clin Epidemiol
    2003;56:1129, doi:10.1016/S0895-4356(03)00177-X). Balanced accuracy and Youden's J (Cancer 1950;3:32,
    doi:10.1002/1097-0142(1950)3:1%3C32::AID-CNCR2820030106%3E3.0.CO;2-3) are sums of two proportions: their
    limits are squares and added of those of sensitivity and specificity (Newcombe, Stat Med 1998;17:873,
    doi:10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I; Zou and Donner, Stat Med
    2008;27:1693, doi:10.1002/sim.3095, for a sum, and with their correlation where patients have units of
    both kinds). F1 and MCC (Matthews, Biochim Biophys Acta 1975;405:442, doi:10.1016/0005-2795(75)90109-9)
    have the percentile bootstrap over patients; in a cohort the number of positive patients varies from
    resample to resample.

    Predictive values hold for one prevalence. With ``sampling="enriched"`` (cases and controls, or a set
    enriched with disease) they are undefined until ``prevalence`` is stated; then, and wherever it is
    stated, they are those at that prevalence with the logit interval (Mercaldo, Lau and Zhou, Stat Med
    2007;26:2170, doi:10.1002/sim.2677).

    Args:
        labels: 0 or 1 for each unit, shape ``(n,)``.
        predictions: 0 or 1 for each unit, shape ``(n,)``.
        patients: The patient of each unit.
        sampling: How the units came in: ``cohort`` (consecutive) or ``enriched``.
        prevalence: Where the predictive values shall hold, between 0 and 1.
        method: Interval of a proportion of independent units.
        level: Confidence level.
        positive: The label that means that the condition is present.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        One estimate a measure, and the 2×2 table. A zero cell leaves a likelihood ratio at 0, infinite or
        undefined; its interval then comes from counts with 0.5 added, and the status is ``zero_cell``.

    Raises:
        EvaluationError: Labels or predictions are not 0 or 1, lengths differ, or the prevalence is
            impossible.

    Example:
        The manual of the R package ``epiR`` prints sensitivity 0.900538, specificity 0.760095 and a positive
        likelihood ratio of 3.753726 (3.320688 to 4.243235) for 670, 202, 74 and 640 patients:

        >>> from medvision.evaluation.published import scott
        >>> labels, results = scott()
        >>> found = diagnostic_accuracy(labels, results, resamples=100)
        >>> print(found.sensitivity, "|", found.specificity)
        0.901 (95% CI 0.877–0.920) | 0.760 (95% CI 0.730–0.788)
        >>> found.lr_positive.text(6)
        '3.753726 (95% CI 3.320688–4.243235)'
    """
    checked_level(level)
    checked_draws(resamples, seed)
    one_of(sampling, SAMPLINGS, "sampling")
    if prevalence is not None:
        checked_prevalence(prevalence)
    truth = binary_labels(labels, positive=positive, patients=patients)
    called = binary_predictions(predictions, positive=positive, patients=patients)
    same_length(len(truth), predictions=called)
    codes = patient_codes(patients, len(truth))
    table = _Units(truth, called, codes, level, method)
    measures = {
        **_proportions(table),
        **_ratios(table),
        **_sums(table),
        **_resampled(table, patients is None, sampling, resamples, seed),
    }
    measures = _with_prevalence(measures, table, sampling, prevalence)
    assumed = prevalence if prevalence is not None else float(truth.mean()) if len(truth) else math.nan
    return DiagnosticAccuracy(**measures, table=table.counts(), sampling=sampling, prevalence=assumed)


@dataclass(frozen=True)
class _Units:
    truth: Booleans
    called: Booleans
    codes: Integers
    level: float
    method: ProportionMethod

    def counts(self) -> TwoByTwo:
        cells = (
            self.truth & self.called,
            ~self.truth & self.called,
            self.truth & ~self.called,
            ~self.truth & ~self.called,
        )
        return TwoByTwo(*(int(cell.sum()) for cell in cells))

    def share(self, hits: Booleans, among: Booleans) -> Estimate:
        own = self.codes[among]
        if len(np.unique(own)) == len(own):
            return proportion(int(hits[among].sum()), len(own), method=self.method, level=self.level)
        return clustered_proportion(hits[among], own, level=self.level)

    def rates(self) -> Rates:
        return Rates.of(self.truth, self.called, self.codes)


def _proportions(units: _Units) -> dict[str, Estimate]:
    right = units.truth == units.called
    everyone = np.ones_like(units.truth)
    return {
        "sensitivity": units.share(right, units.truth),
        "specificity": units.share(right, ~units.truth),
        "ppv": units.share(right, units.called),
        "npv": units.share(right, ~units.called),
        "accuracy": units.share(right, everyone),
    }


def _ratios(units: _Units) -> dict[str, Estimate]:
    rates, level = units.rates(), units.level
    return {
        name: ratio_estimate(rates, name, level)
        for name in ("lr_positive", "lr_negative", "diagnostic_odds_ratio")
    }


def _sums(units: _Units) -> dict[str, Estimate]:
    """Youden's J and balanced accuracy, from the limits of sensitivity and of specificity."""
    shares, rates = _proportions(units), units.rates()
    se, sp = shares["sensitivity"], shares["specificity"]
    n, m = len(units.truth), len(np.unique(units.codes))
    name = "square-and-add of sensitivity and specificity"
    if math.isnan(se.value) or math.isnan(sp.value):
        nothing = undefined(ONE_CLASS if n else UNDEFINED_NO_UNITS, level=units.level, method=name,
                            n_units=n, n_patients=m)  # fmt: skip
        return {"youden": nothing, "balanced_accuracy": nothing}
    own, other, joint = rates.variances
    rho = min(max(joint / math.sqrt(own * other), -1.0), 1.0) if own > 0 and other > 0 else 0.0
    below, above = (
        _added(se.value - se.low, sp.value - sp.low, rho),
        _added(se.high - se.value, sp.high - sp.value, rho),
    )
    error, value = math.sqrt(max(own + other + 2 * joint, 0.0)), se.value + sp.value - 1
    status = se.status if se.status != OK else sp.status
    j = Estimate(
        value, max(value - below, -1.0), min(value + above, 1.0), units.level, name, n, m, status, error
    )
    half = {part: (getattr(j, part) + 1) / 2 for part in ("value", "low", "high")}
    return {"youden": j, "balanced_accuracy": replace(j, **half, standard_error=error / 2)}


def _added(first: float, second: float, rho: float) -> float:
    return math.sqrt(max(first**2 + second**2 + 2 * rho * first * second, 0.0))


def _resampled(
    units: _Units, one_unit_a_patient: bool, sampling: Sampling, resamples: int, seed: int
) -> dict[str, Estimate]:
    table = {"label": units.truth.astype(int), "prediction": units.called.astype(int)}
    owners = None if one_unit_a_patient else units.codes
    found: dict[str, Estimate] = {}
    for name in _RESAMPLED:
        try:
            found |= as_sampled(
                name, table, owners, sampling, resamples=resamples, seed=seed, level=units.level
            )
        except EvaluationError:  # too many undefined replicates for an interval
            found[name] = _without_interval(units, name)
    return {
        name: _degenerate(estimate, name, units) if estimate.status == DEGENERATE_VARIANCE else estimate
        for name, estimate in found.items()
    }


def _without_interval(units: _Units, name: str) -> Estimate:
    value = _at_rates(name, units, *(units.rates().sensitivity, units.rates().specificity))
    return Estimate(
        value, math.nan, math.nan, units.level, "bootstrap over patients, percentile", len(units.truth),
        len(np.unique(units.codes)), "too_many_undefined_replicates",
    )  # fmt: skip


def _at_rates(name: str, units: _Units, se: float, sp: float) -> float:
    """A measure of the table that these units would give at another sensitivity and specificity."""
    from medvision.evaluation.weighted_metrics import MEASURES

    n1, n0 = int(units.truth.sum()), int((~units.truth).sum())
    cells = (np.array([cell]) for cell in (se * n1, (1 - sp) * n0, (1 - se) * n1, sp * n0))
    return float(MEASURES[name](*cells)[0])


def _degenerate(estimate: Estimate, name: str, units: _Units) -> Estimate:
    """Limits where no replicate differed: from the limits of sensitivity and of specificity."""
    shares = _proportions(units)
    se, sp = shares["sensitivity"], shares["specificity"]
    low, high = _at_rates(name, units, se.low, sp.low), _at_rates(name, units, se.high, sp.high)
    return replace(
        estimate,
        low=min(low, estimate.value),
        high=max(high, estimate.value),
        method="from the limits of sensitivity and specificity",
    )


def _with_prevalence(
    measures: dict[str, Estimate], units: _Units, sampling: Sampling, prevalence: float | None
) -> dict[str, Estimate]:
    if sampling == "enriched":
        for name in ("accuracy", "f1", "mcc"):
            if measures[name].status == OK:
                measures[name] = measures[name].with_status(SAMPLE_PREVALENCE)
    if prevalence is not None:
        measures["ppv"] = predictive_value(measures["lr_positive"], prevalence)
        measures["npv"] = predictive_value(measures["lr_negative"], prevalence, negative=True)
    elif sampling == "enriched":
        for name in ("ppv", "npv"):
            measures[name] = undefined(
                NEEDS_PREVALENCE,
                level=units.level,
                method="none",
                n_units=measures[name].n_units,
                n_patients=measures[name].n_patients,
            )
    return measures
